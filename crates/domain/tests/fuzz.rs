//! Whatever text stands where a number should: read or refused at once. `make fuzz` tries many more cases (PROPTEST_CASES).

use std::time::{Duration, Instant};

use domain::money;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_number_or_refused_at_once(text in "[-+0-9.eE_ ]{0,80}|\\PC{0,40}") {
        let begun = Instant::now();
        let _ = (money::parse(&text), money::parse_exact(&text), money::typed_hundredths(&text));
        prop_assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

//! `make soak`: one day of many shops, with failures of all kinds from a seed.

use std::env;

use laboratory::soak::{Soak, soak};

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test]
async fn a_day_of_failures_leaves_the_books_true_and_nothing_stuck() {
    let shops = usize::try_from(number("SOAK_SHOPS", 6)).unwrap();
    let soaked = soak(Soak { shops, seed: number("SOAK_SEED", 1) }).await;
    println!("{soaked:?}");
    assert!(soaked.problems.is_empty(), "{:#?}", soaked.problems);
    assert!(soaked.memory_is_flat(), "{:?}", soaked.resident);
}

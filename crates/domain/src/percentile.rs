//! How long most take: percentiles by nearest rank.

/// The value that so many percent of all are not above; none of none. The values need not be in order.
pub fn percentile(values: &[i64], percent: usize) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent.min(100)).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::percentile;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let hundred: Vec<i64> = (1..=100).rev().collect();
        assert_eq!(
            [50, 95, 99, 100].map(|percent| percentile(&hundred, percent)),
            [50, 95, 99, 100].map(Some)
        );
        assert_eq!(percentile(&[3, 1, 2], 50), Some(2));
        assert_eq!(percentile(&[7], 99), Some(7));
        assert_eq!(percentile(&[7], 0), Some(7));
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(percentile(&[], 50), None);
    }

    proptest! {
        #[test]
        fn so_many_are_not_above_it_and_fewer_would_not_do(values in prop::collection::vec(-50_i64..50, 1..80), percent in 1..=100_usize) {
            let found = percentile(&values, percent).unwrap();
            let up_to = |bound: i64| values.iter().filter(|value| **value <= bound).count();
            prop_assert!(up_to(found) * 100 >= percent * values.len());
            prop_assert!(up_to(found - 1) * 100 < percent * values.len());
        }
    }
}

//! The sums that Sage answers, held against those that the plan expects.

use domain::{
    Decimal, money,
    plan::{BASE_TOTAL_TOLERANCE, Expect},
};
use messages::message;
use store::Answer;

/// Both sums in a sentence, where the answer's are not the expected ones. `base_total` is the total in the base currency, where the
/// answer is fresh and shows one: it proves that Sage takes the exchange rate in the direction that it was sent in.
pub fn difference(expect: &Expect, answer: &Answer, base_total: Option<Decimal>) -> Option<String> {
    let total = money::to_minor(expect.total);
    let tax = expect.tax.and_then(money::to_minor);
    let is_same = |expected: Option<i64>, answered: Option<i64>| {
        expected.is_none() || answered.is_none() || expected == answered
    };
    if !is_same(total, answer.total_minor) || !is_same(tax, answer.tax_minor) {
        return Some(message!(
            run_detail.totals,
            total = show(total),
            tax = show(tax),
            total_in_sage = show(answer.total_minor),
            tax_in_sage = show(answer.tax_minor)
        ));
    }
    let (expected, answered) = (expect.base_total?, base_total?);
    let is_near = (expected - answered).abs() <= (expected * BASE_TOTAL_TOLERANCE).abs();
    (!is_near).then(|| {
        message!(run_detail.base_total, expected = money::text(expected), in_sage = money::text(answered))
    })
}

fn show(minor: Option<i64>) -> String {
    minor.map_or_else(|| "–".to_owned(), |minor| money::text(money::from_minor(minor)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(total_minor: i64, tax_minor: i64) -> Answer {
        Answer {
            sage_id: "id".to_owned(),
            displayed_as: None,
            total_minor: Some(total_minor),
            tax_minor: Some(tax_minor),
        }
    }

    fn expect(base_total: Option<Decimal>) -> Expect {
        Expect { total: Decimal::new(8152, 2), tax: Some(Decimal::new(1359, 2)), base_total }
    }

    #[test]
    fn a_penny_is_a_difference() {
        assert_eq!(difference(&expect(None), &answer(8152, 1359), None), None);
        let sums = difference(&expect(None), &answer(8153, 1359), None).unwrap();
        assert!(sums.contains("81.52") && sums.contains("81.53"), "{sums}");
        assert!(difference(&expect(None), &answer(8152, 1358), None).is_some());
    }

    #[test]
    fn a_rate_that_was_turned_round_is_a_difference_and_a_rounded_penny_is_none() {
        let base = Some(Decimal::new(6947, 2));
        assert_eq!(difference(&expect(base), &answer(8152, 1359), Some(Decimal::new(6950, 2))), None);
        assert!(difference(&expect(base), &answer(8152, 1359), Some(Decimal::new(9565, 2))).is_some());
        assert_eq!(difference(&expect(base), &answer(8152, 1359), None), None);
    }
}

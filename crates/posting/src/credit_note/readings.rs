//! In which ways a memo can be read whose tax is not certain: each is a tax that product taxes within its total may hold.

use domain::{
    money::{round2, text},
    plan::Reading,
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    credit_note::{amount_range::AmountRange, explained_sale::ExplainedSale, memo_evidence::MemoEvidence},
    percentage::fraction,
    tolerances::ROUND_SUM,
};

/// How many are shown: somebody has to choose.
const MOST: usize = 3;

/// The tax that an attempt finds, with its cost; none where it contradicts the memo.
pub(crate) fn tax_of(sale: &ExplainedSale) -> Option<(u32, Decimal)> {
    sale.refusal.is_none().then(|| (sale.cost, round2(sale.hidden_tax)))
}

/// The taxes that a memo may hide: those of the attempts, the likeliest first, none at all, and that of all that is on no line or that is
/// `missing` (negative).
pub(crate) fn of_memo(
    evidence: &MemoEvidence<'_>,
    mut attempts: Vec<(u32, Decimal)>,
    missing: Decimal,
) -> Vec<Decimal> {
    attempts.sort_unstable();
    let has_fraction = round2(evidence.memo.grand_total) != evidence.memo.grand_total;
    let taxed = evidence.remainders.iter().flat_map(|rest| {
        let rate = fraction(rest.percents.first().copied().unwrap_or_default());
        let taxed = parts_with_tax(rest.amount.max(Decimal::ZERO), has_fraction);
        let taxed = taxed.chain([missing]);
        taxed.map(move |amount| round2(amount * rate / (Decimal::ONE + rate)))
    });
    let attempts = attempts.into_iter().map(|(_, tax)| tax);
    distinct(attempts.chain([Decimal::ZERO]).chain(taxed))
}

/// How much of an amount on no line may be product taxes with their tax: all of it; or, where the total has fractions of pennies, which no
/// product tax has, the round sums beside them (memo 13 of a running Magento: 0.25 of 0.3151).
fn parts_with_tax(amount: Decimal, has_fraction: bool) -> impl Iterator<Item = Decimal> {
    let below = (amount / ROUND_SUM).floor() * ROUND_SUM;
    let beside = [below, below - ROUND_SUM].into_iter();
    [amount].into_iter().chain(beside.filter(move |part| has_fraction && *part > Decimal::ZERO))
}

/// The taxes between two bounds that the invoice leaves, the likely one first; and that of money which the memo lacks.
pub(crate) fn of_range(likely: Decimal, range: AmountRange, missing: Option<Decimal>) -> Vec<Decimal> {
    distinct([likely].into_iter().chain(missing).chain([range.least, range.most]).map(round2))
}

fn distinct(taxes: impl Iterator<Item = Decimal>) -> Vec<Decimal> {
    let mut distinct: Vec<Decimal> = Vec::with_capacity(MOST);
    for tax in taxes {
        if distinct.len() < MOST && !distinct.contains(&tax) {
            distinct.push(tax);
        }
    }
    distinct
}

/// The same for people, with their sums. `shown` is the tax that lines and shipping show.
pub(crate) fn in_words(hidden_taxes: &[Decimal], total: Decimal, shown: Decimal) -> Vec<Reading> {
    let reading = |hidden: &Decimal| Reading {
        total: round2(total),
        tax: round2(shown + hidden),
        sentence: if hidden.is_zero() {
            message!(readings.untaxed).to_owned()
        } else {
            message!(readings.taxed, tax = text(*hidden))
        },
    };
    hidden_taxes.iter().map(reading).collect()
}

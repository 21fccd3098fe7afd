//! Arithmetic of percentages.

use rust_decimal::Decimal;

use crate::tolerances::SAME_PERCENTAGE;

/// A percentage as a fraction of one.
pub(crate) fn fraction(percent: Decimal) -> Decimal {
    percent / Decimal::ONE_HUNDRED
}

/// Whether two percentages are the same rate's.
pub(crate) fn is_same(left: Decimal, right: Decimal) -> bool {
    (left - right).abs() <= SAME_PERCENTAGE
}

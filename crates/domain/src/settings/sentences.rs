//! What stands under a field that is wrong.

use super::{
    FieldProblem,
    cards::{self, Kind},
};
use messages::message;

impl FieldProblem {
    /// What is wrong with the field of a path, and what would be right.
    pub fn sentence(self, path: &str) -> &'static str {
        let kind = cards::field_of(path).map(|field| &field.kind);
        match (self, kind) {
            (Self::Required, Some(Kind::TaxRates)) => message!(field_problems.rate_incomplete),
            (Self::Required, Some(Kind::PaymentMethods)) => message!(field_problems.method_missing),
            (Self::Required, Some(Kind::Pick(..))) => message!(field_problems.choose),
            (Self::Required, _) => message!(field_problems.required),
            (Self::NotInReference, _) => message!(field_problems.not_in_sage),
            (Self::InvalidFormat, Some(Kind::Ids(_))) => message!(field_problems.ids),
            (Self::InvalidFormat, Some(Kind::Moment(_))) => message!(field_problems.moment),
            (Self::InvalidFormat, Some(Kind::Amount(_))) => message!(field_problems.amount),
            (Self::InvalidFormat, Some(Kind::Email(_))) => message!(field_problems.email),
            (Self::InvalidFormat, Some(Kind::Zone(_))) => message!(field_problems.zone),
            (Self::InvalidFormat, Some(Kind::TaxRates)) => message!(field_problems.tax_rate),
            (Self::InvalidFormat, _) => message!(field_problems.no_such_value),
            (Self::OutOfRange, Some(Kind::Moment(_))) => message!(field_problems.no_such_moment),
            (Self::OutOfRange, Some(Kind::TaxRates)) => message!(field_problems.percentage),
            (Self::OutOfRange, _) => message!(field_problems.negative),
            (Self::TooLong, _) => message!(field_problems.too_long),
            (Self::Conflict, Some(Kind::Switch(_))) => message!(field_problems.stock_needs_products),
            (Self::Conflict, _) => message!(field_problems.twice),
        }
    }
}

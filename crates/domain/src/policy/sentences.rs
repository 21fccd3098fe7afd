//! What stands under a field that is wrong.

use super::{
    FieldProblem,
    cards::{self, Kind},
};

impl FieldProblem {
    /// What is wrong with the field of a path, and what would be right.
    pub fn sentence(self, path: &str) -> &'static str {
        let kind = cards::field_of(path).map(|field| &field.kind);
        match (self, kind) {
            (Self::Required, Some(Kind::TaxRates)) => "Both a percentage and a rate are needed.",
            (Self::Required, Some(Kind::PaymentMethods)) => "The method\u{2019}s code is needed.",
            (Self::Required, Some(Kind::Pick(..))) => "Choose an entry of the list.",
            (Self::Required, _) => "This is needed.",
            (Self::NotInReference, _) => {
                "Sage has no such entry, or it cannot be used here. Choose one of the list."
            }
            (Self::InvalidFormat, Some(Kind::Ids(_))) => "Only numbers, separated by commas, such as 1, 3.",
            (Self::InvalidFormat, Some(Kind::Moment(_))) => "A day and a time, such as 2026-03-01T09:00.",
            (Self::InvalidFormat, Some(Kind::Amount(_))) => {
                "An amount with two decimals at most, such as 50 or 49.90."
            }
            (Self::InvalidFormat, Some(Kind::Email(_))) => "This cannot be an e-mail address.",
            (Self::InvalidFormat, Some(Kind::Zone(_))) => {
                "There is no such time zone; they look like Europe/London."
            }
            (Self::InvalidFormat, Some(Kind::TaxRates)) => "A percentage such as 20, 20/Reduced or 0//US.",
            (Self::InvalidFormat, _) => "This is none of the values there are.",
            (Self::OutOfRange, Some(Kind::Moment(_))) => "There is no such day or time.",
            (Self::OutOfRange, Some(Kind::TaxRates)) => "A percentage lies between 0 and 100.",
            (Self::OutOfRange, _) => "This cannot be below zero.",
            (Self::TooLong, _) => "This is longer than there is room for.",
            (Self::Conflict, Some(Kind::Switch(_))) => "Stock needs products: switch those on, too.",
            (Self::Conflict, _) => "This stands here twice.",
        }
    }
}

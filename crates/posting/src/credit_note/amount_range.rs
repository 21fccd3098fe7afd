//! What lies between the least and the most.

use rust_decimal::Decimal;

/// A range of amounts or percentages, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AmountRange {
    /// The lower end.
    pub least: Decimal,
    /// The upper end.
    pub most: Decimal,
}

impl AmountRange {
    /// The range of one amount.
    pub fn exactly(amount: Decimal) -> Self {
        Self { least: amount, most: amount }
    }

    /// Whether one amount is all that is in it.
    pub fn is_exact(self) -> bool {
        self.least == self.most
    }

    /// The part of it that lies within another; itself where none does.
    pub fn within(self, other: Self) -> Self {
        let both = Self { least: self.least.max(other.least), most: self.most.min(other.most) };
        if both.least <= both.most { both } else { self }
    }

    /// The least range that holds both.
    pub fn with(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }
}

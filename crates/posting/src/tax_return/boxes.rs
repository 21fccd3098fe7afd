//! The names of the boxes, and what an amount in one may be.

use rust_decimal::Decimal;

/// Great Britain: tax due on sales (HMRC VAT Notice 700/12, box 1).
pub(super) const TAX_DUE: &str = "1";
/// Great Britain: the value of sales without tax, zero-rated and exempt ones and exports included (the same, box 6). Boxes 8 and 9 are
/// of goods between Northern Ireland and the Union, which only a business in Northern Ireland moves.
pub(super) const SALES: &str = "6";
/// Ireland: tax due on sales (Revenue, VAT3, T1).
pub(super) const T1: &str = "T1";
/// Ireland: goods to other member states and Northern Ireland (VAT3, E1).
pub(super) const E1: &str = "E1";
/// Ireland: services to other member states (VAT3, ES1).
pub(super) const ES1: &str = "ES1";
/// Ireland: supplies to businesses in the Union, by their VAT number (VIES statement).
pub(super) const VIES: &str = "VIES";
/// Canada: sales and other revenue (CRA RC4022, line 101).
pub(super) const REVENUE: &str = "101";
/// Canada: goods and services tax, harmonised sales tax (CRA RC4022, line 103).
pub(super) const GST_HST: &str = "GST/HST";
/// Canada: Quebec sales tax (Revenu Québec, line 203).
pub(super) const QST: &str = "QST";
/// Canada: sales taxes of the other provinces.
pub(super) const PST: &str = "PST";

/// What an amount may be, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BoxRange {
    /// The lower end.
    pub least: Decimal,
    /// The upper end.
    pub most: Decimal,
}

impl BoxRange {
    /// One amount, and no other.
    pub fn exactly(amount: Decimal) -> Self {
        Self { least: amount, most: amount }
    }

    /// The amount and as much around it.
    pub fn about(amount: Decimal, slack: Decimal) -> Self {
        Self { least: amount - slack, most: amount + slack }
    }

    /// Whether an amount is in it.
    pub fn holds(self, amount: Decimal) -> bool {
        (self.least..=self.most).contains(&amount)
    }
}

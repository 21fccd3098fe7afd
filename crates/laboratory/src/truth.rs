//! What Sage's books must show in the end.

use crate::{
    family::{Books, Family},
    sequel::Sequel,
};

impl Family {
    /// What Sage's books must show in the end, with the sums of the edited documents or the first.
    pub fn truth(self, sequel: Sequel, sums_edited: bool) -> Books {
        let (total, left) = if sums_edited { ("45.0", "27.0") } else { ("30.0", "12.0") };
        let (receipts, refunds, allocations) = match self {
            Self::Paid | Self::Drafts | Self::Withdrawn => (vec![(total, "")], vec![(total, "")], vec![]),
            Self::Open => (vec![], vec![], vec![(total, "")]),
            Self::PartPaid => (vec![("18.0", "")], vec![("18.0", "")], vec![(left, "")]),
            Self::Catalogue | Self::Changed => {
                let movements = match (self, sequel) {
                    (Self::Catalogue, _) => vec!["7.0"],
                    // The stock item is made again, and so is its stock.
                    (_, Sequel::Deleted) => vec!["4.0", "7.0"],
                    _ => vec!["4.0", "3.0"],
                };
                let invoices = if self == Self::Changed { vec![(total, "UNPAID")] } else { vec![] };
                return vec![
                    ("contacts", vec![("", "")]),
                    ("sales_invoices", invoices),
                    ("stock_items", vec![("", "")]),
                    ("stock_movements", movements.into_iter().map(|quantity| (quantity, "")).collect()),
                ];
            }
        };
        vec![
            ("contacts", vec![("", "")]),
            ("sales_invoices", vec![(total, "PAID")]),
            ("sales_credit_notes", vec![(total, "PAID")]),
            ("receipts", receipts),
            ("refunds", refunds),
            ("contact_allocations", allocations),
        ]
    }
}

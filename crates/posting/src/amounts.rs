//! The document's amounts: what its fields show, at which percentage each line was taxed, and the rows to the penny that follow.

pub(crate) mod accounts;
pub(crate) mod breakdown;
pub(crate) mod compensation;
pub(crate) mod contradiction;
pub(crate) mod discount_rows;
pub(crate) mod document_row;
pub(crate) mod foreign_tax;
pub(crate) mod known_rates;
pub(crate) mod product_tax;
pub(crate) mod rate_fits;
pub(crate) mod recovered_rates;
pub(crate) mod rounding;
pub(crate) mod rows;
pub(crate) mod sums;
pub(crate) mod tax_rates;
pub(crate) mod taxed_amount;
pub(crate) mod unallocated;

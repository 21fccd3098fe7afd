//! What a credit memo does not show: the sale that it takes back, and what closes the books.

pub(crate) mod amount_range;
pub(crate) mod certainty;
pub(crate) mod explained_sale;
pub(crate) mod from_invoice;
pub(crate) mod from_memo;
pub(crate) mod hypotheses;
pub(crate) mod hypothesis;
pub(crate) mod invoice_lines;
pub(crate) mod invoice_product_taxes;
pub(crate) mod memo_evidence;
pub(crate) mod note_rows;
pub(crate) mod product_tax_hypotheses;
pub(crate) mod readings;
pub(crate) mod reconstruct;
pub(crate) mod returned_sale;
pub(crate) mod settlement;
pub(crate) mod unit_product_tax;

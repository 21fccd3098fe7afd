//! What a credit memo does not show: the sale that it takes back, and what closes the books.

pub(crate) mod from_invoice;
pub(crate) mod hypotheses;
pub(crate) mod hypothesis;
pub(crate) mod note_rows;
pub(crate) mod reconstruct;
pub(crate) mod returned_sale;
pub(crate) mod settlement;

//! What a credit memo does not show: the sale that it takes back, and what closes the books.

pub(crate) mod adjustments;
pub(crate) mod from_invoice;
pub(crate) mod hypotheses;
pub(crate) mod hypothesis;
pub(crate) mod reconstruct;
pub(crate) mod settlement;

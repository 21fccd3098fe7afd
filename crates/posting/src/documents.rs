//! Invoices, credit memos and payments: each becomes the calls that bring it into Sage.

pub(crate) mod body;
pub(crate) mod credit_memo;
pub(crate) mod credit_note_body;
pub(crate) mod document_calls;
pub(crate) mod invoice;
pub(crate) mod lines;
pub(crate) mod payment;
pub(crate) mod reconcile;
pub(crate) mod reference;
pub(crate) mod sage_arithmetic;
pub(crate) mod skip;
pub(crate) mod sold;

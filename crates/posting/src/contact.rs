//! Who a document is for.

pub(crate) mod changes;
pub(crate) mod choice;
pub(crate) mod creation;
pub(crate) mod customer;
pub(crate) mod identity;
pub(crate) mod references;
pub(crate) mod tax_treatment;

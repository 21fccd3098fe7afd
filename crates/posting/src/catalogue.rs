//! Products and their stock.

pub(crate) mod product;
pub(crate) mod product_accounts;
pub(crate) mod stock;

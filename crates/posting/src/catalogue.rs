//! Products and their stock.

pub(crate) mod product;
pub(crate) mod stock;

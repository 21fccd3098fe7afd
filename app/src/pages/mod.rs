//! One file a route: reads the URL, asks the server functions, puts components together.

pub mod binding;
pub mod bindings;
pub mod connect_magento;
pub mod connect_sage;
pub mod dashboard;
pub mod not_found;
pub mod sign_in;
pub mod sync;

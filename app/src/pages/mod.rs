//! One file a route: reads the URL, asks the server functions, puts components together.

#[cfg(feature = "ssr")]
pub mod binding;
#[cfg(feature = "ssr")]
pub mod bindings;
#[cfg(feature = "ssr")]
pub mod connect_magento;
#[cfg(feature = "ssr")]
pub mod connect_sage;
pub mod dashboard;
pub mod not_found;
pub mod sign_in;
pub mod sync;

//! What pages are made of. Components are given data and fetch none.

#[cfg(feature = "ssr")]
pub mod binding_chip;
#[cfg(feature = "ssr")]
pub mod changes;
#[cfg(feature = "ssr")]
pub mod chart;
pub mod field;
pub mod flash;
pub mod layout;
#[cfg(feature = "ssr")]
pub mod live;
#[cfg(feature = "ssr")]
pub mod pager;
pub mod problem;
#[cfg(feature = "ssr")]
pub mod qr_code;
#[cfg(feature = "ssr")]
pub mod runs_table;
#[cfg(feature = "ssr")]
pub mod status_chip;
#[cfg(feature = "ssr")]
pub mod time;

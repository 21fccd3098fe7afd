//! What pages are made of. Components are given data and fetch none.

#[cfg(feature = "ssr")]
pub mod binding_chip;
#[cfg(feature = "ssr")]
pub mod changes;
#[cfg(feature = "ssr")]
pub mod chart;
pub mod combobox;
pub mod erased;
#[cfg(feature = "ssr")]
pub mod field;
#[cfg(feature = "ssr")]
pub mod flash;
#[cfg(feature = "ssr")]
pub mod layout;
#[cfg(feature = "ssr")]
pub mod live;
pub mod pager;
pub mod problem;
#[cfg(feature = "ssr")]
pub mod qr_code;
pub mod runs_table;
pub mod status_chip;
pub mod time;

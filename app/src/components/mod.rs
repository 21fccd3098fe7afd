//! What pages are made of. Components are given data and fetch none.

#[cfg(feature = "ssr")]
pub mod binding_chip;
pub mod field;
pub mod filters;
pub mod flash;
pub mod layout;
pub mod live;
pub mod pager;
pub mod problem;
pub mod runs_table;
pub mod status_chip;
pub mod time;

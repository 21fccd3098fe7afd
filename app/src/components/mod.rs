//! What pages are made of. Components are given data and fetch none.

#[cfg(feature = "ssr")]
pub mod binding_chip;
#[cfg(feature = "ssr")]
pub mod changes;
#[cfg(feature = "ssr")]
pub mod chart;
#[cfg(feature = "ssr")]
pub mod field;
#[cfg(feature = "ssr")]
pub mod flash;
#[cfg(feature = "ssr")]
pub mod layout;
#[cfg(feature = "ssr")]
pub mod live;
pub mod pager;
#[cfg(feature = "ssr")]
pub mod problem;
#[cfg(feature = "ssr")]
pub mod qr_code;
pub mod runs_table;
#[cfg(feature = "ssr")]
pub mod setup_steps;
pub mod status_chip;
pub mod time;

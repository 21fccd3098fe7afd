//! What pages are made of. Components are given data and fetch none.

pub mod binding_chip;
pub mod changes;
pub mod chart;
pub mod field;
pub mod flash;
pub mod layout;
pub mod live;
pub mod pager;
pub mod problem;
pub mod qr_code;
pub mod runs_table;
pub mod status_chip;
pub mod time;

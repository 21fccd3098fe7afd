//! What pages show, as plain data with its texts ready: no secrets, no floats, no clock, no locale.

pub mod bindings;
pub mod format;
pub mod member;
pub mod runs;

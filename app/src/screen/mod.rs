//! What pages show, as plain data with its texts ready: no secrets, no floats, no clock, no locale.

#[cfg(feature = "ssr")]
pub mod bindings;
pub mod format;
pub mod member;
pub mod runs;

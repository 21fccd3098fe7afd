#![doc = include_str!("../README.md")]
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a laboratory that cannot go on says so by a panic"
)]

pub mod books;
pub mod cell;
pub mod clock;
pub mod database;
mod edits;
pub mod family;
pub mod fault;
pub mod gate;
pub mod matrix;
pub mod play;
pub mod sequel;
pub mod soak;
pub mod table;
pub mod truth;
pub mod world;
pub mod write;

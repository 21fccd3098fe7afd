#![doc = include_str!("../README.md")]
#![deny(
    clippy::float_arithmetic,
    clippy::float_cmp,
    clippy::cast_precision_loss,
    clippy::lossy_float_literal
)]

pub mod alert;
pub mod bounds;
pub mod business;
pub mod cause;
pub mod code;
pub mod contact_snapshot;
pub mod documents;
pub mod email;
pub mod environment;
pub mod fields;
pub mod health;
pub mod ids;
pub mod money;
pub mod percentile;
pub mod plan;
pub mod preflight;
pub mod province;
pub mod quota;
pub mod redact;
pub mod remedy;
pub mod retry;
pub mod run;
pub mod settings;
pub mod setup;
pub mod territory;
pub mod text;
pub mod vat_number;
pub mod words;
pub mod xref;

#[cfg(test)]
mod fixtures;

pub use rust_decimal::Decimal;

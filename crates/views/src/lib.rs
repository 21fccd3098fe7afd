#![doc = include_str!("../README.md")]

pub mod account;
pub mod activity;
pub mod alerts;
pub mod bindings;
pub mod bulk;
pub mod causes;
#[cfg(feature = "server-fn")]
pub mod codec;
pub mod embed;
pub mod error;
pub mod flash;
pub mod format;
pub mod history;
pub mod links;
pub mod member;
// It speaks of the store's tallies.
#[cfg(feature = "server")]
pub mod overview;
pub mod people;
pub mod preflight;
pub mod run;
pub mod runs;
pub mod settings;
pub mod setup;

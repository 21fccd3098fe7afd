#![doc = include_str!("../README.md")]
// A page is one nested type until `into_any` cuts it.
#![recursion_limit = "256"]

pub mod api;
pub mod components;
#[cfg(feature = "ssr")]
pub mod context;
#[cfg(feature = "ssr")]
mod document;
mod islands;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod refusal;
pub mod theme;

#[cfg(feature = "ssr")]
pub use document::{App, shell};

#![doc = include_str!("../README.md")]

#[cfg(feature = "demo")]
pub mod bench;
pub mod cli;
pub mod client;
mod commands;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod environment;
pub mod intake;
pub mod isolation;
mod keys;
pub mod lifecycle;
pub mod plan;
pub mod refused_forms;
pub mod router;
pub mod routes;
#[cfg(feature = "demo")]
pub mod sandbox;
pub mod security;
pub mod serving;
#[cfg(feature = "demo")]
pub mod simulate;
pub mod site;
pub mod state;
pub mod streams;
pub mod telemetry;
mod timing;
pub mod users;

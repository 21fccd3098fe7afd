#![doc = include_str!("../README.md")]

mod adopt;
mod connect;
mod credentials;
mod decide;
mod deliver;
mod engine;
mod fetch;
mod perform;
mod process;
mod tokens;
mod worker;

pub use connect::{ConnectError, PairRequest, ReferenceError};
pub use engine::{Engine, Timing};
pub use worker::{Worker, run_until_idle};

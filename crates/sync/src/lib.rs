#![doc = include_str!("../README.md")]

mod adopt;
mod body;
mod catalogue;
mod connect;
mod consent;
mod create;
mod credentials;
mod decide;
mod deliver;
mod engine;
mod fetch;
mod perform;
mod process;
mod refund;
mod sums;
mod tokens;
mod trail;
mod worker;

pub use connect::{ConnectError, PairRequest, ReferenceError};
pub use consent::binding_of_state;
pub use engine::{Engine, Timing};
pub use worker::{Worker, run_until_idle};

#![doc = include_str!("../README.md")]

mod adopt;
pub mod alerts;
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
mod lease;
mod outbox;
mod perform;
mod planning;
mod preflight;
mod process;
mod pulse;
mod refund;
mod rotation;
mod sums;
mod tokens;
mod trace;
mod trail;
mod under_way;
mod worker;

pub use connect::{ConnectError, PairRequest, Paired, ReferenceError};
pub use consent::binding_of_state;
pub use engine::{Engine, Timing};
pub use pulse::Pulse;
pub use rotation::{Rotation, SealedRow, SealedRows, rotate_keys};
pub use trace::{trace_id, trace_parent};
pub use under_way::UnderWay;
pub use worker::{Worker, keep_up, run_until_idle};

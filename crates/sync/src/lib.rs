#![doc = include_str!("../README.md")]

pub mod alerts;
mod attempt;
mod connection;
mod delivery;
mod engine;
mod heartbeat;
mod posting;
mod run;
mod trace;
mod unanswered;
mod under_way;
mod worker;

pub use connection::{
    backfill::advance_backfills,
    consent::binding_of_state,
    error::{ConnectError, ReferenceError},
    pairing::{PairRequest, Paired},
    rotation::{Rotation, SealedRow, SealedRows, rotate_keys},
};
pub use engine::{Engine, Timing};
pub use heartbeat::Heartbeat;
pub use trace::{trace_id, trace_parent};
pub use under_way::UnderWay;
pub use worker::{Worker, keep_up, run_until_idle};

//! Whole flows: the real process against both simulators.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by a panic")]

mod catalogue;
mod connecting;
mod crash;
mod documents;
mod doors;
mod module;
mod news;
mod plan;
mod postgres;

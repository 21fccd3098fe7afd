//! Whole flows: the real process against both simulators.

mod crash;
mod documents;
mod doors;
mod module;
mod postgres;

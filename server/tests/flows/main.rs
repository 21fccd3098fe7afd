//! Whole flows: the real process against both simulators.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by a panic")]

mod access;
mod acting;
mod activity;
mod alerts;
mod audit;
mod backfilling;
mod browser;
mod catalogue;
mod connecting;
mod crash;
mod documents;
mod doors;
mod embed;
mod first_settings;
mod guards;
mod keys;
mod lost_answers;
mod module;
mod news;
mod observing;
mod operating;
mod outages;
mod overview;
mod pairing_again;
mod people;
mod plan;
mod postgres;
mod preflight;
mod progress;
mod refreshing;
mod second_decisions;
mod settings;
mod telling;
mod traces;
mod wrong_sums;

#![doc = include_str!("../README.md")]

mod actions;
mod ahead;
mod alert_channels;
mod alert_parcels;
mod alerts;
mod announcer;
mod attempts;
mod backfills;
mod bindings;
mod bulk;
mod claims;
mod columns;
mod credentials;
mod deliveries;
mod error;
mod events;
mod figures;
mod fill;
mod finishing;
mod health;
mod history;
mod inbox;
mod intents;
mod invitations;
mod leases;
mod maintenance;
mod members;
mod overview;
mod people;
mod plans;
mod policies;
mod presence;
mod references;
mod rests;
mod revival;
mod runs;
mod saved_views;
mod second_factors;
mod sessions;
mod sign_ins;
mod sqlite;
#[cfg(test)]
mod trouble;
mod watch;
mod xrefs;

pub use sqlite::SqliteStore;

#![doc = include_str!("../README.md")]

mod attempts;
mod bindings;
mod claims;
mod columns;
mod credentials;
mod deliveries;
mod error;
mod events;
mod finishing;
mod inbox;
mod intents;
mod leases;
mod members;
mod pages;
mod policies;
mod references;
mod runs;
mod sessions;
mod sqlite;
#[cfg(test)]
mod trouble;
mod watch;
mod xrefs;

pub use sqlite::SqliteStore;

#![doc = include_str!("../README.md")]

mod ahead;
mod announcer;
mod claims;
mod counts;
mod db;
mod dead_leases;
mod dialect;
mod driver;
#[path = "../../store-sql/entities/mod.rs"]
mod entities;
mod error;
mod events;
mod group_commit;
mod history;
mod loads;
mod locks;
mod maintenance;
mod presence;
mod receiving;
mod seed_for_bench;
mod sqlite;
mod steps;
#[cfg(test)]
mod trouble;
mod watch;
mod writer;

pub use sqlite::SqliteStore;

//! The entities whose SQL is the same in both databases, compiled into each driver. What they need of it is in its `db`, `dialect`,
//! `driver`, `error` and `locks`, and in the files of what differs.

mod actions;
mod alert_channels;
mod alert_deliveries;
mod alerts;
mod attempts;
pub(crate) mod audit;
mod backfills;
pub(crate) mod binding_status;
mod bindings;
mod bulk;
pub(crate) mod causes;
mod credentials;
mod deliveries;
mod drafts;
mod exclusions;
mod failure;
mod figures;
mod finishing;
mod folding;
pub(crate) mod health;
mod intents;
mod invitations;
mod leases;
mod member_rows;
mod members;
pub(crate) mod overview;
mod people;
pub(crate) mod plans;
mod raising;
mod references;
pub(crate) mod requeue;
pub(crate) mod rests;
mod revival;
pub(crate) mod rows;
pub(crate) mod run_rows;
mod runs;
mod saved_views;
mod second_factors;
mod sessions;
mod settings_versions;
mod sign_ins;
pub(crate) mod tokens;
pub(crate) mod waiting;
pub(crate) mod xrefs;

pub(crate) use failure::{Failure, Tried, ensure_affected, missing, stale};

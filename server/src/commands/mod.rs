//! What operators ask of a running Ledger: one file a command.

pub mod bindings;
pub mod cleanup;
pub mod doctor;
mod output;
pub mod reference;
pub mod runs;
mod runs_one;
pub mod sync;

use std::sync::Arc;

use domain::ids::{BindingId, OrganisationId, RunId};
use store::{Binding, Run, Store};

use crate::lifecycle::Failure;

pub use output::Output;

/// The binding of an id, whoever's it is.
async fn binding(store: &Arc<dyn Store>, id: BindingId) -> Result<Binding, Failure> {
    let found = store.binding(id).await?;
    found.ok_or_else(|| format!("there is no binding {id}; `ledger bindings` lists them").into())
}

/// A run, whoever's it is, with its organisation.
async fn run(store: &Arc<dyn Store>, id: RunId) -> Result<Option<(OrganisationId, Run)>, Failure> {
    for organisation in store.list_organisations().await? {
        if let Some(run) = store.run(organisation.id, id).await? {
            return Ok(Some((organisation.id, run)));
        }
    }
    Ok(None)
}

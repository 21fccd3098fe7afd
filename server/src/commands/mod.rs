//! What operators ask of a running Ledger: one file a command.

pub mod actions;
pub mod bindings;
pub mod cleanup;
pub mod doctor;
mod output;
pub mod reference;
mod run_line;
pub mod runs;
mod runs_one;
pub mod sync;

use std::sync::Arc;

use domain::{
    ids::{BindingId, OrganisationId, RunId},
    run::ActionKind,
};
use messages::message;
use store::{Action, Actor, Binding, Run, Store};

use crate::{environment::Machine, lifecycle::Failure};

pub use output::Output;

/// How the command line is called among those who act.
const COMMAND_LINE: &str = message!(command_line.actor);

/// The binding of an id, whoever's it is.
async fn binding(store: &Arc<dyn Store>, id: BindingId) -> Result<Binding, Failure> {
    let found = store.binding(id).await?;
    found.ok_or_else(|| message!(command_line.no_shop, id = id).into())
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

/// What is done from here, with the account of this machine that does it.
pub fn action(organisation: OrganisationId, kind: ActionKind) -> Action {
    let account = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    let name =
        account.map_or_else(|_| COMMAND_LINE.to_owned(), |account| format!("{COMMAND_LINE} ({account})"));
    Action::new(&Machine, organisation, Actor { member: None, name }, kind)
}

//! `ledger reference refresh`: the lists of Sage businesses, fetched again.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use domain::{
    business::ReferenceSet,
    ids::BindingId,
    run::{ActionKind, BindingStatus},
};
use messages::message;
use serde::Serialize;

use super::output::{Output, table};
use crate::{
    config::Config,
    lifecycle::{self, Failure},
};

/// What is done with the lists.
#[derive(Subcommand)]
pub enum ReferenceCommand {
    /// Fetches the lists again from Sage.
    Refresh(Refresh),
}

/// Whose lists.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct NamedBinding {
    /// The shop.
    binding: Option<BindingId>,
    /// Every connected shop, including paused ones.
    #[arg(long)]
    all: bool,
}

/// Whose lists, and how it is told.
#[derive(Args)]
pub struct Refresh {
    #[command(flatten)]
    whose: NamedBinding,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Refreshed {
    binding: BindingId,
    name: String,
    /// Why not, where it was not refreshed.
    error: Option<String>,
    tax_rates: Option<usize>,
    ledger_accounts: Option<usize>,
    bank_accounts: Option<usize>,
}

/// Fetches; a failure where one was not refreshed.
pub async fn run(config: &Config, command: ReferenceCommand) -> Result<ExitCode, Failure> {
    let ReferenceCommand::Refresh(Refresh { whose, output }) = command;
    let store = lifecycle::open_existing(&config.database_url).await?;
    let engine = lifecycle::engine(config, store, ::sync::Timing::default()).await?;
    let bindings = match whose.binding {
        Some(id) => vec![super::binding(&engine.store, id).await?],
        None => engine.store.list_all_bindings().await?,
    };
    let is_asked_for =
        |status| whose.binding.is_some() || matches!(status, BindingStatus::Active | BindingStatus::Paused);
    let mut all = Vec::new();
    for binding in bindings.into_iter().filter(|binding| is_asked_for(binding.status)) {
        let action =
            super::action(binding.organisation_id, ActionKind::ListsRefreshed).with_binding(binding.id);
        let fetched = engine.refresh_reference(&binding, Some(&action)).await;
        let fetched = fetched.map_err(|error| error.to_string());
        let count = |of: fn(&ReferenceSet) -> usize| fetched.as_ref().ok().map(of);
        all.push(Refreshed {
            binding: binding.id,
            name: binding.name,
            tax_rates: count(|set| set.tax_rates.len()),
            ledger_accounts: count(|set| set.ledger_accounts.len()),
            bank_accounts: count(|set| set.bank_accounts.len()),
            error: fetched.err(),
        });
    }
    engine.store.close().await;
    output.print(&all, || words(&all))?;
    let is_well = all.iter().all(|refreshed| refreshed.error.is_none());
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn words(all: &[Refreshed]) -> String {
    if all.is_empty() {
        return message!(command_line.no_connected_shops).to_owned();
    }
    let rows: Vec<_> = all
        .iter()
        .map(|one| {
            let said = one.error.clone().unwrap_or_else(|| {
                let number = |count: Option<usize>| count.unwrap_or_default();
                message!(
                    command_line.lists,
                    rates = number(one.tax_rates),
                    ledger = number(one.ledger_accounts),
                    bank = number(one.bank_accounts)
                )
            });
            let result = if one.error.is_none() {
                message!(command_line.refreshed)
            } else {
                message!(command_line.not_refreshed)
            };
            [one.binding.to_string(), one.name.clone(), result.to_owned(), said]
        })
        .collect();
    table(["binding", "name", "result", ""], &rows)
}

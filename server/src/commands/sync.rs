//! `ledger sync`: a document, as if Magento had told of it just now.

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::{Args, ValueEnum};
use domain::{
    environment::Environment,
    ids::{BindingId, EventId, OrganisationId, RunId},
    run::{ActionKind, EventName, RunStatus},
};
use messages::message;
use serde::Serialize;
use store::{Error, NewEvent, Received, Run, Store};
use tokio::time::{Instant, sleep, timeout_at};

use super::{output::Output, run_line::RunLineJson};
use crate::{
    config::Config,
    environment::{Machine, now_of},
    lifecycle::{self, Failure},
};

/// How often a run is looked at, where no news of it arrives.
const LOOK: Duration = Duration::from_secs(1);

/// What kind of document.
#[derive(Clone, Copy, ValueEnum)]
pub enum SyncedKind {
    /// An invoice.
    Invoice,
    /// A credit memo.
    Creditmemo,
    /// A customer.
    Customer,
    /// A product.
    Product,
    /// The payment of an invoice, by the invoice's id.
    Payment,
}

impl SyncedKind {
    const fn event(self) -> EventName {
        match self {
            Self::Invoice => EventName::InvoiceCreated,
            Self::Creditmemo => EventName::CreditmemoCreated,
            Self::Customer => EventName::CustomerUpserted,
            Self::Product => EventName::ProductUpserted,
            Self::Payment => EventName::InvoicePaid,
        }
    }
}

/// Which document.
#[derive(Args)]
pub struct SyncArgs {
    /// What kind of document.
    kind: SyncedKind,
    /// Its entity ID in Magento, not the number that people see.
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    magento_id: i64,
    /// The shop that has it.
    #[arg(long)]
    binding: BindingId,
    /// Waits until the run has ended. Exits with 1 if it did not succeed.
    #[arg(long)]
    wait: bool,
    /// The longest time to wait, in seconds.
    #[arg(long, default_value_t = 300, requires = "wait")]
    timeout: u64,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct QueuedJson {
    /// `queued` (a new run), `retried` (the document's own), `folded` (into one that has not begun) or `running`.
    result: &'static str,
    run: RunLineJson,
}

/// Queues the document's run.
pub async fn run(config: &Config, args: &SyncArgs) -> Result<ExitCode, Failure> {
    let store = lifecycle::open_existing(&config.database_url).await?;
    let done = sync(&store, args).await;
    store.close().await;
    done
}

async fn sync(store: &Arc<dyn Store>, args: &SyncArgs) -> Result<ExitCode, Failure> {
    let organisation = super::binding(store, args.binding).await?.organisation_id;
    let (result, id) = queue(store, organisation, args).await?;
    if result != "running" && result != "retried" {
        let action = super::action(organisation, ActionKind::SyncAsked).with_run(id);
        store.record_action(&action).await?;
    }
    let run = if args.wait {
        let until = Instant::now() + Duration::from_secs(args.timeout);
        ended(store, organisation, id, until).await?
    } else {
        find(store, organisation, id).await?
    };
    let status = run.status;
    let told = QueuedJson { result, run: run.into() };
    args.output.print(&told, || words(&told))?;
    let is_well = !args.wait || matches!(status, RunStatus::Succeeded | RunStatus::SkippedByPolicy);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Through the door that Magento's events come by, so that a document still has one run; that run is retried.
async fn queue(
    store: &Arc<dyn Store>,
    organisation: OrganisationId,
    args: &SyncArgs,
) -> Result<(&'static str, RunId), Failure> {
    let (event, now) = (args.kind.event(), now_of(store.as_ref()).await?);
    let ids = (EventId(Machine.id()), RunId(Machine.id()));
    let new = NewEvent::asked_for(ids, args.binding, event, args.magento_id, now);
    let known = match store.receive(&new).await? {
        Received::Queued(id) => return Ok(("queued", id)),
        Received::Known(id) => id,
        Received::Replayed => return Err("an event without a token was taken for a repeated one".into()),
    };
    if !event.happens_once() {
        return Ok(("folded", known));
    }
    let action = super::action(organisation, ActionKind::SyncAsked).with_run(known);
    match store.retry_run(organisation, known, now, Some(&action)).await {
        Ok(()) => Ok(("retried", known)),
        Err(Error::Conflict(_)) => Ok(("running", known)),
        Err(error) => Err(error.into()),
    }
}

async fn find(store: &Arc<dyn Store>, organisation: OrganisationId, id: RunId) -> Result<Run, Failure> {
    Ok(store.run(organisation, id).await?.ok_or(message!(command_line.run_gone))?)
}

/// The run when it has ended, or as it stands when the time is up.
async fn ended(
    store: &Arc<dyn Store>,
    organisation: OrganisationId,
    id: RunId,
    until: Instant,
) -> Result<Run, Failure> {
    let mut changes = store.changes();
    loop {
        changes.mark_unchanged();
        let run = find(store, organisation, id).await?;
        if run.status.is_terminal() || Instant::now() >= until {
            return Ok(run);
        }
        let next = until.min(Instant::now() + LOOK);
        if matches!(timeout_at(next, changes.changed()).await, Ok(Err(_))) {
            sleep(LOOK).await;
        }
    }
}

fn words(told: &QueuedJson) -> String {
    let result = match told.result {
        "queued" => message!(command_line.sync_queued),
        "retried" => message!(command_line.sync_retried),
        "folded" => message!(command_line.sync_folded),
        _ => message!(command_line.sync_running),
    };
    format!("{result}\n{}", RunLineJson::table(std::slice::from_ref(&told.run)))
}

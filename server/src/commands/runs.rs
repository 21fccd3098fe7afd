//! `ledger runs`: the history, and what can be done with a run.

use std::{process::ExitCode, sync::Arc};

use clap::{Args, Subcommand};
use domain::{
    code::Code,
    ids::{BindingId, OrganisationId, RunId},
    run::{EventName, RunStatus},
};
use messages::message;
use serde::Serialize;
use services::history::query::HistoryQuery;
use store::{PageRequest, Run, RunFilter, Seek, Store};

use super::{
    cleanup::{self, Cleanup},
    output::Output,
    run_line::RunLineJson,
    runs_one,
};
use crate::{
    config::Config,
    lifecycle::{self, Failure},
};

/// How many runs are read at once.
const PAGE: u32 = 200;

/// What is done with runs.
#[derive(Subcommand)]
pub enum RunsCommand {
    /// Lists runs, newest first.
    List(ListedRuns),
    /// Shows a run with its attempts and their calls.
    Show {
        /// The run's id.
        run: RunId,
        #[command(flatten)]
        output: Output,
    },
    /// Starts runs again, like the Retry button: under the current settings, with a new count of attempts.
    Retry {
        /// The runs' ids.
        #[arg(required = true)]
        runs: Vec<RunId>,
        #[command(flatten)]
        output: Output,
    },
    /// Makes runs due now that wait, are due later, or were lost when a worker stopped. Runs held by a live worker are left alone.
    Requeue {
        /// The runs' ids.
        #[arg(required = true)]
        runs: Vec<RunId>,
        /// Also takes runs from a worker that still seems to hold them. Use it only if you know that the worker has stopped.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Deletes runs that ended long ago, with their attempts and steps. Runs that have not ended are never deleted.
    Cleanup(Cleanup),
}

/// Which runs are listed.
#[derive(Args)]
pub struct ListedRuns {
    /// A search as in the dashboard, such as `SI-27` or `status:failed amount:>100`.
    search: Vec<String>,
    /// Only runs of this shop.
    #[arg(long)]
    binding: Option<BindingId>,
    /// Only runs with this status.
    #[arg(long)]
    status: Option<RunStatus>,
    /// Only runs of this event.
    #[arg(long)]
    event: Option<EventName>,
    /// Only runs with this code.
    #[arg(long)]
    code: Option<Code>,
    /// The largest number to list.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Only runs older than this one, such as the last of the previous list.
    #[arg(long, value_name = "RUN")]
    before: Option<RunId>,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Listed {
    runs: Vec<RunLineJson>,
    /// Whether there are older ones.
    more: bool,
}

/// Carries out a command.
pub async fn run(config: &Config, command: RunsCommand) -> Result<ExitCode, Failure> {
    let store = lifecycle::open_existing(&config.database_url).await?;
    let done = match command {
        RunsCommand::List(args) => list(&store, &args).await,
        RunsCommand::Show { run, output } => runs_one::show(&store, run, output).await,
        RunsCommand::Retry { runs, output } => runs_one::retry(&store, &runs, output).await,
        RunsCommand::Requeue { runs, force, output } => runs_one::requeue(&store, &runs, force, output).await,
        RunsCommand::Cleanup(args) => cleanup::run(&store, &args).await,
    };
    store.close().await;
    done
}

async fn list(store: &Arc<dyn Store>, args: &ListedRuns) -> Result<ExitCode, Failure> {
    let organisations = match args.binding {
        Some(binding) => vec![super::binding(store, binding).await?.organisation_id],
        None => store.list_organisations().await?.into_iter().map(|organisation| organisation.id).collect(),
    };
    let mut runs = Vec::new();
    for organisation in organisations {
        runs.extend(of_organisation(store, organisation, args).await?);
    }
    runs.sort_by_key(|run| std::cmp::Reverse(run.id));
    let more = runs.len() > args.limit;
    runs.truncate(args.limit);
    let listed = Listed { runs: runs.into_iter().map(RunLineJson::from).collect(), more };
    args.output.print(&listed, || words(&listed))?;
    Ok(ExitCode::SUCCESS)
}

/// The newest runs of an organisation that are asked for, one more than the limit where there are more.
async fn of_organisation(
    store: &Arc<dyn Store>,
    organisation: OrganisationId,
    args: &ListedRuns,
) -> Result<Vec<Run>, Failure> {
    let filter = args.filter()?;
    let seek = args.before.map_or(Seek::First, Seek::After);
    let mut request = PageRequest { filter, seek, limit: PAGE, ..PageRequest::default() };
    let mut runs = Vec::new();
    loop {
        let page = store.page_runs(organisation, &request).await?;
        runs.extend(page.runs);
        match page.next.filter(|_| runs.len() <= args.limit) {
            Some(next) => request.seek = Seek::After(next),
            None => break,
        }
    }
    runs.truncate(args.limit.saturating_add(1));
    Ok(runs)
}

impl ListedRuns {
    /// What is searched for, and the options, which have the last word.
    fn filter(&self) -> Result<RunFilter, Failure> {
        let typed = self.search.join(" ");
        let query = HistoryQuery::read(|name| (name == "q").then_some(typed.as_str())).map_err(|error| {
            let parts: Vec<_> = error.fields.iter().map(|(name, _)| name.as_str()).collect();
            message!(command_line.search_unreadable, parts = parts.join(", "))
        })?;
        let filter = query.filter();
        Ok(RunFilter {
            binding: self.binding.or(filter.binding),
            status: self.status.or(filter.status),
            event: self.event.or(filter.event),
            code: self.code.or(filter.code),
            // What a page leaves out it says; a table has no place to.
            without_switched_off: false,
            ..filter
        })
    }
}

fn words(listed: &Listed) -> String {
    let Some(last) = listed.runs.last() else { return message!(command_line.no_runs).to_owned() };
    let table = RunLineJson::table(&listed.runs);
    if listed.more {
        format!("{table}\n\n{}", message!(command_line.older_runs, run = last.id))
    } else {
        table
    }
}

//! `ledger runs cleanup`: runs that ended long ago.

use std::{process::ExitCode, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use domain::{environment::Environment, run::ActionKind};
use messages::message;
use serde::Serialize;
use store::{OldRuns, Store};

use super::output::{Output, instant};
use crate::{environment::Machine, lifecycle::Failure};

/// How many runs share a transaction: nobody who writes meanwhile waits for long.
const BATCH: u32 = 200;

/// What is deleted.
#[derive(Args)]
pub struct Cleanup {
    /// Only runs that ended longer ago than this, such as 400d.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    older_than: TimeDelta,
    /// Counts the runs without deleting them.
    #[arg(long)]
    dry_run: bool,
    /// Keeps runs that failed.
    #[arg(long)]
    keep_failed: bool,
    #[command(flatten)]
    output: Output,
}

fn days(text: &str) -> Result<TimeDelta, String> {
    let number = text.strip_suffix('d').unwrap_or(text).parse().ok().filter(|days: &i64| *days >= 0);
    number.and_then(TimeDelta::try_days).ok_or_else(|| message!(command_line.age_unreadable).to_owned())
}

#[derive(Serialize)]
struct Cleaned {
    ended_before: DateTime<Utc>,
    keep_failed: bool,
    dry_run: bool,
    /// How many were deleted, or would be.
    runs: u64,
}

/// Deletes.
pub(super) async fn run(store: &Arc<dyn Store>, args: &Cleanup) -> Result<ExitCode, Failure> {
    let now = Machine.now();
    let ended_before = now.checked_sub_signed(args.older_than).ok_or(message!(command_line.age_too_large))?;
    let old = OldRuns { ended_before, keep_failed: args.keep_failed };
    let runs = if args.dry_run { store.count_old_runs(old).await? } else { delete(store, old).await? };
    if runs > 0 && !args.dry_run {
        let time = instant(ended_before);
        let detail = if args.keep_failed {
            message!(action_details.old_runs_but_failed, time = time)
        } else {
            message!(action_details.old_runs, time = time)
        };
        for organisation in store.list_organisations().await? {
            let action = super::action(organisation.id, ActionKind::CleanedUp).saying(&detail);
            store.record_action(&action).await?;
        }
    }
    let cleaned = Cleaned { ended_before, keep_failed: args.keep_failed, dry_run: args.dry_run, runs };
    args.output.print(&cleaned, || {
        let time = instant(ended_before);
        if args.dry_run {
            message!(command_line.would_delete, runs = runs, time = time)
        } else {
            message!(command_line.deleted, runs = runs, time = time)
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn delete(store: &Arc<dyn Store>, old: OldRuns) -> Result<u64, Failure> {
    let mut all = 0;
    loop {
        match store.delete_old_runs(old, BATCH).await? {
            0 => return Ok(all),
            some => all += some,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_number_of_days() {
        assert_eq!(days("400d").unwrap(), TimeDelta::days(400));
        assert_eq!(days("0").unwrap(), TimeDelta::zero());
        for wrong in ["", "d", "-1d", "4w", "99999999999999999d"] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
    }
}

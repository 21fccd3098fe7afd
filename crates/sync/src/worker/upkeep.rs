//! Upkeep: clears away what has ended, fetches what is stale, asks who was not heard of.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{code::Code, run::BindingStatus};
use futures::{StreamExt, stream};
use store::Binding;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{Engine, connection::backfill};

/// How often ended sessions and tokens are cleared away.
const UPKEEP_EVERY: std::time::Duration = std::time::Duration::from_mins(10);
/// How long the counts of single hours are kept: the overview shows a day of them.
const HOURS_ARE_KEPT: TimeDelta = TimeDelta::days(3);
/// How often a connection is checked that nothing else was heard of.
const CHECKED_EVERY: TimeDelta = TimeDelta::hours(1);
/// How many connections are checked at once.
const CHECKS: usize = 8;
/// For how long invitations are kept that are used, withdrawn or past their time: they hold addresses.
const INVITATIONS_KEPT: TimeDelta = TimeDelta::days(90);
/// For how long alerts are kept.
const ALERTS_KEPT: TimeDelta = TimeDelta::days(90);

/// A round of upkeep every ten minutes, until `shutdown`.
pub async fn work_upkeep(engine: &Engine, shutdown: &CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(UPKEEP_EVERY) => {}
        }
        keep_up(engine).await;
    }
}

/// Clears away what has ended, and fetches what is stale: one round of the upkeep that a worker does by itself.
pub async fn keep_up(engine: &Engine) {
    let now = engine.environment.now();
    if let Err(problem) = engine.store.purge_tokens(now).await {
        warn!(error = %problem, "used tokens could not be cleared away");
    }
    if let Err(problem) = engine.store.purge_sessions(now).await {
        warn!(error = %problem, "ended sessions could not be cleared away");
    }
    if let Err(problem) = engine.store.purge_sign_ins(now).await {
        warn!(error = %problem, "ended sign-ins could not be cleared away");
    }
    if let Err(problem) = engine.store.purge_invitations(now - INVITATIONS_KEPT).await {
        warn!(error = %problem, "old invitations could not be cleared away");
    }
    if let Err(problem) = engine.store.purge_alerts(now - ALERTS_KEPT).await {
        warn!(error = %problem, "old alerts could not be cleared away");
    }
    if let Err(problem) = engine.store.forget_hours(now - HOURS_ARE_KEPT).await {
        warn!(error = %problem, "old counts could not be cleared away");
    }
    if let Err(problem) = engine.give_up_old_consents().await {
        warn!(error = %problem, "abandoned consents could not be looked for");
    }
    let bindings = engine.store.list_all_bindings().await.unwrap_or_else(|problem| {
        warn!(error = %problem, "the bindings could not be read for their upkeep");
        Vec::new()
    });
    refresh_stale_references(engine, &bindings, now).await;
    check_connections(engine, &bindings, now).await;
}

/// Asks each shop once in a while whether it still takes our tokens, which is the only way to hear of a disconnection that was
/// announced to nobody, or of a proxy that was fixed; and Sage, where it refused, whether that was its last word.
async fn check_connections(engine: &Engine, bindings: &[Binding], now: DateTime<Utc>) {
    let checks = bindings
        .iter()
        .filter(|binding| matches!(binding.status, BindingStatus::Active | BindingStatus::NeedsReauth));
    stream::iter(checks).for_each_concurrent(CHECKS, |binding| check_connection(engine, binding, now)).await;
}

async fn check_connection(engine: &Engine, binding: &Binding, now: DateTime<Utc>) {
    let (name, holder) = (format!("check:{}", binding.id), engine.environment.uuid_v4().to_string());
    // Never given back: it keeps every process from the next check until it runs out.
    let is_due = engine.store.acquire_lease(&name, &holder, now, now + CHECKED_EVERY).await;
    if !is_due.unwrap_or(false) {
        return;
    }
    if binding.status == BindingStatus::Active {
        engine.ask_shop(binding).await;
        if let Err(problem) = backfill::search_on(engine, binding.id, now).await {
            warn!(binding = %binding.id, error = %problem, "it could not be seen whether the shop is to be searched on");
        }
        return;
    }
    match engine.store.refusal(binding.id).await {
        Ok(Some(Code::MagentoAuth)) => drop(engine.ask_shop(binding).await),
        Ok(Some(Code::SageAuth)) => {
            // What it finds is the answer; that Sage still refuses is no news.
            let _still_refused = engine.refresh_reference(binding, None).await;
        }
        _ => {}
    }
}

/// Fetches again the reference sets that are older than a day. The call also keeps idle connections alive, those of paused shops too: it
/// refreshes their tokens, which Sage lets die after 31 days.
async fn refresh_stale_references(engine: &Engine, bindings: &[Binding], now: DateTime<Utc>) {
    let is_connected =
        |binding: &&Binding| matches!(binding.status, BindingStatus::Active | BindingStatus::Paused);
    for binding in bindings.iter().filter(is_connected) {
        let is_stale = match engine.store.reference(binding.id).await {
            Ok(Some(cached)) => now - cached.fetched_at > TimeDelta::hours(24),
            Ok(None) => true,
            Err(_) => false,
        };
        if is_stale && let Err(problem) = engine.refresh_reference(binding, None).await {
            warn!(binding = %binding.id, error = %problem, "the reference set could not be refreshed");
        }
    }
}

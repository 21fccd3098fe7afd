//! What a transaction may rely on until it ends. Here whoever writes holds the whole database, so that looking is enough.

use std::future::{Ready, ready};

use domain::{
    ids::{AttemptId, BindingId, RunId},
    run::BindingStatus,
};
use store::Fence;
use store_sql::{Id, Word};

use crate::{
    db::Connection,
    entities::{Tried, stale},
};

/// The status of a run's binding; none when there is no such run.
pub(crate) async fn hold_binding(connection: &mut Connection, run: RunId) -> Tried<Option<BindingStatus>> {
    let status: Option<Word<BindingStatus>> = sqlx::query_scalar(
        "SELECT b.status FROM runs r JOIN bindings b ON b.id = r.binding_id WHERE r.id = $1",
    )
    .bind(Id(run))
    .fetch_optional(connection)
    .await?;
    Ok(status.map(|status| status.0))
}

/// What a fence proves.
#[derive(sqlx::FromRow)]
struct HeldRow {
    binding_id: Id<BindingId>,
    event: String,
    magento_id: i64,
    settings_version: i64,
}

/// What a fence proves.
pub(crate) struct Held {
    /// Whose run it is.
    pub(crate) binding: BindingId,
    /// What happened.
    pub(crate) event: String,
    /// Magento's id of the entity.
    pub(crate) magento_id: i64,
    /// The settings version it was queued under.
    pub(crate) settings_version: i64,
}

/// The run of a fence that is still held, or the error of a stale one.
pub(crate) async fn hold_run(connection: &mut Connection, fence: Fence) -> Tried<Held> {
    let held: Option<HeldRow> = sqlx::query_as(
        "SELECT binding_id, event, magento_id, settings_version FROM runs
         WHERE id = $1 AND attempt_id = $2 AND status = 'running'",
    )
    .bind(Id(fence.run_id))
    .bind(Id(fence.attempt_id))
    .fetch_optional(connection)
    .await?;
    let HeldRow { binding_id, event, magento_id, settings_version } = held.ok_or_else(stale)?;
    Ok(Held { binding: binding_id.0, event, magento_id, settings_version })
}

/// The last look before a request that changes something, or the error of a stale fence. A run may not write when its lease ran out and
/// another run of the business was claimed since: that one's lease ends later.
pub(crate) async fn ensure_writer(connection: &mut Connection, fence: Fence) -> Tried<()> {
    let writes = sqlx::query(
        "SELECT 1 FROM runs
          WHERE id = $1 AND attempt_id = $2 AND status = 'running'
            AND NOT EXISTS (SELECT 1 FROM runs h
                             WHERE h.status = 'running' AND h.lease_business = runs.lease_business AND h.id <> runs.id
                               AND h.lease_until > runs.lease_until)",
    )
    .bind(Id(fence.run_id))
    .bind(Id(fence.attempt_id))
    .fetch_optional(connection)
    .await?;
    writes.map(|_| ()).ok_or_else(|| stale().into())
}

/// Waits for others who do what is named.
pub(crate) fn take_turns(_connection: &mut Connection, _what: &str) -> Ready<Tried<()>> {
    ready(Ok(()))
}

/// Gives back the business of an attempt. Here the run's own row says who holds it.
pub(crate) fn free_business(_connection: &mut Connection, _attempt: AttemptId) -> Ready<Tried<()>> {
    ready(Ok(()))
}

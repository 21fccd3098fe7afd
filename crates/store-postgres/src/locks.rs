//! What a transaction may rely on until it ends. Locks are taken in one order: binding, run, business.

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

/// The status of a run's binding, which stays what it is until the transaction ends; none when there is no such run. To be asked
/// before the run itself is locked, the order in which a change of a binding locks them.
pub(crate) async fn hold_binding(connection: &mut Connection, run: RunId) -> Tried<Option<BindingStatus>> {
    let status: Option<Word<BindingStatus>> = sqlx::query_scalar(
        "SELECT b.status FROM runs r JOIN bindings b ON b.id = r.binding_id WHERE r.id = $1 FOR SHARE OF b",
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

/// Locks the run of a fence until the transaction ends, if the attempt still holds it.
pub(crate) async fn hold_run(connection: &mut Connection, fence: Fence) -> Tried<Held> {
    let held: Option<HeldRow> = sqlx::query_as(
        "SELECT binding_id, event, magento_id, settings_version FROM runs
         WHERE id = $1 AND attempt_id = $2 AND status = 'running' FOR UPDATE",
    )
    .bind(Id(fence.run_id))
    .bind(Id(fence.attempt_id))
    .fetch_optional(connection)
    .await?;
    let HeldRow { binding_id, event, magento_id, settings_version } = held.ok_or_else(stale)?;
    Ok(Held { binding: binding_id.0, event, magento_id, settings_version })
}

/// The last look before a request that changes something. When the lease ran out and another run of the business has begun, this one
/// may not write beside it, even though nobody has taken over the run itself.
pub(crate) async fn ensure_writer(connection: &mut Connection, fence: Fence) -> Tried<()> {
    hold_run(&mut *connection, fence).await?;
    let writes = sqlx::query("SELECT 1 FROM business_leases WHERE attempt_id = $1 FOR SHARE")
        .bind(Id(fence.attempt_id))
        .fetch_optional(connection)
        .await?;
    writes.map(|_| ()).ok_or_else(|| stale().into())
}

/// Waits for others who do what is named.
pub(crate) async fn take_turns(connection: &mut Connection, what: &str) -> Tried<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(what)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives back the business of an attempt. No row is no error: the lease may have run out, and another run have begun, before this one
/// ended.
pub(crate) async fn free_business(connection: &mut Connection, attempt: AttemptId) -> Tried<()> {
    sqlx::query("DELETE FROM business_leases WHERE attempt_id = $1")
        .bind(Id(attempt))
        .execute(connection)
        .await?;
    Ok(())
}

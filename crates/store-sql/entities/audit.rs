//! The record of what somebody did, kept with the transaction of what was done.

use domain::ids::BulkRetryId;
use store::Action;
use store_sql::{Id, Instant, Text};

use super::Tried;
use crate::db::Connection;

/// Keeps what somebody did, where somebody did it, with the transaction of what was done.
pub(crate) async fn record<'a>(
    connection: &mut Connection,
    action: impl Into<Option<&'a Action>> + Send,
) -> Tried<()> {
    match action.into() {
        Some(action) => insert(connection, action, None).await,
        None => Ok(()),
    }
}

/// Keeps that a run was put in the queue by a bulk retry, which can thus be asked what came of its runs.
pub(crate) async fn record_of_bulk(
    connection: &mut Connection,
    action: &Action,
    bulk: BulkRetryId,
) -> Tried<()> {
    insert(connection, action, Some(bulk)).await
}

async fn insert(connection: &mut Connection, action: &Action, bulk: Option<BulkRetryId>) -> Tried<()> {
    sqlx::query(
        "INSERT INTO actions (id, organisation_id, binding_id, run_id, member_id, actor, action, detail, at, bulk_retry_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(Id(action.id))
    .bind(Id(action.organisation_id))
    .bind(action.binding_id.map(Id))
    .bind(action.run_id.map(Id))
    .bind(action.actor.member.map(Id))
    .bind(Text(&action.actor.name))
    .bind(action.kind.as_str())
    .bind(Text(&action.detail))
    .bind(Instant(action.at))
    .bind(bulk.map(Id))
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps the same act as each of the organisations that it is about sees it.
pub(crate) async fn record_all(connection: &mut Connection, actions: &[Action]) -> Tried<()> {
    for action in actions {
        record(connection, action).await?;
    }
    Ok(())
}

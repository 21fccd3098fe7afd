//! What waits for an invoice.

use chrono::{DateTime, Utc};
use domain::{code::Code, ids::BindingId};
use store::RunState;
use store_sql::{Id, Instant};

use super::{
    Tried,
    taken_back::{EndRow, take_back},
};
use crate::db::Connection;

/// Lets go on what waited for this invoice of a binding and, when it is synced, what was skipped for want of it.
pub(crate) async fn wake_waiting(
    connection: &mut Connection,
    (binding, invoice, is_synced): (BindingId, i64, bool),
    onward: &RunState<'_>,
    now: DateTime<Utc>,
) -> Tried<()> {
    if is_synced {
        let skipped: Vec<EndRow> = sqlx::query_as(
            "SELECT status, finished_at FROM runs
              WHERE binding_id = $1 AND waits_for_invoice = $2 AND status = 'skipped_by_policy' AND finished_at IS NOT NULL",
        )
        .bind(Id(binding))
        .bind(invoice)
        .fetch_all(&mut *connection)
        .await?;
        take_back(connection, binding, &skipped).await?;
    }
    sqlx::query(
        "UPDATE runs SET status = $4, code = $5, message = NULL, cause = NULL, waits_for_invoice = NULL, next_at = $3,
                         updated_at = $3, finished_at = NULL
          WHERE binding_id = $1 AND waits_for_invoice = $2
            AND (status = 'waiting' OR $6 AND status = 'skipped_by_policy')",
    )
    .bind(Id(binding))
    .bind(invoice)
    .bind(Instant(now))
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .bind(is_synced)
    .execute(connection)
    .await?;
    Ok(())
}

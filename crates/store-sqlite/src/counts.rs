//! What is counted while it happens.

use chrono::{DateTime, Utc};
use domain::ids::BindingId;
use store::{Span, Tally};
use store_sql::{Id, Instant};

use crate::{db::Connection, entities::Tried};

/// Counts runs of a binding, or takes as many back, in the transaction of what is counted.
pub(crate) async fn count(
    connection: &mut Connection,
    binding: BindingId,
    tally: Tally,
    runs: i64,
    at: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "INSERT INTO run_counts (binding_id, span, starts_at, tally, runs)
         VALUES ($1, 'hour', $2, $4, $5), ($1, 'day', $3, $4, $5)
         ON CONFLICT (binding_id, span, starts_at, tally) DO UPDATE SET runs = run_counts.runs + excluded.runs",
    )
    .bind(Id(binding))
    .bind(Instant(Span::Hour.start(at)))
    .bind(Instant(Span::Day.start(at)))
    .bind(tally.as_str())
    .bind(runs)
    .execute(connection)
    .await?;
    Ok(())
}

//! Folding the rests of a run.

use domain::ids::{AttemptId, BindingId};
use store::Fence;
use store_sql::Id;

use super::Tried;
use crate::db::Connection;

/// Folds the rests of a run, so that the audit does not grow with an outage: a try that made no call is forgotten, and of those in a row
/// that made some the first and the last stay.
pub(crate) async fn fold_rests(connection: &mut Connection, binding: BindingId, fence: Fence) -> Tried<()> {
    let forgotten = sqlx::query(
        "DELETE FROM attempts WHERE binding_id = $1 AND run_id = $2 AND id = $3
            AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.binding_id = $1 AND s.run_id = $2 AND s.attempt_id = $3)
            AND NOT EXISTS (SELECT 1 FROM run_plans p WHERE p.binding_id = $1 AND p.run_id = $2 AND p.attempt_id = $3)",
    )
    .bind(Id(binding))
    .bind(Id(fence.run_id))
    .bind(Id(fence.attempt_id))
    .execute(&mut *connection)
    .await?;
    if forgotten.rows_affected() > 0 {
        sqlx::query(
            "UPDATE runs SET attempts_in_all = attempts_in_all - 1 WHERE binding_id = $1 AND id = $2",
        )
        .bind(Id(binding))
        .bind(Id(fence.run_id))
        .execute(connection)
        .await?;
        return Ok(());
    }
    for attempt in between(connection, binding, fence).await? {
        for statement in [
            "DELETE FROM steps WHERE binding_id = $1 AND run_id = $2 AND attempt_id = $3",
            "DELETE FROM attempts WHERE binding_id = $1 AND run_id = $2 AND id = $3",
        ] {
            sqlx::query(statement)
                .bind(Id(binding))
                .bind(Id(fence.run_id))
                .bind(attempt)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// The attempts of a run that rested, came after one that rested, and are not the last.
async fn between(connection: &mut Connection, binding: BindingId, fence: Fence) -> Tried<Vec<Id<AttemptId>>> {
    let between = sqlx::query_scalar(
        "SELECT a.id FROM attempts a
          WHERE a.binding_id = $1 AND a.run_id = $2 AND a.outcome = 'resting' AND a.id <> $3
            AND NOT EXISTS (SELECT 1 FROM run_plans p
                             WHERE p.binding_id = $1 AND p.run_id = $2 AND p.attempt_id = a.id)
            AND 'resting' = (SELECT b.outcome FROM attempts b
                              WHERE b.binding_id = $1 AND b.run_id = $2 AND b.number < a.number
                              ORDER BY b.number DESC LIMIT 1)",
    );
    let between = between.bind(Id(binding)).bind(Id(fence.run_id)).bind(Id(fence.attempt_id));
    Ok(between.fetch_all(connection).await?)
}

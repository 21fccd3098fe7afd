//! The steps of attempts, as they are kept.

use domain::ids::BindingId;
use sqlx::SqliteConnection;
use store::{Fence, Step};
use store_sql::{Id, Instant};

use crate::entities::{Tried, overview};

/// Keeps the steps of a run that is known to be held, and counts the calls among them.
pub(crate) async fn insert_steps(
    connection: &mut SqliteConnection,
    binding: BindingId,
    fence: Fence,
    steps: &[Step],
) -> Tried<()> {
    for step in steps {
        sqlx::query(
            "INSERT INTO steps (binding_id, run_id, attempt_id, target, name, method, path, status, request_id,
                                idempotency_id, summary, request, answer, started_at, duration_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )
        .bind(Id(binding))
        .bind(Id(fence.run_id))
        .bind(Id(fence.attempt_id))
        .bind(&step.target)
        .bind(&step.name)
        .bind(&step.method)
        .bind(&step.path)
        .bind(step.status)
        .bind(&step.request_id)
        .bind(&step.idempotency_id)
        .bind(&step.summary)
        .bind(&step.request)
        .bind(&step.answer)
        .bind(Instant(step.started_at))
        .bind(step.duration_ms)
        .execute(&mut *connection)
        .await?;
    }
    overview::count_calls(connection, binding, steps).await
}

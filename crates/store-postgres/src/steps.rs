//! The steps of attempts, as they are kept.

use domain::ids::BindingId;
use sqlx::PgConnection;
use store::{Fence, Step};
use store_sql::Id;

use crate::entities::{Tried, overview};

/// Text as it is kept.
fn kept(text: &str) -> String {
    crate::db::kept(text.to_owned())
}

/// Adds steps to an attempt within a transaction that holds its run, and counts the calls among them.
pub(crate) async fn insert_steps(
    connection: &mut PgConnection,
    binding: BindingId,
    fence: Fence,
    steps: &[Step],
) -> Tried<()> {
    if steps.is_empty() {
        return Ok(());
    }
    // One statement for all of them: a column each, as an array.
    sqlx::query(
        "INSERT INTO steps (binding_id, run_id, attempt_id, position, target, name, method, path, status, request_id,
                            idempotency_id, summary, request, answer, started_at, duration_ms)
         SELECT $1, $2, $3,
                step.position + (SELECT coalesce(max(position), 0) FROM steps
                                 WHERE binding_id = $1 AND run_id = $2 AND attempt_id = $3),
                step.target, step.name, step.method, step.path, step.status, step.request_id,
                step.idempotency_id, step.summary, step.request, step.answer, step.started_at, step.duration_ms
         FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::integer[], $9::text[], $10::text[],
                     $11::text[], $12::text[], $13::text[], $14::timestamptz[], $15::bigint[])
              WITH ORDINALITY AS step (target, name, method, path, status, request_id, idempotency_id, summary,
                                       request, answer, started_at, duration_ms, position)",
    )
    .bind(Id(binding))
    .bind(fence.run_id.0)
    .bind(fence.attempt_id.0)
    .bind(steps.iter().map(|step| kept(&step.target)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| kept(&step.name)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| kept(&step.method)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| kept(&step.path)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.status).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.request_id.as_deref().map(kept)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.idempotency_id.as_deref().map(kept)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| kept(&step.summary)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.request.as_deref().map(kept)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.answer.as_deref().map(kept)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.started_at).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.duration_ms).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    overview::count_calls(connection, binding, steps).await
}

//! Attempts and steps: the audit trail.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{AttemptId, OrganisationId, RunId},
};
use sqlx::{FromRow, PgConnection};
use store::{Attempt, Attempts, Fence, Result, Step};
use uuid::Uuid;

use crate::{
    PostgresStore,
    error::{Tried, clean, clean_option, translate},
    overview,
};

#[derive(FromRow)]
struct AttemptRow {
    id: Uuid,
    number: i32,
    worker: String,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    outcome: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

#[derive(FromRow)]
struct StepRow {
    attempt_id: Uuid,
    target: String,
    name: String,
    method: String,
    path: String,
    status: Option<i32>,
    request_id: Option<String>,
    idempotency_id: Option<String>,
    summary: String,
    request: Option<String>,
    answer: Option<String>,
    started_at: DateTime<Utc>,
    duration_ms: i64,
}

impl From<StepRow> for Step {
    fn from(row: StepRow) -> Self {
        Self {
            target: row.target,
            name: row.name,
            method: row.method,
            path: row.path,
            status: row.status,
            request_id: row.request_id,
            idempotency_id: row.idempotency_id,
            summary: row.summary,
            request: row.request,
            answer: row.answer,
            started_at: row.started_at,
            duration_ms: row.duration_ms,
        }
    }
}

impl AttemptRow {
    fn read(self, run_id: RunId, steps: Vec<Step>) -> Attempt {
        Attempt {
            id: AttemptId(self.id),
            run_id,
            number: self.number,
            worker: self.worker,
            started_at: self.started_at,
            ended_at: self.ended_at,
            outcome: self.outcome,
            code: self.code.map(|code| code.parse().unwrap_or(Code::UnreadableRecord)),
            message: self.message,
            steps,
        }
    }
}

#[async_trait]
impl Attempts for PostgresStore {
    async fn attempts(&self, organisation: OrganisationId, run: RunId) -> Result<Vec<Attempt>> {
        let attempts: Vec<AttemptRow> = sqlx::query_as(
            "SELECT a.id, a.number, a.worker, a.started_at, a.ended_at, a.outcome, a.code, a.message
             FROM runs r
             JOIN bindings b ON b.id = r.binding_id AND b.organisation_id = $1
             JOIN attempts a ON a.binding_id = r.binding_id AND a.run_id = r.id
             WHERE r.id = $2 ORDER BY a.number",
        )
        .bind(organisation.0)
        .bind(run.0)
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        let steps: Vec<StepRow> = sqlx::query_as(
            "SELECT s.attempt_id, s.target, s.name, s.method, s.path, s.status, s.request_id, s.idempotency_id,
                    s.summary, s.request, s.answer, s.started_at, s.duration_ms
             FROM runs r
             JOIN bindings b ON b.id = r.binding_id AND b.organisation_id = $1
             JOIN steps s ON s.binding_id = r.binding_id AND s.run_id = r.id
             WHERE r.id = $2 ORDER BY s.position",
        )
        .bind(organisation.0)
        .bind(run.0)
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        let mut by_attempt: HashMap<Uuid, Vec<Step>> = HashMap::new();
        for step in steps {
            by_attempt.entry(step.attempt_id).or_default().push(step.into());
        }
        let attempts = attempts.into_iter().map(|attempt| {
            let steps = by_attempt.remove(&attempt.id).unwrap_or_default();
            attempt.read(run, steps)
        });
        Ok(attempts.collect())
    }
}

/// Adds steps to an attempt within a transaction that holds its run, and counts the calls among them.
pub(crate) async fn insert_steps(
    connection: &mut PgConnection,
    binding: Uuid,
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
    .bind(binding)
    .bind(fence.run_id.0)
    .bind(fence.attempt_id.0)
    .bind(steps.iter().map(|step| clean(&step.target)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| clean(&step.name)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| clean(&step.method)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| clean(&step.path)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.status).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| clean_option(step.request_id.as_ref())).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| clean_option(step.idempotency_id.as_ref())).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| clean(&step.summary)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| clean_option(step.request.as_ref())).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| clean_option(step.answer.as_ref())).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.started_at).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.duration_ms).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    overview::count_calls(connection, binding, steps).await
}

/// Folds the rests of a run, so that the audit does not grow with an outage: a try that made no call is forgotten, and of those in a row
/// that made some the first and the last stay.
pub(crate) async fn fold_rests(connection: &mut PgConnection, binding: Uuid, fence: Fence) -> Tried<()> {
    let (run, attempt) = (fence.run_id.0, fence.attempt_id.0);
    let forgotten = sqlx::query(
        "DELETE FROM attempts a WHERE a.binding_id = $1 AND a.run_id = $2 AND a.id = $3
           AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.binding_id = $1 AND s.run_id = $2 AND s.attempt_id = $3)
           AND NOT EXISTS (SELECT 1 FROM run_plans p WHERE p.binding_id = $1 AND p.run_id = $2 AND p.attempt_id = $3)",
    )
    .bind(binding)
    .bind(run)
    .bind(attempt)
    .execute(&mut *connection)
    .await?;
    if forgotten.rows_affected() > 0 {
        sqlx::query(
            "UPDATE runs SET attempts_in_all = attempts_in_all - 1 WHERE binding_id = $1 AND id = $2",
        )
        .bind(binding)
        .bind(run)
        .execute(connection)
        .await?;
        return Ok(());
    }
    let between: Vec<Uuid> = sqlx::query_scalar(
        "DELETE FROM attempts a
         WHERE a.binding_id = $1 AND a.run_id = $2 AND a.outcome = 'resting' AND a.id <> $3
           AND NOT EXISTS (SELECT 1 FROM run_plans p
                           WHERE p.binding_id = $1 AND p.run_id = $2 AND p.attempt_id = a.id)
           AND 'resting' = (SELECT b.outcome FROM attempts b
                            WHERE b.binding_id = $1 AND b.run_id = $2 AND b.number < a.number
                            ORDER BY b.number DESC LIMIT 1)
         RETURNING a.id",
    )
    .bind(binding)
    .bind(run)
    .bind(attempt)
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM steps WHERE binding_id = $1 AND run_id = $2 AND attempt_id = ANY($3)")
        .bind(binding)
        .bind(run)
        .bind(between)
        .execute(connection)
        .await?;
    Ok(())
}

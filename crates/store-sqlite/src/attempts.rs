//! Attempts and steps: the audit trail.

use async_trait::async_trait;
use domain::{
    code::Code,
    ids::{OrganisationId, RunId},
};
use sqlx::SqliteConnection;
use store::{Attempt, Attempts, Error, Fence, Result, Step, readable};

use crate::{
    columns::{Place, instant},
    error::translate,
    overview,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct AttemptRow {
    run_id: String,
    number: i32,
    id: String,
    worker: String,
    started_at: String,
    ended_at: Option<String>,
    outcome: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = Error;

    fn try_from(row: AttemptRow) -> Result<Self> {
        let place = Place { table: "attempts", row: &row.id };
        Ok(Self {
            id: place.word("id", &row.id)?,
            run_id: place.word("run_id", &row.run_id)?,
            number: row.number,
            worker: row.worker,
            // Of an attempt that cannot be read the rest is shown all the same.
            started_at: place.time("started_at", &row.started_at).unwrap_or_default(),
            ended_at: place.optional_time("ended_at", row.ended_at.as_deref()).unwrap_or_default(),
            outcome: row.outcome,
            code: row.code.map(|code| code.parse().unwrap_or(Code::UnreadableRecord)),
            message: row.message,
            steps: Vec::new(),
        })
    }
}

#[derive(sqlx::FromRow)]
struct StepRow {
    attempt_id: String,
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
    started_at: String,
    duration_ms: i64,
}

impl From<StepRow> for Step {
    fn from(row: StepRow) -> Self {
        let place = Place { table: "steps", row: &row.attempt_id };
        let started_at = place.time("started_at", &row.started_at).unwrap_or_default();
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
            started_at,
            duration_ms: row.duration_ms,
        }
    }
}

#[async_trait]
impl Attempts for SqliteStore {
    async fn attempts(&self, organisation: OrganisationId, run: RunId) -> Result<Vec<Attempt>> {
        // One snapshot for both.
        let mut transaction = self.readers.begin().await.map_err(translate)?;
        let attempts = sqlx::query_as::<_, AttemptRow>(
            "SELECT a.* FROM runs r
               JOIN bindings b ON b.id = r.binding_id
               JOIN attempts a ON a.binding_id = r.binding_id AND a.run_id = r.id
              WHERE r.id = ?1 AND b.organisation_id = ?2 ORDER BY a.number",
        )
        .bind(run.to_string())
        .bind(organisation.to_string())
        .fetch_all(&mut *transaction)
        .await
        .map_err(translate)?;
        let steps = sqlx::query_as::<_, StepRow>(
            "SELECT s.* FROM runs r
               JOIN bindings b ON b.id = r.binding_id
               JOIN steps s ON s.binding_id = r.binding_id AND s.run_id = r.id
              WHERE r.id = ?1 AND b.organisation_id = ?2 ORDER BY s.position",
        )
        .bind(run.to_string())
        .bind(organisation.to_string())
        .fetch_all(&mut *transaction)
        .await
        .map_err(translate)?;
        let mut attempts = readable(attempts.into_iter().map(Attempt::try_from))?;
        for row in steps {
            if let Some(attempt) =
                attempts.iter_mut().find(|attempt| attempt.id.to_string() == row.attempt_id)
            {
                attempt.steps.push(Step::from(row));
            }
        }
        Ok(attempts)
    }
}

/// Keeps the steps of a run that is known to be held, and counts the calls among them.
pub(crate) async fn insert_steps(
    connection: &mut SqliteConnection,
    binding: &str,
    fence: Fence,
    steps: &[Step],
) -> Result<()> {
    for step in steps {
        sqlx::query(
            "INSERT INTO steps (binding_id, run_id, attempt_id, target, name, method, path, status, request_id,
                                idempotency_id, summary, request, answer, started_at, duration_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )
        .bind(binding)
        .bind(fence.run_id.to_string())
        .bind(fence.attempt_id.to_string())
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
        .bind(instant(step.started_at))
        .bind(step.duration_ms)
        .execute(&mut *connection)
        .await
        .map_err(translate)?;
    }
    overview::count_calls(connection, binding, steps).await
}

/// Folds the rests of a run, so that the audit does not grow with an outage: a try that made no call is forgotten, and of those in a row
/// that made some the first and the last stay.
pub(crate) async fn fold_rests(connection: &mut SqliteConnection, fence: Fence) -> Result<()> {
    let (run, attempt) = (fence.run_id.to_string(), fence.attempt_id.to_string());
    let forgotten = sqlx::query(
        "DELETE FROM attempts WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.attempt_id = ?1)
            AND NOT EXISTS (SELECT 1 FROM run_plans p WHERE p.attempt_id = ?1)",
    )
    .bind(&attempt)
    .execute(&mut *connection)
    .await
    .map_err(translate)?;
    if forgotten.rows_affected() > 0 {
        sqlx::query("UPDATE runs SET attempts_in_all = attempts_in_all - 1 WHERE id = ?1")
            .bind(&run)
            .execute(connection)
            .await
            .map_err(translate)?;
        return Ok(());
    }
    let between: Vec<String> = sqlx::query_scalar(
        "SELECT a.id FROM attempts a
          WHERE a.run_id = ?1 AND a.binding_id = (SELECT r.binding_id FROM runs r WHERE r.id = ?1)
            AND a.outcome = 'resting' AND a.id <> ?2
            AND NOT EXISTS (SELECT 1 FROM run_plans p WHERE p.run_id = ?1 AND p.attempt_id = a.id)
            AND 'resting' = (SELECT b.outcome FROM attempts b
                              WHERE b.binding_id = a.binding_id AND b.run_id = ?1 AND b.number < a.number
                              ORDER BY b.number DESC LIMIT 1)",
    )
    .bind(&run)
    .bind(&attempt)
    .fetch_all(&mut *connection)
    .await
    .map_err(translate)?;
    for attempt in between {
        for statement in [
            "DELETE FROM steps WHERE run_id = ?1 AND attempt_id = ?2 AND binding_id = (SELECT r.binding_id FROM runs r WHERE r.id = ?1)",
            "DELETE FROM attempts WHERE run_id = ?1 AND id = ?2",
        ] {
            sqlx::query(statement)
                .bind(&run)
                .bind(&attempt)
                .execute(&mut *connection)
                .await
                .map_err(translate)?;
        }
    }
    Ok(())
}

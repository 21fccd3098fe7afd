//! Attempts and steps: the audit trail.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::{
    code::Code,
    ids::{AttemptId, OrganisationId, RunId},
};
use store::{Attempt, Attempts, Result, Step};
use store_sql::{Id, Instant, Lenient, Word};

use super::rows::{self, Record};
use crate::driver::Driver;

/// Of an attempt that cannot be read the rest is shown all the same.
#[derive(sqlx::FromRow)]
struct AttemptRow {
    id: Id<AttemptId>,
    run_id: Id<RunId>,
    number: i32,
    worker: String,
    started_at: Lenient<Instant>,
    ended_at: Option<Lenient<Instant>>,
    outcome: Option<String>,
    code: Option<Lenient<Word<Code>>>,
    message: Option<String>,
}

impl Record for AttemptRow {
    type Value = Attempt;
    const TABLE: &'static str = "attempts";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Attempt> {
        Ok(Attempt {
            id: self.id.0,
            run_id: self.run_id.0,
            number: self.number,
            worker: self.worker,
            started_at: self.started_at.0.map(|at| at.0).unwrap_or_default(),
            ended_at: self.ended_at.and_then(|at| at.0).map(|at| at.0),
            outcome: self.outcome,
            code: self.code.map(|code| code.0.map_or(Code::UnreadableRecord, |code| code.0)),
            message: self.message,
            steps: Vec::new(),
        })
    }
}

#[derive(sqlx::FromRow)]
struct StepRow {
    attempt_id: Id<AttemptId>,
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
    started_at: Lenient<Instant>,
    duration_ms: i64,
}

impl Record for StepRow {
    type Value = (AttemptId, Step);
    const TABLE: &'static str = "steps";
    const KEY: &'static str = "attempt_id";

    fn value(self) -> Result<Self::Value> {
        let step = Step {
            target: self.target,
            name: self.name,
            method: self.method,
            path: self.path,
            status: self.status,
            request_id: self.request_id,
            idempotency_id: self.idempotency_id,
            summary: self.summary,
            request: self.request,
            answer: self.answer,
            started_at: self.started_at.0.map(|at| at.0).unwrap_or_default(),
            duration_ms: self.duration_ms,
        };
        Ok((self.attempt_id.0, step))
    }
}

#[async_trait]
impl Attempts for Driver {
    async fn attempts(&self, organisation: OrganisationId, run: RunId) -> Result<Vec<Attempt>> {
        // The attempts first: a step that comes between the two looks belongs to one that is there.
        let attempts = sqlx::query(
            "SELECT a.id, a.run_id, a.number, a.worker, a.started_at, a.ended_at, a.outcome, a.code, a.message
               FROM runs r
               JOIN bindings b ON b.id = r.binding_id AND b.organisation_id = $1
               JOIN attempts a ON a.binding_id = r.binding_id AND a.run_id = r.id
              WHERE r.id = $2 ORDER BY a.number",
        );
        let attempts = attempts.bind(Id(organisation)).bind(Id(run));
        let mut attempts = rows::readable::<AttemptRow>(attempts, self.reader()).await?;
        let steps = sqlx::query(
            "SELECT s.attempt_id, s.target, s.name, s.method, s.path, s.status, s.request_id, s.idempotency_id,
                    s.summary, s.request, s.answer, s.started_at, s.duration_ms
               FROM runs r
               JOIN bindings b ON b.id = r.binding_id AND b.organisation_id = $1
               JOIN steps s ON s.binding_id = r.binding_id AND s.run_id = r.id
              WHERE r.id = $2 ORDER BY s.position",
        );
        let steps = steps.bind(Id(organisation)).bind(Id(run));
        let mut by_attempt: HashMap<AttemptId, Vec<Step>> = HashMap::new();
        for (attempt, step) in rows::all::<StepRow>(steps, self.reader()).await? {
            by_attempt.entry(attempt).or_default().push(step);
        }
        for attempt in &mut attempts {
            attempt.steps = by_attempt.remove(&attempt.id).unwrap_or_default();
        }
        Ok(attempts)
    }
}

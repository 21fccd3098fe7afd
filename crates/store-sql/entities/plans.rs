//! The Plan of a run, as its newest attempt made it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{AttemptId, OrganisationId, RunId},
    plan::Plan,
};
use sqlx::PgConnection;
use store::{Error, Fence, Plans, Result, RunPlan};
use uuid::Uuid;

use crate::{
    PostgresStore,
    error::{Place, Tried, translate},
};

#[async_trait]
impl Plans for PostgresStore {
    async fn plan_of(&self, organisation: OrganisationId, run: RunId) -> Result<Option<RunPlan>> {
        let row: Option<(Uuid, String, DateTime<Utc>)> = sqlx::query_as(
            "SELECT p.attempt_id, p.plan, p.made_at
             FROM runs r
             JOIN bindings b ON b.id = r.binding_id AND b.organisation_id = $1
             JOIN run_plans p ON p.binding_id = r.binding_id AND p.run_id = r.id
             WHERE r.id = $2",
        )
        .bind(organisation.0)
        .bind(run.0)
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        let Some((attempt, plan, made_at)) = row else { return Ok(None) };
        let plan = Place { table: "run_plans", row: &run }.json("plan", &plan)?;
        Ok(Some(RunPlan { attempt_id: AttemptId(attempt), plan, made_at }))
    }
}

/// Keeps the Plan of an attempt in place of an earlier one's, within a transaction that holds its run.
pub(crate) async fn keep(
    connection: &mut PgConnection,
    binding: Uuid,
    fence: Fence,
    plan: &Plan,
    now: DateTime<Utc>,
) -> Tried<()> {
    let plan = serde_json::to_string(plan).map_err(|error| Error::Driver(Box::new(error)))?;
    sqlx::query(
        "INSERT INTO run_plans (binding_id, run_id, attempt_id, plan, made_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (binding_id, run_id) DO UPDATE
         SET attempt_id = excluded.attempt_id, plan = excluded.plan, made_at = excluded.made_at",
    )
    .bind(binding)
    .bind(fence.run_id.0)
    .bind(fence.attempt_id.0)
    .bind(plan)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

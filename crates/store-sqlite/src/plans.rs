//! The Plan of a run, as its newest attempt made it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{OrganisationId, RunId},
    plan::Plan,
};
use sqlx::SqliteConnection;
use store::{Fence, Plans, Result, RunPlan};

use crate::{
    columns::{Place, instant, json},
    error::translate,
    sqlite::SqliteStore,
};

#[async_trait]
impl Plans for SqliteStore {
    async fn plan_of(&self, organisation: OrganisationId, run: RunId) -> Result<Option<RunPlan>> {
        let run = run.to_string();
        let row: Option<(String, String, String)> = sqlx::query_as(
            "SELECT p.attempt_id, p.plan, p.made_at FROM run_plans p JOIN bindings b ON b.id = p.binding_id
              WHERE p.run_id = ?1 AND b.organisation_id = ?2",
        )
        .bind(&run)
        .bind(organisation.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(translate)?;
        let Some((attempt, plan, made_at)) = row else { return Ok(None) };
        let place = Place { table: "run_plans", row: &run };
        Ok(Some(RunPlan {
            attempt_id: place.word("attempt_id", &attempt)?,
            plan: place.json("plan", &plan)?,
            made_at: place.time("made_at", &made_at)?,
        }))
    }
}

/// Keeps the Plan of an attempt in place of an earlier one's, of a run that is known to be held.
pub(crate) async fn keep(
    connection: &mut SqliteConnection,
    binding: &str,
    fence: Fence,
    plan: &Plan,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO run_plans (binding_id, run_id, attempt_id, plan, made_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (run_id) DO UPDATE
            SET attempt_id = excluded.attempt_id, plan = excluded.plan, made_at = excluded.made_at",
    )
    .bind(binding)
    .bind(fence.run_id.to_string())
    .bind(fence.attempt_id.to_string())
    .bind(json(plan)?)
    .bind(instant(now))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}

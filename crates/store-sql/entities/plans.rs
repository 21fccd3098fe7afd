//! The Plan of a run, as its newest attempt made it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{AttemptId, BindingId, OrganisationId, RunId},
    plan::Plan,
};
use store::{Fence, Plans, Result, RunPlan};
use store_sql::{Id, Instant, Json};

use super::{
    Tried,
    rows::{self, Record},
};
use crate::{db::Connection, dialect::run_key, driver::Driver};

#[derive(sqlx::FromRow)]
struct PlanRow {
    attempt_id: Id<AttemptId>,
    plan: Json<Plan>,
    made_at: Instant,
}

impl Record for PlanRow {
    type Value = RunPlan;
    const TABLE: &'static str = "run_plans";
    const KEY: &'static str = "run_id";

    fn value(self) -> Result<RunPlan> {
        Ok(RunPlan { attempt_id: self.attempt_id.0, plan: self.plan.0, made_at: self.made_at.0 })
    }
}

#[async_trait]
impl Plans for Driver {
    async fn plan_of(&self, organisation: OrganisationId, run: RunId) -> Result<Option<RunPlan>> {
        let found = sqlx::query(
            "SELECT p.run_id, p.attempt_id, p.plan, p.made_at
               FROM runs r
               JOIN bindings b ON b.id = r.binding_id AND b.organisation_id = $1
               JOIN run_plans p ON p.binding_id = r.binding_id AND p.run_id = r.id
              WHERE r.id = $2",
        )
        .bind(Id(organisation))
        .bind(Id(run));
        Ok(rows::optional::<PlanRow>(found, self.reader()).await?)
    }
}

/// Keeps the Plan of an attempt in place of an earlier one's, within a transaction that holds its run.
pub(crate) async fn keep(
    connection: &mut Connection,
    binding: BindingId,
    fence: Fence,
    plan: &Plan,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(concat!(
        "INSERT INTO run_plans (binding_id, run_id, attempt_id, plan, made_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (",
        run_key!(),
        ") DO UPDATE
            SET attempt_id = excluded.attempt_id, plan = excluded.plan, made_at = excluded.made_at"
    ))
    .bind(Id(binding))
    .bind(Id(fence.run_id))
    .bind(Id(fence.attempt_id))
    .bind(Json(plan))
    .bind(Instant(now))
    .execute(connection)
    .await?;
    Ok(())
}

//! What an operator does to runs by hand.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{OrganisationId, RunId},
    run::RunStatus,
};
use sqlx::{FromRow, PgConnection};
use store::{
    Error, Maintenance, OldRuns, Requeued, Result, Standing, Unreadable, WORDS, Whose, Words, waiting_code,
};
use uuid::Uuid;

use crate::{
    PostgresStore, ahead,
    bindings::hold_binding,
    changes::announce,
    claims,
    error::{Place, Tried, ensure_affected, repeating, translate},
};

/// The runs that are old at `$1`; without those that failed where `$2` says so.
macro_rules! old_runs {
    () => {
        "FROM bindings b JOIN runs r ON r.binding_id = b.id
         WHERE r.finished_at IS NOT NULL AND r.finished_at < $1
           AND r.status IN ('succeeded', 'skipped_by_policy', 'failed') AND NOT ($2 AND r.status = 'failed')
           AND NOT (r.event = 'invoice.created'
                    AND EXISTS (SELECT 1 FROM runs w
                                WHERE w.binding_id = r.binding_id AND w.status = 'waiting'
                                  AND w.waits_for_invoice = r.magento_id))"
    };
}

#[async_trait]
impl Maintenance for PostgresStore {
    async fn requeue_run(
        &self,
        organisation: OrganisationId,
        run: RunId,
        force: bool,
        now: DateTime<Utc>,
    ) -> Result<Requeued> {
        repeating(move || requeue(self, organisation, (run, force), now)).await
    }

    async fn unreadable(&self) -> Result<Vec<Unreadable>> {
        let mut found = Vec::new();
        for Words { table, column, key, is_known } in WORDS {
            let query = format!(
                "SELECT {column} AS value, min({key}::text) AS row, count(*) AS rows FROM {table}
                 WHERE {column} IS NOT NULL GROUP BY {column}"
            );
            let all: Vec<(String, String, i64)> =
                sqlx::query_as(sqlx::AssertSqlSafe(query)).fetch_all(&self.pool).await.map_err(translate)?;
            let unknown = all.into_iter().filter(|(value, ..)| !is_known(value));
            found.extend(unknown.map(|(value, row, rows)| Unreadable { table, column, row, value, rows }));
        }
        Ok(found)
    }

    async fn count_old_runs(&self, old: OldRuns) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(concat!("SELECT count(*) ", old_runs!()))
            .bind(old.ended_before)
            .bind(old.keep_failed)
            .fetch_one(&self.pool)
            .await
            .map_err(translate)?;
        Ok(count.unsigned_abs())
    }

    async fn delete_old_runs(&self, old: OldRuns, limit: u32) -> Result<u64> {
        repeating(move || delete(self, old, limit)).await
    }
}

/// A run as it was found.
#[derive(FromRow)]
struct Found {
    binding_id: Uuid,
    status: String,
    attempt_id: Option<Uuid>,
    lease_until: Option<DateTime<Utc>>,
}

async fn requeue(
    store: &PostgresStore,
    organisation: OrganisationId,
    (run, force): (RunId, bool),
    now: DateTime<Utc>,
) -> Tried<Requeued> {
    let mut transaction = store.pool.begin().await?;
    ahead::end_leases(&mut transaction, now).await?;
    let binding = hold_binding(&mut transaction, run).await?.ok_or(Error::NotFound("the run"))?;
    let found: Option<Found> = sqlx::query_as(
        "SELECT r.binding_id, r.status, r.attempt_id, r.lease_until FROM runs r JOIN bindings b ON b.id = r.binding_id
         WHERE r.id = $2 AND b.organisation_id = $1 FOR UPDATE OF r",
    )
    .bind(organisation.0)
    .bind(run.0)
    .fetch_optional(&mut *transaction)
    .await?;
    let found = found.ok_or(Error::NotFound("the run"))?;
    let status: RunStatus = Place { table: "runs", row: &run }.word("status", &found.status)?;
    if status.is_terminal() {
        return Ok(Requeued::Ended);
    }
    if status == RunStatus::Running {
        if let Some(until) = found.lease_until.filter(|until| *until > now && !force) {
            return Ok(Requeued::Held(until));
        }
        if let Some(attempt) = found.attempt_id {
            claims::close_lost(&mut transaction, (found.binding_id, run.0), attempt, now).await?;
        }
    }
    let onward = Standing::onward(now);
    let changed = sqlx::query(
        "UPDATE runs
         SET status = $4, code = $5, message = NULL, waits_for_invoice = NULL, next_at = $3, updated_at = $3,
             attempt_id = NULL, lease_until = NULL
         WHERE binding_id = $1 AND id = $2",
    )
    .bind(found.binding_id)
    .bind(run.0)
    .bind(now)
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .execute(&mut *transaction)
    .await?;
    ensure_affected(&changed, 1)?;
    announce(&mut transaction, Whose::Organisation(organisation)).await?;
    transaction.commit().await?;
    Ok(if waiting_code(binding).is_some() { Requeued::WaitsForBinding } else { Requeued::Due })
}

async fn delete(store: &PostgresStore, old: OldRuns, limit: u32) -> Tried<u64> {
    let mut transaction = store.pool.begin().await?;
    // Whoever works on one of them at this moment (a person's retry) keeps it.
    let runs: Vec<(Uuid, Uuid)> = sqlx::query_as(concat!(
        "SELECT r.binding_id, r.id ",
        old_runs!(),
        " LIMIT $3 FOR UPDATE OF r SKIP LOCKED"
    ))
    .bind(old.ended_before)
    .bind(old.keep_failed)
    .bind(i64::from(limit))
    .fetch_all(&mut *transaction)
    .await?;
    if runs.is_empty() {
        return Ok(0);
    }
    let number = runs.len() as u64;
    let (bindings, ids): (Vec<Uuid>, Vec<Uuid>) = runs.into_iter().unzip();
    delete_all(&mut transaction, &bindings, &ids).await?;
    announce(&mut transaction, Whose::Everybody).await?;
    transaction.commit().await?;
    Ok(number)
}

/// Deletes runs with all that hangs on them.
async fn delete_all(connection: &mut PgConnection, bindings: &[Uuid], ids: &[Uuid]) -> Tried<()> {
    for statement in [
        "DELETE FROM steps s USING unnest($1::uuid[], $2::uuid[]) AS old (binding_id, id)
         WHERE s.binding_id = old.binding_id AND s.run_id = old.id",
        "DELETE FROM run_plans p USING unnest($1::uuid[], $2::uuid[]) AS old (binding_id, id)
         WHERE p.binding_id = old.binding_id AND p.run_id = old.id",
        "DELETE FROM attempts a USING unnest($1::uuid[], $2::uuid[]) AS old (binding_id, id)
         WHERE a.binding_id = old.binding_id AND a.run_id = old.id",
        "DELETE FROM events e USING unnest($1::uuid[], $2::uuid[]) AS old (binding_id, id)
         WHERE e.binding_id = old.binding_id AND e.run_id = old.id",
        "DELETE FROM runs r USING unnest($1::uuid[], $2::uuid[]) AS old (binding_id, id)
         WHERE r.binding_id = old.binding_id AND r.id = old.id",
    ] {
        sqlx::query(statement).bind(bindings).bind(ids).execute(&mut *connection).await?;
    }
    Ok(())
}

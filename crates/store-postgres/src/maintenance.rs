//! What an operator does to runs by hand.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{OrganisationId, RunId};
use sqlx::PgConnection;
use store::{Maintenance, OldRuns, Requeued, Result, Unreadable, WORDS, Whose, Words};
use uuid::Uuid;

use crate::{
    PostgresStore,
    changes::announce,
    entities::{Tried, requeue::requeue},
    error::translate,
    repeating::repeating,
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
        self.write(move |transaction| requeue(transaction, organisation, (run, force), now)).await
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

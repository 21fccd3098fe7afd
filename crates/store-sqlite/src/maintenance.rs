//! What an operator does to runs by hand.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{OrganisationId, RunId};
use sqlx::SqliteConnection;
use store::{Maintenance, OldRuns, Requeued, Result, Unreadable, WORDS};
use store_sql::Instant;

use crate::{entities::requeue::requeue, error::translate, sqlite::SqliteStore};

/// The runs that are old at `?1`; without those that failed where `?2` says so.
macro_rules! old_runs {
    () => {
        "FROM bindings b CROSS JOIN runs r INDEXED BY runs_finished ON r.binding_id = b.id
          WHERE r.finished_at IS NOT NULL AND r.finished_at < ?1
            AND r.status IN ('succeeded', 'skipped_by_policy', 'failed') AND NOT (?2 AND r.status = 'failed')
            AND NOT (r.event = 'invoice.created'
                     AND EXISTS (SELECT 1 FROM runs w
                                  WHERE w.binding_id = r.binding_id AND w.status = 'waiting'
                                    AND w.waits_for_invoice = r.magento_id))"
    };
}

#[async_trait]
impl Maintenance for SqliteStore {
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
        for words in WORDS {
            let all = values(self, (words.table, words.column, words.key), "1").await?;
            found.extend(all.into_iter().filter(|one| !(words.is_known)(&one.value)));
        }
        for (table, column, key) in INSTANTS {
            let is_no_instant = format!("length({column}) <> 24 OR julianday({column}) IS NULL");
            found.extend(values(self, (table, column, key), &is_no_instant).await?);
        }
        for (table, column, key) in SMALL {
            let is_large = format!("{column} NOT BETWEEN -2147483648 AND 2147483647");
            found.extend(values(self, (table, column, key), &is_large).await?);
        }
        Ok(found)
    }

    async fn count_old_runs(&self, old: OldRuns) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(concat!("SELECT count(*) ", old_runs!()))
            .bind(Instant(old.ended_before))
            .bind(old.keep_failed)
            .fetch_one(&self.readers)
            .await
            .map_err(translate)?;
        Ok(count.unsigned_abs())
    }

    async fn delete_old_runs(&self, old: OldRuns, limit: u32) -> Result<u64> {
        let mut transaction = self.writer.begin().await?;
        let runs: Vec<(String, String)> =
            sqlx::query_as(concat!("SELECT r.binding_id, r.id ", old_runs!(), " LIMIT ?3"))
                .bind(Instant(old.ended_before))
                .bind(old.keep_failed)
                .bind(limit)
                .fetch_all(&mut *transaction)
                .await
                .map_err(translate)?;
        for (binding, run) in &runs {
            delete(&mut transaction, binding, run).await?;
        }
        transaction.commit().await.map_err(translate)?;
        if !runs.is_empty() {
            self.announcer.everybody();
        }
        Ok(runs.len() as u64)
    }
}

/// Columns of instants, with what tells their rows apart.
const INSTANTS: &[(&str, &str, &str)] = &[
    ("bindings", "created_at", "id"),
    ("events", "occurred_at", "id"),
    ("runs", "occurred_at", "id"),
    ("runs", "created_at", "id"),
    ("runs", "updated_at", "id"),
    ("runs", "next_at", "id"),
    ("runs", "started_at", "id"),
    ("runs", "finished_at", "id"),
    ("attempts", "started_at", "id"),
    ("attempts", "ended_at", "id"),
    ("steps", "started_at", "attempt_id"),
    ("actions", "at", "id"),
];

/// Columns of numbers that are smaller than what SQLite takes.
const SMALL: &[(&str, &str, &str)] =
    &[("runs", "attempts", "id"), ("runs", "attempts_in_all", "id"), ("attempts", "number", "id")];

/// Each value of a column that fits a condition, with one of its rows and how many there are.
async fn values(
    store: &SqliteStore,
    (table, column, key): (&'static str, &'static str, &'static str),
    condition: &str,
) -> Result<Vec<Unreadable>> {
    let query = format!(
        "SELECT CAST({column} AS TEXT) AS value, CAST(min({key}) AS TEXT) AS row, count(*) AS rows FROM {table}
          WHERE {column} IS NOT NULL AND ({condition}) GROUP BY {column}"
    );
    let found: Vec<(String, String, i64)> =
        sqlx::query_as(sqlx::AssertSqlSafe(query)).fetch_all(&store.readers).await.map_err(translate)?;
    let unreadable =
        |(value, row, rows): (String, String, i64)| Unreadable { table, column, row, value, rows };
    Ok(found.into_iter().map(unreadable).collect())
}

/// Deletes a run with all that hangs on it, from the leaves inwards.
async fn delete(connection: &mut SqliteConnection, binding: &str, run: &str) -> Result<()> {
    for statement in [
        "DELETE FROM steps WHERE binding_id = ?1 AND run_id = ?2",
        "DELETE FROM run_plans WHERE binding_id = ?1 AND run_id = ?2",
        "DELETE FROM attempts WHERE binding_id = ?1 AND run_id = ?2",
        "DELETE FROM events WHERE binding_id = ?1 AND run_id = ?2",
        "DELETE FROM runs WHERE binding_id = ?1 AND id = ?2",
    ] {
        sqlx::query(statement).bind(binding).bind(run).execute(&mut *connection).await.map_err(translate)?;
    }
    Ok(())
}

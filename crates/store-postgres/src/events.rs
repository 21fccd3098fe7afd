//! Events as they arrive from Magento, each with its run.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{BindingId, RunId};
use sqlx::PgConnection;
use store::{Error, Events, NewEvent, Received, Result, SeenTokens, Tally};
use store_sql::Text;
use uuid::Uuid;

use crate::{
    PostgresStore,
    changes::announce_of,
    counts,
    entities::{
        Tried,
        tokens::{self, note_run, note_token, run_of_token},
    },
    repeating::repeating,
};

#[async_trait]
impl Events for PostgresStore {
    async fn receive(&self, event: &NewEvent) -> Result<Received> {
        repeating(move || receive(self, event)).await
    }
}

#[async_trait]
impl SeenTokens for PostgresStore {
    async fn use_token(&self, binding: BindingId, token_id: &str, expires_at: DateTime<Utc>) -> Result<bool> {
        repeating(move || async move {
            let mut connection = self.pool.acquire().await?;
            note_token(&mut connection, binding, token_id, expires_at).await
        })
        .await
    }

    async fn purge_tokens(&self, now: DateTime<Utc>) -> Result<u64> {
        Ok(self.execute(|| tokens::purge(now)).await?)
    }
}

async fn receive(store: &PostgresStore, event: &NewEvent) -> Tried<Received> {
    let mut transaction = store.pool.begin().await?;
    // Shared: events of one binding do not wait for each other, only for a change of the binding.
    let binding: Option<Uuid> = sqlx::query_scalar("SELECT id FROM bindings WHERE id = $1 FOR SHARE")
        .bind(event.binding_id.0)
        .fetch_optional(&mut *transaction)
        .await?;
    binding.ok_or(Error::NotFound("the binding"))?;
    if let Some((token_id, expires_at)) = &event.token
        && !note_token(&mut transaction, event.binding_id, token_id, *expires_at).await?
    {
        let first = run_of_token(&mut transaction, event.binding_id, token_id, &event.request()).await?;
        return Ok(first.map_or(Received::Replayed, Received::Known));
    }
    let folds_into =
        if event.event.happens_once() { None } else { waiting_news(&mut transaction, event).await? };
    let received = if let Some(run) = folds_into {
        insert_event(&mut transaction, event, run).await?;
        Received::Known(run)
    } else if insert_event(&mut transaction, event, event.run_id).await? {
        insert_run(&mut transaction, event).await?;
        counts::count(&mut transaction, event.binding_id, Tally::Received, 1, event.received_at).await?;
        announce_of(&mut transaction, event.binding_id.0).await?;
        Received::Queued(event.run_id)
    } else {
        Received::Known(first_run(&mut transaction, event).await?)
    };
    if let (Some((token_id, _)), Some(run)) = (&event.token, received.run_id()) {
        note_run(&mut transaction, event.binding_id, token_id, &event.request(), run).await?;
    }
    transaction.commit().await?;
    Ok(received)
}

/// The run that has not looked at the entity yet, held so that nobody claims it before this event is kept.
async fn waiting_news(connection: &mut PgConnection, event: &NewEvent) -> Tried<Option<RunId>> {
    // Two events of one entity at once take turns, else both would find no run.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("{} {} {}", event.binding_id, event.event, event.magento_id))
        .execute(&mut *connection)
        .await?;
    let run: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM runs
         WHERE binding_id = $1 AND magento_id = $2 AND event = $3 AND status IN ('queued', 'waiting')
         ORDER BY id DESC LIMIT 1 FOR UPDATE",
    )
    .bind(event.binding_id.0)
    .bind(event.magento_id)
    .bind(event.event.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(run.map(RunId))
}

/// Keeps the event; `false` when it happens once and is known.
async fn insert_event(connection: &mut PgConnection, event: &NewEvent, run: RunId) -> Tried<bool> {
    // The predicate names the index `events_once`: another conflict is an error.
    let inserted = sqlx::query(
        "INSERT INTO events (binding_id, id, run_id, event, happens_once, idempotency_key, magento_id, increment_id,
                             website_id, store_id, body, occurred_at, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (binding_id, event, idempotency_key) WHERE happens_once DO NOTHING",
    )
    .bind(event.binding_id.0)
    .bind(event.id.0)
    .bind(run.0)
    .bind(event.event.as_str())
    .bind(event.event.happens_once())
    .bind(Text(&event.idempotency_key))
    .bind(event.magento_id)
    .bind(event.increment_id.as_ref().map(Text))
    .bind(event.website_id)
    .bind(event.store_id)
    .bind(Text(&event.body))
    .bind(event.occurred_at)
    .bind(event.received_at)
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

async fn insert_run(connection: &mut PgConnection, event: &NewEvent) -> Tried<()> {
    sqlx::query(
        "INSERT INTO runs (organisation_id, binding_id, id, event, magento_id, status, next_at, settings_version, increment_id,
                           website_id, store_id, occurred_at, created_at, updated_at, trace_parent)
         VALUES ((SELECT b.organisation_id FROM bindings b WHERE b.id = $1), $1, $2, $3, $4, 'queued', $5,
                 (SELECT coalesce(max(version), 0) FROM settings_versions WHERE binding_id = $1),
                 $6, $7, $8, $9, $5, $5, $10)",
    )
    .bind(event.binding_id.0)
    .bind(event.run_id.0)
    .bind(event.event.as_str())
    .bind(event.magento_id)
    .bind(event.received_at)
    .bind(event.increment_id.as_ref().map(Text))
    .bind(event.website_id)
    .bind(event.store_id)
    .bind(event.occurred_at)
    .bind(&event.trace_parent)
    .execute(connection)
    .await?;
    Ok(())
}

/// The run of an event that happened before.
async fn first_run(connection: &mut PgConnection, event: &NewEvent) -> Tried<RunId> {
    let run: Uuid = sqlx::query_scalar(
        "SELECT run_id FROM events
         WHERE binding_id = $1 AND event = $2 AND idempotency_key = $3 AND happens_once",
    )
    .bind(event.binding_id.0)
    .bind(event.event.as_str())
    .bind(Text(&event.idempotency_key))
    .fetch_one(connection)
    .await?;
    Ok(RunId(run))
}

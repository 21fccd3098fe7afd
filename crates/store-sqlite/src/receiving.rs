//! Events as they arrive from Magento, each with its run.

use domain::ids::RunId;
use sqlx::SqliteConnection;
use store::{Error, NewEvent, Received, Tally};
use store_sql::{Id, Instant};

use crate::{
    counts,
    entities::{Tried, tokens},
};

/// What must be known to place an event: the binding's settings version, the run that answers already.
#[derive(sqlx::FromRow)]
struct Placing {
    settings_version: i64,
    known: Option<Id<RunId>>,
}

const ONCE: &str = "SELECT coalesce((SELECT max(p.version) FROM settings_versions p WHERE p.binding_id = b.id), 0) AS settings_version,
        (SELECT e.run_id FROM events e
          WHERE e.binding_id = b.id AND e.event = ?2 AND e.idempotency_key = ?3 AND e.happens_once = 1) AS known
   FROM bindings b WHERE b.id = ?1";

const OFTEN: &str = "SELECT coalesce((SELECT max(p.version) FROM settings_versions p WHERE p.binding_id = b.id), 0) AS settings_version,
        (SELECT r.id FROM runs r
          WHERE r.binding_id = b.id AND r.magento_id = ?3 AND r.event = ?2 AND r.status IN ('queued', 'waiting')
          ORDER BY r.id DESC LIMIT 1) AS known
   FROM bindings b WHERE b.id = ?1";

/// Writes one event within the transaction of those that came with it.
pub(crate) async fn receive(connection: &mut SqliteConnection, event: &NewEvent) -> Tried<Received> {
    let Some((token, expires_at)) = &event.token else { return place(connection, event).await };
    if !tokens::note_token(connection, event.binding_id, token, *expires_at).await? {
        let first = tokens::run_of_token(connection, event.binding_id, token, &event.request()).await?;
        return Ok(first.map_or(Received::Replayed, Received::Known));
    }
    let received = place(connection, event).await?;
    if let Some(run) = received.run_id() {
        tokens::note_run(connection, event.binding_id, token, &event.request(), run).await?;
    }
    Ok(received)
}

/// Makes a run of an event, or finds the one that answers for it.
async fn place(connection: &mut SqliteConnection, event: &NewEvent) -> Tried<Received> {
    let happens_once = event.event.happens_once();
    let query = sqlx::query_as::<_, Placing>(if happens_once { ONCE } else { OFTEN })
        .bind(Id(event.binding_id))
        .bind(event.event.as_str());
    let query = if happens_once { query.bind(&event.idempotency_key) } else { query.bind(event.magento_id) };
    let placing = query.fetch_optional(&mut *connection).await?;
    let placing = placing.ok_or(Error::NotFound("the binding"))?;
    match placing.known.map(|run| run.0) {
        Some(run) if happens_once => Ok(Received::Known(run)),
        Some(run) => {
            insert_event(connection, event, run).await?;
            Ok(Received::Known(run))
        }
        None => {
            insert_run(connection, event, placing.settings_version).await?;
            insert_event(connection, event, event.run_id).await?;
            counts::count(connection, event.binding_id, Tally::Received, 1, event.received_at).await?;
            Ok(Received::Queued(event.run_id))
        }
    }
}

async fn insert_event(connection: &mut SqliteConnection, event: &NewEvent, run: RunId) -> Tried<()> {
    sqlx::query(
        "INSERT INTO events (binding_id, id, run_id, event, happens_once, idempotency_key, magento_id, increment_id,
                             website_id, store_id, body, occurred_at, received_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )
    .bind(Id(event.binding_id))
    .bind(Id(event.id))
    .bind(Id(run))
    .bind(event.event.as_str())
    .bind(event.event.happens_once())
    .bind(&event.idempotency_key)
    .bind(event.magento_id)
    .bind(&event.increment_id)
    .bind(event.website_id)
    .bind(event.store_id)
    .bind(&event.body)
    .bind(Instant(event.occurred_at))
    .bind(Instant(event.received_at))
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_run(connection: &mut SqliteConnection, event: &NewEvent, settings_version: i64) -> Tried<()> {
    sqlx::query(
        "INSERT INTO runs (organisation_id, binding_id, id, event, magento_id, status, next_at, settings_version, increment_id,
                           website_id, store_id, occurred_at, created_at, updated_at, trace_parent)
         VALUES ((SELECT b.organisation_id FROM bindings b WHERE b.id = ?1), ?1, ?2, ?3, ?4, 'queued', ?5, ?6, ?7, ?8, ?9, ?10, ?5, ?5, ?11)",
    )
    .bind(Id(event.binding_id))
    .bind(Id(event.run_id))
    .bind(event.event.as_str())
    .bind(event.magento_id)
    .bind(Instant(event.received_at))
    .bind(settings_version)
    .bind(&event.increment_id)
    .bind(event.website_id)
    .bind(event.store_id)
    .bind(Instant(event.occurred_at))
    .bind(&event.trace_parent)
    .execute(connection)
    .await?;
    Ok(())
}

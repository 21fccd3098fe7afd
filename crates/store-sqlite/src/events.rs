//! Events as they arrive from Magento, each with its run.

use async_trait::async_trait;
use domain::ids::RunId;
use sqlx::SqliteConnection;
use store::{Error, Events, NewEvent, Received, Result, Tally};

use crate::{
    columns::{Place, instant},
    error::translate,
    leases, overview,
    sqlite::SqliteStore,
};

#[async_trait]
impl Events for SqliteStore {
    async fn receive(&self, event: &NewEvent) -> Result<Received> {
        self.inbox.receive(event.clone()).await
    }
}

/// What must be known to place an event: the binding's policy version, the run that answers already.
#[derive(sqlx::FromRow)]
struct Placing {
    policy_version: i64,
    known: Option<String>,
}

const ONCE: &str = "SELECT coalesce((SELECT max(p.version) FROM policy_versions p WHERE p.binding_id = b.id), 0) AS policy_version,
        (SELECT e.run_id FROM events e
          WHERE e.binding_id = b.id AND e.event = ?2 AND e.idempotency_key = ?3 AND e.happens_once = 1) AS known
   FROM bindings b WHERE b.id = ?1";

const OFTEN: &str = "SELECT coalesce((SELECT max(p.version) FROM policy_versions p WHERE p.binding_id = b.id), 0) AS policy_version,
        (SELECT r.id FROM runs r
          WHERE r.binding_id = b.id AND r.magento_id = ?3 AND r.event = ?2 AND r.status IN ('queued', 'waiting')
          ORDER BY r.id DESC LIMIT 1) AS known
   FROM bindings b WHERE b.id = ?1";

/// Writes one event within the transaction of those that came with it.
pub(crate) async fn receive(connection: &mut SqliteConnection, event: &NewEvent) -> Result<Received> {
    let Some((token, expires_at)) = &event.token else { return place(connection, event).await };
    if !leases::use_token(connection, event.binding_id, token, *expires_at).await? {
        let first = leases::run_of(connection, event.binding_id, token, &event.request()).await?;
        return Ok(first.map_or(Received::Replayed, Received::Known));
    }
    let received = place(connection, event).await?;
    if let Some(run) = received.run_id() {
        leases::note_run(connection, event.binding_id, token, &event.request(), run).await?;
    }
    Ok(received)
}

/// Makes a run of an event, or finds the one that answers for it.
async fn place(connection: &mut SqliteConnection, event: &NewEvent) -> Result<Received> {
    let binding = event.binding_id.to_string();
    let happens_once = event.event.happens_once();
    let query = sqlx::query_as::<_, Placing>(if happens_once { ONCE } else { OFTEN })
        .bind(&binding)
        .bind(event.event.as_str());
    let query = if happens_once { query.bind(&event.idempotency_key) } else { query.bind(event.magento_id) };
    let placing = query.fetch_optional(&mut *connection).await.map_err(translate)?;
    let placing = placing.ok_or(Error::NotFound("the binding"))?;
    let known: Option<RunId> = Place { table: "events", row: &event.idempotency_key }
        .optional_word("run_id", placing.known.as_deref())?;
    match known {
        Some(run) if happens_once => Ok(Received::Known(run)),
        Some(run) => {
            insert_event(connection, event, run).await?;
            Ok(Received::Known(run))
        }
        None => {
            insert_run(connection, event, placing.policy_version).await?;
            insert_event(connection, event, event.run_id).await?;
            overview::count(connection, &binding, Tally::Received, 1, event.received_at).await?;
            Ok(Received::Queued(event.run_id))
        }
    }
}

async fn insert_event(connection: &mut SqliteConnection, event: &NewEvent, run: RunId) -> Result<()> {
    sqlx::query(
        "INSERT INTO events (binding_id, id, run_id, event, happens_once, idempotency_key, magento_id, increment_id,
                             website_id, store_id, body, occurred_at, received_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )
    .bind(event.binding_id.to_string())
    .bind(event.id.to_string())
    .bind(run.to_string())
    .bind(event.event.as_str())
    .bind(event.event.happens_once())
    .bind(&event.idempotency_key)
    .bind(event.magento_id)
    .bind(&event.increment_id)
    .bind(event.website_id)
    .bind(event.store_id)
    .bind(&event.body)
    .bind(instant(event.occurred_at))
    .bind(instant(event.received_at))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}

async fn insert_run(connection: &mut SqliteConnection, event: &NewEvent, policy_version: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO runs (organisation_id, binding_id, id, event, magento_id, status, next_at, policy_version, increment_id,
                           website_id, store_id, occurred_at, created_at, updated_at, trace_parent)
         VALUES ((SELECT b.organisation_id FROM bindings b WHERE b.id = ?1), ?1, ?2, ?3, ?4, 'queued', ?5, ?6, ?7, ?8, ?9, ?10, ?5, ?5, ?11)",
    )
    .bind(event.binding_id.to_string())
    .bind(event.run_id.to_string())
    .bind(event.event.as_str())
    .bind(event.magento_id)
    .bind(instant(event.received_at))
    .bind(policy_version)
    .bind(&event.increment_id)
    .bind(event.website_id)
    .bind(event.store_id)
    .bind(instant(event.occurred_at))
    .bind(&event.trace_parent)
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}

#![doc = include_str!("../README.md")]

mod ahead;
mod changes;
mod claims;
mod counts;
mod db;
mod dead_leases;
mod dialect;
mod driver;
#[path = "../../store-sql/entities/mod.rs"]
mod entities;
mod error;
mod events;
mod history;
mod loads;
mod locks;
mod maintenance;
mod repeating;
mod seed_for_bench;
mod steps;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::OrganisationId;
use sqlx::{
    Connection, PgConnection,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};
use store::{Result, Risk, Store};
use tokio::sync::watch;

use crate::{changes::Changes, entities::ensure_affected, error::translate};

/// The schema, step by step.
static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Whether the connection's commits are answered before they are on disk.
const COMMITS_DO_NOT_WAIT: &str = "SELECT current_setting('synchronous_commit') = 'off'";
/// The same, and whether the server waits for its disk at all.
const OTHERS_DO_NOT_WAIT: &str =
    "SELECT current_setting('synchronous_commit') = 'off', current_setting('fsync') = 'off'";

/// Connections of one process; Postgres takes 100 in all unless it is told otherwise.
const CONNECTIONS: u32 = 16;
/// How long a caller waits for a connection before it is told that the database cannot be used.
const ACQUIRE: Duration = Duration::from_secs(5);

/// A store in a Postgres database.
pub struct PostgresStore {
    pool: PgPool,
    changes: Changes,
    options: PgConnectOptions,
}

impl PostgresStore {
    /// Connects to the database of a URL such as `postgres://ledger@localhost/ledger`. The schema is left as it is: see
    /// [`Store::migrate`].
    ///
    /// # Errors
    ///
    /// [`store::Error::Unavailable`] when there is no answer, [`store::Error::Driver`] when the URL makes no sense or access is
    /// refused.
    pub async fn connect(url: &str) -> Result<Self> {
        let options: PgConnectOptions = url.parse().map_err(translate)?;
        let options = options.application_name("ledger");
        // No statement of ours is long, and nothing may hold a lock when its process has gone quiet.
        // Compiling one costs more than running it.
        let limited = options.clone().options([
            ("jit", "off"),
            // What was answered with 202 survives a crash, whatever the server's own setting says.
            ("synchronous_commit", "on"),
            ("statement_timeout", "10s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "15s"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .connect_with(limited)
            .await
            .map_err(translate)?;
        let changes = Changes::start(options.clone()).await;
        Ok(Self { pool, changes, options })
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn migrate(&self) -> Result<()> {
        // A connection of its own: a change of the schema may take longer than a statement of every day. Processes that
        // migrate at once take turns by a lock of sqlx's.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE)
            .connect_with(self.options.clone())
            .await
            .map_err(translate)?;
        let migrated = MIGRATOR.run(&pool).await.map_err(|error| translate(error.into()));
        pool.close().await;
        migrated
    }

    async fn ready(&self) -> Result<()> {
        // A committed write, so that a full disk or a stand-by shows.
        let beat = sqlx::query("UPDATE heartbeat SET beats = beats + 1 WHERE id = 1")
            .execute(&self.pool)
            .await
            .map_err(translate)?;
        ensure_affected(beat.rows_affected(), 1)
    }

    async fn missing_migrations(&self) -> Result<usize> {
        let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(&self.pool)
            .await
            .map_err(translate)?;
        Ok(MIGRATOR.iter().filter(|step| !applied.contains(&step.version)).count())
    }

    async fn clock(&self) -> Result<Option<DateTime<Utc>>> {
        let now = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&self.pool).await;
        now.map(Some).map_err(translate)
    }

    async fn risks(&self) -> Result<Vec<Risk>> {
        let own: bool =
            sqlx::query_scalar(COMMITS_DO_NOT_WAIT).fetch_one(&self.pool).await.map_err(translate)?;
        // A connection as anybody else's shows what the server and the database say.
        let mut other = PgConnection::connect_with(&self.options).await.map_err(translate)?;
        let (others, unsynced): (bool, bool) =
            sqlx::query_as(OTHERS_DO_NOT_WAIT).fetch_one(&mut other).await.map_err(translate)?;
        other.close().await.map_err(translate)?;
        let risks = [(own, Risk::OwnCommits), (others, Risk::OtherCommits), (unsynced, Risk::NoSync)];
        Ok(risks.into_iter().filter_map(|(is_there, risk)| is_there.then_some(risk)).collect())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.announcements().all()
    }

    fn changes_of(&self, organisation: OrganisationId) -> watch::Receiver<u64> {
        self.changes.announcements().of(organisation)
    }

    async fn close(&self) {
        self.changes.stop();
        self.pool.close().await;
    }
}

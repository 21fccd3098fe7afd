//! Opening, closing, and the two doors to the file: one that writes, four that read.

use std::{io::ErrorKind, path::Path, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::OrganisationId;
use sqlx::{
    Connection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use store::{Result, Risk, Store};
use tokio::sync::watch;

use crate::{
    announcer::Announcer, entities::ensure_affected, error::translate, group_commit::GroupCommit,
    presence::Presence, watch::Watch, writer::Writer,
};

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// How long a statement waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);
/// How long a write waits for those before it. Together with [`BUSY`] less than the ten seconds that a webhook may wait.
const TURN: Duration = Duration::from_secs(4);
/// A store in one SQLite file.
pub struct SqliteStore {
    pub(crate) writer: Writer,
    pub(crate) readers: SqlitePool,
    pub(crate) group_commit: GroupCommit,
    pub(crate) presence: Presence,
    pub(crate) announcer: Announcer,
    watch: Watch,
}

impl SqliteStore {
    /// Opens the file, or makes it, readable by its owner alone; its schema is brought up by [`Store::migrate`].
    pub async fn open(path: &Path) -> Result<Self> {
        make_private(path).await?;
        let file = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY).foreign_keys(true);
        let writing = file
            .clone()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(1)
            .acquire_timeout(TURN)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .after_release(|connection, _| {
                Box::pin(async move {
                    // A full disk may end a transaction behind our back; a rollback then fails, and the connection would take
                    // every later BEGIN for a nested one. The ping lets a rollback that is under way end first.
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(writing)
            .await
            .map_err(translate)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(BUSY)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(file.read_only(true));
        let writer = Writer::new(pool);
        let announcer = Announcer::new(readers.clone());
        let group_commit = GroupCommit::start(writer.clone(), announcer.clone());
        let watch = Watch::start(writer.clone(), announcer.clone());
        Ok(Self { writer, readers, group_commit, presence: Presence::beside(path), announcer, watch })
    }
}

/// Makes the file before SQLite does, closed to all but its owner; SQLite gives its `-wal` and `-shm` the same mode. A file that
/// is there is not even opened: closing it again would take away the locks that this process has on it.
async fn make_private(path: &Path) -> Result<()> {
    let mut making = tokio::fs::OpenOptions::new();
    making.write(true).create_new(true);
    #[cfg(unix)]
    making.mode(0o600);
    match making.open(path).await {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(translate(sqlx::Error::Io(error))),
        _ => Ok(()),
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn migrate(&self) -> Result<()> {
        MIGRATOR
            .run(self.writer.pool())
            .await
            .map_err(|error| translate(sqlx::Error::Migrate(Box::new(error))))
    }

    async fn ready(&self) -> Result<()> {
        let beat = sqlx::query("UPDATE heartbeat SET beats = beats + 1 WHERE id = 1")
            .execute(self.writer.pool())
            .await;
        match beat {
            Ok(result) => ensure_affected(result.rows_affected(), 1),
            Err(error) => Err(translate(error)),
        }
    }

    async fn missing_migrations(&self) -> Result<usize> {
        let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(&self.readers)
            .await
            .map_err(translate)?;
        Ok(MIGRATOR.iter().filter(|step| !applied.contains(&step.version)).count())
    }

    async fn clock(&self) -> Result<Option<DateTime<Utc>>> {
        Ok(None)
    }

    async fn risks(&self) -> Result<Vec<Risk>> {
        // The file is written by this program alone, with settings of its own.
        Ok(Vec::new())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.announcer.announcements().all()
    }

    fn changes_of(&self, organisation: OrganisationId) -> watch::Receiver<u64> {
        self.announcer.announcements().of(organisation)
    }

    async fn close(&self) {
        self.watch.stop();
        self.group_commit.close().await;
        self.readers.close().await;
        self.writer.pool().close().await;
    }
}

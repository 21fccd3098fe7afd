//! Which processes work on the file: each holds a shared lock beside it for as long as it lives, which the kernel takes away with it. Who
//! can have the lock alone is the only one, and whatever lease is left was a dead process's.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use store::Result;

use crate::{columns::instant, error::translate, sqlite::SqliteStore};

/// The lock of a process that works on the file.
#[derive(Debug)]
pub(crate) struct Presence {
    path: PathBuf,
    held: Mutex<Option<File>>,
}

impl Presence {
    /// Of a process that does not work on this database file yet.
    pub(crate) fn beside(database: &Path) -> Self {
        let mut path = OsString::from(database);
        path.push("-workers");
        Self { path: path.into(), held: Mutex::default() }
    }

    /// The lock, held alone; none where another process works on the file, or this one does already.
    fn alone(&self) -> io::Result<Option<File>> {
        if self.held.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Ok(None);
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => {
                self.share(file)?;
                Ok(None)
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Holds the lock together with others from now on. Between the two another process may have it alone for a moment: this one holds no
    /// lease yet that it could take.
    fn share(&self, file: File) -> io::Result<()> {
        file.unlock()?;
        file.lock_shared()?;
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(())
    }
}

pub(crate) async fn take_back_leases(store: &SqliteStore, now: DateTime<Utc>) -> Result<u64> {
    let failed = |error| translate(sqlx::Error::Io(error));
    let Some(alone) = store.presence.alone().map_err(failed)? else { return Ok(0) };
    let ended = end_all(store, now).await;
    store.presence.share(alone).map_err(failed)?;
    ended
}

/// Ends every lease there is; tells how many.
async fn end_all(store: &SqliteStore, now: DateTime<Utc>) -> Result<u64> {
    let mut transaction = store.writer.begin().await?;
    let mut ended = 0;
    for held in [
        "UPDATE runs INDEXED BY runs_running SET lease_until = ?1 WHERE status = 'running' AND lease_until > ?1",
        "UPDATE sync_state_queue SET lease_until = ?1 WHERE lease_until > ?1",
        "UPDATE alert_channels SET lease_until = ?1 WHERE lease_until > ?1",
    ] {
        let taken = sqlx::query(held).bind(instant(now)).execute(&mut *transaction).await;
        ended += taken.map_err(translate)?.rows_affected();
    }
    sqlx::query("DELETE FROM leases").execute(&mut *transaction).await.map_err(translate)?;
    transaction.commit().await.map_err(translate)?;
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_alone_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("ledger.db");
        let (first, second) = (Presence::beside(&database), Presence::beside(&database));
        let alone = first.alone().unwrap().expect("nobody else works");
        first.share(alone).unwrap();
        assert!(first.alone().unwrap().is_none(), "it works already");
        assert!(second.alone().unwrap().is_none(), "the first works");
        drop(first);
        let third = Presence::beside(&database);
        assert!(third.alone().unwrap().is_none(), "the second works");
        drop((second, third));
        assert!(Presence::beside(&database).alone().unwrap().is_some(), "all are gone");
    }
}

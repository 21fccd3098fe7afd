//! Which processes work on the file: each holds a shared lock beside it for as long as it lives, which the kernel takes away with it. Who
//! can have the lock alone is the only one, and whatever lease is left was a dead process's.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

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
    pub(crate) fn alone(&self) -> io::Result<Option<File>> {
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
    pub(crate) fn share(&self, file: File) -> io::Result<()> {
        file.unlock()?;
        file.lock_shared()?;
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(())
    }
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

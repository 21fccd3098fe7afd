//! What the entities of `store-sql` do with the store: read, and write in transactions.

use std::{
    future::Future,
    ops::{Deref, DerefMut},
};

use domain::ids::{BindingId, OrganisationId};
use sqlx::{SqlitePool, query::Query};
use store::Result;

pub(crate) use crate::sqlite::SqliteStore as Driver;
use crate::{
    announcer::Announcer,
    db::{Arguments, Connection, Db},
    entities::{Failure, Tried},
};

/// A transaction that holds the right to write; what has changed in it is announced once it is committed.
pub(crate) struct Transaction {
    inner: sqlx::Transaction<'static, Db>,
    announcer: Announcer,
    organisations: Vec<OrganisationId>,
    bindings: Vec<BindingId>,
}

impl Transaction {
    /// Something of an organisation's has changed.
    pub(crate) fn announce(
        &mut self,
        organisation: OrganisationId,
    ) -> impl Future<Output = Tried<()>> + use<> {
        self.organisations.push(organisation);
        std::future::ready(Ok(()))
    }

    /// Something of a binding's has changed.
    pub(crate) fn announce_binding(&mut self, binding: BindingId) -> impl Future<Output = Tried<()>> + use<> {
        self.bindings.push(binding);
        std::future::ready(Ok(()))
    }

    /// Keeps what was done, and gives the value on.
    pub(crate) async fn commit<T>(self, value: T) -> Tried<T> {
        self.inner.commit().await?;
        for organisation in self.organisations {
            self.announcer.organisation(organisation);
        }
        for binding in self.bindings {
            self.announcer.binding(binding).await;
        }
        Ok(value)
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.inner
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.inner
    }
}

impl Driver {
    /// Where everything is read that no write depends on.
    pub(crate) const fn reader(&self) -> &SqlitePool {
        &self.readers
    }

    /// Does some work in one transaction.
    pub(crate) async fn write<T, F>(&self, work: impl Fn(Transaction) -> F + Send + Sync) -> Result<T>
    where
        F: Future<Output = Tried<T>> + Send,
    {
        let inner = self.writer.begin().await?;
        let transaction = Transaction {
            inner,
            announcer: self.announcer.clone(),
            organisations: Vec::new(),
            bindings: Vec::new(),
        };
        Ok(work(transaction).await?)
    }

    /// Executes a single statement, which is a transaction of its own; tells how many rows it changed.
    pub(crate) async fn execute<'q>(
        &self,
        statement: impl Fn() -> Query<'q, Db, Arguments> + Send + Sync,
    ) -> Tried<u64> {
        let done = statement().execute(self.writer.pool()).await.map_err(Failure::from)?;
        Ok(done.rows_affected())
    }
}

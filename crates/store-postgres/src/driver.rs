//! What the entities of `store-sql` do with the store: read, and write in transactions.

use std::{
    future::Future,
    ops::{Deref, DerefMut},
};

use domain::ids::{BindingId, OrganisationId};
use sqlx::{PgPool, query::Query};
use store::{Result, Whose};

pub(crate) use crate::PostgresStore as Driver;
use crate::{
    changes::{announce, announce_of},
    db::{Arguments, Connection, Db},
    entities::Tried,
    repeating::repeating,
};

/// A transaction; what has changed in it is announced by its commit.
pub(crate) struct Transaction {
    inner: sqlx::Transaction<'static, Db>,
}

impl Transaction {
    /// Something of an organisation's has changed.
    pub(crate) async fn announce(&mut self, organisation: OrganisationId) -> Tried<()> {
        announce(&mut self.inner, Whose::Organisation(organisation)).await
    }

    /// Something of a binding's has changed.
    pub(crate) async fn announce_binding(&mut self, binding: BindingId) -> Tried<()> {
        announce_of(&mut self.inner, binding.0).await
    }

    /// Keeps what was done, and gives the value on.
    pub(crate) async fn commit<T>(self, value: T) -> Tried<T> {
        self.inner.commit().await?;
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
    pub(crate) const fn reader(&self) -> &PgPool {
        &self.pool
    }

    /// Does some work in one transaction, again when it clashed with another.
    pub(crate) async fn write<T, F>(&self, work: impl Fn(Transaction) -> F + Send + Sync) -> Result<T>
    where
        F: Future<Output = Tried<T>> + Send,
    {
        let work = &work;
        repeating(move || async move { work(Transaction { inner: self.pool.begin().await? }).await }).await
    }

    /// Executes a single statement, which is a transaction of its own; tells how many rows it changed.
    pub(crate) async fn execute<'q>(
        &self,
        statement: impl Fn() -> Query<'q, Db, Arguments> + Send + Sync,
    ) -> Tried<u64> {
        let statement = &statement;
        let done =
            repeating(move || async move { Ok(statement().execute(&self.pool).await?.rows_affected()) });
        Ok(done.await?)
    }
}

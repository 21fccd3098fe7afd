//! Announces changes, by the organisation whose they are.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::ids::{BindingId, OrganisationId};
use sqlx::SqlitePool;
use store::{Announcements, Whose};
use store_sql::Id;

/// Tells who watches; to be used after the commit.
#[derive(Clone)]
pub(crate) struct Announcer {
    announcements: Arc<Announcements>,
    readers: SqlitePool,
    /// Whose bindings are, which never changes.
    owners: Arc<Mutex<HashMap<BindingId, OrganisationId>>>,
}

impl Announcer {
    /// An announcer that looks up whose a binding is.
    pub(crate) fn new(readers: SqlitePool) -> Self {
        Self { announcements: Arc::default(), readers, owners: Arc::default() }
    }

    /// Those who watch.
    pub(crate) fn announcements(&self) -> &Announcements {
        &self.announcements
    }

    /// Something of a binding's has changed.
    pub(crate) async fn binding(&self, binding: BindingId) {
        let known = self.owners.lock().unwrap_or_else(PoisonError::into_inner).get(&binding).copied();
        let owner = match known {
            Some(owner) => Some(owner),
            None => self.look_up(binding).await,
        };
        self.announcements.announce(owner.map_or(Whose::Everybody, Whose::Organisation));
    }

    /// Something of an organisation's has changed.
    pub(crate) fn organisation(&self, organisation: OrganisationId) {
        self.announcements.announce(Whose::Organisation(organisation));
    }

    /// Something has changed, and it is not known whose.
    pub(crate) fn everybody(&self) {
        self.announcements.announce(Whose::Everybody);
    }

    async fn look_up(&self, binding: BindingId) -> Option<OrganisationId> {
        let found: Option<Id<OrganisationId>> =
            sqlx::query_scalar("SELECT organisation_id FROM bindings WHERE id = $1")
                .bind(Id(binding))
                .fetch_optional(&self.readers)
                .await
                .ok()?;
        let owner = found?.0;
        self.owners.lock().unwrap_or_else(PoisonError::into_inner).insert(binding, owner);
        Some(owner)
    }
}

//! Who is told that something has changed: whoever watches everything, and the pages of the organisation whose it is.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::ids::OrganisationId;
use tokio::sync::watch;

/// Whose something is that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// One organisation's.
    Organisation(OrganisationId),
    /// That is not known, or it is everybody's.
    Everybody,
}

/// Numbers that grow with every change.
#[derive(Debug, Default)]
pub struct Announcements {
    all: watch::Sender<u64>,
    each: Mutex<HashMap<OrganisationId, watch::Sender<u64>>>,
}

impl Announcements {
    /// The number that grows with every change.
    pub fn all(&self) -> watch::Receiver<u64> {
        self.all.subscribe()
    }

    /// The number that grows with an organisation's changes.
    pub fn of(&self, organisation: OrganisationId) -> watch::Receiver<u64> {
        self.each().entry(organisation).or_default().subscribe()
    }

    /// Something has changed.
    pub fn announce(&self, whose: Whose) {
        let grow =
            |number: &watch::Sender<u64>| number.send_modify(|number| *number = number.wrapping_add(1));
        grow(&self.all);
        let each = self.each();
        match whose {
            Whose::Organisation(organisation) => each.get(&organisation).into_iter().for_each(grow),
            Whose::Everybody => each.values().for_each(grow),
        }
    }

    fn each(&self) -> MutexGuard<'_, HashMap<OrganisationId, watch::Sender<u64>>> {
        self.each.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! How many pages may watch at once: of a session, and of an organisation.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use domain::ids::{OrganisationId, SessionId};

/// Streams of one session at once: a browser's tabs, and some that it has not closed yet.
const OF_SESSION: usize = 10;
/// Streams of one organisation at once: more people than look at one time.
const OF_ORGANISATION: usize = 200;
/// The streams that are open.
#[derive(Default)]
pub struct Streams(Mutex<Open>);

#[derive(Default)]
struct Open {
    sessions: HashMap<SessionId, usize>,
    organisations: HashMap<OrganisationId, usize>,
}

impl Streams {
    /// A place for one more, where there is one.
    pub fn take(self: &Arc<Self>, session: SessionId, organisation: OrganisationId) -> Option<StreamPlace> {
        let mut open = self.open();
        let has_room = open.sessions.get(&session).is_none_or(|number| *number < OF_SESSION)
            && open.organisations.get(&organisation).is_none_or(|number| *number < OF_ORGANISATION);
        if !has_room {
            return None;
        }
        *open.sessions.entry(session).or_default() += 1;
        *open.organisations.entry(organisation).or_default() += 1;
        Some(StreamPlace { streams: Arc::clone(self), session, organisation })
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open stream's place; free again when it is dropped.
pub struct StreamPlace {
    streams: Arc<Streams>,
    session: SessionId,
    organisation: OrganisationId,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        one_less(&mut open.sessions, &self.session);
        one_less(&mut open.organisations, &self.organisation);
    }
}

fn one_less<K: Eq + Hash>(numbers: &mut HashMap<K, usize>, key: &K) {
    if let Some(number) = numbers.get_mut(key) {
        *number -= 1;
        if *number == 0 {
            numbers.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::environment::Environment;

    use super::*;
    use crate::environment::Machine;

    #[test]
    fn a_session_and_an_organisation_have_so_many_streams() {
        let streams = Arc::<Streams>::default();
        let organisation = OrganisationId(Machine.id());
        let session = || SessionId(Machine.id());
        let first = session();
        let mut places: Vec<_> =
            (0..OF_SESSION).map(|_| streams.take(first, organisation).unwrap()).collect();
        assert!(streams.take(first, organisation).is_none());
        while places.len() < OF_ORGANISATION {
            places.push(streams.take(session(), organisation).unwrap());
        }
        assert!(streams.take(session(), organisation).is_none());
        assert!(streams.take(session(), OrganisationId(Machine.id())).is_some(), "others have their own");
        places.clear();
        assert!(streams.take(first, organisation).is_some());
        assert!(streams.open().sessions.is_empty() && streams.open().organisations.is_empty());
    }
}

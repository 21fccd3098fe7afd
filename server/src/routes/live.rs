//! `GET /live`: a number that grows when a run of the organisation changes. It carries no data, so nothing has to be authorised twice: the
//! page asks again for what it shows. It ends with the session that asked for it.

use std::{
    collections::HashMap,
    convert::Infallible,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::context::{Member, Services, is_signed_in, member_of};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::sse::{Event, KeepAlive, Sse},
};
use domain::ids::{OrganisationId, SessionId};
use futures::{Stream, StreamExt, stream};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::state::Wire;

/// Streams of one session at once: a browser's tabs, and some that it has not closed yet.
const OF_SESSION: usize = 10;
/// Streams of one organisation at once: more people than look at one time.
const OF_ORGANISATION: usize = 200;
/// How soon after the end of its session a stream ends, where nothing changes meanwhile; with a change it ends at once.
const LOOK: Duration = Duration::from_secs(15);
/// Changes in between are told as one.
const PACE: Duration = Duration::from_millis(250);

/// Streams the version of the organisation's runs to a signed-in browser.
pub async fn live(
    State(wire): State<Arc<Wire>>,
    State(services): State<Services>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, StatusCode> {
    let member = member_of(&services, &headers).await.map_err(|_| StatusCode::UNAUTHORIZED)?;
    let place = wire.streams.take(member.session(), member.organisation());
    let place = place.ok_or(StatusCode::TOO_MANY_REQUESTS)?;
    let mut versions = wire.store.changes_of(member.organisation());
    versions.mark_changed();
    let watching = Watching { services, headers, member, versions, _place: place };
    let told = stream::unfold(watching, |mut watching| async {
        let version = watching.next().await?;
        Some((Ok(Event::default().data(version.to_string())), watching))
    });
    let told = told.take_until(wire.shutdown.clone().cancelled_owned());
    Ok(Sse::new(told).keep_alive(KeepAlive::new().interval(Duration::from_secs(20))))
}

/// A browser that watches.
struct Watching {
    services: Services,
    headers: HeaderMap,
    member: Member,
    versions: watch::Receiver<u64>,
    _place: Place,
}

impl Watching {
    /// The next version; none when the session is over, or cannot be looked at.
    async fn next(&mut self) -> Option<u64> {
        sleep(PACE).await;
        loop {
            let changed = timeout(LOOK, self.versions.changed()).await;
            if !is_signed_in(&self.services, &self.headers, &self.member).await {
                return None;
            }
            match changed {
                Ok(Ok(())) => return Some(*self.versions.borrow_and_update()),
                Ok(Err(_)) => return None,
                Err(_) => {}
            }
        }
    }
}

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
    fn take(self: &Arc<Self>, session: SessionId, organisation: OrganisationId) -> Option<Place> {
        let mut open = self.open();
        let has_room = open.sessions.get(&session).is_none_or(|number| *number < OF_SESSION)
            && open.organisations.get(&organisation).is_none_or(|number| *number < OF_ORGANISATION);
        if !has_room {
            return None;
        }
        *open.sessions.entry(session).or_default() += 1;
        *open.organisations.entry(organisation).or_default() += 1;
        Some(Place { streams: Arc::clone(self), session, organisation })
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open stream's place; free again when it is dropped.
struct Place {
    streams: Arc<Streams>,
    session: SessionId,
    organisation: OrganisationId,
}

impl Drop for Place {
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
    use domain::outside::Outside;

    use super::*;
    use crate::outside::Machine;

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

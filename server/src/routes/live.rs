//! `GET /live`: a number that grows when a run of the organisation changes. It carries no data, so nothing has to be authorised twice: the
//! page asks again for what it shows. It ends with the session that asked for it.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt, stream};
use services::{Member, Services, is_signed_in, member_of};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::{state::EndpointState, streams::StreamPlace};

/// How soon after the end of its session a stream ends, where nothing changes meanwhile; with a change it ends at once.
const LOOK: Duration = Duration::from_secs(15);
/// Changes in between are told as one.
const PACE: Duration = Duration::from_millis(250);

/// Streams the version of the organisation's runs to a signed-in browser.
pub async fn live(
    State(endpoints): State<Arc<EndpointState>>,
    State(services): State<Services>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, StatusCode> {
    let member = member_of(&services, &headers).await.map_err(|_| StatusCode::UNAUTHORIZED)?;
    let place = endpoints.streams.take(member.session(), member.organisation());
    let place = place.ok_or(StatusCode::TOO_MANY_REQUESTS)?;
    let mut versions = endpoints.store.changes_of(member.organisation());
    versions.mark_changed();
    let watching = Watching { services, headers, member, versions, _place: place };
    let told = stream::unfold(watching, |mut watching| async {
        let version = watching.next().await?;
        Some((Ok(Event::default().data(version.to_string())), watching))
    });
    let told = told.take_until(endpoints.shutdown.clone().cancelled_owned());
    Ok(Sse::new(told).keep_alive(KeepAlive::new().interval(Duration::from_secs(20))))
}

/// A browser that watches.
struct Watching {
    services: Services,
    headers: HeaderMap,
    member: Member,
    versions: watch::Receiver<u64>,
    _place: StreamPlace,
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

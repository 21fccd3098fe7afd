//! `GET /live`: a number that grows when a run changes. It carries no data, so nothing has to be authorised twice: the page asks
//! again for what it shows.

use std::{convert::Infallible, sync::Arc, time::Duration};

use app::context::Services;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt};
use tokio_stream::wrappers::WatchStream;

use crate::state::Wire;

/// Streams the version of the runs to a signed-in browser.
pub async fn live(
    State(wire): State<Arc<Wire>>,
    State(services): State<Services>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, StatusCode> {
    app::context::member_of(&services, &headers).await.map_err(|_| StatusCode::UNAUTHORIZED)?;
    let versions = WatchStream::new(wire.store.changes())
        .map(|version| Ok(Event::default().data(version.to_string())))
        .take_until(wire.shutdown.clone().cancelled_owned());
    Ok(Sse::new(versions).keep_alive(KeepAlive::new().interval(Duration::from_secs(20))))
}

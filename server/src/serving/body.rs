//! A body that must arrive in time.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, HttpBody},
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures::{StreamExt, TryStreamExt, stream};
use messages::message;
use tokio::time::{Instant, timeout_at};

/// Answers a request whose body must have arrived within the limit; one that has not is answered 408.
pub(super) async fn within<F>(
    limit: Duration,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response
where
    F: Future<Output = Result<Response, Infallible>>,
{
    if request.body().is_end_stream() {
        let Ok(response) = answer(request).await;
        return response;
    }
    let is_late = Arc::new(AtomicBool::new(false));
    let until = Instant::now() + limit;
    let request = request.map(|body| timed(body.into_data_stream(), until, Arc::clone(&is_late)));
    let Ok(response) = answer(request).await;
    // Whatever made an answer of what had come by then knew only that there was no more.
    if is_late.load(Ordering::Acquire) {
        return (StatusCode::REQUEST_TIMEOUT, concat!(message!(requests.too_slow), "\n")).into_response();
    }
    response
}

fn timed(body: BodyDataStream, until: Instant, is_late: Arc<AtomicBool>) -> Body {
    let pieces = stream::try_unfold(body, move |mut body| {
        let is_late = Arc::clone(&is_late);
        async move {
            if let Ok(piece) = timeout_at(until, body.next()).await {
                Ok(piece.transpose().map_err(io::Error::other)?.map(|piece| (piece, body)))
            } else {
                is_late.store(true, Ordering::Release);
                Err(io::Error::from(io::ErrorKind::TimedOut))
            }
        }
    });
    Body::from_stream(pieces.into_stream())
}

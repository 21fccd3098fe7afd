//! Whether a connection has a request under way.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};

/// The requests of one connection.
#[derive(Default)]
pub(super) struct Activity {
    /// Twice for each request, so that it is odd while one is under way: HTTP/1 has one at a time.
    changes: AtomicUsize,
}

impl Activity {
    /// A request has arrived; it is under way until what is returned is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> OpenRequest {
        self.changes.fetch_add(1, Ordering::AcqRel);
        OpenRequest(Arc::clone(self))
    }

    /// Whether a request is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.changes() % 2 == 1
    }

    /// A number that is another after each beginning and each end.
    pub(super) fn changes(&self) -> usize {
        self.changes.load(Ordering::Acquire)
    }
}

/// A request that is under way.
pub(super) struct OpenRequest(Arc<Activity>);

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.changes.fetch_add(1, Ordering::AcqRel);
    }
}

/// An answer's body: its request is under way until it is sent or given up.
pub(super) struct CountedBody {
    body: Body,
    _busy: OpenRequest,
}

impl CountedBody {
    /// Holds a request until its answer's body has gone.
    pub(super) const fn new(body: Body, busy: OpenRequest) -> Self {
        Self { body, _busy: busy }
    }
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

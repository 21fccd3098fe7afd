//! A socket that keeps the time: of heads, of rests between requests, of readers that stand still.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep, sleep_until},
};

use super::{activity::Activity, limits::ConnectionLimits};

/// What a connection is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A head is awaited.
    Head,
    /// A request is under way: its body has its own limit, its answer takes as long as it takes.
    OpenRequest,
    /// It rests until the next request.
    Idle,
}

/// A socket with limits.
pub(super) struct LimitedSocket {
    stream: TcpStream,
    activity: Arc<Activity>,
    limits: ConnectionLimits,
    phase: Phase,
    seen: usize,
    reading: Pin<Box<Sleep>>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl LimitedSocket {
    /// A socket that was just opened.
    pub(super) fn new(stream: TcpStream, activity: Arc<Activity>, limits: ConnectionLimits) -> Self {
        let (seen, reading) = (activity.changes(), Box::pin(sleep(limits.head)));
        Self { stream, activity, limits, phase: Phase::Head, seen, reading, writing: None }
    }

    /// Takes notice of requests that have come and gone.
    fn follow(&mut self) {
        let changes = self.activity.changes();
        if changes == self.seen {
            return;
        }
        self.seen = changes;
        if self.activity.is_busy() {
            self.phase = Phase::OpenRequest;
        } else {
            self.phase = Phase::Idle;
            self.reading = Box::pin(sleep(self.limits.idle));
        }
    }

    /// Lets a reader stand still for a while.
    fn patiently<T>(&mut self, context: &mut Context<'_>, wrote: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.writing = None;
            return wrote;
        }
        let limit = self.limits.write;
        let patience = self.writing.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(patience.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for LimitedSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.follow();
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            if self.phase == Phase::Idle && buffer.filled().len() > before {
                self.phase = Phase::Head;
                self.reading = Box::pin(sleep_until(Instant::now() + self.limits.head));
            }
            return Poll::Ready(read);
        }
        if self.phase == Phase::OpenRequest {
            return Poll::Pending;
        }
        ready!(self.reading.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for LimitedSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.patiently(context, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.patiently(context, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

//! Connections: accepted one by one, and held for nothing no longer than a limit. Axum's own loop sets none.

mod activity;
mod body;
mod limits;
mod line;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

pub use self::limits::ConnectionLimits;
use self::{activity::Activity, line::LimitedSocket};

/// A failed accept, mostly for want of file descriptors, is tried again after this.
const ACCEPT_AGAIN: Duration = Duration::from_millis(500);
/// While the house is full, how often it is looked for a connection that does nothing.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Answers until it is asked to stop; then what is under way is finished.
pub async fn serve(listener: TcpListener, router: Router, limits: ConnectionLimits, stop: CancellationToken) {
    let house = Arc::new(House { limits, router, stop, guests: Mutex::default() });
    let (seats, tasks) = (Arc::new(Semaphore::new(limits.connections)), TaskTracker::new());
    for number in 0_u64.. {
        let arrived = async {
            let (stream, address) = accept(&listener).await;
            Some((stream, address, house.seat(&seats).await?))
        };
        let arrived = tokio::select! {
            arrived = arrived => arrived,
            () = house.stop.cancelled() => None,
        };
        let Some((stream, address, seat)) = arrived else { break };
        let guest = Guest { activity: Arc::default(), leave: CancellationToken::new() };
        house.guests().insert(number, guest.clone());
        let house = Arc::clone(&house);
        tasks.spawn(async move {
            house.attend(stream, address, &guest).await;
            house.guests().remove(&number);
            drop(seat);
        });
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The other end was gone before it was greeted.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::error!(%error, "a connection cannot be accepted");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// A connection that is open.
#[derive(Clone)]
struct Guest {
    activity: Arc<Activity>,
    leave: CancellationToken,
}

/// What all connections share.
struct House {
    limits: ConnectionLimits,
    router: Router,
    stop: CancellationToken,
    guests: Mutex<BTreeMap<u64, Guest>>,
}

impl House {
    fn guests(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Guest>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat; when all are taken, whoever does nothing gives theirs up.
    async fn seat(&self, seats: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        let mut seat = pin!(Arc::clone(seats).acquire_owned());
        loop {
            tokio::select! {
                biased;
                seat = seat.as_mut() => return seat.ok(),
                () = self.let_one_go() => {}
            }
        }
    }

    /// Sends away the oldest connection that has no request under way.
    async fn let_one_go(&self) {
        let idle = self
            .guests()
            .values()
            .find(|guest| !guest.activity.is_busy() && !guest.leave.is_cancelled())
            .cloned();
        if let Some(guest) = idle {
            guest.leave.cancel();
        }
        sleep(LOOK_AGAIN).await;
    }

    async fn attend(&self, stream: TcpStream, address: SocketAddr, guest: &Guest) {
        let service = service_fn(|request: Request<Incoming>| {
            let busy = guest.activity.begin();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(address));
            let (router, limit) = (self.router.clone(), self.limits.body);
            async move {
                let answer = body::within(limit, request, |request| router.oneshot(request)).await;
                Ok::<_, Infallible>(answer.map(|body| Body::new(activity::CountedBody::new(body, busy))))
            }
        });
        let line = LimitedSocket::new(stream, Arc::clone(&guest.activity), self.limits);
        // The line itself keeps the time: hyper knows one limit only, for heads and for rests. With it hyper turns to the line again
        // once an answer has gone; that is all it is for.
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.limits.idle.saturating_mul(2));
        let mut connection = pin!(http.serve_connection(TokioIo::new(line), service));
        let mut is_stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::trace!(%error, %address, "a connection has ended");
                    }
                    return;
                }
                () = guest.leave.cancelled() => return,
                () = self.stop.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

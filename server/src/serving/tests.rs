//! Against real sockets, with limits of fractions of a second; what is waited for is what the server does.

use axum::{
    body::Bytes,
    response::sse::{Event, Sse},
    routing::{get, post},
};
use futures::{StreamExt, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
    task::JoinHandle,
    time::{Instant, interval, timeout},
};

use super::*;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";
const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_mins(10);

/// Nothing ends by itself.
const PATIENT: ConnectionLimits =
    ConnectionLimits { connections: 100, head: LONG, body: LONG, idle: LONG, write: LONG };

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    /// Lets `/slow` end.
    go_on: Arc<Notify>,
}

impl Server {
    async fn start(limits: ConnectionLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop, go_on) =
            (listener.local_addr().unwrap(), CancellationToken::new(), Arc::new(Notify::new()));
        let waits = Arc::clone(&go_on);
        let endless = || async {
            Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![7; 1 << 16]))))
        };
        let ticks = || async {
            let ticks = stream::unfold(interval(SHORT), |mut ticks| async {
                ticks.tick().await;
                Some((Ok::<_, Infallible>(Event::default().data("tick")), ticks))
            });
            Sse::new(ticks.take(5))
        };
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/body", post(|body: Bytes| async move { body.len().to_string() }))
            .route(
                "/slow",
                get(move || async move {
                    waits.notified().await;
                    "done"
                }),
            )
            .route("/ticks", get(ticks))
            .route("/endless", get(endless));
        let serving = tokio::spawn(serve(listener, router, limits, stop.clone()));
        Self { address, stop, serving, go_on }
    }

    async fn open(&self, sends: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(sends).await.unwrap();
        stream
    }
}

/// All that comes until the other end closes.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut told = Vec::new();
    let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut told)).await.expect("it is closed");
    // A close with bytes unread on its side comes as a reset.
    assert!(read.is_ok() || read.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset));
    String::from_utf8_lossy(&told).into_owned()
}

/// One answer of a connection that stays open.
async fn answer(stream: &mut TcpStream) -> String {
    let mut told = String::new();
    while !told.ends_with("here") {
        let mut piece = [0; 1_024];
        let read = timeout(Duration::from_secs(20), stream.read(&mut piece)).await.unwrap().unwrap();
        assert!(read > 0, "it was closed after {told:?}");
        told += &String::from_utf8_lossy(&piece[..read]);
    }
    told
}

#[tokio::test]
async fn a_head_that_does_not_arrive_is_not_waited_for() {
    let server = Server::start(ConnectionLimits { head: SHORT, ..PATIENT }).await;
    for begins in ["", "GET / HTTP/1.1\r\nHost: here\r\n"] {
        let mut stream = server.open(begins.as_bytes()).await;
        assert_eq!(until_closed(&mut stream).await, "", "{begins:?}");
    }
    // Nor one that comes byte by byte, be it the first of its connection or a later one.
    for before in [&b""[..], GET] {
        let mut stream = server.open(before).await;
        if !before.is_empty() {
            answer(&mut stream).await;
        }
        let (mut reads, mut writes) = stream.into_split();
        let drip = async {
            let mut pace = interval(SHORT / 10);
            while writes.write_all(b"X").await.is_ok() {
                pace.tick().await;
            }
        };
        let mut told = Vec::new();
        tokio::select! {
            read = timeout(Duration::from_secs(20), reads.read_to_end(&mut told)) => { let _ = read.unwrap(); }
            () = drip => {}
        }
    }
}

#[tokio::test]
async fn a_connection_rests_between_requests_for_a_while() {
    let server = Server::start(ConnectionLimits { head: SHORT / 4, idle: SHORT, ..PATIENT }).await;
    let mut stream = server.open(GET).await;
    answer(&mut stream).await;
    let rested = Instant::now();
    assert_eq!(until_closed(&mut stream).await, "");
    assert!(rested.elapsed() >= SHORT * 9 / 10, "as long as it may rest, and not as long as a head may take");
    let server = Server::start(ConnectionLimits { head: SHORT, ..PATIENT }).await;
    let mut stream = server.open(GET).await;
    for _ in 0..3 {
        answer(&mut stream).await;
        stream.write_all(GET).await.unwrap();
    }
    answer(&mut stream).await;
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_answered_and_closed() {
    let server = Server::start(ConnectionLimits { body: SHORT, ..PATIENT }).await;
    let half = b"POST /body HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nhalf";
    let mut stream = server.open(half).await;
    let told = until_closed(&mut stream).await;
    assert!(told.starts_with("HTTP/1.1 408 ") && told.contains("did not arrive in time."), "{told}");
    let whole = b"POST /body HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 4\r\n\r\nhalf";
    let mut stream = server.open(whole).await;
    let told = until_closed(&mut stream).await;
    assert!(told.starts_with("HTTP/1.1 200 ") && told.ends_with("\r\n\r\n4"), "{told}");
    assert!(told.contains("content-length: 1\r\n"), "its size is known: {told}");
}

#[tokio::test]
async fn an_answer_takes_as_long_as_it_takes() {
    let server =
        Server::start(ConnectionLimits { head: SHORT, body: SHORT, idle: SHORT, write: SHORT, ..PATIENT })
            .await;
    let mut stream = server.open(b"GET /ticks HTTP/1.1\r\nHost: here\r\n\r\n").await;
    assert_eq!(until_closed(&mut stream).await.matches("data: tick").count(), 5);
}

#[tokio::test]
async fn a_reader_that_stands_still_is_left() {
    let server = Server::start(ConnectionLimits { write: SHORT, ..PATIENT }).await;
    let mut stream = server.open(b"GET /endless HTTP/1.1\r\nHost: here\r\n\r\n").await;
    // It ends although nothing is read: by the time that writing is refused, the other end has gone.
    let mut pace = interval(SHORT / 10);
    let gone = async {
        while stream.write_all(b"X").await.is_ok() {
            pace.tick().await;
        }
    };
    timeout(Duration::from_secs(20), gone).await.expect("it is closed");
}

#[tokio::test]
async fn who_does_nothing_makes_room_when_the_house_is_full() {
    let server = Server::start(ConnectionLimits { connections: 3, ..PATIENT }).await;
    let mut works = server.open(b"GET /slow HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").await;
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(server.open(b"GET / HTTP/1.1\r\nHost: ").await);
    }
    let mut stream = server.open(GET).await;
    answer(&mut stream).await;
    until_closed(&mut idle[0]).await;
    server.go_on.notify_one();
    assert!(until_closed(&mut works).await.ends_with("done"), "what is under way is not cut");
}

#[tokio::test]
async fn what_is_under_way_is_finished_at_the_end() {
    let server = Server::start(PATIENT).await;
    let mut idle = server.open(GET).await;
    answer(&mut idle).await;
    let mut works = server.open(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n").await;
    let mut first = server.open(GET).await;
    answer(&mut first).await;
    server.stop.cancel();
    assert_eq!(until_closed(&mut idle).await, "");
    server.go_on.notify_one();
    assert!(until_closed(&mut works).await.ends_with("done"));
    timeout(Duration::from_secs(20), server.serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

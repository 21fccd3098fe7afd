//! Clock, samples, raw HTTP in both directions.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::json;
use simulators::magento::{Clock, Documents, Options, Running, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// The tenant of the samples.
pub const TENANT: &str = "0190f5a2-7c1e-7a3b-9d4e-5f60718293a4";
/// The key of the samples.
pub const API_KEY: &str = "3f1c0a9e5b7d42688c1e9a0b4d6f7231a5c8e9d0b1f2a3c4d5e6f708192a3b4c";

pub fn fixtures(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures")).join(path)
}

pub fn fixture(path: &str) -> String {
    std::fs::read_to_string(fixtures(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of a folder's recorded requests, without the ending.
pub fn recorded(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(fixtures(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".request").map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// A clock that stands still until it is set.
#[derive(Clone)]
pub struct Hands(Arc<Mutex<DateTime<Utc>>>);

impl Hands {
    pub fn at(time: &str) -> Self {
        Self(Arc::new(Mutex::new(moment(time))))
    }

    pub fn set(&self, time: DateTime<Utc>) {
        *self.0.lock().unwrap() = time;
    }

    pub fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    pub fn forward(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        Arc::new(move || hands.now())
    }
}

/// MySQL's way to write an instant.
pub fn moment(time: &str) -> DateTime<Utc> {
    NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S").unwrap().and_utc()
}

pub fn options(documents: Documents, hands: &Hands) -> Options {
    Options {
        port: 0,
        documents,
        clock: hands.clock(),
        seed: 7,
        pairing_code: None,
        cron_every: Duration::MAX,
        batch: 50,
    }
}

pub async fn shop(documents: Documents, hands: &Hands) -> Running {
    start(options(documents, hands)).await.unwrap()
}

/// The shop of the outbox samples: invoice 51, memo 20, customer 1, product 1.
pub fn shop_of_the_samples() -> Documents {
    Documents::from_values(vec![
        json!({"magento_id": 51, "increment_id": "000000043", "website_id": 1, "store_id": 1, "state": "paid",
            "currency": "GBP", "grand_total": 1, "created_at": "2026-11-24T02:39:20Z", "lines": [],
            "customer": {"magento_id": 0}}),
        json!({"magento_id": 20, "increment_id": "000000016", "website_id": 1, "currency": "GBP", "lines": [],
            "invoice_id": 51, "adjustment_positive": 0}),
        json!({"magento_id": 1, "first_name": "Priya", "last_name": "Shah", "website_id": 1, "addresses": []}),
        json!({"magento_id": 1, "sku": "MUG-BLU", "product_type": "simple", "website_ids": [1]}),
    ])
    .unwrap()
}

#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl RawAnswer {
    pub fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub fn date(&self) -> DateTime<Utc> {
        let date = self.header("date").unwrap();
        NaiveDateTime::parse_from_str(date, "%a, %d %b %Y %H:%M:%S GMT").unwrap().and_utc()
    }
}

pub fn header<'head>(head: &'head str, name: &str) -> Option<&'head str> {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .find(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// Sends raw bytes to the shop and reads until it hangs up.
pub async fn send(shop: &Running, request: &str) -> RawAnswer {
    let address = shop.url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    RawAnswer::parse(&String::from_utf8(answer).unwrap())
}

/// Sends a recorded request and compares with the recorded answer.
pub async fn replay(shop: &Running, hands: &Hands, case: &str) {
    let expected = RawAnswer::parse(&fixture(&format!("wire/{case}.response")));
    hands.set(expected.date());
    let answer = send(shop, &fixture(&format!("wire/{case}.request"))).await;
    assert_eq!((answer.status, answer.body.as_str()), (expected.status, expected.body.as_str()), "{case}");
    for name in ["content-type", "date", "x-frame-options", "cache-control"] {
        assert_eq!(answer.header(name), expected.header(name), "{name} of {case}");
    }
}

/// A request without a recording.
pub fn request(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Pairs the shop with the samples' tenant, with Ledger at `ledger`.
pub async fn pair(shop: &Running, ledger: &str) {
    pair_as(shop, ledger, TENANT, API_KEY).await;
}

pub async fn pair_as(shop: &Running, ledger: &str, tenant: &str, key: &str) {
    let body = json!({"pairingCode": shop.pairing_code(), "tenantId": tenant, "byte8ApiKey": key,
        "ledgerBaseUrl": ledger});
    let answer = send(shop, &request("POST", "/rest/V1/byte8/setup/pair", &body.to_string())).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "[]"));
}

/// A Ledger that writes down what it hears and answers by a script.
pub struct Ledger {
    pub url: String,
    heard: mpsc::UnboundedReceiver<String>,
}

impl Ledger {
    /// `script` makes the raw answer from the request's path; an empty answer is none at all.
    pub async fn open(script: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                if tell.send(request).is_err() {
                    return;
                }
                let answer = script(&path);
                if answer.is_empty() {
                    silent.push(stream);
                    continue;
                }
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, heard }
    }

    pub async fn next(&mut self) -> String {
        self.heard.recv().await.unwrap()
    }

    pub fn heard(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }
}

/// A Ledger's answer.
pub fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}")
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        if stream.read_buf(&mut heard).await.unwrap() == 0 {
            return text;
        }
    }
}

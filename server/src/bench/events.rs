//! Durable 202s a second, beside what the same process answers on `/healthz` in the same run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::json;

use super::Line;
use crate::{
    lifecycle::Failure,
    sandbox::{Options, Sandbox},
};

/// Callers at once, as many shops' crons would be.
const CALLERS: u64 = 64;

pub async fn measure(seconds: u64) -> Result<Vec<Line>, Failure> {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await?;
    let span = Duration::from_secs(seconds);
    let url = sandbox.url();
    let health = per_second(span, {
        let url = format!("{url}/healthz");
        move |client, _| client.get(url.clone())
    })
    .await?;
    let durable = durable(&sandbox, span).await?;
    sandbox.stop().await;
    Ok(vec![
        ("`/healthz` answers a second, 64 callers".to_owned(), format!("{health}")),
        ("durable 202s a second (SQLite, synchronous=FULL), 64 callers".to_owned(), format!("{durable}")),
        (
            "durable 202s for each `/healthz` answer".to_owned(),
            format!("{} %", durable * 100 / health.max(1)),
        ),
    ])
}

/// How many events of new documents are taken durably in a second.
pub async fn durable(sandbox: &Sandbox, span: Duration) -> Result<u64, Failure> {
    let url = sandbox.url();
    let shop = Arc::clone(sandbox.shop()?);
    let tenant = sandbox.binding.id;
    per_second(span, move |client, number| {
        let body = json!({
            "magento_entity_id": number + 1, "website_id": 1, "store_id": 1,
            "occurred_at": "2026-11-24T02:39:20Z", "payload": { "increment_id": format!("{number:09}"), "paid": true },
        });
        client
            .post(format!("{url}/webhooks/magento/{tenant}/invoice.created"))
            .bearer_auth(shop.token().unwrap_or_default())
            .header("Idempotency-Key", format!("invoice.created:{}", number + 1))
            .json(&body)
    })
    .await
}

/// How many requests a second succeed.
async fn per_second(
    span: Duration,
    request: impl Fn(&Client, u64) -> reqwest::RequestBuilder + Send + Sync + 'static,
) -> Result<u64, Failure> {
    let client = Client::builder().timeout(Duration::from_secs(30)).build()?;
    let (request, number) = (Arc::new(request), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let (client, request, number) = (client.clone(), Arc::clone(&request), Arc::clone(&number));
        callers.spawn(async move {
            let mut succeeded = 0u64;
            while begun.elapsed() < span {
                let next = number.fetch_add(1, Ordering::Relaxed);
                let answer = request(&client, next).send().await?.error_for_status()?;
                answer.bytes().await?;
                succeeded += 1;
            }
            Ok::<u64, reqwest::Error>(succeeded)
        });
    }
    let mut total = 0;
    while let Some(succeeded) = callers.join_next().await {
        total += succeeded??;
    }
    Ok(total * 1000 / u64::try_from(begun.elapsed().as_millis())?.max(1))
}

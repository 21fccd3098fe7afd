//! What the answers make of the rows.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use simulators::magento::{OutboxRow, OutboxStatus, Running};

use crate::support::{
    Hands, Ledger, answer, fixture, moment, options, pair, request, send, shop, shop_of_the_samples,
};

type Columns = BTreeMap<String, String>;

/// The rows of one section of the recording, by number.
fn recorded_rows(file: &str, section: &str) -> BTreeMap<u64, Columns> {
    let text = fixture(&format!("wire/outbox/{file}"));
    let start = text.find(&format!("## {section}")).unwrap();
    let section = text[start + 3..].split("\n## ").next().unwrap();
    let mut rows = BTreeMap::new();
    for row in section.split("***************************").skip(2).step_by(2) {
        let columns: Columns = row
            .lines()
            .filter_map(|line| line.trim().split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if let Some(id) = columns.get("id") {
            rows.insert(id.parse().unwrap(), columns);
        }
    }
    rows
}

/// A row as the recording prints it, with the recording's address of Ledger.
fn columns(row: &OutboxRow, ledger: &str) -> Columns {
    let time = |time: Option<DateTime<Utc>>| {
        time.map_or_else(|| "NULL".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
    };
    let authority = ledger.strip_prefix("http://").unwrap();
    let port = authority.rsplit_once(':').unwrap().1;
    let error = row.last_error.clone().unwrap_or_else(|| "NULL".to_owned());
    let error = error.replace(authority, "127.0.0.1:18999").replace(&format!("port {port}"), "port 18999");
    BTreeMap::from([
        ("id".to_owned(), row.id.to_string()),
        ("idempotency_key".to_owned(), row.idempotency_key.clone()),
        ("status".to_owned(), row.status.as_str().to_owned()),
        ("att".to_owned(), row.attempts.to_string()),
        ("code".to_owned(), row.last_code.map_or_else(|| "NULL".to_owned(), |code| code.to_string())),
        ("last_attempt_at".to_owned(), time(row.last_attempt_at)),
        ("next_attempt_at".to_owned(), time(row.next_attempt_at)),
        // The recording cut the text at 300 characters when it printed it.
        ("last_error".to_owned(), error.chars().take(300).collect()),
    ])
}

async fn paired_shop(hands: &Hands, ledger: &Ledger) -> Running {
    let shop = shop(shop_of_the_samples(), hands).await;
    pair(&shop, &ledger.url).await;
    assert_eq!(shop.enqueue_all(), 5);
    shop
}

fn assert_rows(shop: &Running, ledger: &Ledger, section: &str) {
    let expected = recorded_rows("rows-answers.txt", section);
    assert_eq!(expected.len(), 5);
    for row in shop.outbox() {
        assert_eq!(columns(&row, &ledger.url), expected[&row.id], "{section}");
    }
}

#[tokio::test]
async fn answers_503_401_202_429_and_301_leave_the_recorded_rows() {
    let hands = Hands::at("2026-11-24 02:40:13");
    let ledger = Ledger::open(|path| match path.rsplit('/').next().unwrap() {
        "invoice.created" => answer(503, "", "busy"),
        "invoice.paid" => answer(401, "", "{\"error\":\"bad token\"}"),
        "creditmemo.created" => answer(202, "", ""),
        "customer.upserted" => answer(429, "Retry-After: 5\r\n", "slow down"),
        _ => answer(301, "Location: http://127.0.0.1:1/elsewhere\r\n", ""),
    })
    .await;
    let shop = paired_shop(&hands, &ledger).await;
    shop.run_cron().await;
    assert_rows(&shop, &ledger, "A:");
}

#[tokio::test]
async fn answers_404_202_204_422_and_500_leave_the_recorded_rows() {
    let hands = Hands::at("2026-11-24 02:40:13");
    let ledger = Ledger::open(|path| match path.rsplit('/').next().unwrap() {
        "invoice.created" => answer(404, "", "no such tenant"),
        "invoice.paid" => answer(202, "", "thanks"),
        "creditmemo.created" => answer(204, "", ""),
        "customer.upserted" => answer(422, "", "{\"error\":\"unprocessable\"}"),
        _ => answer(500, "", "oops"),
    })
    .await;
    let shop = paired_shop(&hands, &ledger).await;
    shop.run_cron().await;
    assert_rows(&shop, &ledger, "B:");
}

#[tokio::test]
async fn delivered_rows_look_as_recorded() {
    let hands = Hands::at("2026-11-24 02:39:41");
    let ledger = Ledger::open(|_| answer(202, "", "{}")).await;
    let shop = paired_shop(&hands, &ledger).await;
    for (when, cron) in [("before", false), ("all answered", true)] {
        if cron {
            shop.run_cron().await;
        }
        let expected = recorded_rows("rows-drain.txt", when);
        for row in shop.outbox() {
            assert_eq!(columns(&row, &ledger.url), expected[&row.id], "{when}");
        }
    }
}

/// The clock of the runtime runs ahead while everybody waits, so that no real second passes.
#[tokio::test(start_paused = true)]
async fn silence_for_fifteen_seconds_is_a_retry() {
    let hands = Hands::at("2026-11-24 02:40:13");
    let ledger = Ledger::open(|_| String::new()).await;
    let shop = shop(shop_of_the_samples(), &hands).await;
    pair(&shop, &ledger.url).await;
    shop.enqueue("invoice.created", 51, None);
    shop.enqueue("invoice.paid", 51, None);
    shop.run_cron().await;
    let expected = &recorded_rows("rows-answers.txt", "C:")[&2];
    assert_eq!(&columns(&shop.outbox()[1], &ledger.url), expected);
}

#[tokio::test]
async fn refused_connections_are_retried_ten_times_on_the_modules_schedule() {
    let hands = Hands::at("2026-11-24 02:40:29");
    // A port that was just free: nobody listens there.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let ledger = format!("http://{closed}");
    let shop = shop(shop_of_the_samples(), &hands).await;
    pair(&shop, &ledger).await;
    shop.enqueue("invoice.created", 51, None);
    let minutes = [1, 5, 30, 120, 360, 720, 1440, 1440, 1440];
    for (tries, wait) in minutes.into_iter().enumerate() {
        if tries == 8 {
            hands.set(moment("2026-12-24 02:40:29"));
        }
        assert_eq!(shop.run_cron().await, 1, "try {}", tries + 1);
        assert_eq!(shop.run_cron().await, 0, "not due at once");
        let row = &shop.outbox()[0];
        assert_eq!(row.next_attempt_at, Some(hands.now() + TimeDelta::minutes(wait)));
        hands.forward(TimeDelta::minutes(wait) - TimeDelta::seconds(1));
        assert_eq!(shop.run_cron().await, 0, "not due a second before");
        hands.forward(TimeDelta::seconds(1));
    }
    let ninth = columns(&shop.outbox()[0], &ledger);
    let recorded = &recorded_rows("rows-answers.txt", "D:")[&1];
    // The recording had made the row due again by hand before it printed it, and its minute was another.
    for name in ["status", "att", "code", "last_error"] {
        assert_eq!(ninth[name], recorded[name], "{name}");
    }
    hands.set(moment("2027-01-01 02:40:29"));
    assert_eq!(shop.run_cron().await, 1);
    let mut tenth = columns(&shop.outbox()[0], &ledger);
    tenth.insert("last_attempt_at".to_owned(), "2026-11-24 02:40:29".to_owned());
    assert_eq!(tenth, recorded_rows("rows-answers.txt", "E:")[&1]);
    hands.forward(TimeDelta::days(365));
    assert_eq!(shop.run_cron().await, 0, "a dead row stays dead");
}

#[tokio::test]
async fn a_key_that_exists_blocks_the_next_event_until_the_sweep() {
    let hands = Hands::at("2026-11-24 02:39:41");
    let ledger = Ledger::open(|path| {
        if path.ends_with("product.upserted") { answer(400, "", "no") } else { answer(202, "", "") }
    })
    .await;
    let shop = paired_shop(&hands, &ledger).await;
    assert_eq!(shop.enqueue_all(), 0);
    shop.run_cron().await;
    assert!(!shop.enqueue("customer.upserted", 1, None));
    hands.forward(TimeDelta::days(30));
    shop.run_cron().await;
    assert!(shop.enqueue("customer.upserted", 1, None));
    assert!(!shop.enqueue("product.upserted", 1, None), "a dead row blocks for ever");
}

#[tokio::test]
async fn one_pass_posts_one_batch() {
    let hands = Hands::at("2026-11-24 02:39:41");
    let mut ledger = Ledger::open(|_| answer(202, "", "")).await;
    let shop = shop(shop_of_the_samples(), &hands).await;
    pair(&shop, &ledger.url).await;
    for id in 1..=60 {
        assert!(shop.enqueue("invoice.created", 1000 + id, Some("000001000")));
    }
    assert_eq!(shop.run_cron().await, 50);
    assert_eq!(ledger.heard().len(), 50);
    let left = shop.outbox().iter().filter(|row| row.status == OutboxStatus::Pending).count();
    assert_eq!(left, 10);
}

#[tokio::test]
async fn the_background_cron_posts_by_itself() {
    let hands = Hands::at("2026-11-24 02:39:41");
    let mut ledger = Ledger::open(|_| answer(202, "", "")).await;
    let mut options = options(shop_of_the_samples(), &hands);
    options.cron_every = Duration::from_millis(1);
    let shop = simulators::magento::start(options).await.unwrap();
    pair(&shop, &ledger.url).await;
    shop.enqueue("invoice.created", 51, None);
    assert!(ledger.next().await.contains("invoice.created"));
    shop.stop().await;
}

#[tokio::test]
async fn the_controls_enqueue_post_and_show() {
    let hands = Hands::at("2026-11-24 02:39:41");
    let ledger = Ledger::open(|_| answer(202, "", "")).await;
    let shop = shop(shop_of_the_samples(), &hands).await;
    pair(&shop, &ledger.url).await;
    let one = "{\"event\":\"invoice.created\",\"id\":51}";
    assert_eq!(send(&shop, &request("POST", "/_sim/enqueue", one)).await.body, "{\"enqueued\":1}");
    let all = send(&shop, &request("POST", "/_sim/enqueue", "{\"all\":true}")).await;
    assert_eq!(all.body, "{\"enqueued\":4}");
    assert_eq!(send(&shop, &request("POST", "/_sim/enqueue", "{}")).await.status, 400);
    assert_eq!(send(&shop, &request("POST", "/_sim/cron", "")).await.body, "{\"posted\":5}");
    let rows: serde_json::Value =
        serde_json::from_str(&send(&shop, &request("GET", "/_sim/outbox", "")).await.body).unwrap();
    assert_eq!(rows[0]["status"], "succeeded");
    let chips = send(&shop, &request("GET", "/_sim/sync-state", "")).await;
    assert!(chips.body.contains("\"sync_status\":\"pending\""), "{}", chips.body);
}

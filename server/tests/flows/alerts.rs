//! Members are told: in stages, once each, by what they chose, and nobody else.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use domain::{
    alert::ChannelKind,
    environment::Environment,
    ids::{EventId, RunId},
    run::{BindingStatus, EventName, Role},
};
use hmac::{Hmac, Mac};
use serde_json::Value;
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use sha2::Sha256;
use simulators::hooks;
use store::{NewEvent, Targets};
use sync::{Engine, alerts::deliver_due, run_until_idle};

use crate::{
    browser, crash,
    people::written_code,
    postgres::database,
    refreshing::{Ahead, process},
};

const PAGE: &str = "/dashboard/account/alerts";

async fn sandbox(database_url: Option<String>) -> Sandbox {
    Sandbox::set(Options { worker: false, database_url, ..Options::default() }).await.unwrap()
}

/// Runs a flow on both databases.
macro_rules! on_both {
    ($($flow:ident = $sqlite:ident, $postgres:ident;)+) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $sqlite() {
            $flow(sandbox(None).await).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn $postgres() {
            let Some(database_url) = database().await else { return };
            $flow(sandbox(Some(database_url)).await).await;
        })+
    };
}

on_both! {
    staged = failures_are_told_in_stages_and_end_in_a_pause, failures_are_told_in_stages_on_postgres;
    killed = a_message_is_repeated_under_its_name_after_a_kill, a_message_is_repeated_after_a_kill_on_postgres;
    gathered = a_digest_is_one_message_and_silence_is_none, a_digest_is_one_message_on_postgres;
    removed = a_removed_member_is_told_nothing, a_removed_member_is_told_nothing_on_postgres;
    given_up = a_bad_receiver_is_given_up, a_bad_receiver_is_given_up_on_postgres;
    written_to = letters_arrive_where_their_reader_wants_them, letters_arrive_on_postgres;
}

/// Events of invoices that the shop does not have: their runs fail for good.
async fn announce_failures(sandbox: &Sandbox, numbers: impl Iterator<Item = i64>) {
    for magento_id in numbers {
        let now = Machine.now();
        let event = NewEvent {
            id: EventId(Machine.id()),
            run_id: RunId(Machine.id()),
            binding_id: sandbox.binding.id,
            event: EventName::InvoiceCreated,
            idempotency_key: format!("missing-{magento_id}"),
            magento_id,
            increment_id: None,
            website_id: 1,
            store_id: 1,
            body: "{}".to_owned(),
            occurred_at: now,
            received_at: now,
            token: None,
            trace_parent: None,
        };
        sandbox.process.engine.store.receive(&event).await.unwrap();
    }
}

/// Works everything that is due now.
async fn work(engine: &Engine) {
    run_until_idle(engine).await;
}

/// Adds a webhook on the page; returns its secret, which the page shows once.
async fn add_webhook(sandbox: &Sandbox, cookie: &str, receiver: &hooks::Running, mode: &str) -> String {
    let form = [("url", receiver.url()), ("mode", mode)];
    let answer = browser::submit(sandbox, cookie, "/api/alerts/add-webhook", &form).await;
    assert_eq!(browser::location(&answer), format!("{PAGE}?flash=saved"));
    let once = answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let once = once
        .filter_map(|value| value.split(';').next())
        .find(|value| value.starts_with("ledger_once_secret"));
    let page = browser::page(sandbox, &format!("{cookie}; {}", once.unwrap()), PAGE).await;
    assert!(!browser::page(sandbox, cookie, PAGE).await.contains("whsec_"));
    let from = page.find("whsec_").unwrap();
    page[from..].split('<').next().unwrap().trim().to_owned()
}

fn payload(call: &hooks::Call) -> Value {
    serde_json::from_str(&call.body).unwrap()
}

fn kinds(receiver: &hooks::Running) -> Vec<String> {
    receiver.calls().iter().map(|call| payload(call)["type"].as_str().unwrap().to_owned()).collect()
}

/// The signature as Standard Webhooks has its receivers compute it, from what has arrived alone.
fn assert_signed(call: &hooks::Call, secret: &str) {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, time) = (&call.headers["webhook-id"], &call.headers["webhook-timestamp"]);
    mac.update([id.as_bytes(), b".", time.as_bytes(), b".", call.body.as_bytes()].concat().as_slice());
    let sent = call.headers["webhook-signature"].strip_prefix("v1,").unwrap();
    mac.verify_slice(&STANDARD.decode(sent).unwrap()).unwrap();
    let age = Machine.now().timestamp() - time.parse::<i64>().unwrap();
    assert!((-120..60).contains(&age), "{age}");
}

/// The id of the only channel on a member's page.
async fn only_channel(sandbox: &Sandbox, cookie: &str) -> String {
    let page = browser::page(sandbox, cookie, PAGE).await;
    let from = page.find("name=\"channel\" value=\"").unwrap() + 22;
    page[from..from + 36].to_owned()
}

async fn staged(sandbox: Sandbox) {
    let (receiver, engine) = (hooks::start().await.unwrap(), Arc::clone(&sandbox.process.engine));
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let secret = add_webhook(&sandbox, &cookie, &receiver, "at_once").await;
    announce_failures(&sandbox, 900_001..=900_049).await;
    work(&engine).await;
    let before_the_pause = [&["document.failed"; 4][..], &["binding.troubled", "binding.failing"]].concat();
    assert_eq!(kinds(&receiver), before_the_pause);
    announce_failures(&sandbox, 900_050..=900_052).await;
    work(&engine).await;
    assert_eq!(kinds(&receiver), [&before_the_pause[..], &["binding.paused"]].concat());

    let store = &engine.store;
    let id = sandbox.binding.id.to_string();
    assert_eq!(store.binding(sandbox.binding.id).await.unwrap().unwrap().status, BindingStatus::Paused);
    let counts = store.count_runs(sandbox.binding.id, Machine.now() - TimeDelta::hours(1)).await.unwrap();
    assert_eq!((counts.failed, counts.pending), (50, 2), "what came after the pause waits");
    let shop = browser::page(&sandbox, &cookie, &format!("/dashboard/bindings/{id}")).await;
    assert!(shop.contains("Paused by Ledger because 50 documents failed in a row."), "{shop}");

    let calls = receiver.calls();
    for call in &calls {
        assert_signed(call, &secret);
    }
    let last = payload(calls.last().unwrap());
    assert_eq!(
        (&last["data"]["failed_in_a_row"], &last["data"]["binding_id"]),
        (&50.into(), &id.as_str().into())
    );
    assert_eq!(last["data"]["link"], format!("{}/dashboard/bindings/{id}", sandbox.url()));

    let resume = [("binding", id.as_str()), ("pause", "false")];
    browser::submit(&sandbox, &cookie, "/api/bindings/pause", &resume).await;
    sandbox.send_all_events().await.unwrap();
    work(&engine).await;
    let of_binding: Vec<_> =
        kinds(&receiver).into_iter().filter(|kind| kind.starts_with("binding.")).collect();
    assert_eq!(of_binding[3..], ["binding.recovered"]);
    let page = browser::page(&sandbox, &cookie, PAGE).await;
    assert!(page.contains("50 documents failed in a row.") && page.contains("Last delivered"), "{page}");
    sandbox.stop().await;
}

async fn killed(sandbox: Sandbox) {
    let receiver = hooks::start().await.unwrap();
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let secret = add_webhook(&sandbox, &cookie, &receiver, "at_once").await;
    // Long enough for the kill to fall between the message and its note.
    receiver.delay(Duration::from_secs(10));
    announce_failures(&sandbox, 900_001..=900_001).await;
    let mut first = crash::worker(&sandbox);
    arrived(&receiver, 1).await;
    first.kill().unwrap();
    first.wait().unwrap();
    receiver.delay(Duration::ZERO);
    let clock = Arc::new(Ahead::default());
    let second = process(&sandbox, &clock).await;
    deliver_due(&second).await;
    assert_eq!(receiver.calls().len(), 1, "the first may still be about to note it");
    clock.pass(TimeDelta::seconds(91));
    deliver_due(&second).await;
    assert_eq!(receiver.calls().len(), 2);
    second.store.close().await;
    let calls = receiver.calls();
    assert_eq!(calls[0].headers["webhook-id"], calls[1].headers["webhook-id"]);
    assert_eq!(payload(&calls[0]), payload(&calls[1]));
    for call in &calls {
        assert_signed(call, &secret);
    }
    sandbox.stop().await;
}

async fn arrived(receiver: &hooks::Running, count: usize) {
    let begun = Instant::now();
    while receiver.calls().len() < count {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} of {count} arrived", receiver.calls().len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn gathered(sandbox: Sandbox) {
    let (receiver, clock) = (hooks::start().await.unwrap(), Arc::new(Ahead::default()));
    let later = process(&sandbox, &clock).await;
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    add_webhook(&sandbox, &cookie, &receiver, "digest_hourly").await;
    announce_failures(&sandbox, 900_001..=900_005).await;
    work(&sandbox.process.engine).await;
    assert!(receiver.calls().is_empty());
    clock.pass(TimeDelta::hours(1));
    while deliver_due(&later).await > 0 {}
    assert_eq!(kinds(&receiver), ["digest"]);
    let told = payload(&receiver.calls()[0])["data"]["alerts"].clone();
    let told: Vec<_> = told.as_array().unwrap().iter().map(|alert| alert["type"].as_str().unwrap()).collect();
    assert_eq!(told, [&["document.failed"; 4][..], &["binding.troubled"]].concat());
    clock.pass(TimeDelta::hours(1));
    assert_eq!(deliver_due(&later).await, 0, "there is nothing to tell");
    assert_eq!(receiver.calls().len(), 1);
    later.store.close().await;
    sandbox.stop().await;
}

async fn removed(sandbox: Sandbox) {
    let (receiver, engine) = (hooks::start().await.unwrap(), Arc::clone(&sandbox.process.engine));
    let owner = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let guest = browser::member(&sandbox, sandbox.organisation, "guest@ledger.example", Role::Viewer).await;
    let cookie = browser::sign_in(&sandbox, "guest@ledger.example", browser::PASSWORD).await;
    add_webhook(&sandbox, &cookie, &receiver, "at_once").await;
    announce_failures(&sandbox, 900_001..=900_001).await;
    work(&engine).await;
    assert_eq!(kinds(&receiver), ["document.failed"]);
    receiver.answer([500; 20]);
    announce_failures(&sandbox, 900_002..=900_002).await;
    work(&engine).await;
    let before = receiver.calls().len();
    let form = [("member", guest.to_string())];
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser::submit(&sandbox, &owner, "/api/people/remove", &form).await;
    announce_failures(&sandbox, 900_003..=900_003).await;
    let clock = Arc::new(Ahead::default());
    let later = process(&sandbox, &clock).await;
    work(&engine).await;
    clock.pass(TimeDelta::hours(1));
    while deliver_due(&later).await > 0 {}
    assert_eq!(receiver.calls().len(), before, "not even what was to be tried again");
    later.store.close().await;
    sandbox.stop().await;
}

async fn given_up(sandbox: Sandbox) {
    let (receiver, clock) = (hooks::start().await.unwrap(), Arc::new(Ahead::default()));
    let later = process(&sandbox, &clock).await;
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    add_webhook(&sandbox, &cookie, &receiver, "at_once").await;
    let tries = later.timing.alert_schedule.len() + 1;
    receiver.answer([500, 302, 503].into_iter().cycle().take(tries));
    announce_failures(&sandbox, 900_001..=900_001).await;
    work(&later).await;
    // Only alerts: the shop would not take a token from so far in the future.
    for _ in 0..tries + 3 {
        clock.pass(TimeDelta::minutes(1));
        deliver_due(&later).await;
    }
    let calls = receiver.calls();
    assert_eq!(calls.len(), tries);
    assert!(calls.iter().all(|call| call.headers["webhook-id"] == calls[0].headers["webhook-id"]));
    assert_eq!(later.store.next_alert_due(ChannelKind::Webhook, Targets::All).await.unwrap(), None);
    assert!(browser::page(&sandbox, &cookie, PAGE).await.contains("The receiver answered 503."));

    receiver.answer([410]);
    announce_failures(&sandbox, 900_002..=900_003).await;
    work(&sandbox.process.engine).await;
    assert_eq!(receiver.calls().len(), tries + 1, "who is gone is told nothing more");
    assert!(browser::page(&sandbox, &cookie, PAGE).await.contains("Off since"));
    let channel = only_channel(&sandbox, &cookie).await;
    let form = [("channel", channel.as_str()), ("kinds[]", "binding.troubled"), ("mode", "at_once")];
    let changed = browser::submit(&sandbox, &cookie, "/api/alerts/change", &form).await;
    assert_eq!(browser::location(&changed), format!("{PAGE}?flash=saved"));
    let page = browser::page(&sandbox, &cookie, PAGE).await;
    assert!(page.contains("1 of 7 alerts for all shops. Immediately"), "{page}");
    announce_failures(&sandbox, 900_004..=900_005).await;
    work(&sandbox.process.engine).await;
    assert_eq!(kinds(&receiver)[tries + 1..], ["binding.troubled"]);
    later.store.close().await;
    sandbox.stop().await;
}

async fn written_to(sandbox: Sandbox) {
    let engine = Arc::clone(&sandbox.process.engine);
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let add = async |email: &str| {
        let form = [("email", email), ("mode", "at_once")];
        browser::location(&browser::submit(&sandbox, &cookie, "/api/alerts/add-mail", &form).await)
    };
    assert_eq!(add(EMAIL).await, format!("{PAGE}?flash=code-sent"), "their own as well");
    let own = only_channel(&sandbox, &cookie).await;
    let code = written_code(&sandbox, EMAIL);
    let form = [("channel", own.as_str()), ("code", code.as_str())];
    browser::submit(&sandbox, &cookie, "/api/alerts/confirm", &form).await;
    let tested = browser::submit(&sandbox, &cookie, "/api/alerts/test", &[("channel", own.as_str())]).await;
    assert_eq!(browser::location(&tested), format!("{PAGE}?flash=test-sent"));
    browser::submit(&sandbox, &cookie, "/api/alerts/remove", &[("channel", own.as_str())]).await;

    assert_eq!(add("ops@ledger.example").await, format!("{PAGE}?flash=code-sent"));
    let mails = sandbox.mail.mails();
    assert_eq!(
        mails.iter().map(|mail| mail.to.concat()).collect::<Vec<_>>(),
        [EMAIL, EMAIL, "ops@ledger.example"]
    );
    let channel = only_channel(&sandbox, &cookie).await;
    announce_failures(&sandbox, 900_001..=900_001).await;
    work(&engine).await;
    assert_eq!(sandbox.mail.mails().len(), 3, "nothing before it is confirmed");
    let code = mails[2].text.lines().find_map(|line| line.strip_prefix("    ")).unwrap().trim();
    for (code, flash) in [("0000000000", false), (code, true)] {
        let form = [("channel", channel.as_str()), ("code", code)];
        let answer = browser::submit(&sandbox, &cookie, "/api/alerts/confirm", &form).await;
        assert_eq!(browser::location(&answer).ends_with("?flash=saved"), flash, "{answer:?}");
    }
    announce_failures(&sandbox, 900_002..=900_002).await;
    work(&engine).await;
    let letter = sandbox.mail.mails().remove(3);
    assert_eq!(letter.to, ["ops@ledger.example"]);
    let page = format!("{}{PAGE}", sandbox.url());
    for part in [
        "Subject: Blue Mug shop: a document needs attention",
        &format!("List-Unsubscribe: <{page}>"),
        "From: Ledger <ledger@ledger.example>",
        "A document could not be posted to Sage.",
        &format!("{}/dashboard/sync/", sandbox.url()),
    ] {
        assert!(letter.text.contains(part), "{part}: {}", letter.text);
    }
    sandbox.stop().await;
}

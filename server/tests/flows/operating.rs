//! What an operator does by the command line, with the real binary beside a working process.

use std::{
    process::{Command, Output},
    time::Duration,
};

use domain::{
    environment::Environment,
    ids::{EventId, RunId},
    run::{ActionKind, EventName, RunStatus},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use server::{
    config::Config,
    demo::once::outcome,
    environment::Machine,
    sandbox::{Options, Sandbox},
};
use store::{ActionFilter, NewEvent, Run};

use crate::postgres;

/// Runs a command with the configuration of a stage.
fn ledger(config: &Config, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ledger"))
        .args(arguments)
        .env("LEDGER_DATABASE_URL", &config.database_url)
        .env("LEDGER_KEYS", config.keys.expose_secret())
        .env("LEDGER_PUBLIC_URL", &config.public_url)
        .env("LEDGER_MAGENTO__ALLOW_PRIVATE_ADDRESSES", "true")
        .env("LEDGER_SAGE__BASE_URL", &config.sage.base_url)
        .env("LEDGER_SAGE__CLIENT_ID", &config.sage.client_id)
        .env("LEDGER_SAGE__CLIENT_SECRET", config.sage.client_secret.expose_secret())
        .env("LEDGER_SAGE__CALLS_PER_SECOND", "0")
        .env("LEDGER_SMTP__URL", config.smtp.url.expose_secret())
        .env("LEDGER_SMTP__FROM", &config.smtp.from)
        .env("LEDGER_SITE_ROOT", &config.site_root)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a command that must end with this code, and reads its JSON.
pub fn json(config: &Config, code: i32, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    let output = ledger(config, &arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
}

/// The commands wait for the simulators, which run here.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn played(database_url: Option<String>) -> (Sandbox, Vec<Run>) {
    let sandbox = Sandbox::set(Options { database_url, ..Options::default() }).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    let (runs, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    (sandbox, runs)
}

async fn looked_at_and_cleared_away(database_url: Option<String>) {
    let (sandbox, runs) = played(database_url).await;
    let config = sandbox.config();

    let bindings = json(config, 0, &["bindings"]);
    assert_eq!(bindings[0]["id"], sandbox.binding.id.to_string());
    assert_eq!((&bindings[0]["status"], &bindings[0]["settings_version"]), (&"active".into(), &1.into()));

    let listed = json(config, 0, &["runs", "list", "--limit", "5"]);
    assert_eq!((listed["runs"].as_array().unwrap().len(), &listed["more"]), (5, &true.into()));
    let last = listed["runs"][4]["id"].as_str().unwrap();
    let older = json(config, 0, &["runs", "list", "--before", last]);
    assert_eq!(older["runs"].as_array().unwrap().len(), runs.len() - 5);
    let paid = json(config, 0, &["runs", "list", "--event", "invoice.paid", "--code", "nothing_to_pay"]);
    assert!(paid["runs"].as_array().unwrap().iter().all(|run| run["code"] == "nothing_to_pay"));
    assert!(!paid["runs"].as_array().unwrap().is_empty());

    let of = |event, status| runs.iter().find(|run| run.event == event && run.status == status).unwrap();
    let posted = of(EventName::InvoiceCreated, RunStatus::Succeeded).id.to_string();
    let shown = json(config, 0, &["runs", "show", &posted]);
    assert!(shown["attempts_made"][0]["steps"].as_array().unwrap().len() > 1, "{shown}");
    let words = said(&ledger(config, &["runs", "show", &posted]));
    assert!(words.contains("attempt 1") && words.contains("/sales_invoices"), "{words}");

    let nobody = Machine.id().to_string();
    assert_eq!(json(config, 1, &["runs", "requeue", &posted, &nobody])[0]["result"], "ended");
    let retried = json(config, 1, &["runs", "retry", &posted, &nobody]);
    assert_eq!((&retried[0]["result"], &retried[1]["result"]), (&"queued".into(), &"not_found".into()));
    let deeds = sandbox
        .process
        .engine
        .store
        .list_actions(sandbox.organisation, &ActionFilter::default(), None, 9)
        .await
        .unwrap();
    let deed = deeds.first().unwrap();
    assert_eq!((deed.kind, deed.run_id.unwrap().to_string()), (ActionKind::Retried, posted.clone()));
    assert!(deed.actor.name.starts_with("The command line") && deed.actor.member.is_none(), "{deed:?}");
    let (_, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(ledger(config, &["runs", "show", &nobody]).status.code(), Some(2));

    cleared_away(&sandbox, &runs).await;
    sandbox.stop().await;
}

/// Runs are deleted, and the same events once more make nothing twice.
async fn cleared_away(sandbox: &Sandbox, runs: &[Run]) {
    let config = sandbox.config();
    let all = json(config, 0, &["runs", "cleanup", "--older-than", "1d", "--dry-run"]);
    assert_eq!(all["runs"], 0, "nothing is a day old");
    let count = |books: &Value| {
        let lists = books.as_object().unwrap().values().filter_map(Value::as_array);
        lists.map(Vec::len).sum::<usize>()
    };
    let before = count(&sandbox.books().await.unwrap());
    let would = json(config, 0, &["runs", "cleanup", "--older-than", "0d", "--dry-run"])["runs"].clone();
    assert!(would.as_u64().unwrap() > 20, "{would}");
    let done = json(config, 0, &["runs", "cleanup", "--older-than", "0d"]);
    assert_eq!(done["runs"], would);
    let deed = sandbox
        .process
        .engine
        .store
        .list_actions(sandbox.organisation, &ActionFilter::default(), None, 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(deed.kind, ActionKind::CleanedUp);
    let left = json(config, 0, &["runs", "list"]);
    let terminal = ["succeeded", "skipped_by_policy", "failed"];
    let has_ended = |run: &Value| terminal.contains(&run["status"].as_str().unwrap());
    assert!(!left["runs"].as_array().unwrap().iter().any(has_ended), "{left}");

    let store = &sandbox.process.engine.store;
    for run in runs {
        store.receive(&event_of(run)).await.unwrap();
    }
    loop {
        let figures = store.figures(Machine.now()).await.unwrap().remove(0);
        if figures.queued + figures.running + figures.retrying == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count(&sandbox.books().await.unwrap()), before, "nothing was posted twice");
    let (again, _) = outcome(sandbox).await.unwrap();
    assert!(again.len() > 20 && again.iter().all(|run| run.status != RunStatus::Failed), "{again:#?}");
}

/// The event of a run, as Magento would send it once more.
fn event_of(run: &Run) -> NewEvent {
    NewEvent {
        id: EventId(Machine.id()),
        run_id: RunId(Machine.id()),
        binding_id: run.binding_id,
        event: run.event,
        idempotency_key: format!("{}:{}", run.event, run.magento_id),
        magento_id: run.magento_id,
        increment_id: run.facts.increment_id.clone(),
        website_id: run.website_id,
        store_id: run.store_id,
        body: "{}".to_owned(),
        occurred_at: run.occurred_at,
        received_at: Machine.now(),
        token: None,
        trace_parent: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_looked_at_and_cleared_away_and_nothing_is_posted_twice() {
    looked_at_and_cleared_away(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_on_postgres_are_looked_at_and_cleared_away_and_nothing_is_posted_twice() {
    let Some(database_url) = postgres::database().await else { return };
    looked_at_and_cleared_away(Some(database_url)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_synced_by_hand_and_is_in_sage_once() {
    let sandbox = Sandbox::set(Options::default()).await.unwrap();
    let (config, binding) = (sandbox.config().clone(), sandbox.binding.id.to_string());
    let sync = move |kind: &str, id: &str, more: &[&str]| {
        json(&config, 0, &[&["sync", kind, id, "--binding", &binding], more].concat())
    };
    let (first, second, payment) = aside(move || {
        let first = sync("invoice", "1", &["--wait"]);
        let second = sync("invoice", "1", &["--wait"]);
        (first, second, sync("payment", "1", &["--wait"]))
    })
    .await;
    assert_eq!((&first["result"], &first["run"]["status"]), (&"queued".into(), &"succeeded".into()));
    assert_eq!((&second["result"], &second["run"]["status"]), (&"retried".into(), &"succeeded".into()));
    assert_eq!(second["run"]["id"], first["run"]["id"]);
    assert_eq!(payment["run"]["status"], "succeeded", "{payment}");
    let books = sandbox.books().await.unwrap();
    assert_eq!(books["sales_invoices"].as_array().unwrap().len(), 1);
    assert_eq!(books["contact_payments"].as_array().unwrap().len(), 1);

    let config = sandbox.config();
    let gone = sandbox.binding.id.to_string();
    let missing = ledger(config, &["sync", "invoice", "999", "--binding", &gone, "--wait", "--json"]);
    assert_eq!(missing.status.code(), Some(1), "Magento has no such invoice: {}", said(&missing));
    let nobody = ledger(config, &["sync", "invoice", "1", "--binding", &Machine.id().to_string()]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(said(&nobody).contains("`ledger bindings` lists them"), "{}", said(&nobody));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_refreshed_by_hand_or_it_is_said_why_not() {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    let config = sandbox.config();
    let all = json(config, 0, &["reference", "refresh", "--all"]);
    assert!(all[0]["tax_rates"].as_u64().unwrap() > 0, "{all}");
    let mut elsewhere = config.clone();
    "http://127.0.0.1:9".clone_into(&mut elsewhere.sage.base_url);
    let one = json(&elsewhere, 1, &["reference", "refresh", &sandbox.binding.id.to_string()]);
    assert!(one[0]["error"].as_str().unwrap().contains("Sage"), "{one}");
    sandbox.stop().await;
}

/// The findings of a check.
fn found<'a>(diagnosis: &'a Value, check: &str) -> Vec<&'a Value> {
    diagnosis["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == check).collect()
}

/// The mail server is asked whether it lets Ledger in; it gets no letter.
async fn mail_is_tried(config: &Config) {
    let mail = |url: &str, asks: &[&str], code| {
        let mut config = config.clone();
        config.smtp.url = url.into();
        "Ledger <ledger@shop.example>".clone_into(&mut config.smtp.from);
        let diagnosis = json(&config, code, &[&["doctor"], asks].concat());
        found(&diagnosis, "mail")[0].clone()
    };
    let none = mail("", &[], 0);
    assert_eq!(none["state"], "note");
    assert!(none["means"].as_str().unwrap().contains("sends no e-mail"), "{none}");
    let server = simulators::mail::start().await.unwrap();
    let fine = mail(server.smtp_url(), &[], 0);
    assert_eq!(fine["state"], "ok", "{fine}");
    assert_eq!(server.mails().len(), 0);
    let nobody = mail("smtp://me:secret@127.0.0.1:9", &[], 1);
    assert_eq!(nobody["state"], "problem", "{nobody}");
    assert!(!nobody.to_string().contains("secret"));
    assert_eq!(mail("smtp://127.0.0.1:9", &["--offline"], 0)["state"], "ok", "nobody was asked");
    assert_eq!(mail("mail.example", &["--offline"], 1)["state"], "problem");
}

async fn examined(database_url: Option<String>) {
    let sandbox = Sandbox::set(Options { database_url, ..Options::default() }).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let site_root = folder.path().join("site");
    let config = &Config { site_root, ..sandbox.config().clone() };
    let bare = json(config, 1, &["doctor"]);
    assert_eq!(found(&bare, "site")[0]["state"], "problem", "{bare:#}");
    std::fs::create_dir_all(config.site_root.join("pkg")).unwrap();
    std::fs::write(config.site_root.join("pkg/ledger.js"), "").unwrap();
    let well = json(config, 0, &["doctor"]);
    assert_eq!(well["well"], true, "{well:#}");
    for check in [
        "keys",
        "sage_app",
        "site",
        "public_url",
        "database",
        "credentials",
        "queue",
        "shop_answers",
        "sage_answers",
    ] {
        assert_eq!(found(&well, check)[0]["state"], "ok", "{check}: {well:#}");
    }

    let is_postgres = config.database_url.starts_with("postgres");
    assert_eq!(
        found(&well, "clock").first().map(|finding| &finding["state"]),
        is_postgres.then_some(&"ok".into())
    );
    for finding in found(&well, "durability") {
        // The server of the tests may lose what it likes.
        assert_eq!(finding["state"], if is_postgres { "note" } else { "ok" }, "{finding}");
    }
    mail_is_tried(config).await;

    let mut without_key = config.clone();
    without_key.keys = {
        let mut random = [0; 32];
        Machine.random(&mut random);
        vault::KeyRing::generate(random, "other").into()
    };
    let lost = json(&without_key, 1, &["doctor", "--offline"]);
    let text = lost.to_string();
    assert_eq!(found(&lost, "credentials").iter().filter(|finding| finding["state"] == "problem").count(), 2);
    assert!(text.contains("LEDGER_KEYS") && !text.contains("v1."), "{text}");

    let mut nowhere = config.clone();
    "http://127.0.0.1:9".clone_into(&mut nowhere.public_url);
    "http://127.0.0.1:9".clone_into(&mut nowhere.sage.base_url);
    let silent = json(&nowhere, 1, &["doctor"]);
    assert_eq!(found(&silent, "public_url")[0]["state"], "problem");
    assert!(!found(&silent, "not_answered").is_empty(), "Sage is not reached: {silent:#}");

    let words = said(&ledger(config, &["doctor"]));
    assert!(words.contains("No problems found."), "{words}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_is_wrong_and_what_to_do() {
    examined(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_on_postgres_names_what_is_wrong_and_what_to_do() {
    let Some(database_url) = postgres::database().await else { return };
    examined(Some(database_url)).await;
}

#[test]
fn the_doctor_makes_nothing_where_nothing_is() {
    let folder = tempfile::tempdir().unwrap();
    let database_url = format!("sqlite://{}", folder.path().join("ledger.db").display());
    let config = Config { database_url, ..Config::defaults().unwrap() };
    let diagnosis = json(&config, 1, &["doctor", "--offline"]);
    for check in ["keys", "sage_app", "database"] {
        assert_eq!(found(&diagnosis, check)[0]["state"], "problem", "{diagnosis:#}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

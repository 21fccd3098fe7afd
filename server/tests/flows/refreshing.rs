//! Sage's refresh tokens work once. Whoever refreshes, and whenever: the connection is never lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{code::Code, environment::Environment, run::BindingStatus};
use secrecy::ExposeSecret;
use serde_json::json;
use server::{
    config::Config,
    demo::once::outcome,
    environment::Machine,
    lifecycle,
    sandbox::{EMAIL, Options, Sandbox, timing},
};
use store::CredentialKind;
use sync::Engine;

use crate::{browser, connecting::approve, postgres};

/// Longer than an access token is good for, less the time that it is refreshed ahead of its end.
const LATER: TimeDelta = TimeDelta::seconds(280);

/// A clock that is ahead of the machine's by as much as a test says.
#[derive(Default)]
pub struct Ahead(AtomicI64);

impl Ahead {
    /// Lets time pass.
    pub fn pass(&self, time: TimeDelta) {
        self.0.fetch_add(time.num_seconds(), Ordering::SeqCst);
    }
}

impl Environment for Ahead {
    fn now(&self) -> DateTime<Utc> {
        Machine.now() + TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }

    fn random(&self, bytes: &mut [u8]) {
        Machine.random(bytes);
    }
}

async fn sandbox(database_url: Option<String>) -> Sandbox {
    Sandbox::set(Options { worker: false, database_url, ..Options::default() }).await.unwrap()
}

/// What another process has: its own connections to the store, its own client, its own memory.
pub async fn process(sandbox: &Sandbox, clock: &Arc<Ahead>) -> Arc<Engine> {
    let store = lifecycle::open_store(&sandbox.config().database_url).await.unwrap();
    Arc::new(lifecycle::engine_in(sandbox.config(), store, clock.clone(), timing()).unwrap())
}

/// Calls of the token host since the log was cleared.
async fn refreshes(sandbox: &Sandbox) -> usize {
    let requests = sandbox.sage.get("/_sim/requests").await.unwrap();
    requests.as_array().unwrap().iter().filter(|request| request["path"] == "/token").count()
}

async fn access_token(sandbox: &Sandbox) -> String {
    let opened = sandbox.process.engine.open_credential(sandbox.binding.id, CredentialKind::SageTokens);
    opened.await.unwrap().unwrap().expose_secret().to_owned()
}

/// Both processes use the connection, twice each, at once; none is refused.
async fn used_by_all(sandbox: &Sandbox, processes: &[Arc<Engine>]) {
    let binding = sandbox.process.engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for engine in processes.iter().chain(processes) {
        let (engine, binding) = (Arc::clone(engine), binding.clone());
        tasks.spawn(async move { engine.refresh_reference(&binding, None).await.map(drop) });
    }
    for result in tasks.join_all().await {
        result.unwrap();
    }
}

async fn still_connected(sandbox: &Sandbox) {
    let binding = sandbox.process.engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    assert_eq!(binding.status, BindingStatus::Active);
}

async fn rounds(sandbox: Sandbox) {
    let clock = Arc::new(Ahead::default());
    let processes = [process(&sandbox, &clock).await, process(&sandbox, &clock).await];
    for round in 0..24 {
        sandbox.sage.delete("/_sim/requests").await.unwrap();
        if round % 2 == 0 {
            clock.pass(LATER);
        } else {
            sandbox.sage.delete("/_sim/access-tokens").await.unwrap();
        }
        used_by_all(&sandbox, &processes).await;
        assert_eq!(refreshes(&sandbox).await, 1, "round {round}");
    }
    still_connected(&sandbox).await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_and_a_rotating_provider_never_lose_the_connection() {
    rounds(sandbox(None).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_postgres_never_lose_the_connection() {
    let Some(database_url) = postgres::database().await else { return };
    rounds(sandbox(Some(database_url)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_during_a_refresh_does_not_lose_its_tokens() {
    let sandbox = sandbox(None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&sandbox, &clock).await;
    slow_token_host(&sandbox, 300).await;
    clock.pass(LATER);
    let before = access_token(&sandbox).await;
    let binding = engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    let hung_up =
        tokio::time::timeout(Duration::from_millis(50), engine.refresh_reference(&binding, None)).await;
    assert!(hung_up.is_err());
    until_stored(&sandbox, &before).await;
    used_by_all(&sandbox, &[engine]).await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresher_whose_lease_ran_out_is_not_taken_for_a_lost_connection() {
    let sandbox = sandbox(None).await;
    let clock = Arc::new(Ahead::default());
    let (slow, quick) = (process(&sandbox, &clock).await, process(&sandbox, &clock).await);
    // Sage has given the new tokens, and its answer is still under way when the second process asks with the same ones.
    slow_token_host(&sandbox, 500).await;
    clock.pass(LATER);
    let binding = slow.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    let (first, second) = tokio::join!(slow.refresh_reference(&binding, None), async {
        until_held(&sandbox, &slow).await;
        clock.pass(TimeDelta::seconds(31));
        quick.refresh_reference(&binding, None).await
    });
    first.unwrap();
    second.unwrap();
    still_connected(&sandbox).await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_taken_for_dead_is_tried_once_more_by_the_upkeep() {
    let sandbox = sandbox(None).await;
    let (engine, id) = (&sandbox.process.engine, sandbox.binding.id);
    for (code, expected) in
        [(Code::SageAuth, BindingStatus::Active), (Code::SageForbidden, BindingStatus::NeedsReauth)]
    {
        engine.store.note_refusal(id, code).await.unwrap();
        engine.store.set_binding_status(id, BindingStatus::NeedsReauth, Machine.now(), None).await.unwrap();
        sync::keep_up(engine).await;
        assert_eq!(engine.store.binding(id).await.unwrap().unwrap().status, expected);
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ended_during_a_refresh_leaves_nothing_alive_at_sage() {
    let sandbox = sandbox(None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&sandbox, &clock).await;
    slow_token_host(&sandbox, 500).await;
    clock.pass(LATER);
    let binding = engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    let (refreshed, ()) = tokio::join!(engine.refresh_reference(&binding, None), async {
        until_held(&sandbox, &engine).await;
        let kind = CredentialKind::SageTokens;
        engine.store.delete_credential(binding.id, kind).await.unwrap();
    });
    assert!(matches!(refreshed, Err(sync::ReferenceError::Sage(sage::Error::Reauthorise { .. }))));
    let requests = sandbox.sage.get("/_sim/requests").await.unwrap();
    assert!(requests.as_array().unwrap().iter().any(|request| request["path"] == "/revoke"));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_the_keys_during_a_refresh_does_not_lose_its_tokens() {
    let sandbox = sandbox(None).await;
    let clock = Arc::new(Ahead::default());
    let keys = format!("new:{},{}", "ab".repeat(32), sandbox.config().keys.expose_secret());
    let config = Config { keys: keys.into(), ..sandbox.config().clone() };
    let store = lifecycle::open_store(&config.database_url).await.unwrap();
    let engine = lifecycle::engine_in(&config, store, clock.clone(), timing()).unwrap();
    let binding = engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    slow_token_host(&sandbox, 500).await;
    clock.pass(LATER);
    let (refreshed, rotation) = tokio::join!(engine.refresh_reference(&binding, None), async {
        until_held(&sandbox, &engine).await;
        sync::rotate_keys(engine.store.as_ref(), &engine.keys, clock.as_ref()).await.unwrap()
    });
    refreshed.unwrap();
    assert_eq!((rotation.resealed, rotation.is_complete()), (2, true));
    // The tokens of the refresh are the ones that are kept: the old ones are dead by now.
    clock.pass(LATER);
    engine.refresh_reference(&binding, None).await.unwrap();
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_tokens_that_are_lost_on_the_way_ask_for_a_new_connection_and_no_document_is_lost() {
    let sandbox = Sandbox::set(Options::default()).await.unwrap();
    let (engine, id) = (&sandbox.process.engine, sandbox.binding.id);
    // As when the process is killed between Sage's answer and the store: the old refresh token is dead, the new one unknown.
    sandbox.sage.delete("/_sim/access-tokens").await.unwrap();
    let lost = json!({ "cut_after": [{ "times": 1, "path": "/token" }] });
    sandbox.sage.post("/_sim/faults", &lost).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    let status = async || engine.store.binding(id).await.unwrap().unwrap().status;
    for _ in 0..400 {
        if status().await == BindingStatus::NeedsReauth {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(status().await, BindingStatus::NeedsReauth);

    let binding = engine.store.binding(id).await.unwrap().unwrap();
    let owner = browser::found(&engine.store, EMAIL).await.id;
    let (brought, code) = approve(engine.begin_consent(id, owner, None, None).await.unwrap()).await;
    engine.take_code(&brought, &code, owner, None).await.unwrap();
    let business = binding.business.clone().unwrap().id;
    engine.choose_business(&binding, owner, &business, &|_| (), None).await.unwrap();
    let (_, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_kept_alive_even_where_the_shop_is_paused() {
    let sandbox = sandbox(None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&sandbox, &clock).await;
    let now = clock.now();
    engine.store.set_binding_status(sandbox.binding.id, BindingStatus::Paused, now, None).await.unwrap();
    for _ in 0..3 {
        clock.pass(TimeDelta::hours(25));
        sandbox.sage.delete("/_sim/requests").await.unwrap();
        sync::keep_up(&engine).await;
        assert_eq!(refreshes(&sandbox).await, 1);
    }
    sandbox.stop().await;
}

async fn slow_token_host(sandbox: &Sandbox, ms: u64) {
    let late = json!({ "latency_ms": [{ "times": 1, "path": "/token", "ms": ms }] });
    sandbox.sage.post("/_sim/faults", &late).await.unwrap();
}

/// Waits until somebody refreshes: nobody else gets the lease.
async fn until_held(sandbox: &Sandbox, engine: &Engine) {
    let lease = format!("sage-refresh:{}", sandbox.binding.id);
    loop {
        let now = engine.environment.now();
        if !engine.store.acquire_lease(&lease, "test", now, now + TimeDelta::seconds(9)).await.unwrap() {
            return;
        }
        engine.store.release_lease(&lease, "test").await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until other tokens are stored than before.
async fn until_stored(sandbox: &Sandbox, before: &str) {
    for _ in 0..200 {
        if access_token(sandbox).await != before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the new tokens were not stored");
}

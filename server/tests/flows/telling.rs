//! Magento and members are told at once and in order: whoever hangs, stands still or says nothing delays nobody else.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    alert::{AlertKind, AlertMode, ChannelKind},
    code::Code,
    environment::Environment,
    health::Thresholds,
    ids::{AlertChannelId, AttemptId, BindingId, EventId, MemberId, RunId},
    run::{BindingStatus, EntityKind, EventName, Role},
};
use server::{
    config::Config,
    environment::Machine,
    lifecycle,
    sandbox::{EMAIL, Options, Sandbox, timing},
};
use simulators::{hooks, magento};
use store::{
    AlertChannel, AlertWants, Binding, Fence, FinishRun, NewEvent, Outcome, RunFacts, SageBusiness,
    SyncState, Targets,
};
use sync::{
    Engine, Worker,
    alerts::{deliver_due, new_secret},
    run_until_idle,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{browser, postgres::database, refreshing::Ahead};

/// What a hanging shop or a silent server may cost the others: nothing that a person would see.
const AT_ONCE: Duration = Duration::from_secs(5);

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
    stood_still = who_stood_still_never_overwrites_a_newer_state, who_stood_still_overwrites_nothing_on_postgres;
    hanging_shop = a_shop_that_hangs_delays_no_other, a_shop_that_hangs_delays_no_other_on_postgres;
    silent_mail = a_silent_mail_server_stops_no_webhook, a_silent_mail_server_stops_no_webhook_on_postgres;
    silent_hooks = a_viewers_silent_webhooks_delay_nobody, silent_webhooks_delay_nobody_on_postgres;
    ended = what_is_under_way_ends_before_the_worker_does, what_is_under_way_ends_on_postgres;
}

/// A shop of its own with a clock of its own, paired and able to have runs.
async fn shop(
    sandbox: &Sandbox,
    engine: &Engine,
    clock: &Arc<Ahead>,
    name: &str,
) -> (magento::Running, BindingId) {
    let time = Arc::clone(clock);
    let options = magento::Options {
        port: 0,
        documents: magento::Documents::from_values(Vec::new()).unwrap(),
        clock: Arc::new(move || time.now()),
        seed: 7,
        pairing_code: None,
        cron_every: Duration::ZERO,
        batch: magento::BATCH,
    };
    let running = magento::start(options).await.unwrap();
    let request = sync::PairRequest {
        organisation: sandbox.organisation,
        name,
        magento_url: &running.url(),
        code: &running.pairing_code(),
        ledger_url: &sandbox.url(),
    };
    let Binding { id, .. } = engine.pair(&request, None).await.unwrap().binding;
    let business = SageBusiness { id: id.to_string(), name: name.to_owned(), country: "GB".to_owned() };
    engine.store.set_business(id, &business, Machine.now(), None).await.unwrap();
    engine.store.set_binding_status(id, BindingStatus::Active, Machine.now(), None).await.unwrap();
    (running, id)
}

/// A run of the shop ends, with what Magento is to be told of its invoice.
async fn end(engine: &Engine, binding_id: BindingId, magento_id: i64, ended: (Outcome, Option<SyncState>)) {
    let (now, run_id) = (engine.environment.now(), RunId(Machine.id()));
    let event = NewEvent {
        id: EventId(Machine.id()),
        run_id,
        binding_id,
        event: EventName::InvoiceCreated,
        idempotency_key: run_id.to_string(),
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
    engine.store.receive(&event).await.unwrap();
    let attempt_id = AttemptId(Machine.id());
    let lease = now + TimeDelta::minutes(1);
    let claimed = engine.store.claim_run(attempt_id, "test", now, lease).await.unwrap().unwrap();
    assert_eq!(claimed.run.id, run_id);
    let finish = FinishRun {
        fence: Fence { run_id, attempt_id },
        now,
        outcome: ended.0,
        facts: RunFacts::default(),
        xrefs: Vec::new(),
        sync_state: ended.1,
        steps: Vec::new(),
        plan: None,
        thresholds: Thresholds::default(),
    };
    engine.store.finish_run(&finish).await.unwrap();
}

/// A run of the shop ends with this state of an invoice.
async fn reach(engine: &Engine, binding: BindingId, magento_id: i64, status: &str) {
    let state = SyncState {
        entity: EntityKind::Invoice,
        magento_id,
        status: status.to_owned(),
        sage_id: None,
        sage_reference: None,
        skip_reason: None,
        error_code: None,
        at: engine.environment.now(),
    };
    end(engine, binding, magento_id, (Outcome::Succeeded, Some(state))).await;
}

/// A run of the shop fails, which its members are told.
async fn fail(engine: &Engine, binding: BindingId, magento_id: i64) {
    let failed = Outcome::Failed { code: Code::SageValidation, message: None };
    end(engine, binding, magento_id, (failed, None)).await;
}

/// What the shop's grid shows of an invoice.
fn grid(shop: &magento::Running, magento_id: i64) -> Option<String> {
    let row = shop.sync_state().into_iter().find(|row| row.magento_id == magento_id);
    row.map(|row| row.sync_status)
}

/// A process that is stopped in the moment when it makes the token of a call, and goes on when it is told to.
struct Stopped {
    clock: Arc<Ahead>,
    is_armed: AtomicBool,
    stands: mpsc::SyncSender<()>,
    go_on: Mutex<mpsc::Receiver<()>>,
}

impl Environment for Stopped {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        if bytes.len() == 16 && self.is_armed.swap(false, Ordering::SeqCst) {
            tokio::task::block_in_place(|| {
                self.stands.send(()).unwrap();
                self.go_on.lock().unwrap().recv_timeout(Duration::from_mins(1)).unwrap();
            });
        }
        Machine.random(bytes);
    }
}

async fn engine_in(config: &Config, environment: Arc<dyn Environment>) -> Arc<Engine> {
    let store = lifecycle::open_store(&config.database_url).await.unwrap();
    Arc::new(lifecycle::engine_in(config, store, environment, timing()).unwrap())
}

/// A process that waits for nobody longer than a moment.
async fn impatient(config: &Config) -> Arc<Engine> {
    let store = lifecycle::open_store(&config.database_url).await.unwrap();
    let timing = sync::Timing { exchange: Duration::from_millis(300), ..timing() };
    Arc::new(lifecycle::engine_in(config, store, Arc::new(Machine), timing).unwrap())
}

/// The first process is about to say `failed`; it is stopped for longer than its lease, and the second one says `synced`.
async fn stood_still(sandbox: Sandbox) {
    let clock = Arc::new(Ahead::default());
    let (stands, is_standing) = mpsc::sync_channel(1);
    let (tell, go_on) = mpsc::channel();
    let environment =
        Stopped { clock: clock.clone(), is_armed: AtomicBool::new(false), stands, go_on: Mutex::new(go_on) };
    let environment = Arc::new(environment);
    let first = engine_in(sandbox.config(), environment.clone()).await;
    let second = engine_in(sandbox.config(), clock.clone()).await;
    let (shop, binding) = shop(&sandbox, &second, &clock, "Shop").await;
    reach(&second, binding, 1, "failed").await;
    environment.is_armed.store(true, Ordering::SeqCst);
    let stopped = tokio::spawn(async move { run_until_idle(&first).await });
    tokio::task::spawn_blocking(move || is_standing.recv_timeout(Duration::from_mins(1)).unwrap())
        .await
        .unwrap();

    reach(&second, binding, 1, "synced").await;
    run_until_idle(&second).await;
    assert_eq!(grid(&shop, 1), None, "the first one may still be about to speak");
    clock.pass(TimeDelta::minutes(3));
    run_until_idle(&second).await;
    assert_eq!(grid(&shop, 1).as_deref(), Some("synced"));
    tell.send(()).unwrap();
    stopped.await.unwrap();
    assert_eq!(grid(&shop, 1).as_deref(), Some("synced"));
    let kept = second
        .store
        .delivery_of(sandbox.organisation, binding, EntityKind::Invoice, 1)
        .await
        .unwrap()
        .unwrap();
    assert!(kept.delivered_at.is_some() && kept.state.status == "synced", "{kept:?}");
    second.store.close().await;
    sandbox.stop().await;
}

/// Waits until it is so, no longer than a person would.
async fn at_once(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < AT_ONCE, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A worker that only tells; it is ended without waiting for who hangs.
fn telling(engine: &Arc<Engine>) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let stop = CancellationToken::new();
    (stop.clone(), tokio::spawn(Worker::new(Arc::clone(engine), "telling", 0).run(stop)))
}

async fn hanging_shop(sandbox: Sandbox) {
    let (engine, clock) = (Arc::clone(&sandbox.process.engine), Arc::new(Ahead::default()));
    let (slow, hanging) = shop(&sandbox, &engine, &clock, "Hanging").await;
    let (well, healthy) = shop(&sandbox, &engine, &clock, "Healthy").await;
    slow.faults().change(|faults| faults.latency_ms = 600_000);
    for number in 1..=40 {
        reach(&engine, hanging, number, "synced").await;
    }
    for number in 1..=5 {
        reach(&engine, healthy, number, "synced").await;
    }
    let (_stop, worker) = telling(&engine);
    at_once("the healthy shop's states have not arrived", || well.sync_state().len() == 5).await;
    assert_eq!(slow.sync_state().len(), 1, "one at a time where nothing is answered");
    worker.abort();
    sandbox.stop().await;
}

/// A server that takes connections and never says a word.
async fn silent_server() -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        let mut lines = Vec::new();
        while let Ok((line, _)) = listener.accept().await {
            lines.push(line);
        }
    });
    (address, task)
}

/// A channel that tells everything at once.
async fn add_channel(engine: &Engine, member_id: MemberId, kind: ChannelKind, target: &str) {
    let (id, now) = (AlertChannelId(Machine.id()), Machine.now());
    let secret = new_secret(&Machine);
    let envelope = engine.keys.seal(&secret, &AlertChannel::bound_to(id), [7; 12]).unwrap();
    let channel = AlertChannel {
        id,
        member_id,
        kind,
        target: target.to_owned(),
        envelope: (kind == ChannelKind::Webhook).then_some(envelope),
        version: 1,
        wants: AlertWants { kinds: AlertKind::ALL.to_vec(), bindings: None, mode: AlertMode::AtOnce },
        created_at: now,
        confirmed_at: Some(now),
        last_ok_at: None,
        last_error: None,
        disabled_at: None,
    };
    engine.store.create_alert_channel(&channel, None, None).await.unwrap();
}

async fn silent_mail(sandbox: Sandbox) {
    let (address, _server) = silent_server().await;
    let mut config = sandbox.config().clone();
    config.smtp.url = format!("smtp://{address}").into();
    let engine = engine_in(&config, Arc::new(Machine)).await;
    let owner = browser::found(&engine.store, EMAIL).await.id;
    for number in 0..4 {
        add_channel(&engine, owner, ChannelKind::Email, &format!("ops{number}@ledger.example")).await;
    }
    let receiver = hooks::start().await.unwrap();
    add_channel(&engine, owner, ChannelKind::Webhook, receiver.url()).await;
    for number in 1..=3 {
        fail(&engine, sandbox.binding.id, number).await;
    }
    let (_stop, worker) = telling(&engine);
    at_once("the webhook was not called", || receiver.calls().len() == 3).await;
    worker.abort();
    sandbox.stop().await;
}

/// A viewer has ten webhooks at a receiver that never answers; a colleague's own answers.
async fn silent_hooks(sandbox: Sandbox) {
    let engine = Arc::clone(&sandbox.process.engine);
    let (silent, _server) = silent_server().await;
    let viewer = browser::member(&sandbox, sandbox.organisation, "guest@ledger.example", Role::Viewer).await;
    for number in 0..10 {
        let target = format!("http://{silent}/{number}");
        add_channel(&engine, viewer, ChannelKind::Webhook, &target).await;
    }
    let owner = browser::found(&engine.store, EMAIL).await.id;
    let receiver = hooks::start().await.unwrap();
    add_channel(&engine, owner, ChannelKind::Webhook, receiver.url()).await;
    for number in 1..=2 {
        fail(&engine, sandbox.binding.id, number).await;
    }
    let (_stop, worker) = telling(&engine);
    at_once("the colleague was not told", || receiver.calls().len() == 2).await;
    worker.abort();
    sandbox.stop().await;
}

async fn ended(sandbox: Sandbox) {
    let (engine, clock) = (impatient(sandbox.config()).await, Arc::new(Ahead::default()));
    let (slow, binding) = shop(&sandbox, &engine, &clock, "Hanging").await;
    slow.faults().change(|faults| faults.latency_ms = 600_000);
    reach(&engine, binding, 1, "synced").await;
    let (stop, worker) = telling(&engine);
    at_once("the state was not sent", || slow.sync_state().len() == 1).await;
    stop.cancel();
    tokio::time::timeout(AT_ONCE, worker).await.unwrap().unwrap();
    assert_eq!(engine.under_way.to_string(), "nothing");
    let kept = engine
        .store
        .delivery_of(sandbox.organisation, binding, EntityKind::Invoice, 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.last_error.as_deref(), Some("The shop took too long to answer."));
    assert!(kept.next_at.is_some(), "it is told again");
    sandbox.stop().await;
}

/// A mail server that takes connections and says nothing loses no alert, and a test ends in time as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_not_taken_in_time_is_sent_again() {
    let sandbox = sandbox(None).await;
    let (address, _server) = silent_server().await;
    let mut config = sandbox.config().clone();
    config.smtp.url = format!("smtp://{address}").into();
    let engine = impatient(&config).await;
    let owner = browser::found(&engine.store, EMAIL).await.id;
    add_channel(&engine, owner, ChannelKind::Email, EMAIL).await;
    let channel = engine.store.list_alert_channels(owner).await.unwrap().remove(0);
    let begun = Instant::now();
    let refusal = engine.send_test_alert(&channel).await.unwrap().unwrap_err();
    assert_eq!(refusal.to_string(), "The mail server took too long to answer.");
    fail(&engine, sandbox.binding.id, 1).await;
    assert_eq!(deliver_due(&engine).await, 1);
    assert!(begun.elapsed() < AT_ONCE);
    assert!(engine.store.next_alert_due(ChannelKind::Email, Targets::All).await.unwrap().is_some());
    sandbox.stop().await;
}

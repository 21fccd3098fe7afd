//! Several processes on one database: here each is a store of its own, with its own connections.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must say where")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::TimeDelta;
use domain::{
    environment::Environment as _,
    ids::{AttemptId, BindingId, RunId},
    run::{EventName::InvoiceCreated, RunStatus},
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use store::{
    Error, Events as _, Maintenance as _, Outcome, Requeued, Runs as _, Store as _, conformance::World,
};
use store_postgres::PostgresStore;
use support::Database;
use tokio::{sync::Barrier, time};

const BINDINGS: usize = 9;
const RUNS: i64 = 20;

/// Two stores on one database, and a world in it.
struct Processes {
    world: Arc<World>,
    stores: [Arc<PostgresStore>; 2],
    database: Database,
}

impl Processes {
    async fn start() -> Self {
        let database = Database::create().await;
        let stores = [database.store().await, database.store().await];
        let world = World::new(Arc::<PostgresStore>::clone(&stores[0])).await;
        Self { world: Arc::new(world), stores, database }
    }

    /// A connection beside the stores.
    async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.database.url()).await.unwrap()
    }

    /// Waits until a statement waits for a lock.
    async fn until_blocked(&self) {
        let mut connection = self.connection().await;
        for _ in 0..200 {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
            )
            .fetch_one(&mut connection)
            .await
            .unwrap();
            if waiting > 0 {
                return;
            }
            time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nothing waits for a lock");
    }
}

/// What the hammering workers have seen.
#[derive(Default)]
struct Seen {
    live: BTreeSet<String>,
    claims: BTreeMap<RunId, u32>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_never_share_a_run_or_a_business() {
    let processes = Processes::start().await;
    let world = &processes.world;
    let mut businesses = BTreeMap::<BindingId, String>::new();
    for number in 0..BINDINGS {
        let business = format!("hammer-{number}");
        businesses.insert(world.add_binding(&business).await, business);
    }
    for number in 0..RUNS {
        for binding in businesses.keys() {
            world.receive_of(*binding, InvoiceCreated, number).await;
        }
    }
    let (now, until) = (world.now(), world.after(TimeDelta::hours(1)));
    let businesses = Arc::new(businesses);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let start = Arc::new(Barrier::new(16));
    let mut workers = Vec::new();
    for number in 0..16 {
        let store = Arc::clone(&processes.stores[number % 2]);
        let (world, businesses, seen, start) =
            (Arc::clone(world), Arc::clone(&businesses), Arc::clone(&seen), Arc::clone(&start));
        workers.push(tokio::spawn(async move {
            start.wait().await;
            let all = BINDINGS * usize::try_from(RUNS).unwrap();
            while seen.lock().unwrap().claims.len() < all {
                let attempt = AttemptId(world.id());
                let Some(claimed) = store.claim_run(attempt, "worker", now, until).await.unwrap() else {
                    time::sleep(Duration::from_millis(1)).await;
                    continue;
                };
                let business = &businesses[&claimed.run.binding_id];
                {
                    let mut seen = seen.lock().unwrap();
                    assert!(seen.live.insert(business.clone()), "two live runs of {business}");
                    *seen.claims.entry(claimed.run.id).or_default() += 1;
                }
                tokio::task::yield_now().await;
                // Before the write: once it is committed another may hold the business.
                seen.lock().unwrap().live.remove(business);
                store.finish_run(&world.end(&claimed, Outcome::Succeeded)).await.unwrap();
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    let claims = seen.lock().unwrap();
    assert!(claims.claims.values().all(|count| *count == 1), "a run was claimed twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_claims_at_the_same_moment_one_gets_the_business() {
    let processes = Processes::start().await;
    let world = &processes.world;
    for round in 0..40 {
        world.receive(InvoiceCreated, round).await;
        world.receive(InvoiceCreated, 1_000 + round).await;
        let (now, until) = (world.now(), world.after(TimeDelta::minutes(1)));
        let start = Arc::new(Barrier::new(8));
        let mut claims = Vec::new();
        for number in 0..8 {
            let store = Arc::clone(&processes.stores[number % 2]);
            let (attempt, start) = (AttemptId(world.id()), Arc::clone(&start));
            claims.push(tokio::spawn(async move {
                start.wait().await;
                store.claim_run(attempt, "worker", now, until).await.unwrap()
            }));
        }
        let mut taken = Vec::new();
        for claim in claims {
            taken.extend(claim.await.unwrap());
        }
        assert_eq!(taken.len(), 1, "round {round}");
        world.finish(&taken.remove(0), Outcome::Succeeded).await;
        let second = world.claim().await;
        world.finish(&second, Outcome::Succeeded).await;
    }
}

/// The race itself, step by step: the look sees the business free, because the other's lease is not committed yet.
#[tokio::test]
async fn a_claim_that_looked_before_the_other_committed_gives_way() {
    let processes = Processes::start().await;
    let world = &processes.world;
    let run = world.receive(InvoiceCreated, 1).await;
    let (attempt, now, until) = (AttemptId(world.id()), world.now(), world.after(TimeDelta::minutes(1)));

    let mut other = processes.connection().await;
    let mut first = other.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO business_leases (business_id, binding_id, run_id, attempt_id, lease_until)
         VALUES ('business-1', $1, gen_random_uuid(), gen_random_uuid(), $2)",
    )
    .bind(world.binding.0)
    .bind(until)
    .execute(&mut *first)
    .await
    .unwrap();
    let store = Arc::clone(&processes.stores[1]);
    let claim = tokio::spawn(async move { store.claim_run(attempt, "second", now, until).await.unwrap() });
    processes.until_blocked().await;
    first.commit().await.unwrap();

    assert_eq!(claim.await.unwrap(), None);
    assert_eq!(world.run(run).await.status, RunStatus::Queued);
}

#[tokio::test]
async fn a_change_in_one_process_reaches_the_other() {
    let processes = Processes::start().await;
    let mut changes = processes.stores[1].changes();
    changes.borrow_and_update();
    processes.world.receive(InvoiceCreated, 1).await;
    time::timeout(Duration::from_secs(5), changes.changed()).await.unwrap().unwrap();
}

#[tokio::test]
async fn listening_goes_on_after_the_line_was_cut() {
    let processes = Processes::start().await;
    let mut changes = processes.stores[1].changes();
    let mut connection = processes.connection().await;
    let cut: i64 = sqlx::query_scalar(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(cut, 2);
    // The counter grows by itself, because something may have been missed.
    changes.borrow_and_update();
    time::timeout(Duration::from_secs(5), changes.changed()).await.unwrap().unwrap();
    let mut listening: i64 = 0;
    while listening < 2 {
        time::sleep(Duration::from_millis(50)).await;
        listening = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
    }
    time::sleep(Duration::from_millis(200)).await;
    changes.borrow_and_update();
    processes.world.receive(InvoiceCreated, 1).await;
    time::timeout(Duration::from_secs(5), changes.changed()).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_clashes_with_another_transaction_is_tried_again() {
    let processes = Processes::start().await;
    let run = processes.world.receive(InvoiceCreated, 1).await;
    // Postgres may give up either side; on a slow machine it is at times the other one, which proves nothing.
    for _ in 0..5 {
        if clash(&processes, run).await {
            return;
        }
    }
    panic!("Postgres gave up the other side five times");
}

/// Makes a run due while another transaction holds it and waits for its binding. True when the store's side was given up
/// (and then tried again).
async fn clash(processes: &Processes, run: RunId) -> bool {
    let world = &processes.world;
    let binding = world.binding;
    let mut other = processes.connection().await;
    // Whoever has waited this long first looks for a deadlock, and gives up: the store waits one second.
    sqlx::query("SET deadlock_timeout = '10s'").execute(&mut other).await.unwrap();
    let mut holder = other.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM runs WHERE id = $1 FOR UPDATE")
        .bind(run.0)
        .execute(&mut *holder)
        .await
        .unwrap();
    let (store, now) = (Arc::clone(&processes.stores[0]), world.now());
    let organisation = world.organisation;
    let requeue = tokio::spawn(async move { store.requeue_run(organisation, run, false, now).await });
    processes.until_blocked().await;
    let held = sqlx::query("UPDATE bindings SET name = 'held' WHERE id = $1")
        .bind(binding.0)
        .execute(&mut *holder)
        .await;
    let was_the_store = held.is_ok();
    if was_the_store {
        holder.commit().await.unwrap();
    } else {
        holder.rollback().await.unwrap();
    }
    assert_eq!(requeue.await.unwrap().unwrap(), Requeued::Due);
    was_the_store
}

/// The wake-up that would be lost: the settings are saved in the very moment in which the run comes to wait for them.
#[tokio::test]
async fn an_end_beside_a_save_of_the_settings_sees_it() {
    let processes = Processes::start().await;
    let world = &processes.world;
    let run = world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    let mut other = processes.connection().await;
    let mut save = other.begin().await.unwrap();
    sqlx::query("UPDATE bindings SET trusted_since = now()").execute(&mut *save).await.unwrap();
    sqlx::query(
        "INSERT INTO settings_versions (binding_id, version, settings, created_at) VALUES ($1, 1, '{}', now())",
    )
    .bind(world.binding.0)
    .execute(&mut *save)
    .await
    .unwrap();
    let code = domain::code::Code::NeedsMapping;
    let end = world.end(&claimed, Outcome::Waiting { code, message: None, waits_for_invoice: None });
    let store = Arc::clone(&processes.stores[0]);
    let ended = tokio::spawn(async move { store.finish_run(&end).await });
    processes.until_blocked().await;
    save.commit().await.unwrap();
    ended.await.unwrap().unwrap();
    assert_eq!(world.run(run).await.status, RunStatus::Queued);
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_called_unavailable() {
    let nobody = PostgresStore::connect("postgres://ledger@127.0.0.1:9/ledger").await;
    assert!(matches!(nobody, Err(Error::Unavailable(_))));

    let processes = Processes::start().await;
    let world = &processes.world;
    let run = world.receive(InvoiceCreated, 1).await;
    let mut other = processes.connection().await;
    let mut holder = other.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM runs WHERE id = $1 FOR UPDATE")
        .bind(run.0)
        .execute(&mut *holder)
        .await
        .unwrap();
    let (organisation, now) = (world.organisation, world.now());

    // A lock that is not had in time.
    let late = processes.stores[0].retry_run(organisation, run, now, None).await;
    assert!(matches!(late, Err(Error::Unavailable(_))), "{late:?}");

    // A connection that is cut while it waits.
    let store = Arc::clone(&processes.stores[0]);
    let cut = tokio::spawn(async move { store.retry_run(organisation, run, now, None).await });
    processes.until_blocked().await;
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .execute(&mut processes.connection().await)
    .await
    .unwrap();
    let cut = cut.await.unwrap();
    assert!(matches!(cut, Err(Error::Unavailable(_))), "{cut:?}");
    holder.rollback().await.unwrap();
    processes.stores[0].retry_run(organisation, run, now, None).await.unwrap();

    // A stand-by takes no writes.
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut other).await.unwrap();
    let readonly = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    sqlx::query(AssertSqlSafe(readonly)).execute(&mut other).await.unwrap();
    let standby = PostgresStore::connect(&processes.database.url()).await.unwrap();
    assert!(matches!(standby.ready().await, Err(Error::Unavailable(_))));

    standby.close().await;
    assert!(matches!(standby.ready().await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn text_that_postgres_refuses_is_kept_all_the_same() {
    let processes = Processes::start().await;
    let world = &processes.world;
    let mut event = world.event(InvoiceCreated, 1);
    event.body = "{\"payload\":{\"name\":\"a\\u0000b \u{e9}\"} }\r\n".to_owned();
    processes.stores[0].receive(&event).await.unwrap();
    let claimed = world.claim().await;
    let message = Some("Sage says a\0b".to_owned());
    let mut end = world.end(&claimed, Outcome::Failed { code: domain::code::Code::SageValidation, message });
    end.facts.customer = Some("\0Ada".to_owned());
    world.store.finish_run(&end).await.unwrap();
    let run = world.run(event.run_id).await;
    assert_eq!(run.message.as_deref(), Some("Sage says a\u{FFFD}b"));
    assert_eq!(run.facts.customer.as_deref(), Some("\u{FFFD}Ada"));
    let body: String = sqlx::query_scalar("SELECT body FROM events")
        .fetch_one(&mut processes.connection().await)
        .await
        .unwrap();
    assert_eq!(body, event.body, "byte for byte");
}

//! Processes whose machines' clocks differ, on one database.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{environment::Environment, ids::AttemptId};
use server::{
    environment::{Machine, time_of},
    lifecycle,
    sandbox::{Options, Sandbox, timing},
};
use sqlx::Connection;
use store::Claimed;
use sync::{Engine, run_until_idle};

use crate::postgres;

const LEASE: TimeDelta = TimeDelta::seconds(90);

/// A machine whose clock is off by so many seconds, and can be set.
#[derive(Default)]
struct Wrong(AtomicI64);

impl Wrong {
    fn by(seconds: i64) -> Arc<Self> {
        Arc::new(Self(seconds.into()))
    }

    fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

impl Environment for Wrong {
    fn now(&self) -> DateTime<Utc> {
        Machine.now() + TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> std::time::Duration {
        Machine.uptime()
    }

    fn random(&self, bytes: &mut [u8]) {
        Machine.random(bytes);
    }
}

/// A process on such a machine, in the time that it takes from the store.
async fn process(sandbox: &Sandbox, machine: Arc<Wrong>) -> Engine {
    let store = lifecycle::open_store(&sandbox.config().database_url).await.unwrap();
    let time = time_of(&store, machine).await.unwrap();
    lifecycle::engine_in(sandbox.config(), store, time, timing()).unwrap()
}

async fn claim(engine: &Engine) -> Option<Claimed> {
    let now = engine.environment.now();
    engine.store.claim_run(AttemptId(engine.environment.id()), "worker", now, now + LEASE).await.unwrap()
}

async fn lost_attempts(sandbox: &Sandbox) -> i64 {
    let mut connection = sqlx::PgConnection::connect(&sandbox.config().database_url).await.unwrap();
    let lost = sqlx::query_scalar("SELECT count(*) FROM attempts WHERE outcome = 'lost'");
    lost.fetch_one(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_whose_clocks_differ_leave_each_others_runs_alone() {
    let Some(database_url) = postgres::database().await else { return };
    let options = Options { worker: false, database_url: Some(database_url), ..Options::default() };
    let sandbox = Sandbox::set(options).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    let machine = Wrong::by(0);
    let right = process(&sandbox, machine.clone()).await;
    for seconds in [100, -100, 3 * 3600, -3 * 3600] {
        let wrong = process(&sandbox, Wrong::by(seconds)).await;
        for (holder, other) in [(&right, &wrong), (&wrong, &right)] {
            let held = claim(holder).await.expect("a run is due");
            assert!(claim(other).await.is_none(), "{seconds} s: it is held");
            let fence = store::Fence { run_id: held.run.id, attempt_id: held.attempt_id };
            let now = holder.environment.now();
            holder.store.extend_lease(fence, now, now + LEASE).await.unwrap();
            assert_eq!(other.store.bring_forward(other.environment.now()).await.unwrap(), 0, "{seconds} s");
            holder.store.release_run(fence, holder.environment.now()).await.unwrap();
        }
        wrong.store.close().await;
    }

    // Whoever sets the clock of a machine while its process works changes nothing either.
    let before = right.environment.now();
    machine.set(3600);
    assert!((right.environment.now() - before).abs() < TimeDelta::seconds(30));

    let ahead = process(&sandbox, Wrong::by(100)).await;
    while run_until_idle(&right).await + run_until_idle(&ahead).await > 0 {}
    tokio::join!(run_until_idle(&right), run_until_idle(&ahead));
    assert_eq!(lost_attempts(&sandbox).await, 0);
    ahead.store.close().await;
    right.store.close().await;
    sandbox.stop().await;
}

/// A SQLite file has one machine's clock, which is the process's own.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_no_other_clock_than_its_machine() {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    let machine = Wrong::by(100);
    let engine = process(&sandbox, machine.clone()).await;
    assert!(engine.environment.now() - Machine.now() > TimeDelta::seconds(90));
    assert_eq!(engine.store.clock().await.unwrap(), None);
    engine.store.close().await;
    sandbox.stop().await;
}

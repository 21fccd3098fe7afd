//! Processes whose machines' clocks differ, on one database.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{ids::AttemptId, outside::Outside};
use server::{
    lifecycle,
    outside::{Machine, time_of},
    stage::{Options, Stage, timing},
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

impl Outside for Wrong {
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
async fn process(stage: &Stage, machine: Arc<Wrong>) -> Engine {
    let store = lifecycle::open_store(&stage.config().database_url).await.unwrap();
    let time = time_of(&store, machine).await.unwrap();
    lifecycle::engine_in(stage.config(), store, time, timing()).unwrap()
}

async fn claim(engine: &Engine) -> Option<Claimed> {
    let now = engine.outside.now();
    engine.store.claim_run(AttemptId(engine.outside.id()), "worker", now, now + LEASE).await.unwrap()
}

async fn lost_attempts(stage: &Stage) -> i64 {
    let mut connection = sqlx::PgConnection::connect(&stage.config().database_url).await.unwrap();
    let lost = sqlx::query_scalar("SELECT count(*) FROM attempts WHERE outcome = 'lost'");
    lost.fetch_one(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_whose_clocks_differ_leave_each_others_runs_alone() {
    let Some(database_url) = postgres::database().await else { return };
    let options = Options { worker: false, database_url: Some(database_url), ..Options::default() };
    let stage = Stage::set(options).await.unwrap();
    stage.send_all_events().await.unwrap();
    let machine = Wrong::by(0);
    let right = process(&stage, machine.clone()).await;
    for seconds in [100, -100, 3 * 3600, -3 * 3600] {
        let wrong = process(&stage, Wrong::by(seconds)).await;
        for (holder, other) in [(&right, &wrong), (&wrong, &right)] {
            let held = claim(holder).await.expect("a run is due");
            assert!(claim(other).await.is_none(), "{seconds} s: it is held");
            let fence = store::Fence { run_id: held.run.id, attempt_id: held.attempt_id };
            let now = holder.outside.now();
            holder.store.extend_lease(fence, now, now + LEASE).await.unwrap();
            assert_eq!(other.store.bring_forward(other.outside.now()).await.unwrap(), 0, "{seconds} s");
            holder.store.release_run(fence, holder.outside.now()).await.unwrap();
        }
        wrong.store.close().await;
    }

    // Whoever sets the clock of a machine while its process works changes nothing either.
    let before = right.outside.now();
    machine.set(3600);
    assert!((right.outside.now() - before).abs() < TimeDelta::seconds(30));

    let ahead = process(&stage, Wrong::by(100)).await;
    while run_until_idle(&right).await + run_until_idle(&ahead).await > 0 {}
    tokio::join!(run_until_idle(&right), run_until_idle(&ahead));
    assert_eq!(lost_attempts(&stage).await, 0);
    ahead.store.close().await;
    right.store.close().await;
    stage.stop().await;
}

/// A SQLite file has one machine's clock, which is the process's own.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_no_other_clock_than_its_machine() {
    let stage = Stage::set(Options { worker: false, ..Options::default() }).await.unwrap();
    let machine = Wrong::by(100);
    let engine = process(&stage, machine.clone()).await;
    assert!(engine.outside.now() - Machine.now() > TimeDelta::seconds(90));
    assert_eq!(engine.store.clock().await.unwrap(), None);
    engine.store.close().await;
    stage.stop().await;
}

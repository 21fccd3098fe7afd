//! A shop with as many waiting runs as a long outage leaves behind: what people do to it, and what a claim costs beside it.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    code::Code,
    environment::Environment,
    ids::{AttemptId, BindingId},
    run::{BindingStatus, RunStatus, Side},
};
use store::{Claimed, Fence, FinishRun, Outcome, Run, RunFacts, SettingsVersion, Store};

use super::{
    history::{TIMES, TOGETHER, run, timed},
    show,
};
use crate::{
    environment::Machine,
    lifecycle::Failure,
    sandbox::{Options, Sandbox},
};

/// One run in so many waits for settings; the others are queued.
const ONE_WAITS: i64 = 10;
/// How long a claim lasts here.
const LEASE: TimeDelta = TimeDelta::minutes(10);

/// Measures on SQLite, and on the Postgres of an address where there is one.
pub async fn measure(runs: i64, postgres: Option<&str>) -> Result<(), Failure> {
    one("SQLite", runs, None).await?;
    match postgres {
        Some(url) => one("Postgres", runs, Some(url.to_owned())).await?,
        None => {
            show([("the same queue on Postgres".to_owned(), "not measured: give --postgres URL".to_owned())]);
        }
    }
    Ok(())
}

async fn one(name: &str, runs: i64, database_url: Option<String>) -> Result<(), Failure> {
    let sandbox = Sandbox::set(Options { worker: false, database_url, ..Options::default() }).await?;
    let (store, shop) = (&*sandbox.process.engine.store, sandbox.binding.id);
    let begun = Instant::now();
    fill(&sandbox, runs).await?;
    show([(
        format!("{name}: {runs} waiting runs of one shop, filled in"),
        format!("{} s", begun.elapsed().as_secs()),
    )]);
    claims(name, store).await?;
    statuses(name, store, shop).await?;
    settings(name, store, shop).await?;
    resting(name, store).await?;
    let begun = Instant::now();
    sandbox.process.engine.disconnect(&sandbox.binding, None).await?;
    show([(
        format!("{name}: the shop is disconnected, Sage's answer included"),
        format!("{} ms", begun.elapsed().as_millis()),
    )]);
    sandbox.stop().await;
    Ok(())
}

/// Every run waits: for its turn, or for settings.
async fn fill(sandbox: &Sandbox, runs: i64) -> Result<(), Failure> {
    let (shops, start) = ([sandbox.binding.id], Machine.now() - TimeDelta::days(366));
    let mut number = 0;
    while number < runs {
        let until = runs.min(number + TOGETHER);
        let filled: Vec<Run> = (number..until).map(|number| waiting(number, runs, start, &shops)).collect();
        sandbox.process.engine.store.seed_for_bench(sandbox.organisation, &filled).await?;
        number = until;
    }
    Ok(())
}

fn waiting(number: i64, of: i64, start: DateTime<Utc>, shops: &[BindingId]) -> Run {
    let (status, code) = if number % ONE_WAITS == 1 {
        (RunStatus::Waiting, Some(Code::NeedsMapping))
    } else {
        (RunStatus::Queued, None)
    };
    let run = run(number, of, start, shops);
    Run { status, code, message: None, attempts: 0, finished_at: None, started_at: None, ..run }
}

async fn claim(store: &dyn Store) -> store::Result<Option<Claimed>> {
    let now = Machine.now();
    store.claim_run(AttemptId(Machine.id()), "bench", now, now + LEASE).await
}

async fn give_back(store: &dyn Store, claimed: &Claimed) -> store::Result<()> {
    let fence = Fence { run_id: claimed.run.id, attempt_id: claimed.attempt_id };
    store.release_run(fence, Machine.now()).await
}

/// Whoever is about to take the next run.
async fn claims(name: &str, store: &dyn Store) -> Result<(), Failure> {
    let taken = timed(async || match claim(store).await? {
        Some(claimed) => give_back(store, &claimed).await,
        None => Ok(()),
    });
    show([
        (format!("{name}: a claim from that queue, and its return"), taken.await?),
        (format!("{name}: when the next run is due"), timed(async || store.next_due().await).await?),
        (
            format!("{name}: whether a clock that was ahead has put anything off"),
            timed(async || store.bring_forward(Machine.now()).await).await?,
        ),
    ]);
    Ok(())
}

/// What people and refusals do to the shop; each is one transaction.
async fn statuses(name: &str, store: &dyn Store, shop: BindingId) -> Result<(), Failure> {
    for (what, status) in [
        ("paused", BindingStatus::Paused),
        ("refused by Sage", BindingStatus::NeedsReauth),
        ("disconnected, in the store", BindingStatus::Revoked),
    ] {
        let mut times = Vec::with_capacity(TIMES);
        let mut back = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let begun = Instant::now();
            store.change_binding_status(shop, BindingStatus::Active, status, Machine.now(), None).await?;
            times.push(begun.elapsed());
            let begun = Instant::now();
            store.set_binding_status(shop, BindingStatus::Active, Machine.now(), None).await?;
            back.push(begun.elapsed());
        }
        show([
            (format!("{name}: the shop is {what}"), super::spread(&times)),
            (format!("{name}: and active again"), super::spread(&back)),
        ]);
    }
    Ok(())
}

/// Settings are saved, and what waited for them is let go on in steps.
async fn settings(name: &str, store: &dyn Store, shop: BindingId) -> Result<(), Failure> {
    let current = store.current_settings(shop).await?.ok_or("the stage has no settings")?;
    let mut times = Vec::new();
    for step in 1..=10 {
        let next = SettingsVersion {
            version: current.version + step,
            created_at: Machine.now(),
            author: None,
            reason: None,
            ..current.clone()
        };
        let begun = Instant::now();
        store.save_settings(shop, &next, None).await?;
        times.push(begun.elapsed());
    }
    let released = timed(async || store.release_held(Machine.now()).await).await?;
    show([
        (format!("{name}: its settings are saved"), super::spread(&times)),
        (format!("{name}: 200 more runs go on that waited for them"), released),
    ]);
    Ok(())
}

/// Sage does not answer: the business rests, and the queue behind it is passed over.
async fn resting(name: &str, store: &dyn Store) -> Result<(), Failure> {
    let claimed = claim(store).await?.ok_or("nothing is due")?;
    let now = Machine.now();
    let (code, until) = (Code::SageUnavailable, now + TimeDelta::hours(1));
    let finish = FinishRun {
        fence: Fence { run_id: claimed.run.id, attempt_id: claimed.attempt_id },
        now,
        outcome: Outcome::Resting { code, message: None, until, side: Some(Side::Sage), by_turns: false },
        facts: RunFacts::default(),
        xrefs: Vec::new(),
        sync_state: None,
        steps: Vec::new(),
        plan: None,
        thresholds: domain::health::Thresholds::default(),
    };
    store.finish_run(&finish).await?;
    let passed_over = timed(async || claim(store).await);
    show([
        (format!("{name}: a claim while its business rests: nothing"), passed_over.await?),
        (
            format!("{name}: when the next run is due, meanwhile"),
            timed(async || store.next_due().await).await?,
        ),
    ]);
    Ok(())
}

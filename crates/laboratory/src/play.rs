//! Plays a cell: something goes wrong, something happens next, Ledger goes on, and the books are compared with the truth.

use std::{pin::pin, time::Duration};

use chrono::TimeDelta;
use domain::{run::RunStatus, settings::SafeMode};
use simulators::sage::Kind;

use crate::{
    books::{Finding, Verdict, judge},
    cell::{Cell, Disturbance, Trace},
    database::Database,
    family::Family,
    fault::{Fate, Fault, Refusal},
    sequel::Sequel,
    world::{Process, World},
    write::Write,
};

/// Longer than a lease, and no longer than it has to be.
const LEASE_IS_OVER: TimeDelta = TimeDelta::seconds(91);
/// Longer than the client waits for Sage.
const TIMED_OUT: Duration = Duration::from_secs(61);
/// Longer than the latest commit takes.
const LATE_ENOUGH: TimeDelta = TimeDelta::minutes(15);
/// The longest that a document may rest after its cause is gone: an unanswered create's hour, and the tries around it.
const PATIENCE: TimeDelta = TimeDelta::hours(2);

/// What a cell ended as.
#[derive(Debug)]
pub struct Report {
    /// The cell.
    pub cell: Cell,
    /// The worst that was found.
    pub verdict: Verdict,
    /// Everything that was found.
    pub reasons: Vec<String>,
    /// How long it took, by the handed-in time.
    pub took: TimeDelta,
}

/// Watches a family go through undisturbed.
pub async fn watch(database: &Database, family: Family, safe_mode: SafeMode) -> Trace {
    let world = World::new(database, family.documents(), safe_mode).await;
    family.prepare(&world).await;
    world.sage_controls.delete("/_sim/requests").await.unwrap();
    tell(&world, family, Sequel::Same, 0..usize::MAX).await;
    let process = world.process(TimeDelta::zero()).await;
    world.work(&process).await;
    let points = process.gate.trace();
    let writes = Write::all(&world.sage_controls.get("/_sim/requests").await.unwrap());
    if family.needs_a_person() {
        settle_with_help(&world, &process).await;
    }
    let findings = judge(&world, family, Sequel::Same).await;
    assert!(findings.is_empty(), "{} does not go through undisturbed: {findings:?}", family.name());
    world.end(database).await;
    Trace { writes, points }
}

/// Plays a cell.
pub async fn play(cell: &Cell, database: &Database) -> Report {
    let mut world = World::new(database, cell.family.documents(), cell.sequel.safe_mode(cell.family)).await;
    cell.sequel.prepare(&world).await;
    cell.family.prepare(&world).await;
    let (skew, next_skew) = cell.clocks.skews();
    let first = world.process(skew).await;
    let took = match &cell.disturbance {
        Disturbance::Nothing { events } => between(&mut world, cell, &first, *events).await,
        Disturbance::Call { write, fault, refusal } => {
            disturbed(&mut world, cell, first, (write, fault, *refusal)).await
        }
        Disturbance::Kill { point } => {
            tell(&world, cell.family, cell.sequel, 0..usize::MAX).await;
            first.gate.stop_at(*point);
            tokio::select! {
                _ = world.work(&first) => {}
                () = first.gate.stopped() => {}
            }
            drop(first);
            world.clock.pass(LEASE_IS_OVER);
            let next = world.process(next_skew).await;
            cell.sequel.happen(&mut world, &next, cell.family, &cell.place).await;
            settle(&world, cell, &next).await
        }
        Disturbance::Zombie { point } => {
            first.gate.stop_at(*point);
            let next = world.process(next_skew).await;
            Box::pin(overtaken(&mut world, cell, &first, &next)).await
        }
        Disturbance::Held { write, is_worked } => {
            let kind = if *is_worked { Kind::HangAfter } else { Kind::HangBefore };
            world.sage.faults().add(kind, write.rule());
            let next = world.process(next_skew).await;
            Box::pin(overtaken(&mut world, cell, &first, &next)).await
        }
    };
    // What Sage commits late comes to light by then.
    world.clock.pass(LATE_ENOUGH);
    world.settle(&world.process(TimeDelta::zero()).await).await;
    let mut findings = judge(&world, cell.family, cell.sequel).await;
    // What a run says of edited sums waits for a person.
    if took > PATIENCE && cell.sequel != Sequel::SumsEdited {
        let reason = format!("it took {} minutes", took.num_minutes());
        findings.push(Finding { verdict: Verdict::Stuck, reason });
    }
    world.end(database).await;
    let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok);
    let reasons =
        findings.into_iter().map(|finding| format!("{}: {}", finding.verdict, finding.reason)).collect();
    Report { cell: cell.clone(), verdict, reasons, took }
}

/// Tells of those of a family's events.
async fn tell(world: &World, family: Family, sequel: Sequel, which: std::ops::Range<usize>) {
    for (number, (event, id)) in sequel.events(family).into_iter().enumerate() {
        if which.contains(&number) {
            world.tell(event, id).await;
        }
    }
}

/// The sequel happens between two events.
async fn between(world: &mut World, cell: &Cell, process: &Process, events: usize) -> TimeDelta {
    tell(world, cell.family, cell.sequel, 0..events).await;
    world.work(process).await;
    cell.sequel.happen(world, process, cell.family, "").await;
    tell(world, cell.family, cell.sequel, events..usize::MAX).await;
    settle(world, cell, process).await
}

/// A call to Sage goes wrong, and so may its repeat.
async fn disturbed(
    world: &mut World,
    cell: &Cell,
    first: Process,
    (write, fault, refusal): (&Write, &Fault, Option<&Refusal>),
) -> TimeDelta {
    tell(world, cell.family, cell.sequel, 0..usize::MAX).await;
    world.sage.faults().add(fault.kind, fault.at(write.rule()));
    meet(world, &first, fault.fate).await;
    let next = if fault.fate == Fate::Killed {
        drop(first);
        world.clock.pass(LEASE_IS_OVER);
        world.process(cell.clocks.skews().1).await
    } else {
        first
    };
    cell.sequel.happen(world, &next, cell.family, &cell.place).await;
    if let Some(refusal) = refusal {
        world.sage.faults().add(Kind::FailBefore, refusal.at(write.rule_of_repeat()));
    }
    let next = if cell.clocks.skews().0.is_zero() { next } else { world.process(TimeDelta::zero()).await };
    settle(world, cell, &next).await
}

/// The first process meets the fault.
async fn meet(world: &World, process: &Process, fate: Fate) {
    let mut hung = world.sage.faults().hung();
    let mut working = pin!(world.work(process));
    tokio::select! {
        _ = &mut working => return,
        _ = hung.wait_for(|hung| *hung > 0) => {}
    }
    if fate == Fate::GivesUp {
        tokio::time::pause();
        tokio::time::advance(TIMED_OUT).await;
        tokio::time::resume();
        working.await;
    }
}

/// The first process stands still, another one takes over and does what it can, and then the first one goes on.
async fn overtaken(world: &mut World, cell: &Cell, first: &Process, next: &Process) -> TimeDelta {
    tell(world, cell.family, cell.sequel, 0..usize::MAX).await;
    let mut hung = world.sage.faults().hung();
    // The engine alone is worked, so that the world can be changed while it stands still.
    world.shop_follows(first);
    let mut zombie = pin!(sync::run_until_idle(&first.engine));
    let has_ended = tokio::select! {
        _ = &mut zombie => true,
        () = first.gate.stopped() => false,
        _ = hung.wait_for(|hung| *hung > 0) => false,
    };
    world.clock.pass(LEASE_IS_OVER);
    cell.sequel.happen(world, next, cell.family, &cell.place).await;
    let mut took = if cell.disturbance.write().is_some_and(|write| write.method == "PUT") {
        // Sage keeps the update that comes last, and none is under way for longer than an hour.
        world.work(next).await;
        TimeDelta::zero()
    } else {
        settle(world, cell, next).await
    };
    if !has_ended {
        world.shop_follows(first);
        first.gate.open();
        world.sage.faults().let_go();
        zombie.await;
        took = settle(world, cell, next).await;
    }
    took
}

/// Works until nothing is left to do, with a person's help where the cell allows it.
async fn settle(world: &World, cell: &Cell, process: &Process) -> TimeDelta {
    let took = world.settle(process).await;
    if cell.may_need_a_person() {
        settle_with_help(world, process).await;
    }
    took
}

/// How often a person presses "Retry": once for each document of a family.
const HELP: usize = 3;

/// The same, with "Retry" pressed on whatever waits for it.
async fn settle_with_help(world: &World, process: &Process) {
    for _ in 0..HELP {
        let runs = world.runs().await;
        let failed: Vec<_> = runs.iter().rev().filter(|run| run.status == RunStatus::Failed).collect();
        if failed.is_empty() {
            return;
        }
        for run in failed {
            let now = process.engine.environment.now();
            world.store.retry_run(world.organisation, run.id, now, None).await.unwrap();
        }
        world.settle(process).await;
    }
}

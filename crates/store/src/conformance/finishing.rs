//! How attempts end, and what is kept of them.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    code::Code,
    environment::Environment,
    money::Currency,
    plan::Plan,
    run::{EventName::InvoiceCreated, RunStatus},
    xref::{XrefKey, XrefKind},
};

use super::world::{World, failed, fence, needs_mapping, request, retrying, skipped};
use crate::{IntentKey, NewXref, Outcome, RunFacts, Store, Targets, Xref};

fn xref(kind: XrefKind, key: &str, business: &str, sage_id: &str) -> NewXref {
    NewXref {
        key: XrefKey { kind, magento_key: key.to_owned() },
        business_id: business.to_owned(),
        sage_id: sage_id.to_owned(),
        displayed_as: Some(format!("shown {sage_id}")),
    }
}

fn facts() -> RunFacts {
    RunFacts {
        increment_id: Some("000000001".to_owned()),
        customer: Some("Zoë Müller".to_owned()),
        currency: Some("GBP".to_owned()),
        amount_minor: Some(12_345),
        tax_minor: Some(-2_058),
        sage_amount_minor: Some(i64::MAX),
        sage_tax_minor: Some(0),
        sage_id: Some("sage-1".to_owned()),
        sage_reference: Some("SI-1".to_owned()),
        email_digest: Some("0123456789abcdef".to_owned()),
        customer_id: Some(42),
        document_date: "2026-01-04".parse().ok(),
    }
}

/// Run, attempt, steps, xrefs and sync state are all there after one write.
pub async fn success_keeps_all_that_was_learnt(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    let mut end = world.end(&claimed, Outcome::Succeeded);
    end.facts = facts();
    end.xrefs = vec![xref(XrefKind::Invoice, "1", "business-1", "sage-1")];
    end.sync_state = Some(world.synced(1));
    end.steps = vec![world.step("invoice")];
    end.plan = Some(Plan::hold(Code::NeedsMapping, "no bank"));
    world.store.finish_run(&end).await.unwrap();

    let kept = world.store.plan_of(world.organisation, id).await.unwrap().unwrap();
    assert_eq!(
        (Some(kept.plan), kept.attempt_id, kept.made_at),
        (end.plan.clone(), claimed.attempt_id, end.now)
    );
    let run = world.run(id).await;
    assert_eq!((run.status, run.code, run.message), (RunStatus::Succeeded, None, None));
    assert_eq!((run.facts, run.attempts), (facts(), 1));
    assert_eq!((run.finished_at, run.updated_at), (Some(end.now), end.now));
    let attempts = world.attempts(id).await;
    assert_eq!((attempts[0].ended_at, attempts[0].outcome.as_deref()), (Some(end.now), Some("succeeded")));
    assert_eq!(attempts[0].steps, end.steps);
    let known = world.store.xrefs(world.binding, "business-1", &[end.xrefs[0].key.clone()]).await.unwrap();
    let expected = Xref {
        key: end.xrefs[0].key.clone(),
        sage_id: "sage-1".to_owned(),
        displayed_as: Some("shown sage-1".to_owned()),
        created_at: end.now,
        told: None,
    };
    assert_eq!(known, [expected]);
    let until = world.after(TimeDelta::minutes(1));
    let delivery = world.store.claim_delivery(world.now(), until, Targets::All).await.unwrap();
    assert_eq!(delivery.map(|delivery| delivery.state), end.sync_state);
}

/// Status, code and message say the same on the run and on its attempt; only an end has a time.
pub async fn every_outcome_has_its_status(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let later = world.after(TimeDelta::days(1));
    for (number, outcome, code, message) in [
        (1, Outcome::Succeeded, None, None),
        (2, skipped(), Some(Code::UnpaidInvoice), Some("open")),
        (3, failed(), Some(Code::SageValidation), Some("Sage says no")),
        (4, needs_mapping(), Some(Code::NeedsMapping), Some("no bank")),
        (5, retrying(later), Some(Code::SageUnavailable), Some("503")),
    ] {
        let status = outcome.status();
        let id = world.run_through(InvoiceCreated, number, outcome).await;
        let run = world.run(id).await;
        assert_eq!((run.status, run.code, run.message.as_deref()), (status, code, message));
        assert_eq!(run.finished_at.is_some(), status.is_terminal(), "{status}");
        let attempt = world.attempts(id).await.remove(0);
        assert_eq!((attempt.outcome.as_deref(), attempt.code), (Some(status.as_str()), code));
        assert_eq!((attempt.message.as_deref(), attempt.ended_at), (message, Some(run.updated_at)));
    }
}

/// An attempt that fails early does not forget what an earlier one has learnt.
pub async fn unknown_facts_leave_what_was_known(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    let mut end = world.end(&claimed, retrying(world.now()));
    end.facts = facts();
    world.store.finish_run(&end).await.unwrap();
    let claimed = world.claim().await;
    assert_eq!(claimed.run.facts, facts());
    let mut end = world.end(&claimed, failed());
    end.facts.customer = Some("Corrected".to_owned());
    world.store.finish_run(&end).await.unwrap();
    let expected = RunFacts { customer: Some("Corrected".to_owned()), ..facts() };
    assert_eq!(world.run(id).await.facts, expected);
}

/// The page of a run shows what was to be done by the newest attempt that came so far.
pub async fn the_newest_plan_of_a_run_is_kept(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let plan_of = async || world.store.plan_of(world.organisation, id).await.unwrap();
    assert_eq!(plan_of().await, None);
    let (held, failing) =
        (Plan::hold(Code::NeedsMapping, "no bank"), Plan::fail(Code::TotalsMismatch, "1 \u{0} 2"));
    let mut makers = Vec::new();
    for plan in [Some(&held), Some(&failing), None] {
        let claimed = world.claim().await;
        let mut end = world.end(&claimed, retrying(world.now()));
        end.plan = plan.cloned();
        world.store.finish_run(&end).await.unwrap();
        makers.push(claimed.attempt_id);
        let kept = plan_of().await.unwrap();
        assert_eq!(&kept.plan, plan.unwrap_or(&failing));
    }
    assert_eq!(plan_of().await.unwrap().attempt_id, makers[1]);
    let stranger = world.add_organisation("Second").await;
    assert_eq!(world.store.plan_of(stranger, id).await.unwrap(), None);
}

/// The trail is in the order of writing, which is that of the calls, also where the clock stood still or was set back.
pub async fn steps_are_told_in_order(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let first = world.claim().await;
    let mut steps = ["fetch", "contact", "invoice", "confirm"].map(|name| world.step(name));
    steps[0].status = None;
    steps[0].request_id = None;
    steps[0].idempotency_id = None;
    steps[0].request = None;
    steps[1].answer = None;
    steps[2].started_at = steps[1].started_at;
    steps[3].started_at = steps[0].started_at;
    let xref = XrefKey { kind: XrefKind::Invoice, magento_key: "1".to_owned() };
    let intent = IntentKey { binding_id: world.binding, business_id: "business-1".to_owned(), xref };
    world.store.open_intent(fence(&first), &intent, &request("1"), world.now()).await.unwrap();
    world.store.refuse_intent(fence(&first), &intent, &steps[..3], world.now()).await.unwrap();
    assert_eq!(world.attempts(id).await[0].steps, steps[..3]);
    let mut end = world.end(&first, retrying(world.now()));
    end.steps = vec![steps[3].clone()];
    world.store.finish_run(&end).await.unwrap();
    let second = world.claim().await;
    let mut end = world.end(&second, Outcome::Succeeded);
    end.steps = steps[2..].to_vec();
    world.store.finish_run(&end).await.unwrap();
    let attempts = world.attempts(id).await;
    assert_eq!(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(attempts[0].steps, steps);
    assert_eq!(attempts[1].steps, steps[2..]);
}

/// The newest answer holds, from its first day on; kinds, currencies, businesses and bindings are apart.
pub async fn xrefs_are_replaced_and_kept_apart(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    let (pounds, euros) = (XrefKind::Contact(Currency::GBP), XrefKind::Contact(Currency::EUR));
    let mut days = Vec::new();
    for (number, xrefs) in [
        (1, vec![xref(pounds, "7", "business-1", "c-1"), xref(euros, "7", "business-1", "c-2")]),
        (2, vec![xref(pounds, "7", "business-1", "c-3"), xref(pounds, "7", "business-9", "c-4")]),
        (
            3,
            vec![xref(XrefKind::StockItem, "7", "business-1", "s-1"), xref(pounds, "8", "business-1", "c-5")],
        ),
    ] {
        world.receive(InvoiceCreated, number).await;
        let claimed = world.claim().await;
        let mut end = world.end(&claimed, Outcome::Succeeded);
        end.xrefs = xrefs;
        days.push(end.now);
        world.store.finish_run(&end).await.unwrap();
    }
    let keys = [pounds, euros, XrefKind::Invoice].map(|kind| XrefKey { kind, magento_key: "7".to_owned() });
    let mut known = world.store.xrefs(world.binding, "business-1", &keys).await.unwrap();
    known.sort_by(|one, two| one.sage_id.cmp(&two.sage_id));
    let told =
        known.iter().map(|one| (one.key.kind, one.sage_id.as_str(), one.created_at)).collect::<Vec<_>>();
    assert_eq!(told, [(euros, "c-2", days[0]), (pounds, "c-3", days[0])]);
    assert_eq!(known[1].displayed_as.as_deref(), Some("shown c-3"));
    let elsewhere = world.store.xrefs(world.binding, "business-9", &keys).await.unwrap();
    assert_eq!(elsewhere.iter().map(|one| one.sage_id.as_str()).collect::<Vec<_>>(), ["c-4"]);
    assert!(world.store.xrefs(other, "business-1", &keys).await.unwrap().is_empty());
    assert!(world.store.xrefs(world.binding, "business-1", &[]).await.unwrap().is_empty());
}

/// Live pages hear of it, and those of other organisations do not.
pub async fn a_change_is_announced_to_its_organisation_alone(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let stranger = world.add_organisation("Second").await;
    let theirs = world.new_binding(stranger, "business-2");
    world.store.create_binding(&theirs, None).await.unwrap();
    let mut watches = [world.organisation, stranger].map(|organisation| world.store.changes_of(organisation));
    let heard = async |watch: &mut tokio::sync::watch::Receiver<u64>| {
        tokio::time::timeout(std::time::Duration::from_secs(10), watch.changed()).await.unwrap().unwrap();
    };
    for (number, binding, whose) in
        [(1, world.binding, 0), (2, theirs.id, 1), (3, world.binding, 0), (4, theirs.id, 1)]
    {
        watches.iter_mut().for_each(tokio::sync::watch::Receiver::mark_unchanged);
        let run = world.receive_of(binding, InvoiceCreated, number).await;
        heard(&mut watches[whose]).await;
        let claimed = world.claim().await;
        assert_eq!(claimed.run.id, run);
        heard(&mut watches[whose]).await;
        world.finish(&claimed, failed()).await;
        heard(&mut watches[whose]).await;
        // A line that was just opened announces to everybody what may have been missed before; later nothing is.
        assert!(number < 3 || !watches[1 - whose].has_changed().unwrap(), "{number}");
    }
}

/// Workers hear of it.
pub async fn a_change_of_a_run_is_announced(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut changes = world.store.changes();
    let mut last = *changes.borrow_and_update();
    world.receive(InvoiceCreated, 1).await;
    for act in ["receive", "claim", "finish", "retry"] {
        match act {
            "claim" => drop(world.claim().await),
            "finish" => {
                let later = world.after(TimeDelta::minutes(2));
                world.pass(TimeDelta::minutes(1));
                let heir = world.claim().await;
                changes.borrow_and_update();
                world.finish(&heir, retrying(later)).await;
            }
            "retry" => {
                let page = crate::PageRequest { limit: 1, ..crate::PageRequest::default() };
                let run = world.store.page_runs(world.organisation, &page).await.unwrap().runs.remove(0);
                world.store.retry_run(world.organisation, run.id, world.now(), None).await.unwrap();
            }
            _ => {}
        }
        changes.changed().await.unwrap();
        let now = *changes.borrow_and_update();
        assert!(now > last, "{act}");
        last = now;
    }
}

/// Every start of the server migrates; the store can then be written.
pub async fn the_schema_can_be_migrated_again(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.store.migrate().await.unwrap();
    world.store.ready().await.unwrap();
    world.store.ready().await.unwrap();
    assert_eq!(world.store.list_organisations().await.unwrap().len(), 1);
}

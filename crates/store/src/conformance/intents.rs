//! Intents: what makes a create happen once.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    contact_snapshot::ContactSnapshot,
    environment::Environment,
    ids::AttemptId,
    money::Currency,
    run::EventName::{CreditmemoCreated, InvoiceCreated},
    xref::{XrefKey, XrefKind},
};

use super::world::{World, assert_stale, fence, intent_of, request, retrying};
use crate::{
    Answer, Fence, FinishRun, Intent, IntentKey, IntentState, KnownCustomer, NewXref, Outcome, RunFacts,
    Store,
};

async fn held(world: &World) -> Fence {
    world.receive(InvoiceCreated, 1).await;
    fence(&world.claim().await)
}

fn key(world: &World, kind: XrefKind, magento_key: &str) -> IntentKey {
    let xref = XrefKey { kind, magento_key: magento_key.to_owned() };
    IntentKey { binding_id: world.binding, business_id: "business-1".to_owned(), xref }
}

fn answer() -> Answer {
    Answer {
        sage_id: "sage-1".to_owned(),
        displayed_as: Some("SI-1".to_owned()),
        total_minor: Some(12_345),
        tax_minor: Some(2_058),
    }
}

/// An intent that has just gone out.
fn sent(mark: &str, now: DateTime<Utc>) -> Intent {
    Intent {
        generation: 0,
        request: request(mark),
        first_sent_at: now,
        unanswered_at: Some(now),
        is_withdrawn: false,
        state: IntentState::Open,
    }
}

/// A movement of stock is one of its product's, whichever run has sent it.
pub async fn what_is_unanswered_is_found_by_how_its_key_begins(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (fence, now) = (held(&world).await, world.now());
    let [first, answered, another] =
        ["4:1", "4:2", "41:1"].map(|magento_key| key(&world, XrefKind::StockMovement, magento_key));
    for (key, mark) in [(&first, "1"), (&answered, "2"), (&another, "3")] {
        world.store.open_intent(fence, key, &request(mark), now).await.unwrap();
    }
    world.store.answer_intent(fence, &answered, &answer(), None, &[], now).await.unwrap();
    let found = |kind, beginning: &'static str| {
        world.store.unanswered_intents(world.binding, "business-1", kind, beginning)
    };
    assert_eq!(found(XrefKind::StockMovement, "4:").await.unwrap(), [first.xref]);
    assert_eq!(found(XrefKind::StockItem, "4:").await.unwrap(), []);
    world.store.settle_intent(fence, &another, None, &[], now).await.unwrap();
    assert_eq!(found(XrefKind::StockMovement, "41:").await.unwrap(), []);
}

/// What went out to change a record may land later, so it is known like a create.
pub async fn an_update_is_known_until_it_is_settled(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (fence, key, now) = (held(&world).await, key(&world, XrefKind::StockItem, "1"), world.now());
    assert_stale(world.store.open_update(fence, &key, "update", now).await);
    world.store.adopt_intent(fence, &key, &request("1"), &answer(), &[], now).await.unwrap();
    assert_stale(world.store.open_update(stale(fence), &key, "update", now).await);
    let sent_at = world.now();
    world.store.open_update(fence, &key, "update", sent_at).await.unwrap();
    let updated = intent_of(&world, &key).await.unwrap();
    assert_eq!((updated.unanswered_at, updated.request.body_digest.as_str()), (Some(sent_at), "update"));
    assert_eq!((updated.answer(), updated.first_sent_at), (Some(&answer()), now));
    world.store.settle_intent(fence, &key, None, &[], world.now()).await.unwrap();
    assert_eq!(intent_of(&world, &key).await.unwrap().unanswered_at, None);
    world.store.open_update(fence, &key, "another", world.now()).await.unwrap();
    world.store.answer_intent(fence, &key, &answer(), None, &[], world.now()).await.unwrap();
    assert_eq!(intent_of(&world, &key).await.unwrap().unanswered_at, None);
}

/// After a crash what was sent first is found again and may be repeated; nothing else goes out while it may still land.
pub async fn an_intent_is_opened_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (fence, key, now) = (held(&world).await, key(&world, XrefKind::Invoice, "1"), world.now());
    assert_eq!(intent_of(&world, &key).await, None);
    world.store.open_intent(fence, &key, &request("1"), now).await.unwrap();
    assert_eq!(intent_of(&world, &key).await, Some(sent("1", now)));
    world.pass(TimeDelta::seconds(1));
    assert_stale(world.store.open_intent(fence, &key, &request("2"), world.now()).await);
    assert_eq!(intent_of(&world, &key).await, Some(sent("1", now)));
    let later = world.now();
    world.store.open_intent(fence, &key, &request("1"), later).await.unwrap();
    let repeated = Intent { unanswered_at: Some(later), ..sent("1", now) };
    assert_eq!(intent_of(&world, &key).await, Some(repeated));
}

/// A request that Sage has definitely not carried out leaves what was unanswered before it; when that is nothing, another request may
/// take its place.
pub async fn a_settled_intent_may_be_opened_with_another_request(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let run = world.receive(InvoiceCreated, 1).await;
    let (fence, key, now) = (fence(&world.claim().await), key(&world, XrefKind::Invoice, "1"), world.now());
    assert_stale(world.store.settle_intent(fence, &key, None, &[], now).await);
    world.store.open_intent(fence, &key, &request("1"), now).await.unwrap();
    let steps = [world.step("invoice")];
    world.store.settle_intent(fence, &key, Some(now - TimeDelta::hours(1)), &steps, now).await.unwrap();
    assert_eq!(world.attempts(run).await[0].steps, steps);
    let earlier = Intent { unanswered_at: Some(now - TimeDelta::hours(1)), ..sent("1", now) };
    assert_eq!(intent_of(&world, &key).await, Some(earlier));
    assert_stale(world.store.open_intent(fence, &key, &request("2"), now).await);
    world.store.settle_intent(fence, &key, None, &[], now).await.unwrap();
    world.pass(TimeDelta::seconds(1));
    let later = world.now();
    world.store.open_intent(fence, &key, &request("2"), later).await.unwrap();
    assert_eq!(intent_of(&world, &key).await, Some(sent("2", later)));
}

/// What Sage has made is not made again.
pub async fn an_answered_intent_keeps_its_answer(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (fence, key, now) = (held(&world).await, key(&world, XrefKind::Invoice, "1"), world.now());
    assert_stale(world.store.answer_intent(fence, &key, &answer(), None, &[], now).await);
    assert_stale(world.store.refuse_intent(fence, &key, &[], now).await);
    world.store.open_intent(fence, &key, &request("1"), now).await.unwrap();
    world.store.answer_intent(fence, &key, &answer(), None, &[], now).await.unwrap();
    let answered = Intent { unanswered_at: None, state: IntentState::Answered(answer()), ..sent("1", now) };
    assert_eq!(intent_of(&world, &key).await, Some(answered.clone()));
    for mark in ["1", "2"] {
        assert_stale(world.store.open_intent(fence, &key, &request(mark), now).await);
    }
    assert_eq!(intent_of(&world, &key).await, Some(answered));
}

/// What another document has made or is known by is not this one's, whether its run has ended or not.
pub async fn a_record_of_another_key_is_known_as_held(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let claimed = {
        world.receive(InvoiceCreated, 1).await;
        world.claim().await
    };
    let (fence, now) = (fence(&claimed), world.now());
    let [own, answered, open, elsewhere] =
        ["1", "2", "3", "4"].map(|magento_key| key(&world, XrefKind::Invoice, magento_key));
    let elsewhere = IntentKey { business_id: "business-2".to_owned(), ..elsewhere };
    let of = |sage_id: &str| Answer { sage_id: sage_id.to_owned(), ..answer() };
    for (key, sage_id) in [(&own, "sage-own"), (&answered, "sage-answered"), (&elsewhere, "sage-elsewhere")] {
        world.store.adopt_intent(fence, key, &request(sage_id), &of(sage_id), &[], now).await.unwrap();
    }
    world.store.open_intent(fence, &open, &request("3"), now).await.unwrap();
    let known = NewXref {
        key: XrefKey { kind: XrefKind::Invoice, magento_key: "5".to_owned() },
        business_id: "business-1".to_owned(),
        sage_id: "sage-known".to_owned(),
        displayed_as: None,
    };
    let ended = world.end(&claimed, Outcome::Succeeded);
    world.store.finish_run(&FinishRun { xrefs: vec![known], ..ended }).await.unwrap();
    let asked =
        ["sage-own", "sage-answered", "sage-elsewhere", "sage-known", "sage-nobody"].map(str::to_owned);
    let held = world.store.held_by_others(&own, &asked).await.unwrap();
    assert_eq!(held.into_iter().collect::<Vec<_>>(), ["sage-answered", "sage-known"]);
    assert!(world.store.held_by_others(&own, &[]).await.unwrap().is_empty());
}

/// A memo whose answer was lost has taken its share of what was sold, whatever becomes of its run.
pub async fn a_memo_that_may_be_in_sage_counts_as_credited(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = key(&world, XrefKind::Creditmemo, "1");
    world.receive(CreditmemoCreated, 1).await;
    let claimed = world.claim().await;
    world.store.open_intent(fence(&claimed), &first, &request("1"), world.now()).await.unwrap();
    let facts = RunFacts {
        email_digest: Some("digest".to_owned()),
        customer_id: Some(7),
        currency: Some("GBP".to_owned()),
        amount_minor: Some(4_500),
        ..RunFacts::default()
    };
    let ended = world.end(&claimed, retrying(world.after(TimeDelta::hours(1))));
    world.store.finish_run(&FinishRun { facts, ..ended }).await.unwrap();
    let credited =
        async |(digest, customer_id): (&str, Option<i64>), business: &str, currency: &str, besides| {
            let customer = KnownCustomer { email_digest: Some(digest.to_owned()), customer_id };
            let posted = world.store.posted_for(world.binding, business, &customer, currency, besides).await;
            posted.unwrap().credited_minor
        };
    let same = ("digest", None);
    for (customer, besides) in
        [(same, None), (same, Some(2)), (("digest", Some(7)), None), (("changed address", Some(7)), None)]
    {
        assert_eq!(credited(customer, "business-1", "GBP", besides).await, 4_500, "{customer:?}");
    }
    assert_eq!(credited(same, "business-1", "GBP", Some(1)).await, 0, "it does not stand in its own way");
    assert_eq!(credited(same, "business-1", "EUR", None).await, 0);
    assert_eq!(credited(("another", Some(8)), "business-1", "GBP", None).await, 0);
    assert_eq!(credited(same, "business-2", "GBP", None).await, 0);
}

/// A memo of a guest's order is looked for among the invoices that were posted for the guest.
pub async fn a_customers_posted_invoices_are_found_newest_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for (invoice, digest, outcome) in [
        (1, "digest", Outcome::Succeeded),
        (2, "another", Outcome::Succeeded),
        (3, "digest", Outcome::Succeeded),
        (4, "digest", retrying(world.after(TimeDelta::hours(1)))),
    ] {
        world.receive(InvoiceCreated, invoice).await;
        let claimed = world.claim().await;
        let facts = RunFacts {
            email_digest: Some(digest.to_owned()),
            currency: Some("GBP".to_owned()),
            ..RunFacts::default()
        };
        let ended = world.end(&claimed, outcome);
        world.store.finish_run(&FinishRun { facts, ..ended }).await.unwrap();
    }
    let found = async |digest: &str, currency: &str, most| {
        let customer = KnownCustomer { email_digest: Some(digest.to_owned()), customer_id: None };
        world.store.invoices_posted_for(world.binding, &customer, currency, most).await.unwrap()
    };
    assert_eq!(found("digest", "GBP", 10).await, [3, 1]);
    assert_eq!(found("digest", "GBP", 1).await, [3]);
    assert!(found("digest", "EUR", 10).await.is_empty() && found("nobody", "GBP", 10).await.is_empty());
}

/// What was found in Sage needs no request; a stale worker adopts nothing.
pub async fn an_adopted_record_answers_its_intent(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (fence, key, now) = (held(&world).await, key(&world, XrefKind::Invoice, "1"), world.now());
    assert_stale(world.store.adopt_intent(stale(fence), &key, &request("1"), &answer(), &[], now).await);
    world.store.adopt_intent(fence, &key, &request("1"), &answer(), &[], now).await.unwrap();
    let adopted = Intent { unanswered_at: None, state: IntentState::Answered(answer()), ..sent("1", now) };
    assert_eq!(intent_of(&world, &key).await, Some(adopted));
    assert_stale(world.store.adopt_intent(fence, &key, &request("1"), &answer(), &[], now).await);
}

/// A deletion that was begun is known to who comes after, until the record is answered again or refused.
pub async fn a_withdrawn_draft_is_known_as_such(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (fence, key, now) = (held(&world).await, key(&world, XrefKind::Invoice, "1"), world.now());
    world.store.open_intent(fence, &key, &request("1"), now).await.unwrap();
    assert_stale(world.store.withdraw_intent(fence, &key, &[], now).await);
    world.store.answer_intent(fence, &key, &answer(), None, &[], now).await.unwrap();
    world.store.withdraw_intent(fence, &key, &[], now).await.unwrap();
    assert!(intent_of(&world, &key).await.unwrap().is_withdrawn);
    world.store.refuse_intent(fence, &key, &[], now).await.unwrap();
    assert!(!intent_of(&world, &key).await.unwrap().is_withdrawn);
}

/// What somebody deleted in Sage is made again under another id.
pub async fn a_forgotten_record_is_made_again(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    let (fence, key) = (fence(&claimed), key(&world, XrefKind::Contact(Currency::GBP), "7"));
    world.store.open_intent(fence, &key, &request("1"), world.now()).await.unwrap();
    world.store.answer_intent(fence, &key, &answer(), None, &[], world.now()).await.unwrap();
    let mut end = world.end(&claimed, retrying(world.now()));
    end.xrefs = vec![NewXref {
        key: key.xref.clone(),
        business_id: key.business_id.clone(),
        sage_id: "contact".to_owned(),
        displayed_as: None,
    }];
    world.store.finish_run(&end).await.unwrap();
    assert_eq!(intent_of(&world, &key).await.unwrap().request.sealed_call, None, "its run has ended");
    assert_stale(world.store.forget_record(fence, &key, &[], world.now()).await);
    let again = self::fence(&world.claim().await);
    world.store.forget_record(again, &key, &[], world.now()).await.unwrap();
    let asked = std::slice::from_ref(&key.xref);
    assert!(world.store.xrefs(world.binding, "business-1", asked).await.unwrap().is_empty());
    let intent = intent_of(&world, &key).await.unwrap();
    assert_eq!((intent.generation, intent.state), (1, IntentState::Refused));
}

/// Sealed calls are gone through in one order, and an envelope that changed meanwhile is not overwritten.
pub async fn sealed_calls_are_resealed(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let fence = held(&world).await;
    let mut keys = ["1", "2", "3"].map(|number| key(&world, XrefKind::Payment, number));
    for key in &keys {
        world.store.open_intent(fence, key, &request("1"), world.now()).await.unwrap();
    }
    world.store.refuse_intent(fence, &keys[1], &[], world.now()).await.unwrap();
    let mut found = Vec::new();
    while let Some(next) = world.store.sealed_intents(found.last(), 1).await.unwrap().pop() {
        assert_eq!(next.envelope, "sealed-1");
        world.store.reseal_intent(&next, "again").await.unwrap();
        assert_stale(world.store.reseal_intent(&next, "late").await);
        found.push(next.key);
    }
    keys.sort_by(|one, other| one.xref.cmp(&other.xref));
    assert_eq!(found, [keys[0].clone(), keys[2].clone()]);
    assert_eq!(intent_of(&world, &keys[0]).await.unwrap().request.sealed_call.as_deref(), Some("again"));
}

/// Whoever lost the business may not change anything in it.
pub async fn only_who_holds_the_run_may_write(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let fence = held(&world).await;
    world.store.may_write(fence).await.unwrap();
    assert_stale(world.store.may_write(stale(fence)).await);
}

/// A worker that is killed right after a call leaves the call in the trail; a write that is refused leaves nothing.
pub async fn calls_are_kept_with_what_came_of_them(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let run = world.receive(InvoiceCreated, 1).await;
    let (fence, key) = (fence(&world.claim().await), key(&world, XrefKind::Invoice, "1"));
    let steps = ["contact", "invoice", "delete draft", "invoice"].map(|name| world.step(name));
    let (created, taken_back, again) = (&steps[..2], &steps[2..3], &steps[3..]);
    assert_stale(world.store.answer_intent(fence, &key, &answer(), None, created, world.now()).await);
    assert_stale(world.store.refuse_intent(fence, &key, created, world.now()).await);
    assert!(world.attempts(run).await[0].steps.is_empty());
    world.store.open_intent(fence, &key, &request("1"), world.now()).await.unwrap();
    world.store.answer_intent(fence, &key, &answer(), None, created, world.now()).await.unwrap();
    assert_eq!(world.attempts(run).await[0].steps, steps[..2]);
    world.store.refuse_intent(fence, &key, taken_back, world.now()).await.unwrap();
    assert_eq!(world.attempts(run).await[0].steps, steps[..3]);
    world.store.open_intent(fence, &key, &request("2"), world.now()).await.unwrap();
    world.store.answer_intent(fence, &key, &answer(), None, again, world.now()).await.unwrap();
    world.store.answer_intent(fence, &key, &answer(), None, &[], world.now()).await.unwrap();
    assert_eq!(world.attempts(run).await[0].steps, steps);
}

/// What Magento told of a contact's customer is there as soon as the answer is, also for a worker that dies before the
/// cross-reference is kept; a later answer without it leaves it, a refusal forgets it.
pub async fn what_was_told_is_kept_with_the_answer(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    let (fence, kind) = (fence(&claimed), XrefKind::Contact(Currency::GBP));
    let keys = ["7", "8"].map(|number| key(&world, kind, number));
    let told = |print: &str| ContactSnapshot {
        fields: BTreeMap::from([("main_contact_person.email".to_owned(), print.to_owned())]),
        as_of: Some(DateTime::UNIX_EPOCH),
    };
    for key in &keys {
        world.store.open_intent(fence, key, &request("1"), world.now()).await.unwrap();
        assert_stale(
            world.store.answer_intent(stale(fence), key, &answer(), Some(&told("x")), &[], world.now()).await,
        );
    }
    world.store.answer_intent(fence, &keys[0], &answer(), Some(&told("a")), &[], world.now()).await.unwrap();
    world.store.answer_intent(fence, &keys[1], &answer(), None, &[], world.now()).await.unwrap();
    let mut end = world.end(&claimed, retrying(world.now()));
    end.xrefs = keys
        .iter()
        .map(|key| NewXref {
            key: key.xref.clone(),
            business_id: key.business_id.clone(),
            sage_id: "contact".to_owned(),
            displayed_as: None,
        })
        .collect();
    world.store.finish_run(&end).await.unwrap();
    assert_eq!(told_of(&world, &keys).await, [Some(told("a")), None]);

    let again = self::fence(&world.claim().await);
    world.store.answer_intent(again, &keys[0], &answer(), None, &[], world.now()).await.unwrap();
    assert_eq!(told_of(&world, &keys).await, [Some(told("a")), None]);
    world.store.answer_intent(again, &keys[0], &answer(), Some(&told("b")), &[], world.now()).await.unwrap();
    world.store.answer_intent(again, &keys[1], &answer(), Some(&told("c")), &[], world.now()).await.unwrap();
    world.store.refuse_intent(again, &keys[1], &[], world.now()).await.unwrap();
    assert_eq!(told_of(&world, &keys).await, [Some(told("b")), None]);
}

/// What each contact was told, in the keys' order.
async fn told_of(world: &World, keys: &[IntentKey]) -> Vec<Option<ContactSnapshot>> {
    let asked: Vec<XrefKey> = keys.iter().map(|key| key.xref.clone()).collect();
    let mut known = world.store.xrefs(world.binding, "business-1", &asked).await.unwrap();
    known.sort_by(|one, other| one.key.cmp(&other.key));
    known.into_iter().map(|xref| xref.told).collect()
}

/// The fence of an attempt that was taken over.
fn stale(fence: Fence) -> Fence {
    Fence { attempt_id: AttemptId(uuid::Uuid::nil()), ..fence }
}

/// After a refusal, or when a record was deleted, the next create is another one.
pub async fn a_refused_intent_is_opened_again(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (fence, key) = (held(&world).await, key(&world, XrefKind::Invoice, "1"));
    for generation in 0..3 {
        let (mark, now) = (generation.to_string(), world.now());
        world.store.open_intent(fence, &key, &request(&mark), now).await.unwrap();
        assert_eq!(intent_of(&world, &key).await, Some(Intent { generation, ..sent(&mark, now) }));
        if generation == 1 {
            world.store.answer_intent(fence, &key, &answer(), None, &[], world.now()).await.unwrap();
        }
        world.store.refuse_intent(fence, &key, &[], world.now()).await.unwrap();
        assert_stale(world.store.answer_intent(fence, &key, &answer(), None, &[], world.now()).await);
        let refused = intent_of(&world, &key).await.unwrap();
        assert_eq!((refused.generation, refused.state), (generation + 1, IntentState::Refused));
        assert_eq!((refused.request.sealed_call, refused.unanswered_at), (None, None));
    }
}

/// Records of another kind, business or binding have intents of their own.
pub async fn intents_are_kept_apart(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let fence = held(&world).await;
    let first = key(&world, XrefKind::Invoice, "1");
    let second = IntentKey { business_id: "business-2".to_owned(), ..first.clone() };
    let third = IntentKey { binding_id: world.add_binding("business-3").await, ..first.clone() };
    for key in
        [first, second, third, key(&world, XrefKind::Payment, "1"), key(&world, XrefKind::Invoice, "2")]
    {
        assert_eq!(intent_of(&world, &key).await, None, "{key:?}");
        world.store.open_intent(fence, &key, &request("1"), world.now()).await.unwrap();
        assert!(intent_of(&world, &key).await.is_some(), "{key:?}");
    }
}

//! Intents: what makes a create happen once.

use std::{collections::BTreeMap, sync::Arc};

use chrono::DateTime;
use domain::{
    ids::AttemptId,
    money::Currency,
    outside::Outside,
    run::EventName::InvoiceCreated,
    translate::Told,
    xref::{XrefKey, XrefKind},
};

use super::world::{World, assert_stale, fence, request, retrying};
use crate::{Answer, Fence, Intent, IntentKey, NewXref, Store};

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

/// After a crash what was sent first is found again.
pub async fn an_intent_is_opened_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (fence, key, now) = (held(&world).await, key(&world, XrefKind::Invoice, "1"), world.now());
    let opened = world.store.open_intent(fence, &key, &request("1"), now).await.unwrap();
    let expected =
        Intent { generation: 0, request: request("1"), first_sent_at: now, is_new: true, answer: None };
    assert_eq!(opened, expected);
    let again = world.store.open_intent(fence, &key, &request("2"), world.now()).await.unwrap();
    assert_eq!(again, Intent { is_new: false, ..expected });
}

/// What Sage has made is not made again.
pub async fn an_answered_intent_keeps_its_answer(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (fence, key) = (held(&world).await, key(&world, XrefKind::Invoice, "1"));
    assert_stale(world.store.answer_intent(fence, &key, &answer(), None, &[], world.now()).await);
    assert_stale(world.store.refuse_intent(fence, &key, &[], world.now()).await);
    let opened = world.store.open_intent(fence, &key, &request("1"), world.now()).await.unwrap();
    world.store.answer_intent(fence, &key, &answer(), None, &[], world.now()).await.unwrap();
    let again = world.store.open_intent(fence, &key, &request("2"), world.now()).await.unwrap();
    assert_eq!(again, Intent { is_new: false, answer: Some(answer()), ..opened });
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
    let told = |print: &str| Told {
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
async fn told_of(world: &World, keys: &[IntentKey]) -> Vec<Option<Told>> {
    let asked: Vec<XrefKey> = keys.iter().map(|key| key.xref.clone()).collect();
    let mut known = world.store.xrefs(world.binding, "business-1", &asked).await.unwrap();
    known.sort_by(|one, other| one.key.cmp(&other.key));
    known.into_iter().map(|xref| xref.told).collect()
}

/// The fence of an attempt that was taken over.
fn stale(fence: Fence) -> Fence {
    Fence { attempt_id: AttemptId(uuid::Uuid::nil()), ..fence }
}

/// After a refusal, or when a record was taken back, the next create is another one.
pub async fn a_refused_intent_is_opened_anew(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (fence, key) = (held(&world).await, key(&world, XrefKind::Invoice, "1"));
    let other = request("other");
    for generation in 0..3 {
        let (request, now) = (request(&generation.to_string()), world.now());
        let opened = world.store.open_intent(fence, &key, &request, now).await.unwrap();
        let expected = Intent { generation, request, first_sent_at: now, is_new: true, answer: None };
        assert_eq!(opened, expected);
        let again = world.store.open_intent(fence, &key, &other, world.now()).await.unwrap();
        assert_eq!(again, Intent { is_new: false, ..expected });
        if generation == 1 {
            world.store.answer_intent(fence, &key, &answer(), None, &[], world.now()).await.unwrap();
        }
        world.store.refuse_intent(fence, &key, &[], world.now()).await.unwrap();
        assert_stale(world.store.answer_intent(fence, &key, &answer(), None, &[], world.now()).await);
    }
}

/// The plan is made with the generation that each record has reached.
pub async fn generations_are_told_of_what_was_refused(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let fence = held(&world).await;
    let keys = ["1", "2", "3"].map(|number| key(&world, XrefKind::Payment, number));
    for (key, refusals) in keys.iter().zip([0, 1, 2]) {
        for _ in 0..=refusals {
            world.store.open_intent(fence, key, &request("1"), world.now()).await.unwrap();
            if refusals > 0 {
                world.store.refuse_intent(fence, key, &[], world.now()).await.unwrap();
            }
        }
    }
    let mut asked = keys.iter().map(|key| key.xref.clone()).collect::<Vec<_>>();
    asked.push(XrefKey { kind: XrefKind::Payment, magento_key: "4".to_owned() });
    let told = world.store.generations(world.binding, "business-1", &asked).await.unwrap();
    assert_eq!(told, BTreeMap::from([(asked[1].clone(), 2), (asked[2].clone(), 3)]));
    let told = world.store.generations(world.binding, "business-1", &asked[..2]).await.unwrap();
    assert_eq!(told, BTreeMap::from([(asked[1].clone(), 2)]));
    assert!(world.store.generations(world.binding, "business-2", &asked).await.unwrap().is_empty());
    let other = world.add_binding("business-1").await;
    assert!(world.store.generations(other, "business-1", &asked).await.unwrap().is_empty());
}

/// Records of another kind, business or binding have intents of their own.
pub async fn intents_are_kept_apart(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let fence = held(&world).await;
    let first = key(&world, XrefKind::Invoice, "1");
    let second = IntentKey { business_id: "business-2".to_owned(), ..first.clone() };
    let third = IntentKey { binding_id: world.add_binding("business-1").await, ..first.clone() };
    for key in
        [first, second, third, key(&world, XrefKind::Payment, "1"), key(&world, XrefKind::Invoice, "2")]
    {
        assert!(
            world.store.open_intent(fence, &key, &request("1"), world.now()).await.unwrap().is_new,
            "{key:?}"
        );
    }
}

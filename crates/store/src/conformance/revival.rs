//! A shop that is paired again, and the search for what it did meanwhile.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    code::Code,
    environment::Environment,
    ids::BindingId,
    run::{
        BackfillStage, BindingStatus, EntityKind,
        EventName::{CreditmemoCreated, InvoiceCreated, InvoicePaid},
    },
};

use super::world::{World, assert_not_found};
use crate::{Backfill, Binding, CredentialKind, Outcome, Revival, Store};

fn revival(world: &World, id: BindingId) -> Revival {
    Revival {
        id,
        name: "Again".to_owned(),
        magento_url: "https://www.shop.example".to_owned(),
        key: "new key".to_owned(),
        now: world.now(),
    }
}

async fn revive(world: &World) -> Binding {
    world.store.revive_binding(&revival(world, world.binding), None).await.unwrap();
    world.store.binding(world.binding).await.unwrap().unwrap()
}

async fn tokens(world: &World) {
    let kind = CredentialKind::SageTokens;
    world.store.put_credential(world.binding, kind, "tokens", 0, world.now(), None).await.unwrap();
}

async fn backfill(world: &World) -> Backfill {
    world.store.backfill(world.binding).await.unwrap().unwrap()
}

/// Key, name and address are new; everything else is what it was.
pub async fn a_revived_binding_goes_on_where_it_stopped(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (key, kind) = (
        async |kind| world.store.credential(world.binding, kind).await.unwrap(),
        CredentialKind::MagentoApiKey,
    );
    let old = world.store.put_credential(world.binding, kind, "old key", 0, world.now(), None).await.unwrap();
    world.save_settings(1).await;
    let before = world.store.binding(world.binding).await.unwrap().unwrap();
    world.set_status(BindingStatus::Revoked).await;
    world.store.note_shop_left(world.binding).await.unwrap();
    let waits = world.receive(InvoiceCreated, 1).await;
    let again = revive(&world).await;
    assert_eq!((again.name.as_str(), again.magento_url.as_str()), ("Again", "https://www.shop.example"));
    assert_eq!((again.status, &again.business), (BindingStatus::Pending, &before.business));
    assert_eq!((again.trusted_since, again.created_at), (before.trusted_since, before.created_at));
    let sealed = key(kind).await.unwrap();
    assert_eq!((sealed.envelope.as_str(), sealed.version), ("new key", old + 1));
    assert_eq!(world.store.refusal(world.binding).await.unwrap(), None, "the shop is back");
    assert_eq!(world.store.current_settings(world.binding).await.unwrap().unwrap().version, 1);
    world.set_status(BindingStatus::Active).await;
    assert_eq!(world.claim().await.run.id, waits);
    assert_not_found(world.store.revive_binding(&revival(&world, BindingId(world.id())), None).await);
}

/// Who refused, and whether Sage is still connected, decide what is left to be done.
pub async fn each_status_is_revived_in_its_own_way(store: Arc<dyn Store>) {
    use BindingStatus::{Active, NeedsReauth, Paused, Pending, Revoked};
    let world = World::new(store).await;
    tokens(&world).await;
    for (before, refusal, after) in [
        (Active, None, Active),
        (NeedsReauth, Some(Code::MagentoAuth), Active),
        (NeedsReauth, Some(Code::SageAuth), NeedsReauth),
        (Paused, None, Paused),
        (Pending, None, Pending),
        (Revoked, None, Pending),
    ] {
        world.set_status(Active).await;
        if let Some(code) = refusal {
            world.store.note_refusal(world.binding, code).await.unwrap();
        }
        world.set_status(before).await;
        assert_eq!(revive(&world).await.status, after, "{before} {refusal:?}");
        let left = refusal.filter(|code| *code == Code::SageAuth);
        assert_eq!(world.store.refusal(world.binding).await.unwrap(), left, "{before}");
    }
    world.set_status(Active).await;
    world.store.delete_credential(world.binding, CredentialKind::SageTokens).await.unwrap();
    assert_eq!(revive(&world).await.status, Pending, "Sage is missing");
}

/// Another shop may have been connected to the business meanwhile.
pub async fn a_revived_binding_lets_a_taken_business_go(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.set_status(BindingStatus::Revoked).await;
    world.add_binding("business-1").await;
    let again = revive(&world).await;
    assert_eq!((again.status, again.business), (BindingStatus::Pending, None));
}

/// Nothing is looked for twice, and where nothing is known the day of the first pairing says where to begin.
pub async fn a_backfill_begins_behind_what_is_known(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert_eq!(world.store.backfill(world.binding).await.unwrap(), None);
    world.receive(InvoiceCreated, 7).await;
    world.receive(InvoicePaid, 9).await;
    let binding = revive(&world).await;
    let begun = backfill(&world).await;
    assert_eq!(
        (begun.stage, begun.next_invoice, begun.next_creditmemo),
        (BackfillStage::Invoices, Some(10), None)
    );
    assert_eq!((begun.made_since, begun.next_at, begun.ended_at), (binding.created_at, begun.begun_at, None));
    let highest = async |entity, before| world.store.highest_id(world.binding, entity, before).await.unwrap();
    assert_eq!(highest(EntityKind::Invoice, begun.begun_at).await, Some(9));
    assert_eq!(highest(EntityKind::Creditmemo, begun.begun_at).await, None);
    assert_eq!(highest(EntityKind::Invoice, binding.created_at).await, None, "none had come by then");
    let kept = Backfill {
        stage: BackfillStage::Payments,
        next_invoice: Some(12),
        next_creditmemo: Some(3),
        below_invoice: Some(5),
        misses: 1,
        looked_at: 2,
        found: 3,
        queued: 4,
        code: Some(Code::MagentoUnreachable),
        next_at: world.now(),
        ended_at: Some(world.now()),
        ..begun
    };
    assert!(world.store.save_backfill(&kept).await.unwrap());
    assert_eq!(backfill(&world).await, kept);
    world.receive(CreditmemoCreated, 20).await;
    revive(&world).await;
    let again = backfill(&world).await;
    assert_eq!((again.next_invoice, again.next_creditmemo, again.found), (Some(10), Some(21), 0));
    assert_eq!((again.below_invoice, again.code, again.ended_at), (None, None, None));
    assert!(!world.store.save_backfill(&kept).await.unwrap(), "it is another one by now");
    assert_eq!(backfill(&world).await, again);
}

/// A shop that comes and goes while the search is under way loses no gap.
pub async fn a_backfill_that_had_not_ended_is_not_forgotten(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.receive(InvoiceCreated, 7).await;
    world.receive(CreditmemoCreated, 3).await;
    revive(&world).await;
    let part = Backfill { next_invoice: Some(9), found: 1, queued: 1, ..backfill(&world).await };
    assert!(world.store.save_backfill(&part).await.unwrap());
    // What came live lies behind the gap.
    world.receive(InvoiceCreated, 50).await;
    world.receive(CreditmemoCreated, 30).await;
    revive(&world).await;
    let again = backfill(&world).await;
    assert_eq!((again.next_invoice, again.next_creditmemo, again.found), (Some(9), Some(4), 1));
    // Where the first one is still to be found, it stays to be found.
    let unknown = Backfill { next_invoice: None, ..again };
    assert!(world.store.save_backfill(&unknown).await.unwrap());
    revive(&world).await;
    assert_eq!(backfill(&world).await.next_invoice, None);
}

/// An invoice whose payment is known, or that has never been heard of, is none of them.
pub async fn open_invoices_are_told_newest_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for id in [1, 2, 3, 4] {
        world.run_through(InvoiceCreated, id, Outcome::Succeeded).await;
    }
    world.receive(InvoicePaid, 3).await;
    world.receive(InvoicePaid, 9).await;
    let other = world.add_binding("business-2").await;
    world.receive_of(other, InvoiceCreated, 5).await;
    let open = async |below, limit| world.store.open_invoices(world.binding, below, limit).await.unwrap();
    assert_eq!(open(None, 9).await, [4, 2, 1]);
    assert_eq!(open(Some(4), 1).await, [2]);
    let queued = async |most| world.store.count_queued_runs(world.binding, most).await.unwrap();
    assert_eq!((queued(9).await, queued(1).await), (2, 1));
}

/// The shop of a binding that does not work is left in peace.
pub async fn a_backfill_is_due_while_its_binding_works(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    tokens(&world).await;
    revive(&world).await;
    let due = async || world.store.due_backfills(world.now()).await.unwrap().len();
    assert_eq!(due().await, 1);
    world.set_status(BindingStatus::Paused).await;
    assert_eq!(due().await, 0);
    world.set_status(BindingStatus::Active).await;
    let begun = backfill(&world).await;
    let later = Backfill { next_at: world.after(TimeDelta::hours(1)), ..begun.clone() };
    world.store.save_backfill(&later).await.unwrap();
    assert_eq!(due().await, 0);
    let over = Backfill { ended_at: Some(world.now()), ..begun };
    world.store.save_backfill(&over).await.unwrap();
    assert_eq!(due().await, 0);
}

/// A search never rests for hours: who wrote that was ahead.
pub async fn a_search_that_a_clock_put_off_goes_on(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.set_status(BindingStatus::Revoked).await;
    revive(&world).await;
    world.set_status(BindingStatus::Active).await;
    let due = async || world.store.due_backfills(world.now()).await.unwrap().len();
    for (rest, brought) in [(TimeDelta::minutes(1), 0), (TimeDelta::hours(3), 1)] {
        let resting = Backfill { next_at: world.after(rest), ..backfill(&world).await };
        world.store.save_backfill(&resting).await.unwrap();
        assert_eq!(due().await, 0);
        assert_eq!(world.store.bring_forward(world.now()).await.unwrap(), brought);
    }
    assert_eq!(due().await, 1);
}

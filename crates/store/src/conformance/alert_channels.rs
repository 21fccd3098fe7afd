//! Channels, and the messages that go out by them.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    alert::{AlertKind, AlertMode, ChannelKind},
    environment::Environment,
    ids::{AlertChannelId, BindingId, MemberId},
    run::{BindingStatus, EventName::InvoiceCreated, Role},
};

use super::{
    alerts::fail,
    people::{add_member, new_member},
    world::{World, assert_not_found, assert_stale, failed},
};
use crate::{
    AlertChannel, AlertDelivery, AlertProof, AlertWants, Failed, ORGANISATIONS_SHARE, Store, Targets,
};

/// A webhook that wants everything at once, not kept yet.
pub(super) fn new_channel(world: &World, member_id: MemberId) -> AlertChannel {
    let now = world.now();
    AlertChannel {
        id: AlertChannelId(world.id()),
        member_id,
        kind: ChannelKind::Webhook,
        target: "https://receiver.example/hook".to_owned(),
        envelope: Some("sealed".to_owned()),
        version: 1,
        wants: AlertWants { kinds: AlertKind::ALL.to_vec(), bindings: None, mode: AlertMode::AtOnce },
        created_at: now,
        confirmed_at: Some(now),
        last_ok_at: None,
        last_error: None,
        disabled_at: None,
    }
}

pub(super) async fn keep(world: &World, channel: AlertChannel) -> AlertChannel {
    world.store.create_alert_channel(&channel, None, None).await.unwrap();
    channel
}

async fn with_channel(store: Arc<dyn Store>, mode: AlertMode) -> (World, AlertChannel) {
    let world = World::new(store).await;
    let member = add_member(&world, "ada@shop.example", Role::Owner).await.id;
    let mut channel = new_channel(&world, member);
    channel.wants.mode = mode;
    let channel = keep(&world, channel).await;
    (world, channel)
}

async fn claim_at(world: &World, now: DateTime<Utc>) -> Option<AlertDelivery> {
    let until = now + TimeDelta::minutes(1);
    world.store.claim_alert_delivery(ChannelKind::Webhook, now, until, Targets::All).await.unwrap()
}

async fn next_due(world: &World) -> Option<DateTime<Utc>> {
    world.store.next_alert_due(ChannelKind::Webhook, Targets::All).await.unwrap()
}

async fn give_back(world: &World, delivery: &AlertDelivery, error: &str, next_at: Option<DateTime<Utc>>) {
    let refused = Failed { error, next_at, rests_until: None, may_arrive: false };
    world.store.alert_delivery_failed(delivery, refused).await.unwrap();
}

async fn claim(world: &World) -> Option<AlertDelivery> {
    claim_at(world, world.now()).await
}

fn kinds(delivery: &AlertDelivery) -> Vec<AlertKind> {
    delivery.alerts.iter().map(|alert| alert.kind).collect()
}

/// Everything is kept as it was written, and only for its member.
pub async fn a_channel_is_its_members_alone(store: Arc<dyn Store>) {
    let (world, channel) = with_channel(store, AlertMode::DigestDaily).await;
    let bob = add_member(&world, "bob@shop.example", Role::Owner).await.id;
    assert_eq!(
        world.store.list_alert_channels(channel.member_id).await.unwrap(),
        std::slice::from_ref(&channel)
    );
    assert_eq!(world.store.alert_channel(channel.id).await.unwrap(), Some(channel.clone()));
    assert!(world.store.list_alert_channels(bob).await.unwrap().is_empty());
    let wants = AlertWants {
        kinds: vec![AlertKind::BindingPaused, AlertKind::BindingRecovered],
        bindings: Some(vec![world.binding]),
        mode: AlertMode::AtOnce,
    };
    assert_not_found(world.store.change_alert_channel(bob, channel.id, &wants, None).await);
    world.store.remove_alert_channel(bob, channel.id, None).await.unwrap();
    world.store.change_alert_channel(channel.member_id, channel.id, &wants, None).await.unwrap();
    let kept = world.store.list_alert_channels(channel.member_id).await.unwrap();
    assert_eq!(kept, [AlertChannel { wants, ..channel.clone() }]);
    world.store.remove_alert_channel(channel.member_id, channel.id, None).await.unwrap();
    assert!(world.store.list_alert_channels(channel.member_id).await.unwrap().is_empty());
    let nobodys = new_channel(&world, MemberId(world.id()));
    assert_not_found(world.store.create_alert_channel(&nobodys, None, None).await);
}

/// What is not proved to be its member's gets nothing; the code is good once and for a while.
pub async fn a_channel_is_used_once_it_is_confirmed(store: Arc<dyn Store>) {
    let (world, webhook) = with_channel(store, AlertMode::AtOnce).await;
    world.store.remove_alert_channel(webhook.member_id, webhook.id, None).await.unwrap();
    let proof = AlertProof { code_hash: "right".to_owned(), until: world.after(TimeDelta::hours(1)) };
    let new = AlertChannel {
        kind: ChannelKind::Email,
        target: "ops@shop.example".to_owned(),
        envelope: None,
        confirmed_at: None,
        ..new_channel(&world, webhook.member_id)
    };
    world.store.create_alert_channel(&new, Some(&proof), None).await.unwrap();
    fail(&world, 1, 1).await;
    assert_eq!(world.store.next_alert_due(ChannelKind::Email, Targets::All).await.unwrap(), None);
    let confirm = |member, code, now| world.store.confirm_alert_channel(member, new.id, code, now, None);
    let now = world.now();
    assert!(!confirm(new.member_id, "wrong", now).await.unwrap());
    assert!(!confirm(MemberId(world.id()), "right", now).await.unwrap());
    assert!(!confirm(new.member_id, "right", proof.until).await.unwrap());
    assert!(confirm(new.member_id, "right", now).await.unwrap());
    assert!(!confirm(new.member_id, "right", now).await.unwrap());
    assert_eq!(world.store.alert_channel(new.id).await.unwrap().unwrap().confirmed_at, Some(now));
    fail(&world, 2, 1).await;
    let (now, until) = (world.now(), world.after(TimeDelta::minutes(1)));
    let delivery =
        world.store.claim_alert_delivery(ChannelKind::Email, now, until, Targets::All).await.unwrap();
    assert_eq!(delivery.map(|delivery| delivery.channel.id), Some(new.id));
}

/// A channel is told what it wants of the shops that it wants, and of its own organisation alone.
pub async fn a_channel_is_told_what_it_wants(store: Arc<dyn Store>) {
    let (world, all) = with_channel(store, AlertMode::AtOnce).await;
    let elsewhere = world.add_organisation("Second").await;
    let stranger = new_member(&world, elsewhere, "eve@other.example", Role::Owner);
    world.store.create_member(&stranger, None).await.unwrap();
    keep(&world, new_channel(&world, stranger.member.id)).await;
    let mut few = new_channel(&world, all.member_id);
    few.wants.kinds = vec![AlertKind::BindingDisconnected];
    few.wants.bindings = Some(vec![world.binding]);
    let few = keep(&world, few).await;
    let mut others = new_channel(&world, all.member_id);
    others.wants.bindings = Some(vec![BindingId(world.id())]);
    keep(&world, others).await;

    fail(&world, 1, 1).await;
    world.set_status(BindingStatus::NeedsReauth).await;
    let mut told = Vec::new();
    while let Some(delivery) = claim(&world).await {
        assert_eq!(delivery.id, delivery.alerts[0].id);
        told.push((delivery.channel.id, kinds(&delivery)));
        world.store.alert_delivery_arrived(&delivery, world.now()).await.unwrap();
    }
    told.sort();
    let mut expected = [
        (all.id, vec![AlertKind::DocumentFailed]),
        (all.id, vec![AlertKind::BindingDisconnected]),
        (few.id, vec![AlertKind::BindingDisconnected]),
    ];
    expected.sort();
    assert_eq!(told, expected);
}

/// All of an hour is one message; what happens while it is on its way is in the next one.
pub async fn a_digest_holds_all_of_its_hour(store: Arc<dyn Store>) {
    let (world, channel) = with_channel(store, AlertMode::DigestHourly).await;
    fail(&world, 1, 5).await;
    let now = world.now();
    let slot = AlertMode::DigestHourly.slot(now);
    assert_eq!(claim(&world).await, None);
    assert_eq!(next_due(&world).await, Some(slot));
    world.pass(slot - now);
    let delivery = claim(&world).await.unwrap();
    assert_eq!((delivery.channel.id, delivery.slot, delivery.attempts), (channel.id, slot, 1));
    let documents = [AlertKind::DocumentFailed; 4].into_iter();
    assert_eq!(kinds(&delivery), documents.chain([AlertKind::BindingTroubled]).collect::<Vec<_>>());
    fail(&world, 6, 15).await;
    assert_eq!(claim(&world).await, None);
    world.store.alert_delivery_arrived(&delivery, world.now()).await.unwrap();
    let next = slot + TimeDelta::hours(1);
    assert_eq!(next_due(&world).await, Some(next));
    assert_eq!(kinds(&claim_at(&world, next).await.unwrap()), [AlertKind::BindingFailing]);
}

/// A worker that died is followed by another with the same delivery; a late word of the first changes nothing.
pub async fn a_delivery_of_alerts_keeps_its_name_and_content_over_its_tries(store: Arc<dyn Store>) {
    let (world, _) = with_channel(store, AlertMode::DigestHourly).await;
    fail(&world, 1, 2).await;
    let slot = next_due(&world).await.unwrap();
    let first = claim_at(&world, slot).await.unwrap();
    assert_eq!(claim_at(&world, slot + TimeDelta::seconds(59)).await, None);
    assert_eq!(next_due(&world).await, Some(slot + TimeDelta::minutes(1)));
    let second = claim_at(&world, slot + TimeDelta::minutes(1)).await.unwrap();
    assert_eq!((second.id, &second.alerts, second.attempts), (first.id, &first.alerts, 2));
    let never = world.after(TimeDelta::days(9));
    give_back(&world, &first, "late", Some(never)).await;
    let due = slot + TimeDelta::minutes(5);
    give_back(&world, &second, "The receiver answered 500.", Some(due)).await;
    assert_eq!(next_due(&world).await, Some(due));
    let kept = world.store.alert_channel(first.channel.id).await.unwrap().unwrap();
    assert_eq!(kept.last_error.as_deref(), Some("The receiver answered 500."));
    let third = claim_at(&world, due).await.unwrap();
    assert_eq!((third.id, third.attempts), (first.id, 3));
    let arrived = world.now();
    world.store.alert_delivery_arrived(&third, arrived).await.unwrap();
    give_back(&world, &third, "late", Some(due)).await;
    assert_eq!(next_due(&world).await, None);
    let kept = world.store.alert_channel(first.channel.id).await.unwrap().unwrap();
    assert_eq!((kept.last_ok_at, kept.last_error), (Some(arrived), None));
}

/// At the end of its schedule a delivery is given up, and the next one goes out all the same.
pub async fn a_delivery_of_alerts_is_given_up(store: Arc<dyn Store>) {
    let (world, channel) = with_channel(store, AlertMode::AtOnce).await;
    fail(&world, 1, 2).await;
    let first = claim(&world).await.unwrap();
    give_back(&world, &first, "no", None).await;
    let second = claim(&world).await.unwrap();
    assert_ne!(second.id, first.id);
    world.store.alert_delivery_arrived(&second, world.now()).await.unwrap();
    assert_eq!(next_due(&world).await, None);
    let now = world.now();
    world.store.note_alert_channel(channel.id, Some("not there"), now).await.unwrap();
    let kept = world.store.alert_channel(channel.id).await.unwrap().unwrap();
    assert_eq!(kept.last_error.as_deref(), Some("not there"));
}

/// A receiver that is gone gets nothing more, until its member switches it on again.
pub async fn a_channel_that_is_gone_is_told_nothing(store: Arc<dyn Store>) {
    let (world, channel) = with_channel(store, AlertMode::AtOnce).await;
    fail(&world, 1, 2).await;
    let now = world.now();
    world
        .store
        .disable_alert_channel(channel.id, "The receiver answered 410: it is gone.", now)
        .await
        .unwrap();
    fail(&world, 3, 1).await;
    assert_eq!(claim(&world).await, None);
    assert_eq!(next_due(&world).await, None);
    assert_eq!(world.store.alert_channel(channel.id).await.unwrap().unwrap().disabled_at, Some(now));
    world.store.change_alert_channel(channel.member_id, channel.id, &channel.wants, None).await.unwrap();
    assert_eq!(claim(&world).await, None, "what was missed stays missed");
    fail(&world, 4, 1).await;
    assert!(claim(&world).await.is_some());
}

/// Who is removed is told nothing more, not even what was on its way.
pub async fn a_removed_member_is_told_nothing(store: Arc<dyn Store>) {
    let (world, channel) = with_channel(store, AlertMode::AtOnce).await;
    let boss = add_member(&world, "boss@shop.example", Role::Owner).await;
    fail(&world, 1, 1).await;
    world.store.remove_member(world.organisation, channel.member_id, world.now(), None).await.unwrap();
    fail(&world, 2, 1).await;
    assert_eq!(claim(&world).await, None);
    assert_eq!(world.store.alert_channel(channel.id).await.unwrap(), None);
    assert!(world.store.list_alert_channels(boss.id).await.unwrap().is_empty());
}

/// Secrets are written in place of the version that was read.
pub async fn a_channels_secret_is_sealed_again(store: Arc<dyn Store>) {
    let (world, first) = with_channel(store, AlertMode::AtOnce).await;
    let second = keep(&world, new_channel(&world, first.member_id)).await;
    let mail =
        AlertChannel { kind: ChannelKind::Email, envelope: None, ..new_channel(&world, first.member_id) };
    keep(&world, mail).await;
    let page = world.store.sealed_alert_channels(None, 1).await.unwrap();
    assert_eq!(page, std::slice::from_ref(&first));
    assert_eq!(world.store.sealed_alert_channels(Some(first.id), 10).await.unwrap(), [second]);
    world.store.put_alert_secret(first.id, "again", 1, None).await.unwrap();
    assert_stale(world.store.put_alert_secret(first.id, "late", 1, None).await);
    let kept = world.store.alert_channel(first.id).await.unwrap().unwrap();
    assert_eq!((kept.envelope.as_deref(), kept.version), (Some("again"), 2));
}

/// A member is told one message at a time, so that ten silent webhooks take up the room of one; a colleague is told beside it.
pub async fn a_member_is_told_one_message_at_a_time(store: Arc<dyn Store>) {
    let (world, silent) = with_channel(store, AlertMode::AtOnce).await;
    for _ in 0..9 {
        keep(&world, new_channel(&world, silent.member_id)).await;
    }
    let colleague = add_member(&world, "bob@shop.example", Role::Owner).await.id;
    let other = keep(&world, new_channel(&world, colleague)).await;
    fail(&world, 1, 2).await;
    let held = claim(&world).await.unwrap();
    assert_eq!(held.channel.member_id, silent.member_id);
    for _ in 0..2 {
        let delivery = claim(&world).await.unwrap();
        assert_eq!(delivery.channel.id, other.id);
        world.store.alert_delivery_arrived(&delivery, world.now()).await.unwrap();
    }
    assert_eq!(claim(&world).await, None);
    assert!(next_due(&world).await.unwrap() > world.now(), "until its lease ends");
    give_back(&world, &held, "no answer", Some(world.now())).await;
    assert_ne!(claim(&world).await.unwrap().channel.id, held.channel.id, "those that work come first");
}

/// Who did not answer is left alone with all that it is to be told, until it answers or its member changes it.
pub async fn a_channel_that_rests_is_passed_over(store: Arc<dyn Store>) {
    let (world, channel) = with_channel(store, AlertMode::AtOnce).await;
    fail(&world, 1, 2).await;
    let rest = async |until| {
        let first = claim(&world).await.unwrap();
        let next_at = Some(world.now());
        let silent = Failed { error: "no answer", next_at, rests_until: Some(until), may_arrive: false };
        world.store.alert_delivery_failed(&first, silent).await.unwrap();
    };
    let until = world.after(TimeDelta::hours(1));
    rest(until).await;
    assert_eq!((claim(&world).await, next_due(&world).await), (None, Some(until)));
    let (kind, targets) = (ChannelKind::Webhook, Targets::Answering);
    assert_eq!(world.store.claim_alert_delivery(kind, until, until, targets).await.unwrap(), None);
    assert_eq!(world.store.next_alert_due(kind, targets).await.unwrap(), None);
    let delivery = claim_at(&world, until).await.unwrap();
    assert_eq!((delivery.attempts, delivery.rests), (1, 1), "the one that was not tried yet");
    world.store.alert_delivery_arrived(&delivery, world.now()).await.unwrap();
    rest(until).await;
    world.store.change_alert_channel(channel.member_id, channel.id, &channel.wants, None).await.unwrap();
    rest(until).await;
    world.store.note_alert_channel(channel.id, None, world.now()).await.unwrap();
    assert_eq!(claim(&world).await.unwrap().rests, 0, "a test has arrived");
}

/// Silent receivers of one organisation take up a share of the room, and its backlog delays another one by a single message.
pub async fn organisations_are_told_in_turn(store: Arc<dyn Store>) {
    let (world, first) = with_channel(store, AlertMode::AtOnce).await;
    for number in 0..6 {
        let member = add_member(&world, &format!("m{number}@shop.example"), Role::Viewer).await.id;
        keep(&world, new_channel(&world, member)).await;
    }
    let elsewhere = world.add_organisation("Second").await;
    let stranger = new_member(&world, elsewhere, "eve@other.example", Role::Owner);
    world.store.create_member(&stranger, None).await.unwrap();
    let other = keep(&world, new_channel(&world, stranger.member.id)).await;
    let shop = world.new_binding(elsewhere, "business-2");
    world.store.create_binding(&shop, None).await.unwrap();
    fail(&world, 1, 2).await;
    let run = world.receive_of(shop.id, InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    assert_eq!(claimed.run.id, run);
    world.finish(&claimed, failed()).await;
    let mut told = Vec::new();
    while let Some(delivery) = claim(&world).await {
        told.push(delivery.channel.id);
    }
    assert_eq!(told.len(), usize::try_from(ORGANISATIONS_SHARE).unwrap() + 1);
    assert!(told[..2].contains(&other.id) && told.iter().filter(|id| **id == first.id).count() <= 1);
}

/// Workers at once take each message once.
pub async fn workers_at_once_never_share_a_delivery_of_alerts(store: Arc<dyn Store>) {
    let (world, channel) = with_channel(store, AlertMode::DigestHourly).await;
    let at_once = keep(&world, new_channel(&world, channel.member_id)).await;
    fail(&world, 1, 4).await;
    let slot = AlertMode::DigestHourly.slot(world.now());
    let (kind, until) = (ChannelKind::Webhook, slot + TimeDelta::minutes(1));
    let claims = std::iter::repeat_with(|| {
        let store = Arc::clone(&world.store);
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while store.next_alert_due(kind, Targets::All).await.unwrap().is_some() {
                let Some(delivery) =
                    store.claim_alert_delivery(kind, slot, until, Targets::All).await.unwrap()
                else {
                    tokio::task::yield_now().await;
                    continue;
                };
                taken.push((delivery.channel.id, delivery.alerts.len()));
                store.alert_delivery_arrived(&delivery, slot).await.unwrap();
            }
            taken
        })
    });
    let mut taken = Vec::new();
    for claim in claims.take(6).collect::<Vec<_>>() {
        taken.extend(claim.await.unwrap());
    }
    taken.sort();
    let mut expected = vec![(at_once.id, 1); 4];
    expected.push((channel.id, 4));
    expected.sort();
    assert_eq!(taken, expected);
}

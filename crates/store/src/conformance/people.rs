//! Organisations, members and sessions.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    ids::{MemberId, OrganisationId},
    outside::Outside,
    run::Role,
};

use super::world::{World, assert_conflict, assert_not_found};
use crate::{Member, NewMember, Session, Store};

fn new_member(world: &World, organisation_id: OrganisationId, email: &str, role: Role) -> NewMember {
    let member = Member {
        id: MemberId(world.id()),
        organisation_id,
        email: email.to_owned(),
        name: "Ada Example".to_owned(),
        role,
        created_at: world.now(),
    };
    NewMember { member, password_hash: "$argon2id$v=19$hash".to_owned() }
}

async fn signed_in(world: &World, token_hash: &str, minutes: i64) -> (Member, Session) {
    let email = format!("{token_hash}@shop.example");
    let new = new_member(world, world.organisation, &email, Role::Operator);
    world.store.create_member(&new).await.unwrap();
    let now = world.now();
    let session = Session {
        token_hash: token_hash.to_owned(),
        member_id: new.member.id,
        created_at: now,
        expires_at: now + TimeDelta::minutes(minutes),
    };
    world.store.create_session(&session).await.unwrap();
    (new.member, session)
}

/// Organisations come in the order in which they were made.
pub async fn organisations_are_listed_oldest_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let second = world.add_organisation("Second").await;
    let third = world.add_organisation("A third").await;
    let listed = world.store.list_organisations().await.unwrap();
    assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), [world.organisation, second, third]);
    assert_eq!(listed[2].name, "A third");
    assert_conflict(world.store.create_organisation(&listed[1]).await);
}

/// Sign-in does not depend on how the address is typed.
pub async fn a_member_is_found_by_address_in_any_case(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for role in Role::ALL {
        let new = new_member(&world, world.organisation, &format!("{role}@shop.example"), *role);
        world.store.create_member(&new).await.unwrap();
        let found = world.store.member_by_email(&format!("{role}@Shop.EXAMPLE")).await.unwrap().unwrap();
        assert_eq!((found.member, found.password_hash), (new.member, new.password_hash));
    }
    assert!(world.store.member_by_email("nobody@shop.example").await.unwrap().is_none());
}

/// An address belongs to one member over all organisations.
pub async fn a_taken_address_is_refused(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_organisation("Second").await;
    let first = new_member(&world, world.organisation, "ada@shop.example", Role::Owner);
    world.store.create_member(&first).await.unwrap();
    assert_conflict(
        world.store.create_member(&new_member(&world, other, "ada@shop.example", Role::Viewer)).await,
    );
    let nowhere = OrganisationId(world.id());
    assert_not_found(
        world.store.create_member(&new_member(&world, nowhere, "bob@shop.example", Role::Viewer)).await,
    );
    let kept = world.store.member_by_email("ada@shop.example").await.unwrap().unwrap();
    assert_eq!(kept.member, first.member);
}

/// A session ends at its time; the purge deletes what has ended and nothing else.
pub async fn a_session_ends_by_itself(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (ada, short) = signed_in(&world, "short", 10).await;
    let (bob, long) = signed_in(&world, "long", 20).await;
    let before = short.expires_at - TimeDelta::milliseconds(1);
    assert_eq!(world.store.member_of_session("short", before).await.unwrap(), Some(ada));
    assert_eq!(world.store.member_of_session("short", short.expires_at).await.unwrap(), None);
    assert_eq!(world.store.purge_sessions(before).await.unwrap(), 0);
    assert_eq!(world.store.purge_sessions(short.expires_at).await.unwrap(), 1);
    assert_eq!(world.store.member_of_session("short", before).await.unwrap(), None);
    assert_eq!(world.store.member_of_session("long", long.created_at).await.unwrap(), Some(bob));
}

/// Signing out ends a session; ending it twice is no error.
pub async fn a_session_ends_when_asked(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    signed_in(&world, "token", 10).await;
    let now = world.now();
    assert!(world.store.member_of_session("token", now).await.unwrap().is_some());
    world.store.end_session("token").await.unwrap();
    world.store.end_session("token").await.unwrap();
    assert!(world.store.member_of_session("token", now).await.unwrap().is_none());
}

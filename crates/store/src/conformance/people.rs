//! Organisations, their members and sessions.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    ids::{MemberId, OrganisationId, PersonId, SessionId},
    run::Role,
};

use super::world::{World, assert_conflict, assert_not_found, assert_stale};
use crate::{Error, Member, NewMember, Result, Session, Store};

/// A member who is not kept yet.
pub(super) fn new_member(
    world: &World,
    organisation_id: OrganisationId,
    email: &str,
    role: Role,
) -> NewMember {
    let member = Member {
        id: MemberId(world.id()),
        person_id: PersonId(world.id()),
        organisation_id,
        email: email.to_owned(),
        proved_at: Some(world.now()),
        name: "Ada Example".to_owned(),
        role,
        created_at: world.now(),
    };
    NewMember { member, password_hash: "$argon2id$v=19$hash".to_owned() }
}

/// Adds a member to the organisation.
pub(super) async fn add_member(world: &World, email: &str, role: Role) -> Member {
    let new = new_member(world, world.organisation, email, role);
    world.store.create_member(&new, None).await.unwrap();
    new.member
}

/// Opens a session for some minutes.
pub(super) async fn open_session(world: &World, member: MemberId, token_hash: &str, minutes: i64) -> Session {
    let now = world.now();
    let session = Session {
        id: SessionId(world.id()),
        token_hash: token_hash.to_owned(),
        member_id: member,
        browser: "Firefox on Linux".to_owned(),
        created_at: now,
        last_seen_at: now,
        expires_at: now + TimeDelta::minutes(minutes),
        embed: None,
    };
    world.store.create_session(&session).await.unwrap();
    session
}

async fn signed_in(world: &World, token_hash: &str, minutes: i64) -> (Member, Session) {
    let member = add_member(world, &format!("{token_hash}@shop.example"), Role::Operator).await;
    let session = open_session(world, member.id, token_hash, minutes).await;
    (member, session)
}

/// The member of a session, if it is one.
async fn who(world: &World, token_hash: &str) -> Option<MemberId> {
    let found = world.store.signed_in(token_hash, world.now()).await.unwrap();
    found.map(|found| found.member.id)
}

fn assert_last_owner(result: Result<()>) {
    match result {
        Err(Error::LastOwner) => {}
        other => panic!("not refused as the last owner: {other:?}"),
    }
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

/// The only person with this address, and the only membership.
pub(super) async fn found(world: &World, email: &str) -> Option<(Member, String)> {
    let mut people = world.store.people_by_email(email, 9).await.unwrap();
    assert!(people.len() < 2, "{email} is several people's");
    let mut person = people.pop()?;
    assert_eq!(person.memberships.len(), 1);
    Some((person.memberships.remove(0).member, person.password_hash))
}

/// Sign-in does not depend on how the address is typed.
pub async fn a_member_is_found_by_address_in_any_case(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for role in Role::ALL {
        let new = new_member(&world, world.organisation, &format!("{role}@Shop.example"), *role);
        world.store.create_member(&new, None).await.unwrap();
        let (member, hash) = found(&world, &format!("{role}@shop.EXAMPLE")).await.unwrap();
        assert_eq!(
            (member.id, member.email, hash),
            (new.member.id, format!("{role}@shop.example"), new.password_hash)
        );
    }
    assert!(found(&world, "nobody@shop.example").await.is_none());
    let nowhere = OrganisationId(world.id());
    assert_not_found(
        world.store.create_member(&new_member(&world, nowhere, "bob@shop.example", Role::Viewer), None).await,
    );
    assert!(found(&world, "bob@shop.example").await.is_none());
}

/// Each organisation sees its own members, oldest first, and who has a second factor.
pub async fn members_are_listed_only_to_their_organisation(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_organisation("Second").await;
    let stranger = new_member(&world, other, "eve@other.example", Role::Owner);
    world.store.create_member(&stranger, None).await.unwrap();
    let ada = add_member(&world, "ada@shop.example", Role::Owner).await;
    let bob = add_member(&world, "bob@shop.example", Role::Viewer).await;
    let now = world.now();
    for (member, confirms) in [(&ada, true), (&bob, false)] {
        world.store.begin_second_factor(member.person_id, "sealed", now).await.unwrap();
        if confirms {
            world.store.confirm_second_factor(member.person_id, 1, 7, &[], (now, None), &[]).await.unwrap();
        }
    }
    let listed = world.store.list_members(world.organisation).await.unwrap();
    let listed: Vec<_> = listed.into_iter().map(|one| (one.member, one.has_second_factor)).collect();
    assert_eq!(listed, [(ada, true), (bob, false)]);
}

/// A role is changed within the organisation alone.
pub async fn a_role_is_changed_only_by_its_organisation(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_organisation("Second").await;
    add_member(&world, "ada@shop.example", Role::Owner).await;
    let bob = add_member(&world, "bob@shop.example", Role::Viewer).await;
    let now = world.now();
    assert_not_found(world.store.set_role(other, bob.id, Role::Owner, now, None).await);
    assert_not_found(world.store.remove_member(other, bob.id, now, None).await);
    world.store.set_role(world.organisation, bob.id, Role::Accountant, now, None).await.unwrap();
    assert_eq!(found(&world, "bob@shop.example").await.unwrap().0.role, Role::Accountant);
}

/// An organisation without an owner could invite nobody any more.
pub async fn the_last_owner_stays(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let organisation = world.organisation;
    let ada = add_member(&world, "ada@shop.example", Role::Owner).await;
    let bob = add_member(&world, "bob@shop.example", Role::Accountant).await;
    let now = world.now();
    assert_last_owner(world.store.set_role(organisation, ada.id, Role::Viewer, now, None).await);
    assert_last_owner(world.store.remove_member(organisation, ada.id, now, None).await);
    world.store.set_role(organisation, ada.id, Role::Owner, now, None).await.unwrap();
    world.store.set_role(organisation, bob.id, Role::Owner, now, None).await.unwrap();
    world.store.remove_member(organisation, ada.id, now, None).await.unwrap();
    assert_last_owner(world.store.remove_member(organisation, bob.id, now, None).await);
}

/// Of two owners who demote each other at the same moment one stays.
pub async fn owners_who_demote_each_other_leave_one(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let ada = add_member(&world, "ada@shop.example", Role::Owner).await;
    let bob = add_member(&world, "bob@shop.example", Role::Owner).await;
    let now = world.now();
    let demote = |member| world.store.set_role(world.organisation, member, Role::Viewer, now, None);
    let (first, second) = tokio::join!(demote(ada.id), demote(bob.id));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let listed = world.store.list_members(world.organisation).await.unwrap();
    assert_eq!(listed.iter().filter(|one| one.member.role == Role::Owner).count(), 1);
}

/// Who is removed is out at once; their address is free for another invitation, and their row stays.
pub async fn a_removed_member_is_out_and_their_address_is_free(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    add_member(&world, "ada@shop.example", Role::Owner).await;
    let (bob, session) = signed_in(&world, "bob", 10).await;
    let now = world.now();
    world.store.begin_second_factor(bob.person_id, "sealed", now).await.unwrap();
    world.store.remove_member(world.organisation, bob.id, now, None).await.unwrap();
    assert_eq!(who(&world, &session.token_hash).await, None);
    assert!(found(&world, &bob.email).await.is_none());
    assert!(world.store.person(bob.person_id).await.unwrap().is_none());
    assert_eq!(world.store.second_factor(bob.person_id).await.unwrap(), None);
    assert_eq!(world.store.list_members(world.organisation).await.unwrap().len(), 1);
    assert_not_found(world.store.remove_member(world.organisation, bob.id, now, None).await);
    assert_not_found(world.store.set_role(world.organisation, bob.id, Role::Owner, now, None).await);
    assert_stale(world.store.set_password(bob.person_id, "$argon2id$new", None, &[]).await);
    let again = add_member(&world, &bob.email, Role::Viewer).await;
    assert_ne!(again.id, bob.id);
    let mut same_id = new_member(&world, world.organisation, "else@shop.example", Role::Viewer);
    same_id.member.id = bob.id;
    assert_conflict(world.store.create_member(&same_id, None).await);
}

/// With the session, and again when it is shown once more.
pub async fn a_session_knows_when_its_password_was_shown(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (_, session) = signed_in(&world, "ada", 9).await;
    let proved = async || {
        let found = world.store.signed_in("ada", world.now()).await.unwrap();
        found.unwrap().proved_at
    };
    assert_eq!(proved().await, Some(session.created_at));
    let again = world.after(TimeDelta::minutes(5));
    world.store.prove_session(session.id, again).await.unwrap();
    assert_eq!(proved().await, Some(again));
    world.store.prove_session(SessionId(world.id()), again).await.unwrap();
}

/// A new password ends the sessions that the old one opened, but the one that changed it.
pub async fn a_new_password_ends_the_other_sessions(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (ada, kept) = signed_in(&world, "kept", 10).await;
    open_session(&world, ada.id, "other", 10).await;
    let (bob, _) = signed_in(&world, "bob", 10).await;
    world.store.set_password(ada.person_id, "$argon2id$new", Some(kept.id), &[]).await.unwrap();
    assert_eq!(found(&world, &ada.email).await.unwrap().1, "$argon2id$new");
    assert_eq!(who(&world, "kept").await, Some(ada.id));
    assert_eq!(who(&world, "other").await, None);
    assert_eq!(who(&world, "bob").await, Some(bob.id));
    world.store.set_password(ada.person_id, "$argon2id$newer", None, &[]).await.unwrap();
    assert_eq!(who(&world, "kept").await, None);
}

/// A session ends at its time; the purge deletes what has ended and nothing else.
pub async fn a_session_ends_by_itself(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (ada, short) = signed_in(&world, "short", 10).await;
    let (bob, long) = signed_in(&world, "long", 20).await;
    let before = short.expires_at - TimeDelta::milliseconds(1);
    let found = world.store.signed_in("short", before).await.unwrap().unwrap();
    assert_eq!((found.member, found.session, found.last_seen_at), (ada, short.id, short.created_at));
    assert_eq!(world.store.signed_in("short", short.expires_at).await.unwrap(), None);
    assert_eq!(world.store.purge_sessions(before).await.unwrap(), 0);
    assert_eq!(world.store.purge_sessions(short.expires_at).await.unwrap(), 1);
    assert_eq!(world.store.signed_in("short", before).await.unwrap(), None);
    let found = world.store.signed_in("long", long.created_at).await.unwrap();
    assert_eq!(found.map(|found| found.member), Some(bob));
}

/// Signing out ends a session; ending it twice is no error.
pub async fn a_session_ends_when_asked(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (ada, _) = signed_in(&world, "token", 10).await;
    assert_eq!(who(&world, "token").await, Some(ada.id));
    world.store.end_session("token").await.unwrap();
    world.store.end_session("token").await.unwrap();
    assert_eq!(who(&world, "token").await, None);
}

/// A member sees their own sessions, the last used first, and none that has ended.
pub async fn sessions_are_listed_to_their_member(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (ada, mut first) = signed_in(&world, "first", 10).await;
    let second = open_session(&world, ada.id, "second", 5).await;
    signed_in(&world, "bob", 10).await;
    first.last_seen_at = world.after(TimeDelta::minutes(3));
    world.store.see_session(first.id, first.last_seen_at).await.unwrap();
    let listed = world.store.list_sessions(ada.person_id, world.now()).await.unwrap();
    assert_eq!(listed, [first.clone(), second.clone()]);
    let listed = world.store.list_sessions(ada.person_id, second.expires_at).await.unwrap();
    assert_eq!(listed, [first]);
}

/// A member ends their own sessions and nobody else's.
pub async fn a_member_ends_only_their_own_sessions(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (ada, first) = signed_in(&world, "first", 10).await;
    let second = open_session(&world, ada.id, "second", 10).await;
    open_session(&world, ada.id, "third", 10).await;
    let (bob, of_bob) = signed_in(&world, "bob", 10).await;
    world.store.end_session_of(ada.person_id, of_bob.id, None).await.unwrap();
    world.store.end_session_of(ada.person_id, second.id, None).await.unwrap();
    assert_eq!(who(&world, "second").await, None);
    world.store.end_other_sessions(ada.person_id, first.id, None).await.unwrap();
    assert_eq!(who(&world, "third").await, None);
    assert_eq!(who(&world, "first").await, Some(ada.id));
    assert_eq!(who(&world, "bob").await, Some(bob.id));
}

/// A session within Magento's admin opens one binding's history to members of its organisation, and nothing else.
pub async fn a_session_within_magento_opens_one_history(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let ada = add_member(&world, "ada@shop.example", Role::Viewer).await;
    let other = world.add_binding("business-2").await;
    let now = world.now();
    let session = Session {
        id: SessionId(world.id()),
        token_hash: "framed".to_owned(),
        member_id: ada.id,
        browser: "Firefox on Linux".to_owned(),
        created_at: now,
        last_seen_at: now,
        expires_at: now + TimeDelta::minutes(5),
        embed: Some(world.binding),
    };
    world.store.create_session(&session).await.unwrap();
    open_session(&world, ada.id, "whole", 5).await;
    let to =
        async |binding, token: &str| world.store.signed_in_to(binding, token, world.now()).await.unwrap();
    assert_eq!(to(world.binding, "framed").await.unwrap().member.id, ada.id);
    assert_eq!(to(other, "framed").await, None, "another binding's history stays shut");
    assert_eq!(world.store.signed_in("framed", world.now()).await.unwrap(), None, "and so does all else");
    assert_eq!(to(world.binding, "whole").await, None, "each kind has its own doors");
    let listed = world.store.list_sessions(ada.person_id, world.now()).await.unwrap();
    assert!(listed.contains(&session), "their owner sees and ends both kinds");

    let stranger = world.add_organisation("Second").await;
    let theirs = world.new_binding(stranger, "business-3");
    world.store.create_binding(&theirs, None).await.unwrap();
    let crossed = Session {
        id: SessionId(world.id()),
        token_hash: "crossed".to_owned(),
        embed: Some(theirs.id),
        ..session
    };
    world.store.create_session(&crossed).await.unwrap();
    assert_eq!(to(theirs.id, "crossed").await, None, "not of the binding's organisation");
}

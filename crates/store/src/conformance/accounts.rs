//! People in several organisations, and addresses that are proved or not.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    alert::ChannelKind,
    environment::Environment,
    ids::{InvitationId, MemberId, OrganisationId, PersonId, SessionId},
    run::Role,
};

use super::{
    alert_channels::{keep, new_channel},
    people::{add_member, new_member, open_session},
    world::{World, assert_conflict, assert_not_found},
};
use crate::{Member, NewMember, Person, Proof, ProofSubject, Session, Store};

const EMAIL: &str = "ada@shop.example";

/// Somebody who typed this address and has not proved it.
fn unproved(world: &World, organisation: OrganisationId, email: &str) -> NewMember {
    let mut new = new_member(world, organisation, email, Role::Viewer);
    new.member.proved_at = None;
    new
}

/// The same person in another organisation.
fn elsewhere(world: &World, member: &Member, organisation_id: OrganisationId) -> NewMember {
    let created_at = world.now();
    let member = Member { id: MemberId(world.id()), organisation_id, created_at, ..member.clone() };
    NewMember { member, password_hash: "of nobody".to_owned() }
}

async fn people(world: &World) -> Vec<Person> {
    world.store.people_by_email(EMAIL, 9).await.unwrap()
}

/// Whoever types somebody's address in one organisation keeps it from them in no other.
pub async fn an_address_that_is_not_proved_takes_nothing_from_anybody(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (second, third) = (world.add_organisation("Second").await, world.add_organisation("Third").await);
    assert_eq!(world.store.count_unproved_people().await.unwrap(), 0);
    let squatter = unproved(&world, world.organisation, EMAIL);
    let other = unproved(&world, second, EMAIL);
    let owner = new_member(&world, third, EMAIL, Role::Owner);
    for new in [&squatter, &other, &owner] {
        world.store.create_member(new, None).await.unwrap();
    }
    let found: Vec<_> = people(&world).await.iter().map(|person| person.id).collect();
    let expected = [&owner, &squatter, &other].map(|new| new.member.person_id);
    assert_eq!(found, expected, "who has proved it first, then the oldest");
    let few = world.store.people_by_email("ADA@shop.example", 2).await.unwrap();
    assert_eq!(few.iter().map(|person| person.id).collect::<Vec<_>>(), expected[..2]);
    assert_eq!(few[1].proved_at, None);
    assert_eq!(few[0].memberships[0].organisation, "Third");
    assert_eq!(world.store.count_unproved_people().await.unwrap(), 2);
}

/// Of those with one address one has proved it.
pub async fn a_proved_address_has_one_owner(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let second = world.add_organisation("Second").await;
    let late = unproved(&world, world.organisation, EMAIL);
    world.store.create_member(&late, None).await.unwrap();
    let owner = new_member(&world, second, EMAIL, Role::Owner);
    world.store.create_member(&owner, None).await.unwrap();
    let third = world.add_organisation("Third").await;
    assert_conflict(world.store.create_member(&new_member(&world, third, EMAIL, Role::Owner), None).await);
    assert_conflict(world.store.prove_person(late.member.person_id, world.now(), &[]).await);
    world.store.remove_member(world.organisation, late.member.id, world.now(), None).await.unwrap();
    let bob = unproved(&world, world.organisation, "bob@shop.example");
    world.store.create_member(&bob, None).await.unwrap();
    let now = world.now();
    world.store.prove_person(bob.member.person_id, now, &[]).await.unwrap();
    let kept = world.store.person(bob.member.person_id).await.unwrap().unwrap();
    assert_eq!((kept.proved_at, kept.memberships[0].member.proved_at), (Some(now), Some(now)));
}

/// Proved or not: in a list of members an address is one person.
pub async fn an_organisation_has_one_member_of_an_address(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let second = world.add_organisation("Second").await;
    let squatter = unproved(&world, world.organisation, EMAIL);
    world.store.create_member(&squatter, None).await.unwrap();
    assert_conflict(world.store.create_member(&unproved(&world, world.organisation, EMAIL), None).await);
    let owner = new_member(&world, second, EMAIL, Role::Owner);
    world.store.create_member(&owner, None).await.unwrap();
    let joins = elsewhere(&world, &owner.member, world.organisation);
    assert_conflict(world.store.create_member(&joins, None).await);
    assert_conflict(world.store.create_member(&elsewhere(&world, &owner.member, second), None).await);
    let (one, two) = (unproved(&world, second, "b@shop.example"), unproved(&world, second, "b@shop.example"));
    let (first, other) =
        tokio::join!(world.store.create_member(&one, None), world.store.create_member(&two, None));
    assert!(first.is_ok() != other.is_ok(), "{first:?} {other:?}");
}

/// One address, one password, and a membership in each organisation.
pub async fn a_person_belongs_to_several_organisations(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let second = world.add_organisation("Second").await;
    let ada = add_member(&world, EMAIL, Role::Viewer).await;
    let joins = elsewhere(&world, &ada, second);
    world.store.create_member(&joins, None).await.unwrap();
    let person = world.store.person(ada.person_id).await.unwrap().unwrap();
    let names: Vec<_> = person.memberships.iter().map(|one| one.organisation.as_str()).collect();
    assert_eq!(names, ["Second", "First"], "the newest first");
    assert_ne!(person.password_hash, "of nobody", "the password stays");
    assert_eq!(people(&world).await.len(), 1);
    for organisation in [world.organisation, second] {
        let listed = world.store.list_members(organisation).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].member.email, EMAIL);
    }
    assert!(world.store.person(PersonId(world.id())).await.unwrap().is_none());
}

/// Who is removed from one organisation goes on in the others; after the last nothing of them is kept but what they did.
pub async fn a_person_goes_with_the_last_of_their_organisations(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let second = world.add_organisation("Second").await;
    add_member(&world, "owner@shop.example", Role::Owner).await;
    let ada = add_member(&world, EMAIL, Role::Viewer).await;
    let joins = elsewhere(&world, &ada, second);
    world.store.create_member(&joins, None).await.unwrap();
    let now = world.now();
    world.store.begin_second_factor(ada.person_id, "sealed", now).await.unwrap();
    let (here, there) = (
        open_session(&world, ada.id, "here", 9).await,
        open_session(&world, joins.member.id, "there", 9).await,
    );
    world.store.remove_member(world.organisation, ada.id, now, None).await.unwrap();
    assert_eq!(world.store.signed_in(&here.token_hash, now).await.unwrap(), None);
    assert!(world.store.signed_in(&there.token_hash, now).await.unwrap().is_some());
    assert!(world.store.second_factor(ada.person_id).await.unwrap().is_some());
    assert_eq!(people(&world).await[0].memberships.len(), 1);
    let again = elsewhere(&world, &ada, world.organisation);
    world.store.create_member(&again, None).await.unwrap();
    world.store.remove_member(world.organisation, again.member.id, now, None).await.unwrap();
    world.store.remove_member(second, joins.member.id, now, None).await.unwrap();
    assert!(people(&world).await.is_empty());
    assert!(world.store.second_factor(ada.person_id).await.unwrap().is_none());
}

/// A session moves among its person's organisations, and to nobody else's.
pub async fn a_session_stands_in_one_organisation_at_a_time(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let second = world.add_organisation("Second").await;
    let ada = add_member(&world, EMAIL, Role::Viewer).await;
    let bob = add_member(&world, "bob@shop.example", Role::Owner).await;
    let joins = elsewhere(&world, &ada, second);
    world.store.create_member(&joins, None).await.unwrap();
    let session = open_session(&world, ada.id, "token", 9).await;
    let stands = async || {
        let found = world.store.signed_in("token", world.now()).await.unwrap().unwrap();
        (found.member.organisation_id, found.member.id)
    };
    let first =
        async || world.store.person(ada.person_id).await.unwrap().unwrap().memberships.remove(0).member.id;
    world.store.switch_session(session.id, joins.member.id, world.now()).await.unwrap();
    assert_eq!(stands().await, (second, joins.member.id));
    assert_not_found(world.store.switch_session(session.id, bob.id, world.now()).await);
    assert_not_found(world.store.switch_session(session.id, MemberId(world.id()), world.now()).await);
    world.store.switch_session(session.id, ada.id, world.now()).await.unwrap();
    assert_eq!(stands().await, (world.organisation, ada.id));
    assert_eq!(first().await, ada.id, "where they chose to stand last comes first");
    world.store.remove_member(second, joins.member.id, world.now(), None).await.unwrap();
    assert_not_found(world.store.switch_session(session.id, joins.member.id, world.now()).await);
    let framed = Session {
        id: SessionId(world.id()),
        token_hash: "framed".to_owned(),
        embed: Some(world.binding),
        ..session
    };
    world.store.create_session(&framed).await.unwrap();
    assert_not_found(world.store.switch_session(framed.id, ada.id, world.now()).await);
}

/// The password is the person's, so a new one ends their sessions in all organisations.
pub async fn a_new_password_ends_the_sessions_everywhere(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let second = world.add_organisation("Second").await;
    let ada = add_member(&world, EMAIL, Role::Viewer).await;
    let joins = elsewhere(&world, &ada, second);
    world.store.create_member(&joins, None).await.unwrap();
    let kept = open_session(&world, ada.id, "kept", 9).await;
    open_session(&world, joins.member.id, "other", 9).await;
    let listed = world.store.list_sessions(ada.person_id, world.now()).await.unwrap();
    assert_eq!(listed.len(), 2);
    world.store.set_password(ada.person_id, "new", Some(kept.id), &[]).await.unwrap();
    let listed = world.store.list_sessions(ada.person_id, world.now()).await.unwrap();
    assert_eq!(listed, [kept]);
}

/// Six digits are few, so they are tried a few times, for a short while.
pub async fn a_code_proves_an_address_in_few_tries_and_little_time(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let subject = ProofSubject::Invitation(InvitationId(world.id()));
    let expires_at = world.after(TimeDelta::minutes(15));
    let proof = |code: &str, tries| Proof { subject, code_hash: code.to_owned(), tries, expires_at };
    let tried = async |code: &str| world.store.try_proof(subject, code, world.now()).await.unwrap();
    assert!(!tried("right").await, "none is on its way");
    world.store.begin_proof(&proof("right", 2)).await.unwrap();
    assert!(!tried("wrong").await);
    assert!(tried("right").await);
    assert!(!tried("right").await, "no try is left");
    world.store.begin_proof(&proof("newer", 9)).await.unwrap();
    assert!(!tried("right").await, "a newer one takes its place");
    assert!(tried("newer").await);
    assert!(!world.store.try_proof(subject, "newer", expires_at).await.unwrap(), "past its time");
    let other = ProofSubject::Person(PersonId(world.id()));
    assert!(!world.store.try_proof(other, "newer", world.now()).await.unwrap());
    assert_eq!(world.store.purge_sign_ins(world.now()).await.unwrap(), 0);
    assert_eq!(world.store.purge_sign_ins(expires_at).await.unwrap(), 1);
    assert!(!tried("newer").await);
}

/// An address that no member has is forgotten wherever it is kept, and others are not.
pub async fn an_address_is_forgotten_once_nobody_has_it(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let owner = add_member(&world, "owner@shop.example", Role::Owner).await;
    let ada = add_member(&world, EMAIL, Role::Viewer).await;
    let mut channel = new_channel(&world, owner.id);
    (channel.kind, channel.target) = (ChannelKind::Email, EMAIL.to_owned());
    let channel = keep(&world, channel).await;
    let other = keep(&world, new_channel(&world, owner.id)).await;
    assert_ne!(other.target, channel.target);
    assert_conflict(world.store.erase_address(EMAIL).await);
    world.store.remove_member(world.organisation, ada.id, world.now(), None).await.unwrap();
    assert_eq!(world.store.erase_address("ADA@shop.example").await.unwrap(), 2, "a membership and a channel");
    assert_eq!(world.store.erase_address(EMAIL).await.unwrap(), 0);
    let left = world.store.list_alert_channels(owner.id).await.unwrap();
    assert_eq!(left, [other]);
}

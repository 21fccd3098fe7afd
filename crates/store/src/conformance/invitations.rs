//! Invitations.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    ids::{InvitationId, MemberId, OrganisationId, PersonId},
    run::Role,
};

use super::{
    people::{add_member, found, new_member},
    world::{World, assert_conflict, assert_not_found},
};
use crate::{Acceptance, Action, Invitation, Joining, Member, Result, Store};

/// A world with an owner, who invites.
async fn with_owner(store: Arc<dyn Store>) -> (World, Member) {
    let world = World::new(store).await;
    let owner = add_member(&world, "owner@shop.example", Role::Owner).await;
    (world, owner)
}

async fn invite(world: &World, by: &Member, email: &str, token_hash: &str) -> Result<Invitation> {
    invite_recorded(world, by, email, token_hash, None).await
}

/// Invites somebody, on record.
pub(super) async fn invite_recorded(
    world: &World,
    by: &Member,
    email: &str,
    token_hash: &str,
    action: impl Into<Option<&Action>>,
) -> Result<Invitation> {
    let action = action.into();
    let now = world.now();
    let invitation = Invitation {
        id: InvitationId(world.id()),
        organisation_id: by.organisation_id,
        email: email.to_owned(),
        role: Role::Operator,
        invited_by: by.id,
        created_at: now,
        expires_at: now + TimeDelta::days(7),
    };
    world.store.create_invitation(&invitation, token_hash, action).await.map(|()| invitation)
}

pub(super) fn acceptance(world: &World) -> Acceptance {
    Acceptance {
        member_id: MemberId(world.id()),
        name: "Bob Example".to_owned(),
        person: Joining::New {
            id: PersonId(world.id()),
            password_hash: "$argon2id$hash".to_owned(),
            is_proved: true,
        },
    }
}

async fn is_open(world: &World, token_hash: &str) -> bool {
    world.store.invitation_by_token(token_hash, world.now()).await.unwrap().is_some()
}

async fn open_of(world: &World, organisation: OrganisationId) -> Vec<Invitation> {
    world.store.list_invitations(organisation, world.now()).await.unwrap()
}

/// Accepting makes a member and uses the invitation up.
pub async fn an_invitation_is_accepted_once(store: Arc<dyn Store>) {
    let (world, owner) = with_owner(store).await;
    let invitation = invite(&world, &owner, "bob@shop.example", "token").await.unwrap();
    let read = world.store.invitation_by_token("token", world.now()).await.unwrap();
    assert_eq!(read, Some((invitation.clone(), "First".to_owned())));
    assert_eq!(open_of(&world, world.organisation).await, [invitation]);
    let acceptance = acceptance(&world);
    let member = world.store.accept_invitation("token", &acceptance, world.now(), None).await.unwrap();
    assert_eq!((member.id, member.organisation_id), (acceptance.member_id, world.organisation));
    assert_eq!((member.email.as_str(), member.role), ("bob@shop.example", Role::Operator));
    assert!(member.proved_at.is_some());
    assert_eq!(found(&world, "bob@shop.example").await, Some((member, "$argon2id$hash".to_owned())));
    assert_not_found(world.store.accept_invitation("token", &acceptance, world.now(), None).await);
    assert!(!is_open(&world, "token").await);
    assert!(open_of(&world, world.organisation).await.is_empty());
}

/// Unknown, withdrawn and past its time are all alike.
pub async fn an_invitation_that_is_not_open_is_none(store: Arc<dyn Store>) {
    let (world, owner) = with_owner(store).await;
    let withdrawn = invite(&world, &owner, "bob@shop.example", "withdrawn").await.unwrap();
    world.store.withdraw_invitation(world.organisation, withdrawn.id, world.now(), None).await.unwrap();
    assert_not_found(
        world.store.withdraw_invitation(world.organisation, withdrawn.id, world.now(), None).await,
    );
    let past = invite(&world, &owner, "eve@shop.example", "past").await.unwrap();
    for (token, now) in [("withdrawn", world.now()), ("unknown", world.now()), ("past", past.expires_at)] {
        assert_eq!(world.store.invitation_by_token(token, now).await.unwrap(), None, "{token}");
        assert_not_found(world.store.accept_invitation(token, &acceptance(&world), now, None).await);
    }
    assert!(world.store.list_invitations(world.organisation, past.expires_at).await.unwrap().is_empty());
    assert!(found(&world, "bob@shop.example").await.is_none());
}

/// Another organisation sees no invitation and withdraws none.
pub async fn an_invitation_belongs_to_its_organisation(store: Arc<dyn Store>) {
    let (world, owner) = with_owner(store).await;
    let other = world.add_organisation("Second").await;
    let invitation = invite(&world, &owner, "bob@shop.example", "token").await.unwrap();
    assert!(open_of(&world, other).await.is_empty());
    assert_not_found(world.store.withdraw_invitation(other, invitation.id, world.now(), None).await);
    assert!(is_open(&world, "token").await);
}

/// Who was an owner may hold links that they made; those lose their worth with the role.
pub async fn an_invitation_of_who_may_not_invite_any_more_is_withdrawn(store: Arc<dyn Store>) {
    let (world, owner) = with_owner(store).await;
    for (email, removes) in [("ada@shop.example", true), ("eve@shop.example", false)] {
        let second = add_member(&world, email, Role::Owner).await;
        invite(&world, &second, "bob@shop.example", email).await.unwrap();
        let now = world.now();
        if removes {
            world.store.remove_member(world.organisation, second.id, now, None).await.unwrap();
        } else {
            world.store.set_role(world.organisation, second.id, Role::Accountant, now, None).await.unwrap();
        }
        assert!(!is_open(&world, email).await, "{email}");
    }
    invite(&world, &owner, "bob@shop.example", "token").await.unwrap();
    let other = world.add_organisation("Second").await;
    assert_not_found(world.store.set_role(other, owner.id, Role::Viewer, world.now(), None).await);
    assert!(is_open(&world, "token").await);
}

/// Of two links to one person the newer is good; who is a member already needs none.
pub async fn a_new_invitation_takes_the_place_of_the_old_one(store: Arc<dyn Store>) {
    let (world, owner) = with_owner(store).await;
    invite(&world, &owner, "bob@shop.example", "old").await.unwrap();
    let newer = invite(&world, &owner, "Bob@Shop.example", "new").await.unwrap();
    assert!(!is_open(&world, "old").await);
    let open = open_of(&world, world.organisation).await;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].id, open[0].email.as_str()), (newer.id, "bob@shop.example"));
    assert_conflict(invite(&world, &owner, "owner@shop.example", "third").await);
    assert_conflict(invite(&world, &owner, "eve@shop.example", "new").await);
}

/// Who has proved the address elsewhere joins as who they are. Nobody else proves it, and the invitation is not used up by trying.
pub async fn an_address_that_somebody_has_proved_leaves_the_invitation_open(store: Arc<dyn Store>) {
    let (world, owner) = with_owner(store).await;
    let other = world.add_organisation("Second").await;
    let taken = new_member(&world, other, "bob@shop.example", Role::Viewer);
    world.store.create_member(&taken, None).await.unwrap();
    invite(&world, &owner, "bob@shop.example", "token").await.unwrap();
    assert_conflict(world.store.accept_invitation("token", &acceptance(&world), world.now(), None).await);
    assert!(is_open(&world, "token").await);
    let mut unproved = acceptance(&world);
    let Joining::New { is_proved, .. } = &mut unproved.person else { unreachable!() };
    *is_proved = false;
    let member = world.store.accept_invitation("token", &unproved, world.now(), None).await.unwrap();
    assert_eq!((member.organisation_id, member.proved_at), (world.organisation, None));
    assert_ne!(member.person_id, taken.member.person_id);
}

/// An invitation is for the one who has proved its address, and nobody else's.
pub async fn who_is_known_joins_by_the_address_that_they_have_proved(store: Arc<dyn Store>) {
    let (world, owner) = with_owner(store).await;
    let other = world.add_organisation("Second").await;
    let bob = new_member(&world, other, "bob@shop.example", Role::Viewer);
    let eve = new_member(&world, other, "eve@shop.example", Role::Viewer);
    let mut unproved =
        new_member(&world, world.add_organisation("Third").await, "bob@shop.example", Role::Viewer);
    unproved.member.proved_at = None;
    for new in [&bob, &eve, &unproved] {
        world.store.create_member(new, None).await.unwrap();
    }
    invite(&world, &owner, "bob@shop.example", "token").await.unwrap();
    let known = |person| Acceptance { person: Joining::Known(person), ..acceptance(&world) };
    for person in [eve.member.person_id, unproved.member.person_id, PersonId(world.id())] {
        assert_not_found(world.store.accept_invitation("token", &known(person), world.now(), None).await);
    }
    assert!(is_open(&world, "token").await);
    let joins = known(bob.member.person_id);
    let member = world.store.accept_invitation("token", &joins, world.now(), None).await.unwrap();
    assert_eq!((member.person_id, member.organisation_id), (bob.member.person_id, world.organisation));
    let person = world.store.person(bob.member.person_id).await.unwrap().unwrap();
    assert_eq!((person.memberships.len(), person.password_hash), (2, bob.password_hash));
}

/// Invitations hold addresses, so they are not kept for ever.
pub async fn old_invitations_are_cleared_away(store: Arc<dyn Store>) {
    let (world, owner) = with_owner(store).await;
    invite(&world, &owner, "used@shop.example", "used").await.unwrap();
    world.store.accept_invitation("used", &acceptance(&world), world.now(), None).await.unwrap();
    let withdrawn = invite(&world, &owner, "withdrawn@shop.example", "withdrawn").await.unwrap();
    world.store.withdraw_invitation(world.organisation, withdrawn.id, world.now(), None).await.unwrap();
    let open = invite(&world, &owner, "open@shop.example", "open").await.unwrap();
    assert_eq!(world.store.purge_invitations(withdrawn.created_at).await.unwrap(), 1);
    assert_eq!(world.store.purge_invitations(world.now()).await.unwrap(), 1);
    assert!(is_open(&world, "open").await);
    assert_eq!(world.store.purge_invitations(open.expires_at).await.unwrap(), 0);
    assert_eq!(world.store.purge_invitations(open.expires_at + TimeDelta::seconds(1)).await.unwrap(), 1);
}

/// A form that is sent twice makes one member.
pub async fn an_invitation_accepted_twice_at_once_makes_one_member(store: Arc<dyn Store>) {
    let (world, owner) = with_owner(store).await;
    invite(&world, &owner, "bob@shop.example", "token").await.unwrap();
    let (first, second, now) = (acceptance(&world), acceptance(&world), world.now());
    let accept = |acceptance| world.store.accept_invitation("token", acceptance, now, None);
    let (one, two) = tokio::join!(accept(&first), accept(&second));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    assert_not_found(if one.is_ok() { two } else { one });
    assert_eq!(world.store.list_members(world.organisation).await.unwrap().len(), 2);
}

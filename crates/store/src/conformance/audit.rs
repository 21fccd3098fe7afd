//! The audit trail: an act and its record are kept together, or neither is.

use std::sync::Arc;

use domain::{
    environment::Environment,
    ids::{AlertChannelId, InvitationId, MemberId, PersonId},
    run::{
        ActionKind::{
            self, AddressProved, BusinessChosen, ChannelAdded, ChannelChanged, ChannelConfirmed,
            ChannelRemoved, ConsentBegun, Disconnected, InvitationAccepted, InvitationWithdrawn, Invited,
            ListsRefreshed, MemberAdded, MemberRemoved, Paired, PasswordChanged, Paused,
            RecoveryCodesRenewed, Retried, RoleChanged, SecondFactorOff, SecondFactorOn, SecretRenewed,
            SessionsEnded, SettingsSaved,
        },
        BindingStatus,
        EventName::InvoiceCreated,
        Role,
    },
};

use super::{
    alert_channels::{keep, new_channel},
    invitations::{acceptance, invite_recorded},
    people::{add_member, new_member, open_session},
    settings::{reference, version},
    world::{World, failed},
};
use crate::{Action, ActionFilter, AlertProof, CredentialKind, Member, Result, SageBusiness, Store};

/// What the trail holds, oldest first.
async fn trail(world: &World) -> Vec<Action> {
    let any = ActionFilter::default();
    let mut actions = world.store.list_actions(world.organisation, &any, None, 99).await.unwrap();
    actions.reverse();
    actions
}

fn did(world: &World, kind: ActionKind) -> Action {
    world.action(world.organisation, None, kind)
}

/// The act and its record are there together.
async fn kept<T>(world: &World, kind: ActionKind, act: impl AsyncFnOnce(Action) -> Result<T>) -> T {
    let action = did(world, kind);
    let done = act(action.clone()).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
    assert_eq!(trail(world).await.last(), Some(&action), "{kind}");
    done
}

/// What was refused, or was for nothing, leaves no record.
async fn not_kept<T>(world: &World, kind: ActionKind, act: impl AsyncFnOnce(Action) -> Result<T>) {
    let before = trail(world).await;
    let _ = act(did(world, kind)).await;
    assert_eq!(trail(world).await, before, "{kind}");
}

async fn with_owners(store: Arc<dyn Store>) -> (World, Member, Member) {
    let world = World::new(store).await;
    let ada = add_member(&world, "ada@shop.example", Role::Owner).await;
    let bob = add_member(&world, "bob@shop.example", Role::Owner).await;
    (world, ada, bob)
}

/// Members and invitations.
pub async fn what_is_done_with_people_is_kept_with_its_record(store: Arc<dyn Store>) {
    let (world, ada, bob) = with_owners(store).await;
    let (store, organisation, now) = (&world.store, world.organisation, world.now());
    let eve = new_member(&world, organisation, "eve@shop.example", Role::Viewer);
    kept(&world, MemberAdded, async |action| store.create_member(&eve, Some(&action)).await).await;
    not_kept(&world, MemberAdded, async |action| store.create_member(&eve, Some(&action)).await).await;
    let set_role = async |member: MemberId, action: Action| {
        store.set_role(organisation, member, Role::Viewer, now, Some(&action)).await
    };
    kept(&world, RoleChanged, async |action| set_role(bob.id, action).await).await;
    not_kept(&world, RoleChanged, async |action| set_role(ada.id, action).await).await;
    not_kept(&world, RoleChanged, async |action| set_role(MemberId(world.id()), action).await).await;
    let remove = async |member: MemberId, action: Action| {
        store.remove_member(organisation, member, now, Some(&action)).await
    };
    kept(&world, MemberRemoved, async |action| remove(bob.id, action).await).await;
    not_kept(&world, MemberRemoved, async |action| remove(bob.id, action).await).await;
    not_kept(&world, MemberRemoved, async |action| remove(ada.id, action).await).await;
    let invitation = kept(&world, Invited, async |action| {
        invite_recorded(&world, &ada, "new@shop.example", "token", &action).await
    })
    .await;
    not_kept(&world, Invited, async |action| {
        invite_recorded(&world, &ada, &ada.email, "other", &action).await
    })
    .await;
    let accept = async |token: &str, action: Action| {
        store.accept_invitation(token, &acceptance(&world), world.now(), Some(&action)).await
    };
    not_kept(&world, InvitationAccepted, async |action| accept("unknown", action).await).await;
    kept(&world, InvitationAccepted, async |action| accept("token", action).await).await;
    let withdraw = async |id: InvitationId, action: Action| {
        store.withdraw_invitation(organisation, id, now, Some(&action)).await
    };
    not_kept(&world, InvitationWithdrawn, async |action| withdraw(invitation.id, action).await).await;
    let open = kept(&world, Invited, async |action| {
        invite_recorded(&world, &ada, "more@shop.example", "more", &action).await
    })
    .await;
    kept(&world, InvitationWithdrawn, async |action| withdraw(open.id, action).await).await;
}

/// A member's own account.
pub async fn what_is_done_with_an_account_is_kept_with_its_record(store: Arc<dyn Store>) {
    let (world, ada, _) = with_owners(store).await;
    let (store, now, nobody) = (&world.store, world.now(), PersonId(world.id()));
    kept(&world, PasswordChanged, async |action| {
        store.set_password(ada.person_id, "hash", None, &[action]).await
    })
    .await;
    not_kept(&world, PasswordChanged, async |action| {
        store.set_password(nobody, "hash", None, &[action]).await
    })
    .await;
    store.begin_second_factor(ada.person_id, "sealed", now).await.unwrap();
    let confirm = async |action: Action| {
        store.confirm_second_factor(ada.person_id, 1, 7, &[], (now, None), &[action]).await
    };
    kept(&world, SecondFactorOn, async |action| confirm(action).await).await;
    not_kept(&world, SecondFactorOn, async |action| confirm(action).await).await;
    let codes = ["code".to_owned()];
    kept(&world, RecoveryCodesRenewed, async |action| {
        store.replace_recovery_codes(ada.person_id, &codes, &[action]).await
    })
    .await;
    kept(&world, SecondFactorOff, async |action| {
        store.remove_second_factor(ada.person_id, None, &[action]).await
    })
    .await;
    not_kept(&world, SecondFactorOff, async |action| {
        store.remove_second_factor(ada.person_id, None, &[action]).await
    })
    .await;
    let (here, there) =
        (open_session(&world, ada.id, "here", 9).await, open_session(&world, ada.id, "there", 9).await);
    let end = async |action: Action| store.end_session_of(ada.person_id, there.id, Some(&action)).await;
    kept(&world, SessionsEnded, async |action| end(action).await).await;
    not_kept(&world, SessionsEnded, async |action| end(action).await).await;
    not_kept(&world, SessionsEnded, async |action| {
        store.end_other_sessions(ada.person_id, here.id, Some(&action)).await
    })
    .await;
    open_session(&world, ada.id, "elsewhere", 9).await;
    kept(&world, SessionsEnded, async |action| {
        store.end_other_sessions(ada.person_id, here.id, Some(&action)).await
    })
    .await;
    let mut eve = new_member(&world, world.organisation, "eve@shop.example", Role::Viewer);
    eve.member.proved_at = None;
    store.create_member(&eve, None).await.unwrap();
    let prove = async |action: Action| store.prove_person(eve.member.person_id, now, &[action]).await;
    kept(&world, AddressProved, async |action| prove(action).await).await;
    not_kept(&world, AddressProved, async |action| prove(action).await).await;
}

/// Shops, their connections, settings and runs.
pub async fn what_is_done_with_a_shop_is_kept_with_its_record(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (store, binding) = (&world.store, world.new_binding(world.organisation, "business-2"));
    kept(&world, Paired, async |action| store.create_binding(&binding, Some(&action)).await).await;
    not_kept(&world, Paired, async |action| store.create_binding(&binding, Some(&action)).await).await;
    let business =
        SageBusiness { id: "other".to_owned(), name: "Other".to_owned(), country: "IE".to_owned() };
    kept(&world, BusinessChosen, async |action| {
        store.set_business(binding.id, &business, world.now(), Some(&action)).await
    })
    .await;
    let (active, paused) = (BindingStatus::Active, BindingStatus::Paused);
    let pause = async |action: Action| {
        store.change_binding_status(binding.id, active, paused, world.now(), Some(&action)).await
    };
    kept(&world, Paused, async |action| pause(action).await).await;
    not_kept(&world, Paused, async |action| pause(action).await).await;
    kept(&world, Disconnected, async |action| {
        store.set_binding_status(binding.id, BindingStatus::Revoked, world.now(), Some(&action)).await
    })
    .await;
    let put = async |replaces: i64, action: Action| {
        store
            .put_credential(
                binding.id,
                CredentialKind::SageConsent,
                "sealed",
                replaces,
                world.now(),
                Some(&action),
            )
            .await
    };
    kept(&world, ConsentBegun, async |action| put(0, action).await).await;
    not_kept(&world, ConsentBegun, async |action| put(9, action).await).await;
    let lists = reference(&world);
    kept(&world, ListsRefreshed, async |action| store.put_reference(binding.id, &lists, Some(&action)).await)
        .await;
    let first = version(&world, 1);
    kept(&world, SettingsSaved, async |action| store.save_settings(binding.id, &first, Some(&action)).await)
        .await;
    not_kept(&world, SettingsSaved, async |action| {
        store.save_settings(binding.id, &first, Some(&action)).await
    })
    .await;
    let run = world.run_through(InvoiceCreated, 1, failed()).await;
    let retry =
        async |action: Action| store.retry_run(world.organisation, run, world.now(), Some(&action)).await;
    kept(&world, Retried, async |action| retry(action).await).await;
    world.claim().await;
    not_kept(&world, Retried, async |action| retry(action).await).await;
}

/// The ways in which members are told.
pub async fn what_is_done_with_channels_is_kept_with_its_record(store: Arc<dyn Store>) {
    let (world, ada, bob) = with_owners(store).await;
    let (store, soon) = (&world.store, world.after(chrono::TimeDelta::hours(1)));
    let mut channel = new_channel(&world, ada.id);
    channel.confirmed_at = None;
    let proof = AlertProof { code_hash: "right".to_owned(), until: soon };
    kept(&world, ChannelAdded, async |action| {
        store.create_alert_channel(&channel, Some(&proof), Some(&action)).await
    })
    .await;
    let confirm = async |code: &str, action: Action| {
        store.confirm_alert_channel(ada.id, channel.id, code, world.now(), Some(&action)).await
    };
    not_kept(&world, ChannelConfirmed, async |action| confirm("wrong", action).await).await;
    kept(&world, ChannelConfirmed, async |action| confirm("right", action).await).await;
    let change = async |member: MemberId, action: Action| {
        store.change_alert_channel(member, channel.id, &channel.wants, Some(&action)).await
    };
    not_kept(&world, ChannelChanged, async |action| change(bob.id, action).await).await;
    kept(&world, ChannelChanged, async |action| change(ada.id, action).await).await;
    let renew = async |action: Action| store.put_alert_secret(channel.id, "another", 1, Some(&action)).await;
    kept(&world, SecretRenewed, async |action| renew(action).await).await;
    not_kept(&world, SecretRenewed, async |action| renew(action).await).await;
    let remove = async |id: AlertChannelId, action: Action| {
        store.remove_alert_channel(ada.id, id, Some(&action)).await
    };
    let theirs = keep(&world, new_channel(&world, bob.id)).await;
    not_kept(&world, ChannelRemoved, async |action| remove(theirs.id, action).await).await;
    kept(&world, ChannelRemoved, async |action| remove(channel.id, action).await).await;
}

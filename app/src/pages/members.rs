//! `/dashboard/members`: an organisation's people and who is invited.

use domain::run::Role;
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use crate::{
    api::people::{Invite, RemoveMember, SetRole, WithdrawInvitation, everybody},
    components::{
        copy::Copy,
        field::Field,
        flash::{FlashLine, flash_unless},
        problem::{Problem, or_problem},
        time::{Time, Zone},
    },
    refusal::refusal_of,
};
use views::{
    error::AppError,
    people::{InvitationView, PeopleView, PersonView, ShownSecret, role_label, role_sentence},
};

/// The people of an organisation.
#[component]
pub fn MembersPage() -> impl IntoView {
    let inviting = refusal_of::<Invite>();
    let refused = inviting
        .clone()
        .or_else(refusal_of::<SetRole>)
        .or_else(refusal_of::<RemoveMember>)
        .or_else(refusal_of::<WithdrawInvitation>);
    let problem = refused.map(|error| error.code);
    let flash = flash_unless(problem.is_some());
    let answer = Resource::new(|| (), |()| everybody());
    view! {
        <Title text="People \u{b7} Ledger" />
        <div class="page-head">
            <h1>"People"</h1>
        </div>
        <FlashLine flash />
        {problem.map(|code| view! { <Problem code /> })}
        <Transition>
            {move || {
                let inviting = inviting.clone();
                answer.get().map(|answer| or_problem(answer, |people| everyone(people, inviting.as_ref())))
            }}
        </Transition>
    }
    .into_any()
}

fn everyone(view: PeopleView, inviting: Option<&AppError>) -> impl IntoView + use<> {
    let is_owner = view.is_owner;
    let asks = view.asks_password;
    // An organisation keeps an owner: the last one has nothing to choose.
    let has_others = view.people.iter().filter(|person| person.role == Role::Owner).count() > 1;
    let people = view.people.into_iter().map(move |person| {
        let is_last = person.role == Role::Owner && !has_others;
        card(person, is_owner && !is_last, asks)
    });
    view! {
        {view.link.map(link)}
        <ul class="cards">{people.collect_view()}</ul>
        {is_owner
            .then(|| {
                view! {
                    {open_invitations(view.invitations)}
                    {invite(&view.organisation, inviting, asks)}
                }
            })}
    }
}

/// The link that was just made: nobody sees it again.
fn link(link: ShownSecret) -> AnyView {
    view! {
        <section class="once" role="status" aria-labelledby="link-title">
            <h2 id="link-title">"The invitation\u{2019}s link"</h2>
            <p>"Copy it and send it to the person you invited. It is shown only now and works once, within seven days."</p>
            <p class="once-text" id="invitation-link" tabindex="0">
                {link.0}
            </p>
            <Copy of="invitation-link" what="the link" />
        </section>
    }
    .into_any()
}

fn card(person: PersonView, may_change: bool, asks: bool) -> AnyView {
    let PersonView { id, name, email, is_proved, role, is_me, has_second_factor } = person;
    let called = if name.is_empty() { email.clone() } else { name };
    let factor = has_second_factor
        .map(|has| if has { "Two-factor authentication: on" } else { "Two-factor authentication: off" });
    view! {
        <li class="card">
            <div class="card-head">
                <h2>{called.clone()}</h2>
                {is_me.then_some("You")}
            </div>
            <p class="card-line">{email}</p>
            {(!is_proved).then(|| view! { <p class="card-line">"Address not confirmed"</p> })}
            <p class="card-line">{role_label(role)}</p>
            {factor.map(|factor| view! { <p class="card-line">{factor}</p> })}
            {may_change.then(|| change(&id, &called, role, asks))}
        </li>
    }
    .into_any()
}

fn change(id: &str, called: &str, role: Role, asks: bool) -> AnyView {
    let select = format!("role-{id}");
    view! {
        <form class="mt-3 flex flex-wrap items-end gap-2" method="post" action=SetRole::PATH data-in-place autocomplete="off">
            <input type="hidden" name="member" value=id.to_owned() />
            <label class="sr-only" for=select.clone()>
                {format!("Role of {called}")}
            </label>
            <select id=select name="role">
                {roles(role)}
            </select>
            {password(asks, &format!("role-password-{id}"))}
            <button class="button" type="submit">
                "Change role"
            </button>
        </form>
        <details class="danger">
            <summary>{format!("Remove {called}")}</summary>
            <form class="form" method="post" action=RemoveMember::PATH data-in-place>
                <p>"They are signed out immediately and lose access to this organisation. Their activity stays in the history."</p>
                <input type="hidden" name="member" value=id.to_owned() />
                {password(asks, &format!("remove-password-{id}"))}
                <button class="button" type="submit">
                    {format!("Remove {called} now")}
                </button>
            </form>
        </details>
    }
    .into_any()
}

/// The question for the password of whoever acts; not when they showed it a moment ago.
fn password(asks: bool, id: &str) -> Option<AnyView> {
    let id = id.to_owned();
    asks.then(|| {
        view! {
            <div class="field">
                <label for=id.clone()>"Your password"</label>
                <input id=id name="password" type="password" autocomplete="current-password" required />
            </div>
        }
        .into_any()
    })
}

fn roles(chosen: Role) -> impl IntoView {
    Role::ALL
        .iter()
        .map(|role| view! { <option value=role.as_str() selected=*role == chosen>{role_label(*role)}</option> })
        .collect_view()
}

fn open_invitations(invitations: Vec<InvitationView>) -> AnyView {
    if invitations.is_empty() {
        return ().into_any();
    }
    let cards = invitations.into_iter().map(|invitation| {
        view! {
            <li class="card">
                <h3>{invitation.email}</h3>
                <p class="card-line">
                    {role_label(invitation.role)} ", until " <Time at=invitation.until /> " (" <Zone /> ")"
                </p>
                <form method="post" action=WithdrawInvitation::PATH data-in-place>
                    <input type="hidden" name="invitation" value=invitation.id />
                    <button class="button" type="submit">
                        "Withdraw"
                    </button>
                </form>
            </li>
        }
    });
    view! {
        <section class="part" aria-labelledby="invited">
            <h2 id="invited">"Pending invitations"</h2>
            <ul class="cards">{cards.collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn invite(organisation: &str, refused: Option<&AppError>, asks: bool) -> AnyView {
    let typed = |name| refused.and_then(|error| error.typed(name)).unwrap_or_default();
    let (email, error) = (typed("email").to_owned(), refused.and_then(|error| error.of_field("email")));
    let role = typed("role").parse().unwrap_or(Role::Viewer);
    let explained = Role::ALL.iter().map(|role| {
        view! {
            <li>
                <b>{role_label(*role)}</b>
                " "
                {role_sentence(*role)}
            </li>
        }
    });
    view! {
        <section class="part" aria-labelledby="invite">
            <h2 id="invite">"Invite someone"</h2>
            <div class="step">
                <form class="form" method="post" action=Invite::PATH data-in-place novalidate autocomplete="off">
                    <input type="hidden" name="organisation" value=organisation.to_owned() />
                    <Field
                        name="email"
                        label="E-mail address"
                        kind="email"
                        autocomplete="off"
                        value=email
                        error=error
                        autofocus=refused.is_some()
                    />
                    <div class="field">
                        <label for="role">"Role"</label>
                        <select id="role" name="role">
                            {roles(role)}
                        </select>
                    </div>
                    {password(asks, "invite-password")}
                    <button class="button button-main" type="submit">
                        "Create invitation"
                    </button>
                </form>
                <div class="self-start rounded-box bg-sheet-dim p-4">
                    <ul class="grid gap-1">{explained.collect_view()}</ul>
                </div>
            </div>
        </section>
    }
    .into_any()
}

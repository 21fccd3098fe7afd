//! `/invitation/{token}`: an invited person reads what they are invited to, and joins.

use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    api::people::{AcceptInvitation, JoinOrganisation, SendInvitationCode, invited},
    components::{
        field::Field,
        flash::{FlashLine, flash_unless},
        layout::Sheet,
        problem::Problem,
    },
    refusal::refusal_of,
};
use views::{
    error::AppError,
    links::sign_in_href,
    people::{InvitedView, role_label, role_sentence},
};

/// An invitation.
#[component]
pub fn InvitationPage() -> impl IntoView {
    let refused = refusal_of::<AcceptInvitation>()
        .or_else(refusal_of::<SendInvitationCode>)
        .or_else(refusal_of::<JoinOrganisation>);
    let flash = flash_unless(refused.is_some());
    let token =
        use_params_map().with_untracked(|params| params.get_str("token").unwrap_or_default().to_owned());
    let asked = token.clone();
    let answer = Resource::new(move || asked.clone(), invited);
    view! {
        <Title text="Invitation \u{b7} Ledger" />
        <Sheet>
            <h1>"Invitation"</h1>
            <FlashLine flash />
            <Transition>
                {move || {
                    let (token, refused) = (token.clone(), refused.clone());
                    answer
                        .get()
                        .map(|answer| match answer {
                            Ok(invited) => Either::Left(invitation(invited, token, refused.as_ref())),
                            Err(error) => {
                                Either::Right(view! { <Problem code=error.code wait=error.wait /> })
                            }
                        })
                }}
            </Transition>
        </Sheet>
    }
    .into_any()
}

/// What the invitation says, and the ways to join.
fn invitation(invited: InvitedView, token: String, refused: Option<&AppError>) -> AnyView {
    let role = format!("{}: {}", role_label(invited.role), role_sentence(invited.role));
    let problem = refused.map(|error| view! { <Problem code=error.code wait=error.wait /> });
    let ways = match invited.joins_as {
        Some(email) => join(&email, token),
        None => ways(&invited.email, invited.asks_code, token, refused),
    };
    view! {
        {problem}
        <p>"You are invited to join "<b>{invited.organisation}</b>"."</p>
        <dl class="facts">
            <div class="fact">
                <dt>"You sign in with"</dt>
                <dd>{invited.email}</dd>
            </div>
            <div class="fact">
                <dt>"Your role"</dt>
                <dd>{role}</dd>
            </div>
        </dl>
        {ways}
    }
    .into_any()
}

/// For the one who is signed in with this address.
fn join(email: &str, token: String) -> AnyView {
    view! {
        <form class="form" method="post" action=JoinOrganisation::PATH>
            <input type="hidden" name="token" value=token />
            <button class="button button-main" type="submit">
                {format!("Join as {email}")}
            </button>
        </form>
    }
    .into_any()
}

/// For everybody else: the same whether there is an account or not.
fn ways(email: &str, asks_code: bool, token: String, refused: Option<&AppError>) -> AnyView {
    let sign_in = sign_in_href(&format!("/invitation/{token}"));
    view! {
        <p>
            "Already have an account with this address? " <a href=sign_in>"Sign in to join with it"</a> "."
        </p>
        {asks_code.then(|| send_code(&token))}
        {accept(email, asks_code, token, refused)}
    }
    .into_any()
}

fn send_code(token: &str) -> AnyView {
    view! {
        <form class="form" method="post" action=SendInvitationCode::PATH>
            <p>"1. Send a code to this address to confirm that it is yours."</p>
            <input type="hidden" name="token" value=token.to_owned() />
            <button class="button" type="submit">"Send a code"</button>
        </form>
    }
    .into_any()
}

fn accept(email: &str, asks_code: bool, token: String, refused: Option<&AppError>) -> AnyView {
    let wrong = |name| refused.and_then(|error| error.of_field(name));
    let (code_wrong, name_wrong, password_wrong) = (wrong("code"), wrong("name"), wrong("password"));
    let name = refused.and_then(|error| error.typed("name")).unwrap_or_default().to_owned();
    // The cursor stands in the first field that needs something.
    let to_name = !asks_code && (name_wrong.is_some() || name.is_empty());
    let code = asks_code.then(|| {
        view! {
            <p>"2. Enter the code, your name and a password."</p>
            <Field
                name="code"
                label="Code"
                kind="text"
                autocomplete="one-time-code"
                hint="Six digits, valid for 15 minutes."
                error=code_wrong
                autofocus=true
            />
        }
    });
    view! {
        <form class="form" method="post" action=AcceptInvitation::PATH novalidate>
            <input type="hidden" name="token" value=token />
            // Password managers keep the pair.
            <input type="hidden" name="username" autocomplete="username" value=email.to_owned() />
            {code}
            <Field
                name="name"
                label="Your name"
                kind="text"
                autocomplete="name"
                value=name
                error=name_wrong
                autofocus=to_name
            />
            <Field
                name="password"
                label="Choose a password"
                kind="password"
                autocomplete="new-password"
                hint="At least 12 characters. Several unrelated words work well."
                error=password_wrong
                autofocus=!asks_code && !to_name
            />
            <button class="button button-main" type="submit">
                "Join"
            </button>
        </form>
    }
    .into_any()
}

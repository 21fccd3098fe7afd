//! `/invitation/{token}`: an invited person reads what they are invited to, and joins.

use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    api::people::{AcceptInvitation, invited},
    components::{field::Field, layout::Sheet, problem::Problem},
    error::AppError,
    refusal::refusal_of,
    screen::people::{InvitedView, role_label, role_sentence},
};

/// An invitation.
#[component]
pub fn InvitationPage() -> impl IntoView {
    let refused = refusal_of::<AcceptInvitation>();
    let token =
        use_params_map().with_untracked(|params| params.get_str("token").unwrap_or_default().to_owned());
    let asked = token.clone();
    let answer = Resource::new(move || asked.clone(), invited);
    view! {
        <Title text="Invitation \u{b7} Ledger" />
        <Sheet>
            <h1>"Invitation"</h1>
            <Transition>
                {move || {
                    let (token, refused) = (token.clone(), refused.clone());
                    answer
                        .get()
                        .map(|answer| match answer {
                            Ok(invited) => Either::Left(join(invited, token, refused)),
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

fn join(invited: InvitedView, token: String, refused: Option<AppError>) -> impl IntoView {
    let wrong = |name| refused.as_ref().and_then(|error| error.of_field(name));
    let (name_wrong, password_wrong) = (wrong("name"), wrong("password"));
    let name = refused.as_ref().and_then(|error| error.typed("name")).unwrap_or_default().to_owned();
    // The cursor stands in the first field that needs something.
    let to_password = name_wrong.is_none() && !name.is_empty();
    let role = format!("{}: {}", role_label(invited.role), role_sentence(invited.role));
    view! {
        {refused.map(|error| view! { <Problem code=error.code wait=error.wait /> })}
        <p>"You are invited to the books of "<b>{invited.organisation}</b>"."</p>
        <dl class="facts">
            <div class="fact">
                <dt>"You sign in with"</dt>
                <dd>{invited.email.clone()}</dd>
            </div>
            <div class="fact">
                <dt>"Your role"</dt>
                <dd>{role}</dd>
            </div>
        </dl>
        <form class="form" method="post" action=AcceptInvitation::PATH novalidate>
            <input type="hidden" name="token" value=token />
            // Password managers keep the pair.
            <input type="hidden" name="username" autocomplete="username" value=invited.email />
            <Field
                name="name"
                label="Your name"
                kind="text"
                autocomplete="name"
                value=name
                error=name_wrong
                autofocus=!to_password
            />
            <Field
                name="password"
                label="Choose a password"
                kind="password"
                autocomplete="new-password"
                hint="At least 12 characters; several words are good."
                error=password_wrong
                autofocus=to_password
            />
            <button class="button button-main" type="submit">
                "Join"
            </button>
        </form>
    }
}

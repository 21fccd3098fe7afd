//! `/sign-in`: e-mail address and password. A plain form: the browser sends it itself, with JavaScript and without, because
//! everything starts again with the new session.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    api::session::SignIn,
    components::{field::Field, flash::FlashLine, layout::Sheet, problem::Problem},
    refusal::refusal_of,
};
use views::{error::AppError, flash::Flash, links::HOME, links::safe_path};

/// The sign-in page.
#[component]
pub fn SignInPage() -> impl IntoView {
    let refused = refusal_of::<SignIn>();
    let (next, flash) = use_query_map().with_untracked(|map| {
        let next = map.get_str("next").and_then(safe_path).unwrap_or(HOME).to_owned();
        (next, Flash::read(map.get_str("flash")))
    });
    // Whoever was just refused is not told again that they signed out.
    let flash = flash.filter(|_| refused.is_none());
    view! {
        <Title text="Sign in \u{b7} Ledger" />
        <Sheet>
            <h1>"Sign in"</h1>
            <FlashLine flash=Signal::derive(move || flash) />
            {sign_in_form(refused, next)}
        </Sheet>
    }
    .into_any()
}

fn sign_in_form(refused: Option<AppError>, next: String) -> impl IntoView {
    let wrong = |name| refused.as_ref().and_then(|error| error.of_field(name));
    let (email_error, password_error) = (wrong("email"), wrong("password"));
    let email = refused.as_ref().and_then(|error| error.typed("email")).unwrap_or_default().to_owned();
    // The cursor stands in the first field that needs something.
    let to_password = email_error.is_none() && !email.is_empty();
    view! {
        {refused.map(|error| view! { <Problem code=error.code wait=error.wait /> })}
        <form class="form" method="post" action=SignIn::PATH novalidate>
            <Field
                name="email"
                label="E-mail address"
                kind="email"
                autocomplete="username"
                value=email
                error=email_error
                autofocus=!to_password
            />
            <Field
                name="password"
                label="Password"
                kind="password"
                autocomplete="current-password"
                error=password_error
                autofocus=to_password
            />
            <input type="hidden" name="next" value=next />
            <button class="button button-main" type="submit">
                "Sign in"
            </button>
        </form>
    }
}

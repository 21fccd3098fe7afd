//! `/sign-in/code`: the second step of a sign-in.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    api::account::SignInWithCode,
    components::{field::Field, layout::Sheet, problem::Problem},
    refusal::refusal_of,
};
use views::{links::HOME, links::safe_path, links::sign_in_href};

/// The question for a code.
#[component]
pub fn SecondStepPage() -> impl IntoView {
    let refused = refusal_of::<SignInWithCode>();
    let next = use_query_map()
        .with_untracked(|map| map.get_str("next").and_then(safe_path).unwrap_or(HOME).to_owned());
    let error = refused.as_ref().and_then(|error| error.of_field("code"));
    let back = sign_in_href(&next);
    view! {
        <Title text="Enter a code \u{b7} Ledger" />
        <Sheet>
            <h1>"Enter a code"</h1>
            {refused.map(|error| view! { <Problem code=error.code wait=error.wait /> })}
            <form class="form" method="post" action=SignInWithCode::PATH novalidate>
                <Field
                    name="code"
                    label="Code"
                    kind="text"
                    autocomplete="one-time-code"
                    hint="Six digits from your authenticator app, or a recovery code."
                    error=error
                    autofocus=true
                />
                <input type="hidden" name="next" value=next />
                <button class="button button-main" type="submit">
                    "Sign in"
                </button>
            </form>
            <p>
                <a href=back>"Start again"</a>
            </p>
        </Sheet>
    }
    .into_any()
}

//! `/dashboard/connect-magento`: pairs a shop.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    api::{bindings::PairShop, session::who},
    components::{field::Field, problem::Problem, setup_steps::setup_part},
    context,
    refusal::refusal_of,
};
use services::setup::before_pairing;

/// The form that pairs a shop.
#[component]
pub fn ConnectMagentoPage() -> impl IntoView {
    let refused = refusal_of::<PairShop>();
    let wrong = |name| refused.as_ref().and_then(|error| error.of_field(name));
    let typed = |name| refused.as_ref().and_then(|error| error.typed(name)).unwrap_or_default().to_owned();
    let map = use_query_map();
    // The page of a shop that is to be paired again brings its name and address along.
    let brought = |name: &'static str| match typed(name) {
        nothing if nothing.is_empty() => {
            map.with_untracked(|map| map.get_str(name).unwrap_or_default().to_owned())
        }
        known => known,
    };
    let (name, url) = (brought("name"), brought("url"));
    let is_first_time = refused.is_some() || name.is_empty();
    let [name_wrong, url_wrong, code_wrong] = ["name", "url", "code"].map(wrong);
    // The cursor stands in the first field that needs something.
    let to_name = name_wrong.is_some() || refused.is_none() && name.is_empty();
    let to_url = !to_name && (url_wrong.is_some() || code_wrong.is_none() && url.is_empty());
    view! {
        <Title text="Connect a shop \u{b7} Ledger" />
        <div class="page-head"><h1>"Connect a shop"</h1></div>
        {refused.as_ref().map(|error| view! { <Problem code=error.code /> })}
        {is_first_time.then(steps)}
        <div class="step">
            <form class="form" method="post" action=PairShop::PATH novalidate autocomplete="off">
                {of_organisation()}
                <Field
                    name="name"
                    label="Display name"
                    kind="text"
                    autocomplete="off"
                    hint="What you and your colleagues call this shop."
                    value=name
                    error=name_wrong
                    autofocus=to_name
                />
                <Field
                    name="url"
                    label="Shop address"
                    kind="url"
                    autocomplete="url"
                    hint="The address your customers use, such as https://shop.example."
                    value=url
                    error=url_wrong
                    autofocus=to_url
                />
                <Field
                    name="code"
                    label="Pairing code"
                    kind="text"
                    autocomplete="one-time-code"
                    error=code_wrong
                    autofocus=!to_name && !to_url
                />
                {pair_button()}
            </form>
            {where_the_code_is()}
        </div>
    }
    .into_any()
}

/// The steps from here on.
fn steps() -> impl IntoView {
    let answer =
        AsyncDerived::new(|| async { context::member().await.ok().map(|member| before_pairing(&member)) });
    view! { <Suspense>{move || answer.get().flatten().map(|view| setup_part(&view, false))}</Suspense> }
}

fn where_the_code_is() -> impl IntoView {
    view! {
    <section class="self-start rounded-box bg-sheet-dim p-4" aria-labelledby="where">
        <h2 id="where">"Where to find the code"</h2>
        <ol class="list-decimal pl-6">
            <li>"Sign in to Magento\u{2019}s admin as a user who can change the configuration."</li>
            <li>"Go to "<b>"Stores"</b>" \u{203a} "<b>"Configuration"</b>", then open the Byte8 Ledger section."</li>
            <li>"Generate a pairing code. It works once, within 30 minutes."</li>
            <li>"Copy it into the field on this page."</li>
        </ol>
    </section>
    }
}

/// For which organisation the page was opened: after a switch in another tab the form does nothing.
fn of_organisation() -> impl IntoView {
    let who = Resource::new(|| (), |()| who());
    let field = move || {
        let member = who.get().and_then(Result::ok);
        member.map(|member| view! { <input type="hidden" name="organisation" value=member.organisation /> })
    };
    view! { <Transition>{field}</Transition> }
}

fn pair_button() -> impl IntoView {
    view! {
        <button class="button button-main" type="submit">
            "Pair the shop"
        </button>
    }
}

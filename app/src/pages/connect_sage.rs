//! `/dashboard/connect-sage?binding=ID`: consent at Sage, and the choice of a business.

use domain::preflight::FindingCode;
use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    api::bindings::{BeginConsent, ChooseBusiness, way_to_sage},
    components::{
        flash::{FlashLine, flash_unless},
        problem::{Problem, or_problem},
        setup_steps::setup_part,
    },
    pages::preflight,
    refusal::refusal_of,
};
use views::{
    bindings::{BusinessView, ConnectView, RecoveryStep},
    error::ErrorCode,
};

/// Where a business may be registered with Sage, as ISO code and name (Sage's guide on regions).
const COUNTRIES: [(&str, &str); 7] = [
    ("GB", "United Kingdom"),
    ("IE", "Ireland"),
    ("CA", "Canada"),
    ("US", "United States"),
    ("FR", "France"),
    ("ES", "Spain"),
    ("DE", "Germany"),
];

/// The way to Sage.
#[component]
pub fn ConnectSagePage() -> impl IntoView {
    let map = use_query_map();
    let refused = refusal_of::<BeginConsent>().or_else(refusal_of::<ChooseBusiness>).map(|error| error.code);
    // What Sage answered comes from another site: the address can only name it.
    let returned = map.with_untracked(|map| map.get_str("problem")?.parse::<ErrorCode>().ok());
    let problem = refused.or(returned);
    let found = map.with_untracked(|map| map.get_str("found")?.parse::<FindingCode>().ok());
    let flash = flash_unless(problem.is_some());
    let answer = Resource::new(
        move || map.with(|map| map.get_str("binding").unwrap_or_default().to_owned()),
        way_to_sage,
    );
    view! {
        <Title text="Connect Sage \u{b7} Ledger" />
        <div class="page-head">
            <h1>"Connect Sage"</h1>
        </div>
        <FlashLine flash />
        {problem.map(|code| view! { <Problem code /> })}
        {found.map(preflight::found)}
        <Transition>
            {move || {
                answer.get().map(|answer| or_problem(answer, way_on))
            }}
        </Transition>
    }
    .into_any()
}

fn way_on(way: ConnectView) -> impl IntoView {
    let ConnectView { binding, businesses, before, taken } = way;
    let id = binding.id.clone();
    let pair_first = (binding.way_back() == Some(RecoveryStep::PairAgain)).then(|| {
        view! {
            <div class="problem" role="alert">
                <p class="problem-sentence">"The shop was disconnected in Magento."</p>
                <p>
                    "Connecting Sage alone is not enough: "
                    <a href=binding.pair_href.clone()>"pair the shop again"</a>" first."
                </p>
            </div>
        }
    });
    view! {
        {binding.setup.as_ref().map(|setup| setup_part(setup, false))}
        {pair_first}
        <p>"Shop: "<a href=binding.href()>{binding.name.clone()}</a>" \u{b7} "{binding.shop.clone()}</p>
        {if businesses.is_empty() {
            Either::Left(consent(id, true))
        } else {
            Either::Right(view! { {choice(id.clone(), businesses, before.as_deref(), &taken)} {consent(id, false)} })
        }}
    }
}

fn consent(binding: String, first: bool) -> impl IntoView {
    let options = COUNTRIES.map(|(code, name)| view! { <option value=code>{name}</option> });
    let lead = if first {
        "Sage asks you to sign in and to give Ledger access. You then return here automatically."
    } else {
        "Not listed? Sign in to Sage as another user."
    };
    let class = if first { "button button-main" } else { "button" };
    view! {
        <form class="form" method="post" action=BeginConsent::PATH>
            <p>{lead}</p>
            <input type="hidden" name="binding" value=binding />
            <div class="field">
                <label for="country">"Country of the business"</label>
                <select id="country" name="country">
                    {options.collect_view()}
                </select>
            </div>
            <button class=class type="submit">
                "Continue to Sage"
            </button>
        </form>
    }
}

fn choice(
    binding: String,
    businesses: Vec<BusinessView>,
    before: Option<&str>,
    taken: &[(String, String)],
) -> impl IntoView + use<> {
    let buttons = businesses.into_iter().map(|BusinessView { id, name, country }| {
        let is_before = before == Some(id.as_str());
        let shop = taken.iter().find(|(business, _)| *business == id).map(|(_, shop)| shop.clone());
        view! {
            <li>
                <button
                    class=if is_before { "button button-main" } else { "button" }
                    type="submit"
                    name="business"
                    value=id
                    disabled=shop.is_some()
                >
                    {name}
                    {is_before.then_some(", as before")}
                </button>
                {country.map(|country| view! { <p class="field-hint">{country}</p> })}
                {shop.map(|shop| view! { <p class="field-hint">{format!("Used by {shop}. Each business can have only one shop.")}</p> })}
            </li>
        }
    });
    let buttons = buttons.collect_view();
    view! {
        <form class="form" method="post" action=ChooseBusiness::PATH>
            <h2>"Choose a business"</h2>
            <p>"The shop\u{2019}s documents are posted to this business. Ledger first loads its lists, which takes a few seconds."</p>
            <input type="hidden" name="binding" value=binding />
            <ul class="choice grid gap-2">{buttons}</ul>
        </form>
    }
}

//! `/dashboard/bindings`: the organisation's shops.

use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

use crate::{
    api::bindings::list_bindings,
    components::{binding_chip::BindingChip, problem::or_problem},
};
use views::bindings::BindingView;

/// The list of bindings.
#[component]
pub fn BindingsPage() -> impl IntoView {
    let answer = Resource::new(|| (), |()| list_bindings());
    view! {
        <Title text="Shops \u{b7} Ledger" />
        <div class="page-head">
            <h1>"Shops"</h1>
            <div class="page-tools">
                <a class="button" href="/dashboard/connect-magento">
                    "Connect a shop"
                </a>
            </div>
        </div>
        <Transition>
            {move || {
                answer.get().map(|answer| or_problem(answer, shops))
            }}
        </Transition>
    }
    .into_any()
}

fn shops(bindings: Vec<BindingView>) -> impl IntoView {
    if bindings.is_empty() {
        return Either::Left(view! {
            <div class="empty">
                <p class="empty-title">"No shops connected yet"</p>
                <p>"Pair your Magento shop, then connect Sage. It takes a few minutes."</p>
            </div>
        });
    }
    let cards = bindings.into_iter().map(|binding| {
        let href = binding.href();
        view! {
            <li class="card">
                <div class="card-head">
                    <h2>
                        <a href=href>{binding.name}</a>
                    </h2>
                    <BindingChip state=binding.state />
                </div>
                <p class="card-line">{binding.shop}</p>
                <p class="card-line">{binding.business.unwrap_or_else(|| "No Sage business yet".to_owned())}</p>
            </li>
        }
    });
    Either::Right(view! { <ul class="cards">{cards.collect_view()}</ul> })
}

//! `/dashboard/connecting?binding=ID`: how far the fetching of Sage's lists has come. The answer asks the browser to come again in a
//! second, so it goes on without a script.

use domain::business::ReferenceList;
use leptos::{either::EitherOf3, prelude::*};
use leptos_meta::Title;
use leptos_router::{components::Redirect, hooks::use_query_map};

use crate::{
    api::bindings::progress_of,
    components::{problem::Problem, setup_steps::SetupSteps},
};
use views::bindings::{ProgressView, connecting_href};

/// How far it has come; when it is over, the page leads on.
#[component]
pub fn ConnectingPage() -> impl IntoView {
    let map = use_query_map();
    let shop = map.with_untracked(|map| map.get_str("binding").unwrap_or_default().to_owned());
    let answer = Resource::new(
        move || map.with(|map| map.get_str("binding").unwrap_or_default().to_owned()),
        progress_of,
    );
    view! {
        <Title text="Connecting Sage \u{b7} Ledger" />
        <div class="page-head">
            <h1>"Connecting Sage"</h1>
        </div>
        <SetupSteps binding=shop />
        <Transition>
            {move || {
                answer
                    .get()
                    .map(|answer| match answer {
                        Ok(ProgressView::Fetching { binding, list }) => EitherOf3::A(fetching(&binding, list)),
                        Ok(ProgressView::Over { href }) => EitherOf3::B(view! { <Redirect path=href /> }),
                        Err(error) => EitherOf3::C(view! { <Problem code=error.code /> }),
                    })
            }}
        </Transition>
    }
    .into_any()
}

fn fetching(binding: &str, current: ReferenceList) -> impl IntoView + use<> {
    let place = ReferenceList::ALL.iter().position(|list| *list == current).unwrap_or_default() + 1;
    let count = ReferenceList::ALL.len();
    let lists = ReferenceList::ALL.map(|list| {
        let (mark, word) = match list.cmp(&current) {
            std::cmp::Ordering::Less => ("M2.5 8.5l3.5 3.5l7.5-8", Some(" \u{b7} loaded")),
            std::cmp::Ordering::Equal => ("M3 8h9M8.5 4l4 4l-4 4", Some(" \u{b7} loading")),
            std::cmp::Ordering::Greater => ("", None),
        };
        view! {
            <li
                class="group grid grid-cols-[1rem_minmax(0,1fr)] items-center gap-3 text-ink-dim aria-[current]:font-strong aria-[current]:text-ink"
                aria-current=(list == current).then_some("step")
            >
                <svg class="icon text-good group-aria-[current]:text-busy" viewBox="0 0 16 16" aria-hidden="true">
                    <path d=mark />
                </svg>
                <span>{list.label()}{word}</span>
            </li>
        }
    });
    view! {
        <section class="grid gap-3" aria-labelledby="lists">
            <h2 id="lists">"Loading the business\u{2019}s lists"</h2>
            <p>{current.label()}" \u{b7} "{place}" of "{count}</p>
            <progress class="h-2.5 w-full max-w-120 appearance-none overflow-hidden rounded-control border border-line-strong bg-sheet-dim [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-sheet-dim [&::-webkit-progress-value]:bg-accent" max=count value=place aria-labelledby="lists"></progress>
            <ol class="grid gap-1">{lists.collect_view()}</ol>
            <p class="field-hint">
                "This page continues automatically. If it does not, "
                <a href=connecting_href(binding)>
                    "reload it"
                </a>"."
            </p>
        </section>
    }
}

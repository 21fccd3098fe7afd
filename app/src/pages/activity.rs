//! `/dashboard/activity`: who did what in the organisation, for its owners.

use domain::run::ActionKind;
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    components::{
        choice::choice,
        pager::Pager,
        problem::or_problem,
        time::{Time, Zone},
    },
    context,
};
use services::activity::{self, ActivityQuery};
use views::{
    activity::{ACTIVITY, ActivityRow, ActivityView, kind_label},
    error::AppError,
};

/// What was done.
#[component]
pub fn ActivityPage() -> impl IntoView {
    let query = use_query_map().with_untracked(|map| {
        let field = |name| map.get(name).unwrap_or_default();
        ActivityQuery { kind: field("kind"), person: field("person"), before: field("before") }
    });
    let answer = Resource::new(|| (), move |()| load(query.clone()));
    view! {
        <Title text="Activity \u{b7} Ledger" />
        <div class="page-head">
            <h1>"Activity"</h1>
        </div>
        <p class="page-note">
            "Who did what with people, shops, settings and connections. Entries are never removed. Times are in " <Zone /> "."
        </p>
        <Transition>{move || answer.get().map(|answer| or_problem(answer, whole))}</Transition>
    }
    .into_any()
}

async fn load(query: ActivityQuery) -> Result<ActivityView, AppError> {
    let work = async { activity::page(&context::services()?, &context::member().await?, &query).await };
    context::answer(work).await
}

fn whole(view: ActivityView) -> AnyView {
    let filters = filters(&view);
    let is_filtered = view.kind.is_some() || !view.person.is_empty();
    let list = if view.rows.is_empty() {
        let title = if is_filtered { "No activity matches" } else { "No activity yet" };
        Either::Left(view! {
            <div class="empty">
                <p class="empty-title">{title}</p>
                <p>"Changes to shops, settings and people appear here."</p>
            </div>
        })
    } else {
        Either::Right(table(view.rows))
    };
    view! {
        {filters}
        {list}
        <Pager first=view.newest previous=None next=view.older names=["Newest", "Newer", "Older"].map(str::to_owned).to_vec() />
    }
    .into_any()
}

/// A cell; on a phone they are under each other.
const CELL: &str = "px-3 py-2 wrap-anywhere max-sm:block max-sm:p-0 max-sm:empty:hidden";

fn table(rows: Vec<ActivityRow>) -> AnyView {
    let heads = ["Time", "Person", "Activity", "Shop"].map(|head| {
        view! {
            <th class="px-3 py-2 font-medium" scope="col">
                {head}
            </th>
        }
    });
    view! {
        <div class="panel overflow-x-auto">
            <table class="max-sm:block">
                <caption class="sr-only">"Activity, newest first"</caption>
                <thead class="text-small text-ink-dim max-sm:sr-only">
                    <tr class="border-b border-line">{heads.into_iter().collect_view()}</tr>
                </thead>
                <tbody class="max-sm:block">{rows.into_iter().map(line).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn line(row: ActivityRow) -> AnyView {
    let ActivityRow { at, who, person, what, detail, shop, run } = row;
    let who = match person {
        Some(id) => Either::Left(view! { <a href=format!("{ACTIVITY}?person={id}")>{who}</a> }),
        None => Either::Right(who),
    };
    let what = match run {
        Some(href) => Either::Left(view! { <a href=href>{what}</a> }),
        None => Either::Right(what),
    };
    view! {
        <tr class="border-b border-line last:border-b-0 max-sm:block max-sm:p-3">
            <td class=CELL>
                <Time at />
            </td>
            <td class=CELL>{who}</td>
            <td class=CELL>
                {what}
                {(!detail.is_empty()).then(|| view! { <span class="note block">{detail}</span> })}
            </td>
            <td class=CELL>{shop.map(|(name, href)| view! { <a href=href>{name}</a> })}</td>
        </tr>
    }
    .into_any()
}

fn filters(view: &ActivityView) -> AnyView {
    let kinds = ActionKind::ALL.iter().map(|kind| (kind.to_string(), kind_label(*kind).to_owned()));
    let chosen = view.kind.map(ActionKind::as_str).unwrap_or_default();
    let clear = (view.kind.is_some() || !view.person.is_empty())
        .then(|| view! { <a class="button button-quiet" href=ACTIVITY>"Clear filters"</a> });
    view! {
        <form class="filter-form" method="get" action=ACTIVITY autocomplete="off">
            {choice("kind", "Activity", "All activity", kinds.collect(), chosen)}
            {choice("person", "Person", "Everyone", view.people.clone(), &view.person)}
            <button class="button" type="submit">
                "Apply"
            </button>
            {clear}
        </form>
    }
    .into_any()
}

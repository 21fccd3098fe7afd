//! `/dashboard/sync`: every run, searched, filtered and sorted, and live.

use domain::{
    code::Code,
    run::{EventName, RunStatus},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_location, use_query_map};
use store::{Order, Seek, SortBy};

use crate::{
    api::runs::{ForgetView, RetryRun, SaveView},
    components::{
        flash::{FlashLine, flash_unless},
        problem::{Problem, or_problem},
    },
    context,
    islands::{live_line::LiveLine, runs_list::RunsList},
    refusal::refusal_of,
};
use services::history::{self, operator_actions::retry_href, query::HistoryQuery};
use views::{
    error::AppError,
    links::HISTORY,
    runs::{RunsPage, SortLink, event_label, status_label},
};

/// The list of runs.
#[component]
pub fn HistoryPage() -> impl IntoView {
    let read = use_query_map().with_untracked(|map| HistoryQuery::read(|name| map.get_str(name)));
    clean_up_address(read.as_ref().ok());
    let query = read.clone().unwrap_or_default();
    let refused = refusal_of::<RetryRun>().or_else(refusal_of::<SaveView>).or_else(refusal_of::<ForgetView>);
    let flash = flash_unless(refused.is_some());
    let typed = read.as_ref().err().and_then(|error| error.typed("q")).map(str::to_owned);
    let answer = Resource::new(|| (), move |()| load(read.clone()));
    view! {
        <Title text="Sync runs \u{b7} Ledger" />
        <FlashLine flash />
        {refused.map(|error| view! { <Problem code=error.code /> })}
        <Transition>
            {move || {
                let (query, typed) = (query.clone(), typed.clone());
                answer
                    .get()
                    .map(|answer| match answer {
                        Ok(page) => whole(page, &query).into_any(),
                        Err(error) => {
                            let query = HistoryQuery { search: typed.unwrap_or_default(), ..query };
                            view! {
                                <h1>"Sync runs"</h1>
                                {search_box(&query)}
                                {or_problem(Err::<(), _>(error), |()| ())}
                            }
                                .into_any()
                        }
                    })
            }}
        </Transition>
    }
    .into_any()
}

async fn load(query: Result<HistoryQuery, AppError>) -> Result<RunsPage, AppError> {
    let work = async { history::page(&context::services()?, &context::member().await?, &query?).await };
    context::answer(work).await
}

/// A form sends its empty fields along; the address that people keep and send does without them.
fn clean_up_address(query: Option<&HistoryQuery>) {
    let search = use_location().search.get_untracked();
    let has_empty = search.trim_start_matches('?').split('&').any(|part| part.ends_with('='));
    if let Some(query) = query.filter(|_| has_empty) {
        leptos_axum::redirect(&query.href());
    }
}

fn whole(page: RunsPage, query: &HistoryQuery) -> AnyView {
    let export = |kind: &str| match query.text() {
        text if text.is_empty() => format!("{HISTORY}/export.{kind}"),
        text => format!("{HISTORY}/export.{kind}?{text}"),
    };
    let retry_all = page.may_retry.then(|| {
        view! {
            <a class="button" href=retry_href(query)>
                "Retry all matching runs\u{2026}"
            </a>
        }
    });
    view! {
        <div class="page-head">
            <h1>"Sync runs"</h1>
            <div class="page-tools">
                <LiveLine />
                <a class="button" href=query.href()>
                    "Refresh"
                </a>
            </div>
        </div>
        {search_box(query)}
        <div class="filters">{status_links(query)} {views(&page.views, query)}</div>
        {more_filters(query, &page.shops)}
        <div class="list-tools">
            <a class="button button-quiet" href=format!("{HISTORY}/causes")>
                "Failures by cause"
            </a>
            {retry_all}
            <a class="button" href=export("csv")>
                "Export CSV"
            </a>
            <a class="button" href=export("json")>
                "Export JSON"
            </a>
        </div>
        {list(page, query)}
    }
    .into_any()
}

fn search_box(query: &HistoryQuery) -> AnyView {
    let kept = query.with(|_| ()).parts().into_iter().filter(|(name, _)| *name != "q");
    let kept =
        kept.map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view();
    view! {
        <form class="search" method="get" action=HISTORY role="search" autocomplete="off">
            <label class="visually-hidden" for="q">
                "Search"
            </label>
            <input
                id="q"
                name="q"
                type="search"
                value=query.search.clone()
                placeholder="Number, SI-27, e-mail, amount, request ID"
                aria-describedby="q-hint"
            />
            {kept}
            <button class="button" type="submit">
                "Search"
            </button>
            <p class="field-hint" id="q-hint">
                "Or use filters: " <code>"status:failed amount:>100"</code> ", "
                <code>"code:totals_mismatch"</code> ", " <code>"from:2026-03-01"</code>
            </p>
        </form>
    }
    .into_any()
}

fn status_links(query: &HistoryQuery) -> AnyView {
    let link = |href: String, is_current: bool, status: Option<RunStatus>, name: &'static str| {
        view! {
            <a
                class="pill"
                href=href
                aria-current=is_current.then_some("true")
                data-status=status.map(RunStatus::as_str)
            >
                {name}
            </a>
        }
    };
    let current = (query.fields.status, query.fields.open);
    let all = query.with(|fields| (fields.status, fields.open, fields.cause) = (None, false, None)).href();
    let open = query.with(|fields| (fields.status, fields.open) = (None, true)).href();
    let others = RunStatus::ALL.iter().map(|status| {
        let href = query.with(|fields| (fields.status, fields.open) = (Some(*status), false)).href();
        link(href, current == (Some(*status), false), Some(*status), status_label(*status))
    });
    view! {
        <nav class="pills" aria-label="Status">
            {link(all, current == (None, false), None, "All")} {link(open, current.1, None, "Needs attention")}
            {others.collect_view()}
        </nav>
    }
    .into_any()
}

/// The member's own views: links, and the form that names this one.
fn views(views: &[(String, String)], query: &HistoryQuery) -> impl IntoView + use<> {
    let text = query.text();
    let return_to = query.href();
    let links = views.iter().map(|(name, saved)| {
        view! {
            <li class="view">
                <a href=format!("{HISTORY}?{saved}") aria-current=(*saved == text).then_some("true")>
                    {name.clone()}
                </a>
                <form method="post" action=ForgetView::PATH>
                    <input type="hidden" name="return_to" value=return_to.clone() />
                    <button
                        class="button button-quiet"
                        name="name"
                        value=name.clone()
                        aria-label=format!("Delete the view {name}")
                    >
                        "\u{d7}"
                    </button>
                </form>
            </li>
        }
    });
    let links = links.collect_view();
    let save = query.is_filtered().then(|| {
        view! {
            <form class="save-view" method="post" action=SaveView::PATH>
                <label for="view-name">"Save this view as"</label>
                <input id="view-name" name="name" required maxlength="60" autocomplete="off" />
                <input type="hidden" name="query" value=text.clone() />
                <button class="button">"Save"</button>
            </form>
        }
    });
    if views.is_empty() && save.is_none() {
        return None;
    }
    Some(view! {
        <details class="views">
            <summary>"Views"</summary>
            <ul>{links}</ul>
            {save}
        </details>
    })
}

fn more_filters(query: &HistoryQuery, shops: &[(String, String)]) -> AnyView {
    let fields = &query.fields;
    let parts = query.parts();
    let value = |name: &str| {
        parts.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let kept = ["q", "status", "cause", "open", "version", "sort", "order"].map(|name| (name, value(name)));
    let kept = kept.into_iter().filter(|(_, value)| !value.is_empty());
    let kept =
        kept.map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view();
    let events = EventName::ALL.iter().map(|event| (event.to_string(), event_label(*event).to_owned()));
    let mut codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    codes.sort();
    let codes = codes.into_iter().map(|code| (code.clone(), code.replace('_', " ")));
    let more = [
        fields.binding.is_some(),
        fields.code.is_some(),
        fields.from.is_some(),
        fields.until.is_some(),
        fields.at_least.is_some(),
        fields.at_most.is_some(),
    ];
    let reset = query
        .is_filtered()
        .then(|| view! { <a class="button button-quiet" href=HISTORY>"Clear filters"</a> });
    let shop = (shops.len() > 1 || fields.binding.is_some())
        .then(|| choice("shop", "Shop", "All shops", shops.to_vec(), &value("shop")));
    view! {
        <form class="filter-form" method="get" action=HISTORY autocomplete="off">
            {kept} {choice("event", "Event", "All events", events.collect(), &value("event"))}
            <details class="more-filters" open=more.contains(&true)>
                <summary>"More filters"</summary>
                <div class="more-fields">
                    {shop} {choice("code", "Reason", "All reasons", codes.collect(), &value("code"))}
                    {input("from", "Received from (UTC)", "date", value("from"))}
                    {input("until", "until (UTC)", "date", value("until"))}
                    {input("min", "Amount from", "text", value("min"))} {input("max", "to", "text", value("max"))}
                </div>
            </details>
            <button class="button" type="submit">
                "Apply"
            </button>
            {reset}
        </form>
    }
    .into_any()
}

fn choice(
    name: &'static str,
    label: &'static str,
    any: &'static str,
    options: Vec<(String, String)>,
    chosen: &str,
) -> impl IntoView + use<> {
    let options: Vec<_> = options
        .into_iter()
        .map(|(value, text)| {
            let selected = value == chosen;
            view! {
                <option value=value selected=selected>
                    {text}
                </option>
            }
        })
        .collect();
    view! {
        <div class="filter-field">
            <label for=name>{label}</label>
            <select id=name name=name>
                <option value="">{any}</option>
                {options}
            </select>
        </div>
    }
}

fn input(name: &'static str, label: &'static str, kind: &'static str, value: String) -> impl IntoView {
    view! {
        <div class="filter-field">
            <label for=name>{label}</label>
            <input id=name name=name type=kind value=value inputmode=(kind == "text").then_some("decimal") />
        </div>
    }
}

/// What the live page brings up to date.
fn list(page: RunsPage, query: &HistoryQuery) -> AnyView {
    let is_first = query.seek == Seek::First;
    let first = (!is_first).then(|| query.at(Seek::First).href());
    let names = if query.order == Order::default() {
        ["Newest", "Newer", "Older"]
    } else if query.order == (Order { by: SortBy::Received, descending: false }) {
        ["Oldest", "Older", "Newer"]
    } else {
        ["First", "Previous", "Next"]
    };
    let stopped = page.stopped.then(|| {
        view! {
            <p class="notice">
                "Search stopped early because few runs match. Choose \u{201c}" {names[2]}
                "\u{201d} to continue, or narrow it by date or shop."
            </p>
        }
    });
    let names = names.map(str::to_owned).to_vec();
    let is_part = query.is_filtered() || !is_first;
    view! {
        <div id="runs" class="runs-list">
            {stopped}
            <RunsList page query=query.text() return_to=query.href() sorts=sorts(query) first names is_part />
        </div>
    }
    .into_any()
}

/// The ways to other orders, in the order of the table's columns.
fn sorts(query: &HistoryQuery) -> Vec<Option<SortLink>> {
    let columns = [None, Some(SortBy::Number), None, Some(SortBy::Amount), None, Some(SortBy::Received)];
    let link = |by: SortBy| SortLink {
        href: query.sorted_by(by).href(),
        descending: (query.order.by == by).then_some(query.order.descending),
    };
    columns.into_iter().map(|by| by.map(link)).collect()
}

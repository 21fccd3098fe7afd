//! `/dashboard/sync`: every run, newest first, live.

use std::time::Duration;

use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    api::runs::{RetryRun, runs_at},
    components::{
        filters::Filters, flash::FlashLine, live::LiveSwitch, pager::Pager, problem::Problem,
        runs_table::RunsTable,
    },
    error::{AppError, ErrorCode},
    pages::dashboard::ToSignIn,
    query::{Flash, RunsQuery},
    screen::runs::{RunsPage, settle},
};

/// Changes that come faster than this are fetched together: at most four times a second.
const BREATH: Duration = Duration::from_millis(250);

type PageResource = Resource<Result<RunsPage, AppError>>;
type QueryMemo = Memo<Result<RunsQuery, AppError>>;

/// The list of runs.
#[component]
pub fn SyncPage() -> impl IntoView {
    let map = use_query_map();
    let query: QueryMemo = Memo::new(move |_| map.with(|map| RunsQuery::read(|name| map.get_str(name))));
    let understood = Signal::derive(move || query.get().unwrap_or_default());
    let retry = ServerAction::<RetryRun>::new();
    let pace = Pace::new();
    let answer: PageResource = Resource::new(
        move || (query.get(), pace.round.get(), retry.version().get()),
        |(query, ..)| runs_at(query),
    );
    let flash = Signal::derive(move || match retry.value().get() {
        Some(done) => done.ok(),
        None => map.with(|map| Flash::read(map.get_str("flash"))),
    });
    // What was said of a retry goes when another part of the list is looked at.
    Effect::new(move |before: Option<()>| {
        query.track();
        if before.is_some() {
            retry.clear();
        }
    });
    view! {
        <Title text="Sync runs \u{b7} Ledger" />
        <div class="page-head">
            <h1>"Sync runs"</h1>
            <div class="page-tools">
                <LiveSwitch on_change=move |number| pace.change(number) />
                <a class="button" href=move || understood.get().href() rel="external">
                    "Refresh"
                </a>
            </div>
        </div>
        <Filters query=understood />
        <FlashLine flash />
        {move || retry.value().get().and_then(Result::err).map(|error| problem(error.code))}
        <Transition>
            <Runs answer query pace retry />
        </Transition>
    }
    .into_any()
}

/// What the list shows.
#[derive(Clone, Debug, Default, PartialEq)]
struct Shown {
    page: Option<RunsPage>,
    /// How many new rows wait for the pointer to leave.
    waiting: usize,
    error: Option<ErrorCode>,
}

impl Shown {
    /// What is shown after an answer. An error that passes leaves the rows where they are.
    fn next(
        old: Option<&Self>,
        answer: Result<RunsPage, AppError>,
        query: Option<RunsQuery>,
        hold: bool,
    ) -> Self {
        let old = old.and_then(|old| old.page.as_ref());
        match answer {
            Ok(fresh) => {
                let (page, waiting) = settle(old, fresh, hold);
                Self { page: Some(page), waiting, error: None }
            }
            Err(error) => {
                let passes = matches!(error.code, ErrorCode::Unreachable | ErrorCode::Unavailable);
                let page = old.filter(|old| passes && Some(old.query) == query).cloned();
                Self { page, waiting: 0, error: Some(error.code) }
            }
        }
    }
}

#[component]
fn Runs(answer: PageResource, query: QueryMemo, pace: Pace, retry: ServerAction<RetryRun>) -> impl IntoView {
    // While the pointer rests on the list, nothing moves under it.
    let hold = RwSignal::new(false);
    let shown = Memo::new(move |old: Option<&Shown>| match answer.get() {
        Some(fresh) => Shown::next(old, fresh, query.get_untracked().ok(), hold.get()),
        None => old.cloned().unwrap_or_default(),
    });
    Effect::new(move |_| pace.fetched(answer.get().and_then(Result::ok).map(|page| page.version)));

    let rows = Memo::new(move |_| {
        shown.with(|shown| shown.page.as_ref().map(|page| page.rows.clone()).unwrap_or_default())
    });
    let any = Memo::new(move |_| rows.with(|rows| !rows.is_empty()));
    let of_page = move |read: fn(&RunsPage) -> Option<String>| {
        Signal::derive(move || shown.with(|shown| shown.page.as_ref().and_then(read)))
    };
    let newest = of_page(|page| (!page.query.is_newest()).then(|| page.query.newest().href()));
    let may_retry =
        Memo::new(move |_| shown.with(|shown| shown.page.as_ref().is_some_and(|page| page.may_retry)));
    let return_to = move || query.get().unwrap_or_default().href();
    view! {
        {move || shown.with(|shown| shown.error).map(problem)}
        <p class="waiting" role="status">
            {move || match shown.with(|shown| shown.waiting) {
                0 => None,
                1 => Some("1 new run: it appears when the pointer leaves the list.".to_owned()),
                number => Some(format!("{number} new runs: they appear when the pointer leaves the list.")),
            }}
        </p>
        {move || {
            if any.get() {
                Either::Left(
                    view! {
                        <ActionForm action=retry>
                            <input type="hidden" name="return_to" value=return_to />
                            <div
                                class="runs-frame"
                                on:pointerenter=move |_| hold.set(true)
                                on:pointerleave=move |_| hold.set(false)
                            >
                                <RunsTable rows may_retry />
                            </div>
                        </ActionForm>
                    },
                )
            } else {
                Either::Right(shown.with(|shown| shown.page.as_ref().map(|page| nothing(page.query))))
            }
        }}
        <Pager newest newer=of_page(|page| page.newer.clone()) older=of_page(|page| page.older.clone()) />
    }
}

fn problem(code: ErrorCode) -> impl IntoView {
    if code == ErrorCode::NotSignedIn {
        Either::Left(view! { <ToSignIn /> })
    } else {
        Either::Right(view! { <Problem code /> })
    }
}

/// The empty list.
fn nothing(query: RunsQuery) -> impl IntoView {
    if query.is_filtered() || !query.is_newest() {
        return Either::Left(view! {
            <div class="empty">
                <p class="empty-title">"No run matches"</p>
                <p>"Nothing has these filters at this place of the list."</p>
                <a class="button" href=RunsQuery::default().href()>
                    "Show all runs"
                </a>
            </div>
        });
    }
    Either::Right(view! {
        <div class="empty">
            <p class="empty-title">"Nothing has been synced yet"</p>
            <p>"The first invoice that the shop sends appears here within moments, and you see what became of it."</p>
        </div>
    })
}

/// When to fetch: soon after a change, never two at once, and not more often than a person can follow.
#[derive(Clone, Copy)]
struct Pace {
    /// Counts the fetches that changes have caused.
    round: RwSignal<u64>,
    state: StoredValue<PaceState>,
}

#[derive(Clone, Copy, Debug, Default)]
struct PaceState {
    /// A fetch is due or under way.
    busy: bool,
    /// Something has changed since it began.
    again: bool,
    /// The change number of what is shown.
    known: Option<u64>,
}

impl Pace {
    fn new() -> Self {
        Self {
            round: RwSignal::new(0),
            state: StoredValue::new(PaceState { busy: true, ..PaceState::default() }),
        }
    }

    /// Something has changed.
    fn change(self, number: Option<u64>) {
        let start = self.state.try_update_value(|state| {
            if number.is_some() && number == state.known {
                return false;
            }
            state.again = true;
            !std::mem::replace(&mut state.busy, true)
        });
        if start == Some(true) {
            self.fetch_soon();
        }
    }

    /// A fetch has ended.
    fn fetched(self, version: Option<u64>) {
        let again = self.state.try_update_value(|state| {
            state.known = version.or(state.known);
            state.busy = state.again;
            state.again
        });
        if again == Some(true) {
            self.fetch_soon();
        }
    }

    fn fetch_soon(self) {
        let fetch = move || {
            let _ = self.state.try_update_value(|state| state.again = false);
            let _ = self.round.try_update(|round| *round += 1);
        };
        set_timeout(fetch, BREATH);
    }
}

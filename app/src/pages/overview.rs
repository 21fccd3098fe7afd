//! `/dashboard`: what needs a person first, how the shops get along, how much, and how long it takes. Its parts bear `data-live`: they
//! may be put in place again while the page is open.

use domain::setup::ShopState;
use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use store::Span;

use crate::{
    api::runs::RetryAll,
    components::{
        binding_chip::BindingChip,
        chart::chart,
        flash::{FlashLine, flash_unless},
        live::LiveSwitch,
        problem::{Problem, or_problem},
        setup_steps::{setup_list, setup_part},
        status_chip::StatusMark,
        time::{Time, zoned},
    },
    context,
    refusal::refusal_of,
};
use services::overview::overview;
use views::{
    links::{HOME, escape},
    overview::{EndView, FigureView, MoneyView, NeedView, OverviewView, ShopView, TimesView, Urgency, many},
};

/// What Sage allows Ledger's application in a day, all organisations together.
const CALLS_A_DAY: &str = "1,296,000";

/// What is said where nothing is wrong.
const CALM: &str = "panel border-l-3 border-l-good p-4";

/// The overview.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let by_hour = use_query_map().with_untracked(|map| map.get_str("span") == Some("day"));
    let refused = refusal_of::<RetryAll>();
    let span = if by_hour { Span::Hour } else { Span::Day };
    // By a task of its own: see the page of the settings.
    let answer = AsyncDerived::new(move || async move {
        let work = async { overview(&context::services()?, &context::member().await?, span).await };
        context::answer(work).await
    });
    view! {
        <Title text="Overview \u{b7} Ledger" />
        <FlashLine flash=flash_unless(refused.is_some()) />
        {refused.map(|error| view! { <Problem code=error.code /> })}
        <Suspense>
            {move || {
                answer.get().map(|answer| or_problem(answer, whole))
            }}
        </Suspense>
    }
    .into_any()
}

fn whole(view: OverviewView) -> AnyView {
    view! {
        <div class="page-head">
            <h1>"Overview"</h1>
            <div class="page-tools">
                <LiveSwitch version=view.version />
            </div>
        </div>
        {page(view)}
    }
    .into_any()
}

fn page(view: OverviewView) -> AnyView {
    if view.shops_in_all == 0 {
        return nothing_yet(&view).into_any();
    }
    let shown = view.chart.clone();
    let by_hour = shown.span == Span::Hour;
    // Before the first document there is no money to speak of, and the steps come first.
    let has_money = view.shops.iter().any(|shop| shop.state != ShopState::NotSetUp);
    view! {
        {has_money.then(|| money(&view.money))}
        {needs(&view)}
        {shops(&view)}
        <section id="volume" class="part" data-live aria-labelledby="volume-title">
            <div class="page-head">
                <h2 id="volume-title">"Documents and results"</h2>
                <nav class="pills" aria-label="Time">
                    <a class="pill" href="/dashboard#volume" aria-current=(!by_hour).then_some("true")>
                        "14 days"
                    </a>
                    <a class="pill" href="/dashboard?span=day#volume" aria-current=by_hour.then_some("true")>
                        "24 hours"
                    </a>
                </nav>
            </div>
            {chart(&shown)}
        </section>
        {speed(view.calls, view.times)}
    }
    .into_any()
}

fn nothing_yet(view: &OverviewView) -> impl IntoView + use<> {
    let steps = setup_part(&view.first_steps, true);
    let way = if view.may_connect {
        Either::Left(view! {
            <p>"Pair your Magento shop, then connect Sage. It takes a few minutes."</p>
            <a class="button button-main" href="/dashboard/connect-magento">
                "Connect a shop"
            </a>
        })
    } else {
        Either::Right(view! { <p>"Ask an owner of your organisation to connect one."</p> })
    };
    view! {
        <section id="needs" class="empty" data-live>
            <p class="empty-title">"No shops connected yet"</p>
            {way}
        </section>
        {steps}
    }
}

/// What was posted today, waits and failed: what people come for.
fn money(view: &MoneyView) -> impl IntoView + use<> {
    let oldest = match view.oldest.clone() {
        Some((at, href)) => view! { <a href=href><Time at /></a> }.into_any(),
        None => "Nothing waits or has failed".into_any(),
    };
    view! {
        <section id="money" class="part" data-live aria-labelledby="money-title">
            <h2 id="money-title" class="sr-only">
                "Money"
            </h2>
            <dl class="panel grid grid-cols-[repeat(auto-fit,minmax(min(100%,13rem),1fr))]">
                {figure("Posted today (UTC)", "good", &view.posted)} {figure("Waiting", "hold", &view.waiting)}
                {figure("Failed", "bad", &view.failed)} <div class="figure px-4 py-3">
                    <dt>{zoned("Oldest open")}</dt>
                    <dd class="note">{oldest}</dd>
                </div>
            </dl>
        </section>
    }
}

fn figure(name: &'static str, tone: &'static str, figure: &FigureView) -> impl IntoView + use<> {
    let FigureView { value, detail, href } = figure.clone();
    let tone = value.is_some().then_some(tone);
    view! {
        <div class="figure group px-4 py-3" data-tone=tone>
            <dt>{name}</dt>
            <dd class="text-title font-strong wrap-anywhere lining-nums tabular-nums group-data-[tone=bad]:text-bad group-data-[tone=hold]:text-hold">{value.unwrap_or_else(|| "\u{2013}".to_owned())}</dd>
            <dd class="note">
                <a href=href>{detail}</a>
            </dd>
        </div>
    }
}

/// How fast it goes and how much there is room for: for those who look after the machine.
fn speed(calls: i64, view: TimesView) -> impl IntoView {
    view! {
        <details class="part">
            <summary class="text-ink-dim">"Speed and limits"</summary>
            <dl class="facts">
                {fact(
                    "Sage calls for documents today",
                    format!("{} (Sage allows Ledger {CALLS_A_DAY} a day)", many(calls, "call", "calls")).into_any(),
                )}
            </dl>
            {times(view)}
        </details>
    }
}

fn needs(view: &OverviewView) -> impl IntoView + use<> {
    let list = if view.needs.is_empty() {
        Either::Left(view! {
            <p class=CALM>"Nothing needs attention."</p>
        })
    } else {
        let needs = view.needs.iter().map(need).collect_view();
        Either::Right(view! { <ol class="grid gap-2">{needs}</ol> })
    };
    let in_all = view.needs_in_all;
    let more = (in_all > view.needs.len()).then(|| {
        view! {
            <p>
                <a href="/dashboard/sync/causes">
                    {format!("All {in_all} causes")}
                </a>
            </p>
        }
    });
    view! {
        <section id="needs" class="part" data-live aria-labelledby="needs-title">
            <h2 id="needs-title">"Needs attention"</h2>
            {list}
            {more}
        </section>
    }
}

fn need(need: &NeedView) -> impl IntoView + use<> {
    let documents = (need.runs > 0).then(|| many(need.runs, "document", "documents"));
    let value = need.value.clone();
    let link = match need.severity {
        Urgency::NotSetUp => "Continue",
        Urgency::Stopped => "Go to the shop",
        Urgency::Paused if need.runs == 0 => "Go to the shop",
        Urgency::Paused | Urgency::Failed | Urgency::Held => "Show runs",
    };
    let steps = need.setup.as_ref().map(|setup| setup_list(setup, false));
    let label = format!("{link}: {}, {}", need.shop, need.sentence);
    view! {
        <li class="need panel grid grid-cols-1 items-start gap-x-4 gap-y-2 border-l-3 border-l-hold px-4 py-3 text-ink-dim data-[severity=failed]:border-l-bad" data-severity=need.severity.like().as_str()>
            <p class="row gap-x-3 gap-y-1">
                <StatusMark status=need.severity.like() label=need.severity.label() />
                <strong class="font-strong text-ink">{need.shop.clone()}</strong>
                {documents.map(|documents| view! { <span class="need-count">{documents}</span> })}
                {value.map(|value| view! { <span class="font-strong text-ink">{value}</span> })}
            </p>
            <p>
                <span class="text-ink">{need.sentence}</span>
                " "
                {need.action.clone()}
                " "
                {need.code.map(|code| view! { <span class="code">{code}</span> })}
            </p>
            {steps}
            <div class="need-acts flex flex-wrap items-start gap-2">
                <a class="button" href=need.href.clone() aria-label=label>
                    {link}
                </a>
                {need.retry.as_deref().map(|query| retry(need, query))}
            </div>
        </li>
    }
}

/// Retries the documents of a cause, once it is said twice.
fn retry(need: &NeedView, query: &str) -> impl IntoView + use<> {
    let label = format!("Retry {}", many(need.runs, "document", "documents"));
    let id = format!("retry-{}", escape(query));
    view! {
        <details class="confirm" id=id>
            <summary class="button list-none">{format!("{label}\u{2026}")}</summary>
            <form class="grid justify-items-start gap-2 pt-2" method="post" action=RetryAll::PATH data-in-place>
                <input type="hidden" name="query" value=query.to_owned() />
                <input type="hidden" name="return_to" value=HOME />
                <p class="field-hint">"Nothing is posted twice: Ledger recognises what is already in Sage."</p>
                <button class="button button-main">{label}</button>
            </form>
        </details>
    }
}

fn shops(view: &OverviewView) -> impl IntoView + use<> {
    let cards = view.shops.iter().map(shop).collect_view();
    let (shown, in_all, in_trouble) = (view.shops.len(), view.shops_in_all, view.in_trouble);
    let trouble = match in_trouble {
        0 => "No shops need attention.".to_owned(),
        _ => format!("Shops that need attention: {in_trouble} of {in_all}, listed first."),
    };
    let more = (in_all > shown).then(|| {
        view! {
            <p>
                <a href="/dashboard/bindings">{format!("All {in_all} shops")}</a>
            </p>
        }
    });
    view! {
        <section id="shops" class="part" data-live aria-labelledby="shops-title">
            <h2 id="shops-title">"Shops"</h2>
            <p>{trouble}</p>
            <dl class="facts">
                {fact("Documents waiting", many(view.backlog, "document", "documents").into_any())}
                {fact(zoned("Queue cleared by"), end(&view.end))}
            </dl>
            <ul class="cards">{cards}</ul>
            {more}
        </section>
    }
}

fn shop(shop: &ShopView) -> impl IntoView + use<> {
    let causes = shop.causes.clone().into_iter().map(|cause| view! { <li>{cause}</li> }).collect_view();
    let last = match shop.last_success.clone() {
        Some(at) => view! { <Time at /> }.into_any(),
        None => "never".into_any(),
    };
    view! {
        <li class="card">
            <div class="card-head">
                <h3>
                    <a href=shop.href.clone()>{shop.name.clone()}</a>
                </h3>
                <BindingChip state=shop.state />
            </div>
            <p>{shop.health}</p>
            {(!shop.causes.is_empty()).then(|| view! { <ul class="grid gap-1 border-l-2 border-hold pl-4 text-ink-dim">{causes}</ul> })}
            <dl class="card-facts">
                {fact(zoned("Last in Sage"), last)}
                {fact("Documents waiting", many(shop.backlog, "document", "documents").into_any())}
                {(shop.end != EndView::Nothing).then(|| fact(zoned("Queue cleared by"), end(&shop.end)))}
                {fact("Sage calls today", many(shop.calls, "call", "calls").into_any())}
            </dl>
        </li>
    }
}

fn fact(name: impl IntoView, value: AnyView) -> impl IntoView {
    view! {
        <div class="fact">
            <dt>{name}</dt>
            <dd>{value}</dd>
        </div>
    }
}

fn end(end: &EndView) -> AnyView {
    match end.clone() {
        EndView::Nothing => "no documents waiting".into_any(),
        EndView::At(at) => view! { <Time at /> }.into_any(),
        EndView::Still => "not moving: the shop is not working".into_any(),
        EndView::Unknown => "unknown: no documents finished in the last hour".into_any(),
    }
}

fn times(times: TimesView) -> impl IntoView {
    let told = if times.parts.is_empty() {
        Either::Left(view! { <p class=CALM>"No documents reached Sage in the last seven days."</p> })
    } else {
        let last = times.parts.len() - 1;
        let rows = times.parts.into_iter().enumerate().map(|(place, (name, values))| {
            view! {
                <tr class=(place == last).then_some("*:font-strong")>
                    <th scope="row">{name}</th>
                    {values.map(|value| view! { <td class="number">{value}</td> }).collect_view()}
                </tr>
            }
        });
        let of = i64::try_from(times.of).unwrap_or(i64::MAX);
        Either::Right(view! {
            <table class="figures">
                <caption class="pb-2 text-left text-ink-dim">
                    {format!("The newest {} of the last seven days", many(of, "successful run", "successful runs"))}
                </caption>
                <thead>
                    <tr>
                        <th scope="col">"Stage"</th>
                        <th scope="col" class="number">
                            "Half within"
                        </th>
                        <th scope="col" class="number">
                            "95 % within"
                        </th>
                        <th scope="col" class="number">
                            "99 % within"
                        </th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            <p class="field-hint">
                "The rows do not add up: a document that is slow in one stage can be fast in another."
            </p>
        })
    };
    view! {
        <section id="times" class="part" data-live aria-labelledby="times-title">
            <h2 id="times-title">"Time from Magento to Sage"</h2>
            {told}
        </section>
    }
}

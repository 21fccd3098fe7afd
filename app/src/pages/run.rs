//! `/dashboard/sync/{id}`: what became of one document, moment by moment, and what can be done about it.

mod attempts;
mod plan;

use domain::run::RunStatus;
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    api::{
        bindings::PauseBinding,
        runs::{ExcludeDocument, IncludeDocument, RetryRun},
    },
    components::{
        copy::Copy,
        field::Field,
        flash::{FlashLine, flash_unless},
        live::LiveSwitch,
        problem::{Problem, or_problem},
        status_chip::StatusChip,
        time::{Time, Zone, zoned},
    },
    context,
    refusal::refusal_of,
};
use services::run;
use views::{
    error::AppError,
    links::HISTORY,
    run::{AdviceView, MomentView, RelatedView, RemedyView, RunView, SumView, TotalsView},
    runs::event_label,
};

/// A run.
#[component]
pub fn RunPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|map| map.get_str("id").unwrap_or_default().to_owned());
    let excluding = refusal_of::<ExcludeDocument>();
    let refused = excluding.clone().or_else(refusal_of::<RetryRun>);
    let problem = refused.or_else(refusal_of::<IncludeDocument>).map(|error| error.code);
    let flash = flash_unless(problem.is_some());
    // By a task of its own, as on the page of the settings.
    let answer = AsyncDerived::new(move || {
        let id = id.clone();
        async move {
            let asked = async { run::page(&context::services()?, &context::member().await?, &id).await };
            context::answer(asked).await
        }
    });
    view! {
        <FlashLine flash />
        {problem.map(|code| view! { <Problem code /> })}
        <Suspense>{move || {
                let excluding = excluding.clone();
                answer.get().map(|answer| or_problem(answer, |view| titled(view, excluding.as_ref())))
            }}</Suspense>
    }
    .into_any()
}

fn titled(view: RunView, excluding: Option<&AppError>) -> AnyView {
    let title = format!("{} \u{b7} Ledger", view.title);
    view! { <Title text=title /> {shown(view, excluding)} }.into_any()
}

/// The page of a run. What changes while it is under way stands in parts of their own, marked as such.
pub fn shown(view: RunView, excluding: Option<&AppError>) -> AnyView {
    let aim = (view.id.clone(), view.href());
    view! {
        <div class="page-tools run-tools">
            <LiveSwitch version=view.version />
            <a class="button" href=HISTORY>
                "All runs"
            </a>
        </div>
        {head(&view)}
        {advice(view.advice, view.status, &aim)}
        {view.may_exclude.then(|| exclude(&aim, excluding))}
        {(!view.related.is_empty()).then(|| related(view.related))}
        {view.totals.map(totals)}
        {timeline(view.moments)}
        {plan::part(view.plan)}
        {attempts::part(view.attempts)}
        <p class="card-line">
            "Run ID: " <span class="code" id="run-id">{view.id}</span> " "
            <Copy of="run-id" what="the run ID" />
        </p>
    }
    .into_any()
}

/// The form that keeps the document out of Sage.
fn exclude((run, href): &(String, String), refused: Option<&AppError>) -> AnyView {
    let wrong = refused.and_then(|error| error.of_field("reason"));
    let typed = refused.and_then(|error| error.typed("reason")).unwrap_or_default().to_owned();
    view! {
        <details class="exclude print:hidden" open=refused.is_some()>
            <summary>"Exclude this document\u{2026}"</summary>
            <form class="form" method="post" action=ExcludeDocument::PATH data-in-place>
                <p>
                    "This document and later changes to it are not synced. Magento shows it as skipped. You can remove the exclusion at any time."
                </p>
                <Field name="reason" label="Reason" kind="text" autocomplete="off" value=typed error=wrong autofocus=false />
                <input type="hidden" name="run_id" value=run.clone() />
                <input type="hidden" name="return_to" value=href.clone() />
                <button class="button" type="submit">
                    "Exclude this document"
                </button>
            </form>
        </details>
    }
    .into_any()
}

fn head(view: &RunView) -> AnyView {
    let (shop, shop_href) = view.shop.clone();
    let sage = view.sage.clone().map(|sage| {
        let label =
            if sage.is_exact { sage.reference } else { format!("{}: find it in Sage", sage.reference) };
        view! { <a href=sage.href rel="noreferrer">{label}</a> }
    });
    let settings = view.settings.clone().map(|(version, href)| {
        view! { <a href=href>{format!("Version {version}")}</a> }
    });
    let facts = [
        ("Shop", view! { <a href=shop_href>{shop}</a> }.into_any()),
        ("Customer", view.customer.clone().unwrap_or_else(|| "\u{2013}".to_owned()).into_any()),
        ("In Sage", sage.map_or_else(|| "Not in Sage yet".into_any(), IntoAny::into_any)),
        ("Settings", settings.map_or_else(|| "None yet".into_any(), IntoAny::into_any)),
    ];
    let facts = facts.map(|(name, value)| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    });
    view! {
        <div class="grid gap-4" id="run-head" data-live>
            <div class="page-head">
                <h1>{view.document.clone()}</h1>
                <p class="mr-auto">{event_label(view.event)}</p>
                <StatusChip status=view.status />
            </div>
            <dl class="facts">{facts.into_iter().collect_view()}</dl>
        </div>
    }
    .into_any()
}

fn advice(advice: AdviceView, status: RunStatus, aim: &(String, String)) -> AnyView {
    let AdviceView { sentence, action, message, code, next_try, remedies, of_a_retry } = advice;
    let message = message
        .map(|message| view! { <p class="font-medium wrap-anywhere whitespace-pre-line">{message}</p> });
    let next = next_try.map(|at| view! { <p>"Next attempt: " <Time at /> " (" <Zone /> ")"</p> });
    let remedies = remedies.into_iter().enumerate();
    let remedies = remedies.map(|(place, one)| view! { <li>{remedy(one, place == 0, aim)}</li> });
    view! {
        <section class="advice grid gap-2 rounded-control border border-l-3 border-line border-l-(--tone) bg-sheet p-4" id="run-advice" data-live data-status=status.as_str() aria-labelledby="advice-title">
            <h2 id="advice-title">{sentence}</h2>
            {message}
            <p>{action} " " {code.map(|code| view! { <span class="code">{code}</span> })}</p>
            {next}
            <ul class="remedies">{remedies.collect_view()}</ul>
            {of_a_retry.map(|why| view! { <p class="field-hint" id="of-a-retry">{why}</p> })}
        </section>
    }
    .into_any()
}

fn remedy(remedy: RemedyView, is_main: bool, (run, href): &(String, String)) -> AnyView {
    let is_main = is_main && !matches!(remedy, RemedyView::Retry { is_advised: false, .. });
    let class = if is_main { "button button-main" } else { "button" };
    match remedy {
        RemedyView::Retry { is_ready, .. } => view! {
            <form method="post" action=RetryRun::PATH data-in-place>
                <input type="hidden" name="run_id" value=run.clone() />
                <input type="hidden" name="return_to" value=href.clone() />
                <button class=class type="submit" aria-disabled=(!is_ready).then_some("true")>
                    "Retry"
                </button>
            </form>
        }
        .into_any(),
        RemedyView::Resume { binding } => view! {
            <form method="post" action=PauseBinding::PATH data-in-place>
                <input type="hidden" name="binding" value=binding />
                <input type="hidden" name="pause" value="false" />
                <input type="hidden" name="return_to" value=href.clone() />
                <button class=class type="submit">
                    "Resume the shop"
                </button>
            </form>
        }
        .into_any(),
        RemedyView::TakeBack => view! {
            <form method="post" action=IncludeDocument::PATH data-in-place>
                <input type="hidden" name="run_id" value=run.clone() />
                <input type="hidden" name="return_to" value=href.clone() />
                <button class=class type="submit">
                    "Remove the exclusion"
                </button>
            </form>
        }
        .into_any(),
        RemedyView::Link { label, href } => view! {
            <a class=class href=href rel="noreferrer">
                {label}
            </a>
        }
        .into_any(),
        RemedyView::Say(text) => view! { <p class="remedy-said card-line">{text}</p> }.into_any(),
    }
}

/// The other documents of the same sale.
fn related(runs: Vec<RelatedView>) -> AnyView {
    let runs = runs.into_iter().map(|run| {
        let RelatedView { event, status, reference, href } = run;
        let label = event_label(event);
        let name = match href {
            Some(href) => view! { <a href=href>{label}</a> }.into_any(),
            None => view! { <strong aria-current="page">{label}</strong> }.into_any(),
        };
        view! {
            <li class="related inline-flex flex-wrap items-center gap-x-2 gap-y-1">
                {name} <StatusChip status />
                {reference.map(|reference| view! { <span class="text-ink-dim">{reference}</span> })}
            </li>
        }
    });
    view! {
        <section class="part" id="run-related" data-live aria-labelledby="related-title">
            <h2 id="related-title">"This sale"</h2>
            <ul class="flex flex-wrap gap-x-6 gap-y-2">{runs.collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn totals(totals: TotalsView) -> AnyView {
    let TotalsView { currency, other: head, rows } = totals;
    let rows = rows.into_iter().map(|row| {
        let SumView { name, magento, other, difference, differs } = row;
        let difference = match difference {
            Some(difference) if differs => {
                view! { <strong class="sum-differs font-strong text-bad">{difference}</strong> }.into_any()
            }
            Some(_) => "none".into_any(),
            None => "\u{2013}".into_any(),
        };
        view! {
            <tr data-differs=differs.then_some("true")>
                <th scope="row">{name}</th>
                <td class="number" data-head="Magento says">{or_dash(magento)}</td>
                <td class="number" data-head=head>{or_dash(other)}</td>
                <td class="number" data-head="Difference">{difference}</td>
            </tr>
        }
    });
    view! {
        <section class="part" id="run-totals" data-live aria-labelledby="totals-title">
            <h2 id="totals-title">{format!("Totals in {currency}")}</h2>
            <table class="changes max-w-176 lining-nums tabular-nums [&_[data-differs]>*]:bg-bad-tint">
                <thead>
                    <tr>
                        <td></td>
                        <th scope="col" class="number">
                            "Magento says"
                        </th>
                        <th scope="col" class="number">{head}</th>
                        <th scope="col" class="number">
                            "Difference"
                        </th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "\u{2013}".to_owned())
}

fn timeline(moments: Vec<MomentView>) -> AnyView {
    let items = moments.into_iter().map(|moment| {
        let MomentView { at, title, detail, cost, is_longest, is_ahead } = moment;
        let cost = cost.map(|cost| {
            view! {
                <p class="note group-data-longest:font-strong group-data-longest:text-hold">
                    {cost} {is_longest.then(|| view! { <span class="moment-longest before:content-['_·']">" longest wait"</span> })}
                </p>
            }
        });
        view! {
            <li class="moment group" data-ahead=is_ahead.then_some("true") data-longest=is_longest.then_some("true")>
                {cost} <p class="moment-what">{title} " " <Time at /></p>
                {detail.map(|detail| view! { <p class="note">{detail}</p> })}
            </li>
        }
    });
    view! {
        <section class="part" id="run-timeline" data-live aria-labelledby="timeline-title">
            <h2 id="timeline-title">{zoned("Timeline")}</h2>
            <ol class="moments">{items.collect_view()}</ol>
        </section>
    }
    .into_any()
}

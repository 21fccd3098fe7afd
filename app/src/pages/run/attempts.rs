//! The part of a run's page that shows its tries and their calls, with what was sent and answered.

use leptos::prelude::*;

use crate::components::time::Time;
use views::run::{AttemptView, StepView};

/// The tries, newest first and open.
pub(super) fn part(attempts: Vec<AttemptView>) -> AnyView {
    let nothing = attempts.is_empty().then(|| view! { <p class="field-hint">"No attempts yet."</p> });
    let mut attempts = attempts.into_iter();
    let newest = attempts.next().map(|one| attempt(one, true));
    let earlier = earlier(attempts.collect());
    view! {
        <section class="part" id="run-attempts" data-live aria-labelledby="attempts-title">
            <h2 id="attempts-title">"Attempts and calls"</h2>
            <p class="field-hint">
                "Names, addresses, personal numbers and secrets are removed before anything is stored."
            </p>
            {nothing}
            {newest}
            {earlier}
        </section>
    }
    .into_any()
}

const ATTEMPT: &str = "panel min-w-0 px-4 py-3";
const SUMMARY: &str = "font-semibold max-sm:py-2";

/// What came before the newest: folded, where it would push everything else away.
fn earlier(attempts: Vec<AttemptView>) -> AnyView {
    let count = attempts.len();
    let ends = attempts.last().zip(attempts.first());
    let ends = ends.map(|(oldest, newest)| (oldest.started.clone(), newest.started.clone()));
    let all = attempts.into_iter().map(|one| attempt(one, false)).collect_view();
    match ends {
        Some((from, until)) if count > 2 => view! {
            <details class=format!("{ATTEMPT} *:[details]:mt-2")>
                <summary class=SUMMARY>
                    {format!("{count} earlier attempts")} " \u{b7} " <Time at=from /> " to " <Time at=until />
                </summary>
                {all}
            </details>
        }
        .into_any(),
        _ => all.into_any(),
    }
}

fn attempt(attempt: AttemptView, is_open: bool) -> AnyView {
    let AttemptView { number, outcome, started, took, said, steps } = attempt;
    let took = took.map(|took| format!(", {took}"));
    let nothing = steps.is_empty().then(|| view! { <p class="field-hint">"No calls."</p> });
    let steps = steps.into_iter().enumerate().map(|(place, one)| step(one, number, place + 1));
    view! {
        <details class=ATTEMPT open=is_open>
            <summary class=SUMMARY>{format!("Attempt {number}: {outcome}")} {took} " \u{b7} " <Time at=started /></summary>
            {said.map(|said| view! { <p class="font-medium wrap-anywhere whitespace-pre-line">{said}</p> })}
            {nothing}
            <ol class="mt-3 grid grid-cols-1 gap-3">{steps.collect_view()}</ol>
        </details>
    }
    .into_any()
}

fn step(step: StepView, attempt: i32, number: usize) -> AnyView {
    let StepView { words, line, status, is_good, took, summary, ids, request, answer } = step;
    // Two calls may bear the same words; a screen reader tells them apart.
    let called = format!("{words}, call {number} of attempt {attempt}");
    let ids = ids.into_iter().map(|(name, id)| {
        view! {
            <p class="card-line">{name} ": " <span class="code">{id}</span></p>
        }
    });
    view! {
        <li class="group grid min-w-0 break-inside-avoid grid-cols-1 gap-1 border-l-2 border-good pl-3 data-[good=false]:border-bad" data-good=if is_good { "true" } else { "false" }>
            <p class="font-medium">
                {words} " " <span class="font-normal text-ink-dim group-data-[good=false]:text-bad">{status} ", " {took}</span>
            </p>
            <p class="card-line">
                <span class="code">{line}</span>
            </p>
            {(!summary.is_empty()).then(|| view! { <p class="wrap-anywhere">{summary}</p> })}
            {ids.collect_view()}
            {request.map(|json| body("Sent", &called, json))}
            {answer.map(|json| body("Received", &called, json))}
        </li>
    }
    .into_any()
}

/// A body that can be unfolded, and scrolled by keyboard.
fn body(kind: &'static str, called: &str, json: String) -> AnyView {
    let label = format!("{kind}: {called}");
    view! {
        <details class="step-body print:hidden">
            <summary class="note max-sm:py-2">{kind} <span class="sr-only">": " {called.to_owned()}</span></summary>
            <pre class="mt-1 max-h-104 overflow-auto rounded-control border border-line bg-sheet-dim p-3 text-small" tabindex="0" role="region" aria-label=label>
                {json}
            </pre>
        </details>
    }
    .into_any()
}

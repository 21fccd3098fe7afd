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

/// What came before the newest: folded, where it would push everything else away.
fn earlier(attempts: Vec<AttemptView>) -> AnyView {
    let count = attempts.len();
    let ends = attempts.last().zip(attempts.first());
    let ends = ends.map(|(oldest, newest)| (oldest.started.clone(), newest.started.clone()));
    let all = attempts.into_iter().map(|one| attempt(one, false)).collect_view();
    match ends {
        Some((from, until)) if count > 2 => view! {
            <details class="attempt earlier">
                <summary>
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
        <details class="attempt" open=is_open>
            <summary>{format!("Attempt {number}: {outcome}")} {took} " \u{b7} " <Time at=started /></summary>
            {said.map(|said| view! { <p class="advice-message">{said}</p> })}
            {nothing}
            <ol class="steps">{steps.collect_view()}</ol>
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
        <li class="step-card" data-good=if is_good { "true" } else { "false" }>
            <p class="step-words">
                {words} " " <span class="step-status">{status} ", " {took}</span>
            </p>
            <p class="card-line">
                <span class="code">{line}</span>
            </p>
            {(!summary.is_empty()).then(|| view! { <p class="step-summary">{summary}</p> })}
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
        <details class="step-body">
            <summary>{kind} <span class="visually-hidden">": " {called.to_owned()}</span></summary>
            <pre tabindex="0" role="region" aria-label=label>
                {json}
            </pre>
        </details>
    }
    .into_any()
}

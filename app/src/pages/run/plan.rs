//! The part of a run's page that shows its Plan.

use leptos::prelude::*;

use crate::components::time::Time;
use views::run::{PlanView, RuleView};

/// The Plan, or why there is none to show.
pub(super) fn part(plan: Result<PlanView, &'static str>) -> AnyView {
    let inner = match plan {
        Ok(plan) => shown(plan),
        Err(why) => view! { <p class="field-hint">{why}</p> }.into_any(),
    };
    view! {
        <section class="part" id="run-plan" data-live aria-labelledby="plan-title">
            <h2 id="plan-title">"Plan"</h2>
            {inner}
        </section>
    }
    .into_any()
}

fn shown(plan: PlanView) -> AnyView {
    let PlanView { verdict, made, message, sums, calls, rules, notes } = plan;
    let calls = calls
        .into_iter()
        .map(|(words, line)| view! { <li>{words} " " <span class="code">{line}</span></li> });
    let sums = sums.into_iter().map(|(name, amount)| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>{amount}</dd>
            </div>
        }
    });
    let sums: Vec<_> = sums.collect();
    let notes: Vec<_> = notes.into_iter().map(|note| view! { <li>{note}</li> }).collect();
    view! {
        <p>{verdict} " Made: " <Time at=made /></p>
        {message.map(|message| view! { <p class="font-medium wrap-anywhere whitespace-pre-line">{message}</p> })}
        <ol class="grid list-decimal gap-1 pl-4">{calls.collect_view()}</ol>
        {(!sums.is_empty())
            .then(|| {
                view! {
                    <h3>"Expected in Sage"</h3>
                    <dl class="facts">{sums}</dl>
                }
            })}
        {(!rules.is_empty()).then(|| choices(rules))}
        {(!notes.is_empty())
            .then(|| {
                view! {
                    <h3>"Notes"</h3>
                    <ul class="grid list-disc gap-1 pl-4">{notes}</ul>
                }
            })}
    }
    .into_any()
}

fn choices(rules: Vec<RuleView>) -> AnyView {
    let rows = rules.into_iter().map(|rule| {
        view! {
            <tr>
                <th scope="row">{rule.subject}</th>
                <td data-head="Chosen">{(!rule.chosen.is_empty()).then_some(rule.chosen)}</td>
                <td data-head="Reason">{rule.because}</td>
                <td data-head="Source">{(!rule.from.is_empty()).then_some(rule.from)}</td>
            </tr>
        }
    });
    view! {
        <h3 id="choices-title">"Choices and reasons"</h3>
        <table class="changes" aria-labelledby="choices-title">
            <thead>
                <tr>
                    <th scope="col">"Chosen for"</th>
                    <th scope="col">"Chosen"</th>
                    <th scope="col">"Reason"</th>
                    <th scope="col">"Source"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}

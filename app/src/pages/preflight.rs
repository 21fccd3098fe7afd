//! The part of a binding's page that says what will fail: "Before the first invoice", and "Health check" from then on.

use domain::preflight::{Finding, FindingCode, Severity};
use leptos::prelude::*;

use views::{
    bindings::checked_href,
    preflight::{PreflightView, severity_label},
};

/// The part of the page; nothing where there is nothing to look at.
pub fn health_check(view: &PreflightView, binding: &str, has_posted: bool) -> Option<impl IntoView + use<>> {
    if view.findings.is_empty() {
        return None;
    }
    let lead = if view.asked {
        "The shop and Sage were checked just now."
    } else {
        "The shop and Sage have not been checked just now."
    };
    let title = if has_posted { "Health check" } else { "Before the first invoice" };
    let label = if view.asked { "Check again" } else { "Check the shop and Sage" };
    let ask = view.may_ask.then(|| {
        view! {
            <a class="button" href=checked_href(binding)>
                {label}
            </a>
        }
    });
    let open: Vec<_> = view.open().map(finding).collect();
    let fine: Vec<_> = view.fine().map(finding).collect();
    Some(view! {
        <section class="grid gap-3" aria-labelledby="preflight">
            <div class="row">
                <h2 id="preflight">{title}</h2>
                {ask}
            </div>
            <p>{view.sentence()}</p>
            {(!open.is_empty()).then(|| view! { <ul class="panel divide-y divide-line">{open}</ul> })}
            {(!fine.is_empty()).then(|| view! { <ul class="panel py-1">{fine}</ul> })}
            <p class="field-hint">{lead}</p>
        </section>
    })
}

fn finding(finding: &Finding) -> impl IntoView + use<> {
    let (code, severity) = (finding.code, finding.code.severity());
    let detail = (!finding.detail.is_empty()).then(|| {
        view! { <p class="font-medium wrap-anywhere">{finding.detail.clone()}</p> }
    });
    let (name, kind) = (code.as_str(), severity_word(severity));
    let rest = (severity != Severity::Fine).then(|| {
        view! {
            <p>{code.action()}</p>
            <p class="code">{name}</p>
        }
    });
    // What is well needs no attention: one line each.
    let room = if severity == Severity::Fine { "py-1" } else { "py-3" };
    view! {
        <li class=format!("grid grid-cols-[1rem_minmax(0,1fr)] gap-3 px-4 {room}") data-severity=kind>
            <svg class="icon mt-0.75 stroke-[2.25] text-(--tone)" viewBox="0 0 16 16" aria-hidden="true">
                <path d=shape(severity) />
            </svg>
            <div>
                <p>
                    <span class="font-strong text-(--tone)">{severity_label(severity)}": "</span>
                    {code.sentence()}
                </p>
                {detail}
                {rest}
            </div>
        </li>
    }
}

/// What stops a shop although it was just paired.
pub fn found(code: FindingCode) -> impl IntoView {
    view! {
        <div class="problem" role="alert">
            <p class="problem-sentence">{code.sentence()}</p>
            <p>{code.action()}</p>
            <p class="code">{code.as_str()}</p>
        </div>
    }
}

const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocks => "blocks",
        Severity::Warns => "warns",
        Severity::Fine => "fine",
    }
}

const fn shape(severity: Severity) -> &'static str {
    match severity {
        // A barrier, an exclamation mark, a tick.
        Severity::Blocks => "M3.5 3.5l9 9M12.5 3.5l-9 9",
        Severity::Warns => "M8 2.5v7M8 12.5v1",
        Severity::Fine => "M2.5 8.5l3.5 3.5l7.5-8",
    }
}

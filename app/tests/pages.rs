//! What pages are made of, rendered on the host without a browser.
#![cfg(feature = "ssr")]

use app::components::{
    pager::Pager,
    problem::Problem,
    runs_table::{RowActions, run_group, runs_frame},
    status_chip::StatusChip,
};
use domain::{
    code::Code,
    run::{EventName, RunStatus},
};
use leptos::prelude::*;
use views::{
    error::ErrorCode,
    format::Moment,
    runs::{Amount, Reason, RunRow, status_label},
};

fn html<V: IntoView>(view: impl FnOnce() -> V) -> String {
    Owner::new().with(|| view().into_view().to_html())
}

/// A run that went well; tests change what they are about.
fn succeeded() -> RunRow {
    RunRow {
        id: "0190b5a4-7c3e-7000-8000-000000000001".to_owned(),
        status: RunStatus::Succeeded,
        event: EventName::InvoicePaid,
        shop: None,
        is_resolved: false,
        document: "000000008".to_owned(),
        customer: Some("Ada & Sons <Ltd>".to_owned()),
        amount: Some(Amount { magento: "\u{a3}214.09".to_owned(), sage: None }),
        sage_reference: Some("SI-27".to_owned()),
        date: Some("28 Feb 2026".to_owned()),
        received: Moment {
            iso: "2026-03-01T09:05:07Z".to_owned(),
            day: "1 Mar 2026".to_owned(),
            time: "09:05:07".to_owned(),
        },
        next_try: None,
        attempts: 2,
        reason: None,
        can_retry: true,
        offers_retry: true,
    }
}

fn table(row: RunRow, may_retry: bool) -> String {
    html(move || {
        let actions = may_retry.then(|| RowActions {
            is_busy: Signal::stored(false),
            is_chosen: Signal::stored(false),
            choose: Callback::new(|_| ()),
        });
        runs_frame(Signal::stored(Vec::new()), run_group(Signal::stored(row), actions, Signal::stored(false)))
    })
}

#[test]
fn a_run_shows_what_it_is_about() {
    let html = table(succeeded(), true);
    for part in [
        "000000008",
        "Invoice paid",
        "Ada &amp; Sons &lt;Ltd&gt;",
        "\u{a3}214.09",
        "SI-27",
        r#"datetime="2026-03-01T09:05:07Z""#,
        "Succeeded",
        r#"aria-label="Retry 000000008, Invoice paid""#,
        r#"name="run_id" value="0190b5a4-7c3e-7000-8000-000000000001""#,
    ] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
    assert!(!html.contains("Sage has"), "equal sums are not worth a word");
    assert!(!html.contains("run-reason"));
}

#[test]
fn the_table_has_no_rows_that_a_browser_would_move() {
    let html = table(succeeded(), true);
    // Browsers put a `tbody` around rows that have none, and the browser's tree would differ from the one that was sent.
    assert!(html.contains("<tbody") && !html.contains("</thead><tr"), "{html}");
}

#[test]
fn who_may_not_retry_sees_no_button() {
    assert!(!table(succeeded(), false).contains("<button"));
}

#[test]
fn a_run_at_work_keeps_its_button_but_says_that_it_cannot_be_used() {
    let html = table(RunRow { status: RunStatus::Running, can_retry: false, ..succeeded() }, true);
    assert!(html.contains(r#"aria-disabled="true""#), "{html}");
}

#[test]
fn a_failure_says_why_what_to_do_and_both_sums() {
    let html = table(
        RunRow {
            status: RunStatus::Failed,
            reason: Some(Reason::new(Code::TotalsMismatch, Some("214.09 here, 214.08 there".to_owned()))),
            amount: Some(Amount {
                magento: "\u{a3}214.09".to_owned(),
                sage: Some("\u{a3}214.08".to_owned()),
            }),
            ..succeeded()
        },
        true,
    );
    for part in [Code::TotalsMismatch.action(), "totals_mismatch", "214.09 here, 214.08 there", "214.08"] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
}

#[test]
fn what_is_not_known_is_a_dash_with_a_name() {
    let html = table(RunRow { customer: None, amount: None, sage_reference: None, ..succeeded() }, true);
    assert_eq!(html.matches(r#"<span class="sr-only">none</span>"#).count(), 3, "{html}");
}

#[test]
fn every_status_has_a_word_and_a_shape_of_its_own() {
    let mut chips: Vec<String> = RunStatus::ALL
        .iter()
        .map(|status| {
            let chip = html(|| view! { <StatusChip status=*status /> });
            assert!(chip.contains(status_label(*status)), "{chip}");
            chip.split(r#"<path d=""#).nth(1).unwrap().split('"').next().unwrap().to_owned()
        })
        .collect();
    chips.sort();
    chips.dedup();
    assert_eq!(chips.len(), RunStatus::ALL.len());
}

#[test]
fn the_pager_hides_when_there_is_one_page() {
    let html = html(|| {
        view! { <Pager first=None previous=None next=None names=["First", "Previous", "Next"].map(str::to_owned).to_vec() /> }
    });
    assert!(html.contains("hidden") && !html.contains("<a"), "{html}");
}

#[test]
fn an_error_says_what_to_do() {
    let html = html(|| view! { <Problem code=ErrorCode::Unavailable /> });
    assert!(html.contains(r#"role="alert""#) && html.contains("Nothing is lost."), "{html}");
}

//! The page of a run, rendered on the host for every state that a run can end in or rest in.
#![cfg(feature = "ssr")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

use app::pages::run::shown;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    business::{Named, ReferenceSet},
    code::Code,
    ids::{AttemptId, OrganisationId, RunId},
    money::Currency,
    plan::{Plan, RefusedSums, Rule, SumSource},
    remedy::advice,
    run::{BindingStatus, EntityKind, EventName, RunStatus},
};
use leptos::prelude::*;
use services::run::{Rights, RunDetails, view};
use store::{Attempt, Binding, DeliveryState, Run, RunFacts, RunPlan, Step, SyncState};

const OWNER: Rights = Rights { may_retry: true, may_connect: true };
const VIEWER: Rights = Rights { may_retry: false, may_connect: false };

fn start() -> DateTime<Utc> {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(number: u8) -> T {
    format!("0190b5a4-7c3e-7000-8000-00000000000{number}").parse().unwrap()
}

fn after(millis: i64) -> DateTime<Utc> {
    start() + TimeDelta::milliseconds(millis)
}

fn step(target: &str, name: &str, method: &str, from: i64, took: i64) -> Step {
    Step {
        target: target.to_owned(),
        name: name.to_owned(),
        method: method.to_owned(),
        path: "/sales_invoices".to_owned(),
        status: Some(201),
        request_id: Some("req-7".to_owned()),
        idempotency_id: None,
        summary: "sage-1, total 81.52, UNPAID".to_owned(),
        request: Some(r#"{"sales_invoice":{"reference":"000000008"}}"#.to_owned()),
        answer: Some(
            r#"{"id":"sage-1","links":[{"href":"https://accounts-extra.sageone.com/invoicing/sage-1"}]}"#
                .to_owned(),
        ),
        started_at: after(from),
        duration_ms: took,
    }
}

fn run() -> Run {
    Run {
        id: id::<RunId>(1),
        binding_id: id(2),
        event: EventName::InvoiceCreated,
        magento_id: 8,
        status: RunStatus::Succeeded,
        code: None,
        message: None,
        attempts: 1,
        next_at: after(1000),
        settings_version: 4,
        facts: RunFacts {
            increment_id: Some("000000008".to_owned()),
            customer: Some("Ada & Sons <Ltd>".to_owned()),
            currency: Some("GBP".to_owned()),
            amount_minor: Some(8152),
            tax_minor: Some(1359),
            sage_amount_minor: Some(8152),
            sage_tax_minor: Some(1359),
            sage_id: Some("sage-1".to_owned()),
            sage_reference: Some("SI-27".to_owned()),
            email_digest: None,
            customer_id: None,
            document_date: "2026-02-28".parse().ok(),
        },
        website_id: 1,
        store_id: 1,
        occurred_at: start(),
        created_at: after(1000),
        updated_at: after(4000),
        finished_at: Some(after(4000)),
        started_at: None,
        resolved_by: None,
        trace_parent: None,
    }
}

/// An invoice that went well; tests change what they are about.
fn kept() -> RunDetails {
    let (run, attempt_id): (Run, AttemptId) = (run(), id(3));
    let attempt = Attempt {
        id: attempt_id,
        run_id: run.id,
        number: 1,
        worker: "worker".to_owned(),
        started_at: after(1200),
        ended_at: Some(after(4000)),
        outcome: Some("succeeded".to_owned()),
        code: None,
        message: None,
        steps: vec![step("magento", "invoice", "GET", 1210, 90), step("sage", "invoice", "POST", 1400, 2500)],
    };
    let rule = Rule {
        subject: "line 1 tax rate".to_owned(),
        chosen: "GB_STANDARD".to_owned(),
        rule: "tax_rate_map".to_owned(),
        input: "20.00".to_owned(),
    };
    let plan = Plan { rules: vec![rule], ..Plan::hold(Code::NeedsMapping, "no bank") };
    let state = SyncState {
        entity: EntityKind::Invoice,
        magento_id: 8,
        status: "synced".to_owned(),
        sage_id: None,
        sage_reference: None,
        skip_reason: None,
        error_code: None,
        at: after(3999),
    };
    RunDetails {
        binding: Binding {
            id: run.binding_id,
            organisation_id: id::<OrganisationId>(4),
            name: "Blue Mug".to_owned(),
            magento_url: "https://shop.example".to_owned(),
            business: None,
            status: BindingStatus::Active,
            created_at: start(),
            status_changed_at: start(),
            trusted_since: start(),
        },
        attempts: vec![attempt],
        plan: Ok(Some(RunPlan { attempt_id, plan, made_at: after(4000) })),
        delivery: Some(DeliveryState {
            state,
            attempts: 1,
            next_at: None,
            delivered_at: Some(after(4200)),
            last_error: None,
        }),
        reference: None,
        invoice_run: None,
        related: Vec::new(),
        deeds: vec![(after(1100), "Retried by Zoë".to_owned())],
        sage_origin: String::new(),
        run,
    }
}

fn html(kept: &RunDetails, rights: Rights) -> String {
    Owner::new().with(|| shown(view(kept, rights), None).to_html())
}

/// A text as it stands in a page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The part of a page between an id and the end of its element's list of remedies.
fn remedies(html: &str) -> &str {
    let (_, rest) = html.split_once(r#"class="remedies">"#).unwrap();
    rest.split_once("</ul>").unwrap().0
}

#[test]
fn every_state_and_every_code_has_a_page_that_says_what_happened_and_what_to_do_and_has_its_button() {
    for status in RunStatus::ALL {
        for code in Code::ALL.iter().map(|code| Some(*code)).chain([None]) {
            for rights in [OWNER, VIEWER] {
                let mut kept = kept();
                (kept.run.status, kept.run.code) = (*status, code);
                kept.run.message = Some("81.52 here & 81.51 there".to_owned());
                let page = html(&kept, rights);
                let advice = advice(*status, code);
                for text in [advice.sentence, advice.action, "81.52 here & 81.51 there"] {
                    assert!(page.contains(&escaped(text)), "{status} {code:?}: {text} is missing");
                }
                if let Some(code) = code {
                    assert!(
                        page.contains(&format!(r#"<span class="code">{code}</span>"#)),
                        "{status} {code}"
                    );
                }
                let remedies = remedies(&page);
                assert!(remedies.contains("<li>"), "{status} {code:?}: nothing to do it with");
                let has_way = ["<a ", "<button", "remedy-said"].iter().any(|way| remedies.contains(way));
                assert!(has_way, "{status} {code:?}: {remedies}");
                let way = match code {
                    // It would be skipped again.
                    Some(Code::Excluded) => "/api/runs/include",
                    _ => "/api/runs/retry",
                };
                assert_eq!(remedies.contains(way), rights.may_retry, "{status} {code:?}");
            }
        }
    }
}

#[test]
fn who_may_do_nothing_has_no_form_at_all() {
    let mut kept = kept();
    (kept.run.status, kept.run.code) = (RunStatus::Waiting, Some(Code::BindingPaused));
    kept.binding.status = BindingStatus::Paused;
    assert!(html(&kept, OWNER).contains("Resume the shop"));
    let page = html(&kept, VIEWER);
    assert!(!page.contains("<form") && page.contains("can resume the shop"), "{page}");
}

#[test]
fn a_retry_that_does_not_go_at_once_says_why() {
    let mut kept = kept();
    kept.run.status = RunStatus::Running;
    let page = html(&kept, OWNER);
    assert!(
        page.contains(r#"aria-disabled="true""#) && page.contains("Retry it when it has ended"),
        "{page}"
    );
    kept.run.status = RunStatus::Failed;
    kept.binding.status = BindingStatus::Revoked;
    let page = html(&kept, OWNER);
    assert!(!page.contains("aria-disabled") && page.contains("waits until it is connected again"), "{page}");
}

#[test]
fn the_moments_are_in_their_order_with_their_costs_and_the_longest_is_marked() {
    let moments = view(&kept(), OWNER).moments;
    let told: Vec<(&str, Option<&str>)> =
        moments.iter().map(|moment| (moment.title.as_str(), moment.cost.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("Saved in Magento", None),
            ("Received and queued", Some("1.0 s")),
            ("Retried by Zoë", Some("100 ms")),
            ("Attempt 1 started", Some("100 ms")),
            ("Fetched from Magento: the invoice", Some("100 ms")),
            ("Planned", Some("100 ms")),
            ("Sent to Sage: the invoice", Some("0 ms")),
            ("Answered by Sage: the invoice", Some("2.5 s")),
            ("Attempt 1 ended: Succeeded", Some("100 ms")),
            ("Status shown in Magento", Some("200 ms")),
        ]
    );
    let longest: Vec<_> =
        moments.iter().filter(|moment| moment.is_longest).map(|moment| &moment.title).collect();
    assert_eq!(longest, ["Answered by Sage: the invoice"]);
}

#[test]
fn what_is_still_to_come_is_said_and_costs_nothing_yet() {
    let mut kept = kept();
    let delivery = kept.delivery.as_mut().unwrap();
    (delivery.delivered_at, delivery.next_at) = (None, Some(after(9000)));
    delivery.last_error = Some("Magento could not be reached.".to_owned());
    let last = view(&kept, OWNER).moments.pop().unwrap();
    assert_eq!((last.title.as_str(), last.cost, last.is_ahead), ("Status to be sent to Magento", None, true));
    kept.delivery.as_mut().unwrap().state.at = after(8000);
    let last = view(&kept, OWNER).moments.pop().unwrap();
    assert_eq!(last.title, "A later run reports this document’s status to Magento");
    kept.delivery.as_mut().unwrap().state.at = after(10);
    assert_eq!(view(&kept, OWNER).moments.pop().unwrap().title, "Attempt 1 ended: Succeeded");
}

#[test]
fn sums_that_differ_are_side_by_side_with_their_difference() {
    let mut kept = kept();
    kept.run.facts.sage_amount_minor = Some(8151);
    let page = html(&kept, VIEWER);
    for text in ["81.52", "81.51", "\u{2212}0.01", "sum-differs"] {
        assert!(page.contains(text), "{text}");
    }
    kept.run.facts.sage_id = None;
    assert!(html(&kept, VIEWER).contains("Sage (planned)"));
}

#[test]
fn a_missing_tax_rate_leads_to_the_tax_rates() {
    let mut kept = kept();
    (kept.run.status, kept.run.code) = (RunStatus::Waiting, Some(Code::NeedsMapping));
    let missing = Rule {
        subject: "missing setting".to_owned(),
        chosen: String::new(),
        rule: "needs_mapping".to_owned(),
        input: "tax_rate_map.23.00".to_owned(),
    };
    let plan = Plan { rules: vec![missing], ..Plan::hold(Code::NeedsMapping, "no rate of 23 %") };
    kept.plan = Ok(Some(RunPlan { attempt_id: id(3), plan, made_at: after(4000) }));
    let page = html(&kept, OWNER);
    assert!(page.contains("/settings#tax_rate_map"), "{}", remedies(&page));
}

#[test]
fn the_record_that_sage_does_not_know_is_named() {
    let mut kept = kept();
    (kept.run.status, kept.run.code) = (RunStatus::Failed, Some(Code::SageNotFound));
    kept.reference = Some(reference());
    let step = &mut kept.attempts[0].steps[1];
    step.status = Some(404);
    let refused = |kept: &mut RunDetails, request: &str| {
        kept.attempts[0].steps[1].request = Some(request.to_owned());
        html(kept, OWNER)
    };
    let country =
        refused(&mut kept, r#"{"contact":{"currency_id":"GBP","main_address":{"country_id":"XK"}}}"#);
    assert!(country.contains("Sage does not know the country \u{201c}XK\u{201d}."), "{country}");
    assert!(!remedies(&country).contains("/settings"), "the settings are right");
    let currency =
        refused(&mut kept, r#"{"contact":{"currency_id":"KWD","main_address":{"country_id":"KW"}}}"#);
    assert!(currency.contains("the currency \u{201c}KWD\u{201d}"), "{currency}");
    let rate = refused(&mut kept, r#"{"sales_invoice":{"invoice_lines":[{"tax_rate_id":"GONE"}]}}"#);
    assert!(rate.contains("the tax rate \u{201c}GONE\u{201d}") && rate.contains("/settings#taxes"), "{rate}");
}

fn reference() -> ReferenceSet {
    ReferenceSet {
        country: "GB".to_owned(),
        base_currency: Currency::GBP,
        multi_currency_enabled: true,
        registered_for_tax: true,
        accounts_start_date: None,
        tax_rates: Vec::new(),
        ledger_accounts: Vec::new(),
        bank_accounts: Vec::new(),
        payment_methods: Vec::new(),
        currencies: vec![Named { id: "GBP".to_owned(), name: "Pound".to_owned() }],
        eu_goods_services_types: Vec::new(),
        carriage_ledger_account_id: None,
        exchange_rates: std::collections::BTreeMap::new(),
        region: None,
    }
}

#[test]
fn a_title_names_the_document_its_state_and_its_shop() {
    let mut kept = kept();
    kept.run.status = RunStatus::Failed;
    assert_eq!(view(&kept, OWNER).title, "000000008 invoice failed \u{b7} Blue Mug");
}

#[test]
fn the_documents_of_one_sale_lead_to_one_another() {
    let mut kept = kept();
    let payment = Run { id: id(5), event: EventName::InvoicePaid, status: RunStatus::Failed, ..run() };
    kept.related = vec![payment];
    let page = html(&kept, VIEWER);
    let strip = page.split("This sale").nth(1).unwrap().split("</section>").next().unwrap();
    let of_payment = format!("href=\"/dashboard/sync/{}\"", id::<RunId>(5));
    assert!(strip.contains(&of_payment) && strip.contains("Failed"), "{strip}");
    assert!(strip.contains("<strong aria-current=\"page\">Invoice created</strong>"), "{strip}");
}

#[test]
fn many_attempts_are_folded_into_one_line() {
    let mut kept = kept();
    let first = kept.attempts[0].clone();
    kept.attempts = (1..=9).map(|number| Attempt { number, ..first.clone() }).collect();
    let page = html(&kept, VIEWER);
    assert!(page.contains("8 earlier attempts"), "{page}");
    kept.attempts.truncate(2);
    assert!(!html(&kept, VIEWER).contains("earlier attempts"));
}

#[test]
fn excluding_stands_beside_retrying() {
    let mut kept = kept();
    (kept.run.status, kept.run.facts.sage_id) = (RunStatus::Failed, None);
    let page = html(&kept, OWNER);
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    assert!(place("/api/runs/retry") < place("/api/runs/exclude"));
    assert!(place("/api/runs/exclude") < place("id=\"run-totals\""));
}

#[test]
fn a_refused_total_is_shown_beside_what_the_lines_make_and_the_difference() {
    let mut kept = kept();
    (kept.run.status, kept.run.code) = (RunStatus::Failed, Some(Code::TotalsMismatch));
    let facts = &mut kept.run.facts;
    (facts.sage_id, facts.sage_amount_minor, facts.sage_tax_minor) = (None, None, None);
    (facts.amount_minor, facts.tax_minor) = (Some(9_600), Some(1_600));
    let amount = |text: &str| text.parse().unwrap();
    let sums = RefusedSums {
        total: amount("96.00"),
        tax: Some(amount("16.00")),
        other_total: amount("95.11"),
        other_tax: amount("16.00"),
        source: SumSource::Lines,
    };
    let plan = Plan { refused_sums: Some(sums), ..Plan::fail(Code::TotalsMismatch, "both sums") };
    kept.plan = Ok(Some(RunPlan { attempt_id: id(3), plan, made_at: after(4000) }));
    let page = html(&kept, VIEWER);
    for text in ["Magento says", "Its lines make", "96.00", "95.11", "\u{2212}0.89"] {
        assert!(page.contains(text), "{text} is missing in {page}");
    }
    assert_eq!(page.matches(r#"<tr data-differs="true">"#).count(), 1, "only the row that differs is marked");
    kept.run.code = Some(Code::SageUnavailable);
    assert!(!html(&kept, VIEWER).contains("95.11"), "another reason by now");
}

#[test]
fn the_document_in_sage_is_a_link_of_sages_own() {
    let page = html(&kept(), VIEWER);
    assert!(page.contains(r#"href="https://accounts-extra.sageone.com/invoicing/sage-1""#), "{page}");
    let mut kept = kept();
    for step in &mut kept.attempts[0].steps {
        step.answer = Some(r#"{"id":"sage-1","links":[{"href":"https://evil.example/"}]}"#.to_owned());
    }
    let page = html(&kept, VIEWER);
    assert!(!page.contains(r#"href="https://evil"#) && page.contains("SI-27: find it in Sage"), "{page}");
}

#[test]
fn what_was_sent_and_answered_is_shown_and_escaped() {
    let mut kept = kept();
    kept.attempts[0].steps[1].answer = Some(r#"{"description":"<b>mug</b>"}"#.to_owned());
    let page = html(&kept, VIEWER);
    assert!(page.contains("&lt;b&gt;mug") && !page.contains("<b>mug"), "{page}");
    for text in
        ["req-7", "Names, addresses", "Line 1 tax rate", "the setting \u{201c}Tax rates\u{201d}", "Version 4"]
    {
        assert!(page.contains(text), "{text} is missing in {page}");
    }
}

#[test]
fn a_plan_of_another_version_says_so() {
    let kept = RunDetails { plan: Err(()), ..kept() };
    assert!(html(&kept, VIEWER).contains("Another version of Ledger"));
    let kept = RunDetails { plan: Ok(None), ..kept };
    assert!(html(&kept, VIEWER).contains("No attempt has reached a plan"));
}

#[test]
fn what_changes_while_a_run_is_under_way_is_marked_and_can_be_found() {
    let page = html(&kept(), OWNER);
    for id in ["run-head", "run-advice", "run-totals", "run-timeline", "run-plan", "run-attempts"] {
        let part = page.split(&format!(r#"id="{id}""#)).nth(1).unwrap_or_else(|| panic!("{id} is missing"));
        assert!(part.split('>').next().unwrap().contains("data-live"), "{id}");
    }
}

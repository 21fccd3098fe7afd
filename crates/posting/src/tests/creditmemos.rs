//! Credit memos of a running Magento.

use rust_decimal::Decimal;
use serde_json::Value;

use super::{amount, call, d, pennies, percentage};
use crate::{
    OriginalInvoice, fixtures, fixtures::Scenario, plan_creditmemo, wanted_creditmemo_xrefs, wanted_xrefs,
};
use domain::{
    business::TaxRate,
    code::Code,
    documents::CreditMemo,
    money::Currency,
    plan::{Adopt, Plan, Verdict},
    settings::UndeterminedTax,
    xref::{XrefKey, XrefKind},
};

/// A sample memo by its name, such as `1a`.
pub fn memo(name: &str) -> CreditMemo {
    let path = format!("{}/../../fixtures/documents/creditmemo-{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The invoice of a memo as Sage holds it, with so much outstanding.
pub fn original(outstanding: &str) -> OriginalInvoice {
    OriginalInvoice {
        sage_id: "si-2".to_owned(),
        displayed_as: Some("SI-2".to_owned()),
        contact_id: "priya".to_owned(),
        date: "2026-11-23".parse().ok(),
        status: None,
        outstanding: d(outstanding),
        payment: None,
        left_of_note: None,
        is_by_order: false,
        document: None,
    }
}

/// Sage's total and tax of a planned credit note, by an arithmetic that shares nothing with the translation's own.
pub fn total_and_tax(plan: &Plan, world: &Scenario) -> (Decimal, Decimal) {
    assert_eq!(plan.verdict, Verdict::Post, "{plan:#?}");
    let note = note(plan);
    let (mut net, mut tax) = (Decimal::ZERO, Decimal::ZERO);
    for line in note["credit_note_lines"].as_array().unwrap() {
        let price = pennies(amount(line, "quantity") * amount(line, "unit_price"));
        let discount = amount(line, "discount_amount");
        assert!(discount >= Decimal::ZERO && discount <= price.max(Decimal::ZERO), "{line}");
        net += price - discount;
        tax += amount(line, "tax_amount");
    }
    let shipping = amount(note, "shipping_net_amount");
    let percent = note.get("shipping_tax_rate_id").map_or(Decimal::ZERO, |id| percentage(id, world));
    let shipping_tax = pennies(shipping * percent / Decimal::ONE_HUNDRED);
    (net + tax + shipping + shipping_tax, tax + shipping_tax)
}

fn note(plan: &Plan) -> &Value {
    &call(plan, "creditmemo").body["sales_credit_note"]
}

fn lines(plan: &Plan) -> Vec<String> {
    let line = |line: &Value| {
        format!(
            "{} | {} x {} - {} | {} {}",
            line["description"].as_str().unwrap(),
            line["quantity"],
            line["unit_price"],
            line.get("discount_amount").map_or("0".to_owned(), Value::to_string),
            line["tax_rate_id"].as_str().unwrap(),
            line["tax_amount"]
        )
    };
    note(plan)["credit_note_lines"].as_array().unwrap().iter().map(line).collect()
}

/// A business that has a rate for sales to Ireland.
fn with_irish_rate() -> Scenario {
    let mut world = Scenario::new();
    let standard = world.reference.tax_rates[0].clone();
    world.reference.tax_rates.push(TaxRate { id: "IE_STANDARD".to_owned(), percentage: d("23"), ..standard });
    world.settings.tax_rate_map.insert("23.00".to_owned(), "IE_STANDARD".to_owned());
    world
}

#[test]
fn every_sample_posts_with_magentos_total_and_the_tax_that_only_magento_knows() {
    let world = with_irish_rate();
    // From the memos' REST documents: grand_total and tax_amount.
    let hidden = [
        ("1a", "40.63", "4.50"),
        ("1b", "16.89", "2.65"),
        ("2-unrounded", "71.91", "10.44"),
        ("3-eur", "32.45", "6.06"),
    ];
    for (name, total, tax) in hidden {
        let document = (name == "2-unrounded").then(|| fixtures::invoice("invoice-2"));
        let invoice = document.map(|document| OriginalInvoice { document: Some(document), ..original("0") });
        let plan = plan_creditmemo(&memo(name), invoice.as_ref(), &world.context());
        assert_eq!(total_and_tax(&plan, &world), (d(total), d(tax)), "{name}");
        let predicted = plan.predicted.unwrap();
        assert_eq!((predicted.total, predicted.tax), (d(total), d(tax)), "{name}");
    }
}

#[test]
fn adjustments_are_lines_of_their_own_without_tax() {
    let mut world = Scenario::new();
    world.settings.adjustment_ledger_account_id = Some("fees".to_owned());
    let plan = plan_creditmemo(&memo("1b"), None, &world.context());
    assert_eq!(
        lines(&plan),
        [
            "Stoneware Mug, Blue | 1 x 12.49 - 1.25 | GB_STANDARD 2.25",
            "Adjustment in the customer's favour | 1 x 1.50 - 0 | GB_ZERO 0.00",
            "Fee kept from the refund | 1 x -0.50 - 0 | GB_ZERO 0.00",
        ]
    );
    assert_eq!(note(&plan)["shipping_net_amount"].to_string(), "2.00");
    assert_eq!(note(&plan)["credit_note_lines"][2]["ledger_account_id"], "fees");
}

#[test]
fn the_unrounded_memo_is_explained_as_magento_had_it() {
    let invoice = OriginalInvoice { document: Some(fixtures::invoice("invoice-2")), ..original("0") };
    let plan = plan_creditmemo(&memo("2-unrounded"), Some(&invoice), &Scenario::new().context());
    // Magento's own: compensation 0.71, 0.3247 off shipping, product tax 0.42 with 0.08 of tax, 71.9053 in all.
    assert_eq!(
        lines(&plan),
        [
            "Stoneware Mug, Blue | 3 x 10.41 - 2.06 | GB_STANDARD 5.85",
            "The Tea Companion (paperback) | 1 x 9.99 - 0.66 | GB_ZERO 0.00",
            "Electric Kettle 1.7L | 1 x 20.00 - 1.31 | GB_STANDARD 3.74",
            "Fixed product tax or fee | 1 x 0.42 - 0 | GB_STANDARD 0.08",
        ]
    );
    let shipping = note(&plan)["shipping_net_amount"].to_string();
    assert!(["3.85", "3.86"].contains(&shipping.as_str()), "{shipping}");
    assert!(plan.notes.iter().any(|note| note.contains("0.08 of tax")), "{:?}", plan.notes);
    assert!(plan.rules.iter().any(|rule| rule.subject == "total" && rule.input == "71.9053"));
}

#[test]
fn a_memo_without_adjustments_or_lines_to_speak_of_refunds_shipping_or_an_amount() {
    let world = Scenario::new();
    let mut shipping = memo("1b");
    shipping.lines.clear();
    (shipping.adjustment_positive, shipping.adjustment_negative) = (Decimal::ZERO, Decimal::ZERO);
    shipping.grand_total = d("2.40");
    let plan = plan_creditmemo(&shipping, None, &world.context());
    assert_eq!(lines(&plan), ["Shipping | 1 x 2.00 - 0 | GB_STANDARD 0.40"]);
    let mut amount = memo("1b");
    amount.lines.clear();
    (amount.shipping_amount, amount.shipping_tax_amount) = (Decimal::ZERO, Decimal::ZERO);
    (amount.adjustment_negative, amount.grand_total) = (Decimal::ZERO, d("1.5"));
    let plan = plan_creditmemo(&amount, None, &world.context());
    assert_eq!(lines(&plan), ["Adjustment in the customer's favour | 1 x 1.50 - 0 | GB_ZERO 0.00"]);
}

#[test]
fn what_magento_credits_too_much_is_recognised_and_named() {
    let world = Scenario::new();
    let mut faulty = memo("2-unrounded");
    // Of sample 2's order: 0.77 x 0.32 / 4.12 = 0.0598, credited with the mugs alone.
    faulty.lines.truncate(1);
    (faulty.shipping_amount, faulty.shipping_tax_amount) = (Decimal::ZERO, Decimal::ZERO);
    faulty.grand_total = d("34.63") + d("0.39") + d("0.0598");
    let invoice = OriginalInvoice { document: Some(fixtures::invoice("invoice-2")), ..original("0") };
    for original in [Some(&invoice), None] {
        let plan = plan_creditmemo(&faulty, original, &world.context());
        assert_eq!(total_and_tax(&plan, &world), (d("35.08"), d("5.85")));
        assert_eq!(
            lines(&plan),
            [
                "Stoneware Mug, Blue | 3 x 10.41 - 2.06 | GB_STANDARD 5.85",
                "Shipping discount that Magento credits although no shipping is refunded | 1 x 0.06 - 0 | GB_ZERO 0.00",
            ]
        );
    }
}

#[test]
fn the_invoice_tells_whether_a_product_tax_was_taxed() {
    let world = Scenario::new();
    let mut memo = memo("2-unrounded");
    memo.lines.drain(..2);
    (memo.shipping_amount, memo.shipping_tax_amount) = (Decimal::ZERO, Decimal::ZERO);
    memo.grand_total = d("22.17") + d("0.26") + d("0.50");
    let invoice = OriginalInvoice { document: Some(fixtures::invoice("invoice-2")), ..original("0") };
    let plan = plan_creditmemo(&memo, Some(&invoice), &world.context());
    assert_eq!(total_and_tax(&plan, &world), (d("22.93"), d("3.82")));
    assert_eq!(lines(&plan)[1], "Fixed product tax or fee | 1 x 0.42 - 0 | GB_STANDARD 0.08");
}

#[test]
fn money_that_may_be_taxed_or_not_is_held_with_both_sums_and_its_readings() {
    let mut memo = memo("1b");
    memo.grand_total += d("0.47");
    let plan = plan_creditmemo(&memo, None, &Scenario::new().context());
    assert_eq!((plan.verdict, plan.code), (Verdict::Hold, Some(Code::TaxUndetermined)));
    let message = plan.message.unwrap();
    for part in ["17.36", "16.89", "2.65 tax"] {
        assert!(message.contains(part), "{message}");
    }
    let readings: Vec<_> = plan.readings.iter().map(|one| (one.total, one.tax)).collect();
    assert_eq!(
        readings[..2],
        [(d("17.36"), d("2.65")), (d("17.36"), d("2.73"))],
        "0.08 is the VAT within 0.47"
    );
    assert!(plan.readings[1].sentence.contains("0.08 of tax"));
}

#[test]
fn the_contact_is_the_invoices_whatever_the_rules_say_today() {
    let mut world = Scenario::new();
    world.settings.consolidation.enabled = true;
    let plan = plan_creditmemo(&memo("1a"), Some(&original("0")), &world.context());
    assert_eq!(note(&plan)["contact_id"], "priya");
    assert!(plan.calls.iter().all(|call| call.name != "contact"));
    let plan = plan_creditmemo(&memo("1b"), None, &world.context());
    assert_eq!(call(&plan, "contact").body["contact"]["reference"], "WEBSALES");
    assert_eq!(note(&plan)["contact_id"], "{contact}");
}

#[test]
fn a_memo_of_a_guest_without_an_address_is_not_taken_for_an_invoice() {
    let world = Scenario::new();
    let mut memo = memo("2-unrounded");
    memo.customer.email = None;
    let mut invoice = fixtures::invoice("invoice-4-virtual");
    (invoice.magento_id, invoice.customer.email) = (memo.magento_id, None);
    let wanted = wanted_creditmemo_xrefs(&memo, &world.settings, &world.reference);
    let of_invoice = wanted_xrefs(&invoice, &world.settings, &world.reference);
    assert!(!wanted.contains(&of_invoice[2]), "{wanted:?}");
}

#[test]
fn the_note_names_its_invoice_and_reason_and_bears_the_prefix_once() {
    let mut world = Scenario::new();
    world.settings.invoice_number_prefix = Some("WEB-".to_owned());
    let mut memo = memo("1a");
    memo.reason = Some("Cracked &amp; cold".to_owned());
    let document = Some(fixtures::invoice("invoice-1b"));
    let plan = plan_creditmemo(&memo, Some(&OriginalInvoice { document, ..original("0") }), &world.context());
    let note = note(&plan);
    assert_eq!(note["reference"], "WEB-000000001");
    assert_eq!(
        note["notes"],
        "Magento credit memo 000000001 for invoice 000000002 of order 000000001 (SI-2 in Sage)\nReason: Cracked & cold"
    );
    assert_eq!(
        (note["date"].as_str(), note["original_invoice_date"].as_str()),
        (Some("2026-11-23"), Some("2026-11-23"))
    );
    assert_eq!(note["delivery_address"]["city"], "Leeds");
    let adopt =
        Adopt::Document { path: "/sales_credit_notes".to_owned(), reference: "WEB-000000001".to_owned() };
    assert_eq!(call(&plan, "creditmemo").adopt, Some(adopt));
}

#[test]
fn the_addresses_of_a_profile_are_not_the_documents() {
    let plan = plan_creditmemo(&memo("1a"), Some(&original("0")), &Scenario::new().context());
    assert!(note(&plan).get("main_address").is_none() && note(&plan).get("delivery_address").is_none());
}

/// A change that makes a memo contradict itself.
type SpoilMemo = fn(&mut CreditMemo);

#[test]
fn a_memo_that_makes_no_sense_is_refused() {
    let world = Scenario::new();
    let spoils: [(SpoilMemo, &str); 5] = [
        (|memo| memo.grand_total = d("-0.4175"), "total is -0.4175"),
        (|memo| memo.adjustment_positive = d("-1"), "adjustment in the customer’s favour is -1.00"),
        (|memo| memo.shipping_amount = d("-5"), "shipping is -5.00"),
        (|memo| memo.lines[0].line_total = Decimal::from(20_000_000_000_i64), "10 billion"),
        (
            |memo| {
                memo.lines.clear();
                memo.shipping_amount = Decimal::ZERO;
                memo.shipping_tax_amount = Decimal::ZERO;
                memo.adjustment_positive = Decimal::ZERO;
                memo.adjustment_negative = Decimal::ZERO;
                memo.grand_total = Decimal::ZERO;
            },
            "The credit memo has no lines",
        ),
    ];
    for (spoil, words) in spoils {
        let mut memo = memo("1b");
        spoil(&mut memo);
        let plan = plan_creditmemo(&memo, None, &world.context());
        assert_eq!(plan.code, Some(Code::InconsistentDocument), "{words}: {plan:?}");
        assert!(plan.message.as_ref().unwrap().contains(words), "{:?}", plan.message);
    }
}

#[test]
fn a_memo_of_nothing_is_posted_and_settles_nothing_unless_such_documents_are_not_wanted() {
    let mut world = Scenario::new();
    let mut memo = memo("1a");
    memo.adjustment_negative += memo.grand_total;
    memo.grand_total = Decimal::ZERO;
    let plan = plan_creditmemo(&memo, Some(&original("9")), &world.context());
    assert_eq!(total_and_tax(&plan, &world), (d("0"), d("4.50")));
    assert_eq!(plan.calls.len(), 1);
    world.settings.sync_zero_value_invoices = false;
    assert_eq!(plan_creditmemo(&memo, None, &world.context()).code, Some(Code::ZeroValueInvoice));
}

#[test]
fn the_settings_skip_memos_of_other_websites_and_of_earlier_days() {
    let mut world = Scenario::new();
    let memo = memo("1a");
    world.settings.website_filter = vec![2];
    assert_eq!(plan_creditmemo(&memo, None, &world.context()).code, Some(Code::OutsideWebsiteFilter));
    world.settings.website_filter.clear();
    world.settings.sync_since = Some(memo.created_at + chrono::TimeDelta::seconds(1));
    assert_eq!(plan_creditmemo(&memo, None, &world.context()).code, Some(Code::OutsideSyncSince));
}

#[test]
fn in_safe_mode_the_draft_is_released_before_it_is_settled() {
    let world = Scenario { safe_mode: true, ..Scenario::new() };
    let plan = plan_creditmemo(&memo("1a"), Some(&original("99")), &world.context());
    let names: Vec<&str> = plan.calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(names, ["creditmemo", "release", "allocation"]);
    assert_eq!(note(&plan)["status_id"], "DRAFT");
    assert_eq!(plan.calls[1].path, "/sales_credit_notes/{creditmemo}/release");
}

#[test]
fn a_business_without_vat_credits_what_was_paid() {
    let mut world = Scenario::new();
    world.reference.registered_for_tax = false;
    let plan = plan_creditmemo(&memo("1b"), None, &world.context());
    assert_eq!(total_and_tax(&plan, &world), (d("16.89"), d("0")));
    let lines = note(&plan)["credit_note_lines"].as_array().unwrap();
    assert!(lines.iter().all(|line| line.get("tax_rate_id").is_none()));
}

#[test]
fn a_foreign_memo_bears_its_rate_and_needs_one() {
    let world = with_irish_rate();
    let mut memo = memo("3-eur");
    let plan = plan_creditmemo(&memo, Some(&original("50")), &world.context());
    assert_eq!(note(&plan)["currency_id"], "EUR");
    assert!(note(&plan)["exchange_rate"].to_string().starts_with("0.8522"));
    assert!(call(&plan, "creditmemo").expect.as_ref().unwrap().base_total.is_some());
    memo.base_to_order_rate = None;
    let plan = plan_creditmemo(&memo, Some(&original("50")), &world.context());
    assert_eq!(plan.code, Some(Code::ExchangeRateMissing));
}

#[test]
fn the_wanted_records_are_the_memos_its_settlements_its_invoices_and_its_contacts() {
    let world = Scenario::new();
    let wanted = wanted_creditmemo_xrefs(&memo("1a"), &world.settings, &world.reference);
    let key = |kind, id: &str| XrefKey { kind, magento_key: id.to_owned() };
    let expected = [
        key(XrefKind::Creditmemo, "1"),
        key(XrefKind::Allocation, "1"),
        key(XrefKind::Refund, "1"),
        key(XrefKind::Invoice, "2"),
        key(XrefKind::Payment, "2"),
        key(XrefKind::Contact(Currency::GBP), "1"),
        key(XrefKind::ContactFallback(Currency::GBP), "WEBSALES"),
    ];
    assert_eq!(wanted, expected);
}

#[test]
fn tax_that_a_memo_from_the_order_does_not_show_waits_for_a_person() {
    let mut world = Scenario::new();
    world.settings.tax_undetermined = UndeterminedTax::Hold;
    let plan = plan_creditmemo(&memo("2-unrounded"), None, &world.context());
    assert_eq!((plan.verdict, plan.code), (Verdict::Hold, Some(Code::TaxUndetermined)), "{plan:?}");
    assert!(plan.message.as_deref().unwrap().contains("71.91"), "{:?}", plan.message);
    // A memo whose lines, shipping and adjustments make up its total hides nothing.
    assert_eq!(plan_creditmemo(&memo("1b"), None, &world.context()).verdict, Verdict::Post);
}

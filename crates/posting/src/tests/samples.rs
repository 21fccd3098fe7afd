//! The documents of a running Magento.

use std::path::PathBuf;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{amount, call, d, plan, total_and_tax};
use crate::{fixtures, fixtures::Scenario, plan_invoice, plan_payment};
use domain::{
    code::Code,
    documents::{Invoice, InvoiceState},
    money::Currency,
    plan::{Plan, Verdict},
    xref::{XrefKey, XrefKind},
};

/// Every invoice among the fixtures, with its file's name.
fn every_invoice() -> Vec<(String, Invoice)> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures"));
    let mut invoices = Vec::new();
    for folder in ["documents", "wire/entity"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let ending = path.extension().and_then(|ending| ending.to_str());
            if name.starts_with("invoice-") && matches!(ending, Some("json" | "body")) {
                let text = std::fs::read_to_string(&path).unwrap();
                invoices.push((name, serde_json::from_str(&text).unwrap()));
            }
        }
    }
    assert_eq!(invoices.len(), 13);
    invoices
}

#[test]
fn every_sample_in_pounds_posts_with_magentos_total_and_tax() {
    let world = Scenario::new();
    for (name, invoice) in every_invoice() {
        let plan = plan_invoice(&invoice, &world.context());
        if invoice.currency == Currency::GBP {
            let sums = (invoice.grand_total, invoice.tax_amount);
            assert_eq!(total_and_tax(&plan, &world), sums, "{name} {plan:#?}");
            let predicted = plan.predicted.unwrap();
            assert_eq!((predicted.total, predicted.tax), sums, "{name}");
        } else {
            assert_eq!(plan.code, Some(Code::NeedsMapping), "{name}: it bears Irish tax");
        }
    }
}

fn body(plan: &Plan) -> &Value {
    &call(plan, "invoice").body["sales_invoice"]
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
    body(plan)["invoice_lines"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn a_discount_on_net_prices_is_the_lines_discount_and_a_configurables_child_is_left_out() {
    let plan = plan("invoice-1a");
    assert_eq!(
        lines(&plan),
        [
            "Stoneware Mug, Blue | 2 x 12.49 - 2.50 | GB_STANDARD 4.50",
            "Cast Iron Teapot | 1 x 45.00 - 4.50 | GB_STANDARD 8.10",
        ]
    );
    assert_eq!(body(&plan)["shipping_net_amount"].to_string(), "4.95");
    assert_eq!(body(&plan)["shipping_tax_rate_id"], "GB_STANDARD");
    assert_eq!(body(&plan)["reference"], "000000001");
    assert_eq!(body(&plan)["date"], "2026-11-23");
}

#[test]
fn a_dynamic_bundle_counts_once() {
    let plan = plan("invoice-1b");
    assert_eq!(
        lines(&plan),
        [
            "Stoneware Mug, Blue | 1 x 12.49 - 1.25 | GB_STANDARD 2.25",
            "Stoneware Mug, Blue | 4 x 12.49 - 4.99 | GB_STANDARD 9.00",
            "Loose Leaf Tea 250g | 2 x 7.95 - 1.59 | GB_ZERO 0.00",
            "The Tea Companion (paperback) | 1 x 9.99 - 1.00 | GB_ZERO 0.00",
        ]
    );
    assert!(plan.notes.iter().any(|note| note.contains("Tea Set")));
}

#[test]
fn compensation_and_product_tax_are_found_as_magento_had_them() {
    let plan = plan("invoice-2");
    // Magento's own figures: compensation 0.39, 0, 0.26 and 0.06 on shipping, product tax 0.42 with 0.08 tax.
    assert_eq!(
        lines(&plan),
        [
            "Stoneware Mug, Blue | 3 x 10.41 - 2.06 | GB_STANDARD 5.85",
            "The Tea Companion (paperback) | 1 x 9.99 - 0.66 | GB_ZERO 0.00",
            "Electric Kettle 1.7L | 1 x 20.00 - 1.31 | GB_STANDARD 3.74",
            "Fixed product tax or fee | 1 x 0.42 - 0 | GB_STANDARD 0.08",
        ]
    );
    assert_eq!(body(&plan)["shipping_net_amount"].to_string(), "3.86");
}

#[test]
fn the_default_algorithms_carried_penny_stays_where_magento_put_it() {
    let plan = plan("invoice-7-default-algorithm");
    assert_eq!(lines(&plan)[1], "Gift Wrapping Service | 7 x 3.33 - 2.33 | GB_STANDARD 4.19");
    assert_eq!(lines(&plan)[4], "Fixed product tax or fee | 1 x 1.50 - 0 | GB_STANDARD 0.30");
}

#[test]
fn an_invoice_of_nothing_has_its_line() {
    let plan = plan("invoice-6-zero");
    assert_eq!(lines(&plan), ["Gift Wrapping Service | 1 x 3.33 - 3.33 | GB_STANDARD 0.00"]);
}

#[test]
fn what_was_taxed_before_its_discount_keeps_its_tax_and_the_discount_is_a_line() {
    let (_, invoice) = every_invoice().into_iter().find(|(name, _)| name.starts_with("invoice-92")).unwrap();
    let plan = plan_invoice(&invoice, &Scenario::new().context());
    let lines = lines(&plan);
    assert_eq!(lines[0], "3 x Stoneware Mug, Blue | 1 x 31.22 - 0 | GB_STANDARD 6.25");
    assert_eq!(
        lines[1],
        "Crème Brûlée Set & Torch <1 L> “Gift” – 日本 \"x\" \\ / 'y' | 1 x 16.66 - 0 | GB_STANDARD 3.33"
    );
    assert!(lines.contains(&"Fixed product tax or fee | 1 x 1.25 - 0 | GB_STANDARD 0.25".to_owned()));
    assert!(
        lines.contains(&"Discount (taxed on the full price) | 1 x -1567.95 - 0 | GB_ZERO 0.00".to_owned())
    );
    assert_eq!(plan.predicted.unwrap().tax_by_rate["GB_LOWER"], "6.35");
}

#[test]
fn a_gift_card_is_a_line_that_says_so() {
    let world = Scenario::new();
    for (name, card) in
        [("invoice-1a", "20.00"), ("invoice-7-default-algorithm", "10.00"), ("invoice-2", "71.91")]
    {
        let mut invoice = fixtures::invoice(name);
        invoice.grand_total -= d(card);
        // The last pays everything, and Magento asks for no payment.
        if invoice.grand_total.is_zero() {
            invoice.payment_method = Some("free".to_owned());
        }
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(total_and_tax(&plan, &world), (invoice.grand_total, invoice.tax_amount), "{name}");
        assert!(
            lines(&plan).last().unwrap().starts_with("Difference to Magento's total (gift card"),
            "{name}"
        );
        let card = body(&plan)["invoice_lines"].as_array().unwrap().last().unwrap();
        assert_eq!(card["tax_rate_id"], "GB_NO_TAX", "{name}");
    }
}

#[test]
fn a_fee_goes_to_its_own_account() {
    let mut world = Scenario::new();
    world.settings.fee_ledger_account_id = Some("fees".to_owned());
    let mut invoice = fixtures::invoice("invoice-1a");
    invoice.grand_total += d("2.50");
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(total_and_tax(&plan, &world), (invoice.grand_total, invoice.tax_amount));
    let line = &body(&plan)["invoice_lines"][2];
    assert_eq!((line["ledger_account_id"].as_str(), amount(line, "unit_price")), (Some("fees"), d("2.50")));
}

/// A change that makes a document contradict itself.
type SpoilInvoice = fn(&mut Invoice);

#[test]
fn what_a_sale_needs_is_chosen_by_a_rule_that_is_told() {
    let plan = plan("invoice-2");
    let rule = |subject: &str| {
        let rule =
            plan.rules.iter().find(|rule| rule.subject == subject).unwrap_or_else(|| panic!("{subject}"));
        format!("{} by {} from {}", rule.chosen, rule.rule, rule.input)
    };
    assert_eq!(rule("line 2 tax rate"), "GB_ZERO by tax_rate_map from 0.00");
    assert_eq!(rule("shipping tax rate"), "GB_STANDARD by tax_rate_map from 20.00");
    assert_eq!(rule("account of goods"), "sales by default_ledger_account_id from ");
    assert_eq!(
        rule("percentages"),
        "discount from prices with tax by how the shop taxes discounts from the tax on the lines"
    );
}

#[test]
fn a_document_that_contradicts_itself_is_refused_with_both_sums() {
    let world = Scenario::new();
    let spoil: [(&str, SpoilInvoice); 6] = [
        ("more tax, same total", |invoice| invoice.tax_amount += d("1.00")),
        ("more tax and total", |invoice| {
            invoice.tax_amount += d("1.00");
            invoice.grand_total += d("1.00");
        }),
        ("less tax", |invoice| invoice.tax_amount -= d("1.00")),
        ("a line is missing", |invoice| drop(invoice.lines.remove(0))),
        ("less discount than the lines", |invoice| invoice.discount_amount += d("5")),
        ("money from nowhere", |invoice| invoice.grand_total += d("60")),
    ];
    let mut shown = 0;
    for (name, spoil) in spoil {
        let mut invoice = fixtures::invoice("invoice-1a");
        spoil(&mut invoice);
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(
            (plan.verdict, plan.code),
            (Verdict::Fail, Some(Code::TotalsMismatch)),
            "{name} {plan:#?}"
        );
        let message = plan.message.unwrap();
        assert!(message.contains(&domain::money::text(invoice.grand_total)), "{name}: {message}");
        if let Some(both) = plan.refused_sums {
            assert_eq!((both.total, both.tax), (invoice.grand_total, Some(invoice.tax_amount)), "{name}");
            shown += 1;
        }
    }
    assert!(shown > 1, "sums that differ are kept beside the sentence");
}

#[test]
fn an_invoice_below_zero_makes_no_sense() {
    let mut invoice = fixtures::invoice("invoice-1a");
    invoice.grand_total = d("-0.4175");
    let plan = plan_invoice(&invoice, &Scenario::new().context());
    assert_eq!(plan.code, Some(Code::InconsistentDocument));
}

#[test]
fn missing_settings_hold_and_are_all_named() {
    let mut world = Scenario::new();
    world.settings.tax_rate_map.clear();
    world.settings.default_tax_rate_id = None;
    let plan = plan_invoice(&fixtures::invoice("invoice-2"), &world.context());
    assert_eq!((plan.verdict, plan.code), (Verdict::Hold, Some(Code::NeedsMapping)));
    let missing: Vec<_> =
        plan.rules.iter().filter(|rule| rule.subject == "missing setting").map(|rule| &*rule.input).collect();
    assert_eq!(missing, ["tax_rate_map.20.00", "tax_rate_map.0.00"]);
    let mut world = Scenario::new();
    world.settings.default_ledger_account_id = None;
    let plan = plan_invoice(&fixtures::invoice("invoice-2"), &world.context());
    assert!(plan.message.unwrap().contains("“Sales account”"));
}

#[test]
fn shipping_with_an_account_of_its_own_or_a_tax_that_sage_would_change_is_a_line() {
    let mut world = Scenario::new();
    world.settings.shipping_ledger_account_id = Some("fees".to_owned());
    let plan = plan_invoice(&fixtures::invoice("invoice-1a"), &world.context());
    assert_eq!(lines(&plan)[2], "Shipping | 1 x 4.95 - 0 | GB_STANDARD 0.99");
    let mut invoice = fixtures::invoice("invoice-1a");
    invoice.shipping_tax_amount -= d("0.01");
    invoice.tax_amount -= d("0.01");
    invoice.grand_total -= d("0.01");
    let world = Scenario::new();
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(total_and_tax(&plan, &world), (invoice.grand_total, invoice.tax_amount));
    assert_eq!(lines(&plan)[2], "Shipping | 1 x 4.95 - 0 | GB_STANDARD 0.98");
}

#[test]
fn discounts_with_an_account_of_their_own_are_lines_with_their_tax() {
    let mut world = Scenario::new();
    world.settings.discount_ledger_account_id = Some("discounts".to_owned());
    for (name, invoice) in
        every_invoice().into_iter().filter(|(_, invoice)| invoice.currency == Currency::GBP)
    {
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(total_and_tax(&plan, &world), (invoice.grand_total, invoice.tax_amount), "{name}");
    }
    let plan = plan_invoice(&fixtures::invoice("invoice-1a"), &world.context());
    assert_eq!(lines(&plan)[2], "Discount | 1 x -7.00 - 0 | GB_STANDARD -1.40");
}

#[test]
fn a_business_that_is_not_registered_sends_gross_as_net() {
    let mut world = Scenario::new();
    world.reference.registered_for_tax = false;
    world.settings.tax_rate_map.clear();
    for (name, invoice) in
        every_invoice().into_iter().filter(|(_, invoice)| invoice.currency == Currency::GBP)
    {
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(total_and_tax(&plan, &world), (invoice.grand_total, Decimal::ZERO), "{name}");
        assert!(!body(&plan).to_string().contains("tax_"), "{name}");
    }
}

#[test]
fn a_business_of_one_currency_refuses_another() {
    let mut world = Scenario::new();
    world.reference.multi_currency_enabled = false;
    let plan = plan_invoice(&fixtures::invoice("invoice-3-eur"), &world.context());
    assert_eq!((plan.verdict, plan.code), (Verdict::Fail, Some(Code::MultiCurrencyDisabled)));
}

#[test]
fn in_safe_mode_the_draft_is_released_last() {
    let world = Scenario { safe_mode: true, ..Scenario::new() };
    let invoice = fixtures::invoice("invoice-1a");
    let plan = plan_payment(&invoice, &fixtures::payment("invoice-1a"), &world.context());
    let names: Vec<_> = plan.calls.iter().map(|call| &*call.name).collect();
    assert_eq!(names, ["contact", "invoice", "release", "payment"]);
    assert_eq!(body(&plan)["status_id"], "DRAFT");
    assert!(plan.calls[2].releases_draft && plan.calls[2].body.is_null());
    assert_eq!(plan.calls[2].path, "/sales_invoices/{invoice}/release");
}

#[test]
fn what_is_in_sage_is_never_made_again() {
    let mut world = Scenario::new();
    let invoice = fixtures::invoice("invoice-1a");
    world.knows(XrefKey { kind: XrefKind::Invoice, magento_key: "1".to_owned() }, "sage-1");
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!((plan.verdict, plan.calls.len(), plan.notes.len()), (Verdict::Post, 0, 1));
    let plan = plan_payment(&invoice, &fixtures::payment("invoice-1a"), &world.context());
    assert_eq!(plan.calls.len(), 2, "the contact is not known");
    let allocated = &call(&plan, "payment").body["contact_payment"]["allocated_artefacts"][0];
    assert_eq!((&allocated["artefact_id"], amount(allocated, "amount")), (&"sage-1".into(), d("81.52")));
    world.knows(XrefKey { kind: XrefKind::Payment, magento_key: "1".to_owned() }, "receipt-1");
    let plan = plan_payment(&invoice, &fixtures::payment("invoice-1a"), &world.context());
    assert_eq!((plan.verdict, plan.calls.len()), (Verdict::Post, 0));
}

#[test]
fn an_open_invoice_is_skipped_only_when_the_settings_say_so() {
    let mut world = Scenario::new();
    let mut invoice = fixtures::invoice("invoice-1a");
    invoice.state = InvoiceState::Open;
    assert_eq!(plan_invoice(&invoice, &world.context()).verdict, Verdict::Post);
    world.settings.sync_unpaid_invoices = false;
    assert_eq!(plan_invoice(&invoice, &world.context()).code, Some(Code::UnpaidInvoice));
}

#[test]
fn the_number_bears_the_prefix_once_and_the_purchase_order_is_in_the_notes() {
    let mut world = Scenario::new();
    world.settings.invoice_number_prefix = Some("WEB-".to_owned());
    let mut invoice = fixtures::invoice("invoice-1a");
    invoice.po_number = Some("PO &amp; 7".to_owned());
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(body(&plan)["reference"], "WEB-000000001");
    assert_eq!(body(&plan)["notes"], "Magento order 000000001, invoice 000000001\nPurchase Order: PO & 7");
    invoice.increment_id = "WEB-000000001".to_owned();
    assert_eq!(body(&plan_invoice(&invoice, &world.context()))["reference"], "WEB-000000001");
}

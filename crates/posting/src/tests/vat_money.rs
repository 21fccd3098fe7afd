//! Money that is not a sale: gift cards, store credit, reward points, cash roundings. It is outside the tax, and what was sold stays sold.

use serde_json::json;

use super::{amount, call, creditmemos, d, total_and_tax, vat_places::sent_to};
use crate::{OriginalInvoice, fixtures::Scenario, plan_creditmemo, plan_invoice};
use domain::{
    business::TaxRate,
    code::Code,
    documents::{CreditMemo, Invoice},
    plan::{Plan, Verdict},
};

/// Goods of 50.00 and shipping of 5.00 at 20 %, of which the card paid a part.
fn paid_by_card(card: &str) -> Invoice {
    let mut invoice = sent_to("GBP", 20, "GB", "RG1 2AB");
    invoice.grand_total -= d(card);
    invoice
}

fn zero_rate() -> TaxRate {
    let rates = Scenario::new().reference.tax_rates;
    rates.into_iter().find(|rate| rate.id == "GB_ZERO").unwrap()
}

/// Rate and amount of the last line.
fn last_line(plan: &Plan) -> (String, domain::Decimal, String) {
    let lines = call(plan, "invoice").body["sales_invoice"]["invoice_lines"].as_array().unwrap();
    let line = lines.last().unwrap();
    let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
    (text("tax_rate_id"), amount(line, "unit_price"), text("ledger_account_id"))
}

#[test]
fn a_card_is_outside_the_tax_on_its_own_account_however_much_it_pays() {
    let mut world = Scenario::new();
    world.settings.gift_card_ledger_account_id = Some("discounts".to_owned());
    for card in ["10.00", "33.00", "62.70"] {
        let invoice = paid_by_card(card);
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(total_and_tax(&plan, &world), (invoice.grand_total, d("11.00")), "{card}");
        assert_eq!(last_line(&plan), ("GB_NO_TAX".to_owned(), -d(card), "discounts".to_owned()));
    }
}

#[test]
fn a_card_that_pays_everything_leaves_the_sale_and_its_tax_whatever_is_said_of_invoices_of_nothing() {
    let mut world = Scenario::new();
    world.settings.sync_zero_value_invoices = false;
    for method in ["free", "giftcard", "mageplaza_giftcard", "customerbalance"] {
        let invoice = Invoice { payment_method: Some(method.to_owned()), ..paid_by_card("66.00") };
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(total_and_tax(&plan, &world), (d("0"), d("11.00")), "{method}");
        assert_eq!(last_line(&plan).0, "GB_NO_TAX");
    }
}

#[test]
fn a_total_of_nothing_over_a_sale_waits_where_nothing_says_what_paid_for_it() {
    let mut world = Scenario::new();
    for wanted in [true, false] {
        world.settings.sync_zero_value_invoices = wanted;
        for method in [Some("banktransfer"), Some("checkmo"), None] {
            let invoice = Invoice { payment_method: method.map(str::to_owned), ..paid_by_card("66.00") };
            let plan = plan_invoice(&invoice, &world.context());
            assert_eq!((plan.verdict, plan.code), (Verdict::Hold, Some(Code::TotalBelowLines)), "{method:?}");
            assert!(plan.message.as_ref().unwrap().contains("66.00"), "{:?}", plan.message);
        }
    }
}

#[test]
fn a_sale_that_was_discounted_to_nothing_is_one_of_nothing() {
    let mut world = Scenario::new();
    world.settings.sync_zero_value_invoices = false;
    let mut invoice = sent_to("GBP", 0, "GB", "RG1 2AB");
    invoice.discount_amount = d("-55.00");
    invoice.lines[0].line_total = d("0");
    invoice.grand_total = d("0");
    assert_eq!(plan_invoice(&invoice, &world.context()).code, Some(Code::ZeroValueInvoice));
}

#[test]
fn a_business_without_a_rate_of_no_vat_is_asked_for_one_and_takes_it_from_the_map() {
    let mut world = Scenario::new();
    world.reference.tax_rates.retain(|rate| rate.id != "GB_NO_TAX");
    let plan = plan_invoice(&paid_by_card("10.00"), &world.context());
    assert_eq!(plan.code, Some(Code::NeedsMapping));
    assert!(plan.rules.iter().any(|rule| rule.input == "tax_rate_map.0.00/no_vat"), "{plan:#?}");
    // An exempt rate is on the return, so it does not qualify; a rate that the merchant has added does.
    world.settings.tax_rate_map.insert("0/no_vat".to_owned(), "GB_EXEMPT".to_owned());
    assert_eq!(plan_invoice(&paid_by_card("10.00"), &world.context()).code, Some(Code::NeedsMapping));
    let outside = TaxRate { id: "9f0c".to_owned(), name: "Outside the scope".to_owned(), ..zero_rate() };
    world.reference.tax_rates.push(outside);
    world.settings.tax_rate_map.insert("0/no_vat".to_owned(), "9f0c".to_owned());
    let plan = plan_invoice(&paid_by_card("10.00"), &world.context());
    assert_eq!(last_line(&plan).0, "9f0c");
    assert_eq!(plan.predicted.unwrap().boxes["6"], "55.00");
}

#[test]
fn a_rest_of_five_pence_is_a_cash_rounding_and_no_fee() {
    let mut world = Scenario::new();
    world.settings.adjustment_ledger_account_id = Some("fees".to_owned());
    for rest in ["0.05", "-0.05"] {
        let mut invoice = sent_to("GBP", 20, "GB", "RG1 2AB");
        invoice.grand_total += d(rest);
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(last_line(&plan), ("GB_NO_TAX".to_owned(), d(rest), "fees".to_owned()));
    }
}

#[test]
fn a_gift_card_that_is_sold_untaxed_is_no_sale_yet_and_one_that_is_taxed_is() {
    let mut world = Scenario::new();
    world.settings.gift_card_ledger_account_id = Some("discounts".to_owned());
    let mut invoice = sent_to("GBP", 0, "GB", "RG1 2AB");
    invoice.lines[0].product_type = Some("giftcard".to_owned());
    let lines = |plan: &Plan| call(plan, "invoice").body["sales_invoice"]["invoice_lines"].clone();
    let line = &lines(&plan_invoice(&invoice, &world.context()))[0];
    assert_eq!(
        (&line["tax_rate_id"], &line["ledger_account_id"]),
        (&"GB_NO_TAX".into(), &"discounts".into())
    );
    let mut invoice = sent_to("GBP", 20, "GB", "RG1 2AB");
    invoice.lines[0].product_type = Some("giftcard".to_owned());
    let line = &lines(&plan_invoice(&invoice, &world.context()))[0];
    assert_eq!(line["tax_rate_id"], "GB_STANDARD");
}

/// A memo that takes back all of the sale, paid in so much money.
fn memo_of(total: &str) -> CreditMemo {
    let invoice = paid_by_card("66.00");
    let memo = json!({
        "magento_id": 61, "increment_id": "000000061", "invoice_id": 5001, "invoice_increment_id": "000005001",
        "website_id": 1, "currency": "GBP", "customer": { "magento_id": 0, "email": "nora.quill@example.com" },
        "lines": invoice.lines, "grand_total": total, "shipping_amount": "5", "shipping_tax_amount": "1",
        "created_at": "2026-06-01T09:00:00Z", "base_to_order_rate": "1",
    });
    serde_json::from_value(memo).unwrap()
}

#[test]
fn a_memo_of_what_a_card_paid_takes_the_sale_and_its_tax_back() {
    let world = Scenario::new();
    let paid = Invoice { payment_method: Some("free".to_owned()), ..paid_by_card("66.00") };
    let original = OriginalInvoice { document: Some(paid), ..creditmemos::original("0") };
    let plan = plan_creditmemo(&memo_of("0"), Some(&original), &world.context());
    assert_eq!(creditmemos::total_and_tax(&plan, &world), (d("0"), d("11.00")));
    let boxes = plan.predicted.unwrap().boxes;
    assert_eq!((boxes["1"].as_str(), boxes["6"].as_str()), ("-11.00", "-55.00"));
    // Without the invoice nothing says that money was not due.
    let plan = plan_creditmemo(&memo_of("0"), None, &world.context());
    assert_eq!((plan.verdict, plan.code), (Verdict::Hold, Some(Code::TotalBelowLines)));
}

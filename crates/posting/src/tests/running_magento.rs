//! Credit memos of a running Magento 2.4.7 (`fixtures/reported/magento`), with Magento's own figures beside them, which no module sends.

use rust_decimal::Decimal;
use serde_json::Value;

use super::creditmemos::{original, total_and_tax};
use crate::{OriginalInvoice, fixtures, fixtures::Scenario, is_of_same_order, plan_creditmemo, plan_invoice};
use domain::{
    code::Code,
    documents::{CreditMemo, Invoice, Line},
    plan::{Plan, Verdict},
    settings::UndeterminedTax,
};

const MEMOS: [&str; 9] = [
    "05-shipping-discount-part",
    "12-fpt-full-from-order",
    "13-fpt-part-from-order",
    "14-fpt-part-from-invoice",
    "22-unshown",
    "23-inferred-tax-wrong",
    "31-unshown",
    "60-fpt-part-from-invoice-no-discount",
    "68-tax-before-discount-from-order",
];

fn file(name: &str) -> Value {
    let path = format!("{}/../../fixtures/reported/magento/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn memo(name: &str) -> CreditMemo {
    serde_json::from_value(file(&format!("creditmemo-{name}"))).unwrap()
}

fn number(value: &Value) -> Decimal {
    value.to_string().parse().unwrap_or_default()
}

/// Magento's total to the penny, and its tax.
fn truth(name: &str) -> (Decimal, Decimal) {
    let rest = file(&format!("rest-creditmemo-{name}"));
    (super::pennies(number(&rest["grand_total"])), number(&rest["tax_amount"]))
}

/// The invoice of the memo's order, which took all of it: lines before their discounts, a bundle's money on its parts.
fn invoice(name: &str) -> Invoice {
    let order = file(&format!("order-creditmemo-{name}"));
    let line = |item: &Value| {
        let money =
            |field: &str| if item["product_type"] == "bundle" { Decimal::ZERO } else { number(&item[field]) };
        let (discount, tax) = (money("discount_amount"), money("tax_amount"));
        let subtotal = money("row_total") + discount;
        Line {
            sku: item["sku"].as_str().unwrap().to_owned(),
            name: item["name"].as_str().unwrap().to_owned(),
            qty: number(&item["qty_ordered"]),
            unit_price: number(&item["price"]),
            line_subtotal: subtotal,
            line_tax: tax,
            line_total: subtotal + tax - discount,
            product_type: None,
            tax_class: None,
            tax_percent: None,
        }
    };
    Invoice {
        lines: order["items"].as_array().unwrap().iter().map(line).collect(),
        subtotal: number(&order["subtotal"]),
        tax_amount: number(&order["tax_amount"]),
        shipping_amount: number(&order["shipping_amount"]),
        shipping_tax_amount: number(&order["shipping_tax_amount"]),
        discount_amount: number(&order["discount_amount"]),
        grand_total: number(&order["grand_total"]),
        ..fixtures::invoice("invoice-1a")
    }
}

fn plan(name: &str, mode: UndeterminedTax, invoice: Option<Invoice>) -> (Plan, Scenario) {
    let mut world = Scenario::new();
    world.settings.tax_undetermined = mode;
    let invoice = invoice.map(|document| OriginalInvoice { document: Some(document), ..original("0") });
    (plan_creditmemo(&memo(name), invoice.as_ref(), &world.context()), world)
}

#[test]
fn every_memo_whose_invoice_is_known_has_magentos_total_and_tax() {
    for name in MEMOS {
        let invoice = invoice(name);
        let posted = plan_invoice(&invoice, &Scenario::new().context());
        assert_eq!(posted.verdict, Verdict::Post, "{name}");
        let (plan, world) = plan(name, UndeterminedTax::Hold, Some(invoice));
        assert_eq!(total_and_tax(&plan, &world), truth(name), "{name}");
    }
}

#[test]
fn no_memo_is_posted_with_another_tax_and_what_is_held_has_one_code_and_shows_its_readings() {
    for name in MEMOS {
        for mode in [UndeterminedTax::Hold, UndeterminedTax::Infer] {
            let (plan, world) = plan(name, mode, None);
            if plan.verdict == Verdict::Post {
                assert_eq!(total_and_tax(&plan, &world), truth(name), "{name} {mode:?}");
                continue;
            }
            assert_eq!(
                (plan.verdict, plan.code),
                (Verdict::Hold, Some(Code::TaxUndetermined)),
                "{name} {mode:?}"
            );
            let readings = &plan.readings;
            assert!((2..=3).contains(&readings.len()), "{name}: {readings:?}");
            assert!(readings.iter().all(|one| one.total == truth(name).0), "{name}: {readings:?}");
            let taxes: Vec<_> = readings.iter().map(|one| one.tax).collect();
            assert!(taxes.contains(&truth(name).1), "{name} {mode:?}: {taxes:?} without {}", truth(name).1);
        }
    }
}

#[test]
fn what_is_too_small_for_a_product_tax_goes_where_the_settings_say_so() {
    for name in ["05-shipping-discount-part", "22-unshown", "31-unshown"] {
        assert_eq!(plan(name, UndeterminedTax::Hold, None).0.verdict, Verdict::Hold, "{name}");
        assert_eq!(plan(name, UndeterminedTax::Infer, None).0.verdict, Verdict::Post, "{name}");
    }
}

/// A change that makes an invoice another order's.
type Spoil = fn(&mut Invoice);

#[test]
fn a_guests_memo_is_known_by_the_time_of_its_order() {
    let memo = memo("13-fpt-part-from-order");
    let mut invoice = invoice("13-fpt-part-from-order");
    invoice.customer = memo.customer.clone();
    assert!(memo.customer.created_at.is_some() && is_of_same_order(&memo, &invoice));
    let spoils: [Spoil; 5] = [
        |invoice| invoice.customer.created_at = "2026-11-29T17:32:05Z".parse().ok(),
        |invoice| invoice.customer.created_at = None,
        |invoice| invoice.customer.magento_id = 7,
        |invoice| invoice.currency = domain::money::Currency::EUR,
        |invoice| invoice.lines.retain(|line| line.sku != "LAMP"),
    ];
    for spoil in spoils {
        let mut other = invoice.clone();
        spoil(&mut other);
        assert!(!is_of_same_order(&memo, &other), "{:?}", other.customer);
    }
    // What cannot be told apart is not guessed: an account's time is no order's.
    let mut registered = memo.clone();
    registered.customer.magento_id = 7;
    invoice.customer.magento_id = 7;
    assert!(!is_of_same_order(&registered, &invoice));
}

#[test]
fn a_memo_of_less_than_nothing_posts_nothing() {
    let (plan, _) = plan("20-negative", UndeterminedTax::Infer, None);
    assert_eq!((plan.verdict, plan.code), (Verdict::Fail, Some(Code::InconsistentDocument)));
    assert!(plan.message.unwrap().contains("-0.99"));
}

fn real_invoice(name: &str) -> Invoice {
    serde_json::from_value(file(&format!("invoice-{name}"))).unwrap()
}

#[test]
fn a_sale_that_is_billed_to_america_and_delivered_in_britain_bears_british_tax() {
    let world = Scenario::new();
    let plan = plan_invoice(&real_invoice("114-us-billing-gb-shipping"), &world.context());
    assert_eq!(plan.verdict, Verdict::Post, "{:?}", plan.message);
    let predicted = plan.predicted.unwrap();
    assert_eq!(
        (predicted.total.to_string(), predicted.tax.to_string()),
        ("35.92".to_owned(), "5.99".to_owned())
    );
    assert_eq!(predicted.boxes["1"], "5.99");
}

#[test]
fn american_sales_tax_goes_to_the_account_that_was_chosen_for_it_and_is_refused_without_one() {
    let mut world = Scenario::new();
    let invoice = real_invoice("23-us-sales-tax");
    let refused = plan_invoice(&invoice, &world.context());
    assert_ne!(refused.verdict, Verdict::Post, "{:?}", refused.code);
    world.settings.foreign_tax_ledger_account_id = Some("fees".to_owned());
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(plan.verdict, Verdict::Post, "{:?} {:?}", plan.code, plan.message);
    let predicted = plan.predicted.unwrap();
    assert_eq!(
        (predicted.total.to_string(), predicted.tax.to_string()),
        ("99.64".to_owned(), "0".to_owned())
    );
    assert!(predicted.boxes.get("1").is_none_or(|tax| tax == "0" || tax == "0.00"), "{:?}", predicted.boxes);
}

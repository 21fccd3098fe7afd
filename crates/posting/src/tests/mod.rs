//! Translations of whole documents, their sums worked out a second time.

mod borders;
mod box_laws;
mod catalogue;
mod contacts;
mod creditmemos;
mod currencies;
mod customers;
mod laws;
mod laws_abroad;
mod magento;
mod memo_cases;
mod memo_laws;
mod payments;
mod poison;
mod reported;
mod running_magento;
mod samples;
mod settlements;
mod vat_boxes;
mod vat_money;
mod vat_places;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    fixtures::{self, Scenario},
    plan_invoice,
};
use domain::plan::{Call, Plan, Verdict};

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// The plan of a sample invoice.
fn plan(name: &str) -> Plan {
    plan_invoice(&fixtures::invoice(name), &Scenario::new().context())
}

/// An amount of a body's field.
fn amount(value: &Value, field: &str) -> Decimal {
    match value.get(field) {
        None => Decimal::ZERO,
        Some(number) => number.to_string().parse().unwrap(),
    }
}

fn pennies(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

/// The call of a name.
fn call<'a>(plan: &'a Plan, name: &str) -> &'a Call {
    plan.calls.iter().find(|call| call.name == name).unwrap_or_else(|| panic!("no {name} in {plan:#?}"))
}

/// Sage's total and tax of a planned invoice, by an arithmetic that shares nothing with the translation's own.
fn total_and_tax(plan: &Plan, world: &Scenario) -> (Decimal, Decimal) {
    assert_eq!(plan.verdict, Verdict::Post, "{plan:#?}");
    let invoice = &call(plan, "invoice").body["sales_invoice"];
    let (mut net, mut tax) = (Decimal::ZERO, Decimal::ZERO);
    for line in invoice["invoice_lines"].as_array().unwrap() {
        let gross_price = pennies(amount(line, "quantity") * amount(line, "unit_price"));
        assert!(amount(line, "unit_price").scale() <= 2 && amount(line, "tax_amount").scale() <= 2, "{line}");
        let discount = amount(line, "discount_amount");
        assert!(discount >= Decimal::ZERO && discount <= gross_price.max(Decimal::ZERO), "{line}");
        net += gross_price - discount;
        tax += amount(line, "tax_amount");
    }
    let shipping = amount(invoice, "shipping_net_amount");
    let percent = invoice.get("shipping_tax_rate_id").map_or(Decimal::ZERO, |id| percentage(id, world));
    let shipping_tax = pennies(shipping * percent / Decimal::ONE_HUNDRED);
    (net + tax + shipping + shipping_tax, tax + shipping_tax)
}

/// The percentage of a body's tax rate.
fn percentage(id: &Value, world: &Scenario) -> Decimal {
    world.reference.tax_rates.iter().find(|rate| id == rate.id.as_str()).unwrap().percentage
}

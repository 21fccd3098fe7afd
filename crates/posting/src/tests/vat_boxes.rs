//! The boxes of the return that a posting moves, worked out by hand, and the law that holds a translation to them.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    call, d,
    vat_places::{irish, sent_to},
};
use crate::{
    contact::identity,
    document_kind::DocumentKind,
    findings::Findings,
    fixtures::{self, Scenario},
    plan_creditmemo, plan_invoice,
    sales_document::SalesDocument,
    tax_return,
    terms::Terms,
};
use domain::{
    business::TaxRate,
    code::Code,
    documents::Invoice,
    plan::{Plan, Verdict},
};

fn boxes(plan: &Plan) -> BTreeMap<String, String> {
    assert_eq!(plan.verdict, Verdict::Post, "{plan:#?}");
    plan.predicted.as_ref().unwrap().boxes.clone()
}

fn expect(plan: &Plan, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(name, amount)| ((*name).to_owned(), (*amount).to_owned())).collect();
    assert_eq!(boxes(plan), expected);
}

#[test]
fn a_british_sale_is_in_boxes_one_and_six_wherever_it_goes() {
    let mut world = Scenario::new();
    for (percent, country, postcode, due) in [
        (20, "GB", "RG1 2AB", "11.00"),
        (20, "GB", "BT7 1NN", "11.00"),
        (0, "US", "02139", "0.00"),
        (0, "FR", "75011", "0.00"),
    ] {
        let plan = plan_invoice(&sent_to("GBP", percent, country, postcode), &world.context());
        expect(&plan, &[("1", due), ("6", "55.00")]);
    }
    // The merchant's word decides whose the tax is: British, or French under IOSS.
    let french = sent_to("GBP", 20, "FR", "75011");
    world.settings.tax_rate_map.insert("20//FR".to_owned(), "GB_STANDARD".to_owned());
    expect(&plan_invoice(&french, &world.context()), &[("1", "11.00"), ("6", "55.00")]);
    let rate = world.reference.tax_rates[0].clone();
    world.reference.tax_rates.push(TaxRate { id: "FR_STANDARD_IOSS".to_owned(), ..rate });
    world.settings.tax_rate_map.insert("20//FR".to_owned(), "FR_STANDARD_IOSS".to_owned());
    expect(&plan_invoice(&french, &world.context()), &[("1", "0.00"), ("6", "55.00")]);
}

#[test]
fn an_irish_sale_is_in_the_box_of_where_and_what_it_is() {
    let mut world = irish();
    let union = [("T1", "0.00"), ("E1", "55.00"), ("ES1", "0.00")];
    for (country, postcode) in [("FR", "75011"), ("GB", "BT7 1NN"), ("ES", "28001"), ("MC", "98000")] {
        expect(&plan_invoice(&sent_to("EUR", 0, country, postcode), &world.context()), &union);
    }
    for (country, postcode) in [("ES", "35001"), ("GB", "RG1 2AB"), ("US", "02139"), ("FR", "97400")] {
        let plan = plan_invoice(&sent_to("EUR", 0, country, postcode), &world.context());
        expect(&plan, &[("T1", "0.00"), ("E1", "0.00"), ("ES1", "0.00")]);
    }
    let plan = plan_invoice(&sent_to("EUR", 23, "IE", "D02 X285"), &world.context());
    expect(&plan, &[("T1", "12.65"), ("E1", "0.00"), ("ES1", "0.00")]);
    let mut services = sent_to("EUR", 0, "FR", "75011");
    services.lines[0].product_type = Some("virtual".to_owned());
    services.customer.vat_id = Some("FR40303265045".to_owned());
    let plan = plan_invoice(&services, &world.context());
    expect(&plan, &[("T1", "0.00"), ("E1", "0.00"), ("ES1", "55.00"), ("VIES", "55.00")]);
    // Irish tax on a sale to the Union is due in Ireland, and the sale is no intra-Union supply.
    world.settings.tax_rate_map.insert("23//DE".to_owned(), "IE_STANDARD".to_owned());
    let plan = plan_invoice(&sent_to("EUR", 23, "DE", "10115"), &world.context());
    expect(&plan, &[("T1", "12.65"), ("E1", "0.00"), ("ES1", "0.00")]);
}

#[test]
fn an_irish_supply_to_the_union_asks_for_its_rate_where_sage_has_one_for_it() {
    let world = irish();
    let plan = plan_invoice(&sent_to("EUR", 0, "DE", "10115"), &world.context());
    assert_eq!(plan.code, Some(Code::NeedsMapping), "{plan:#?}");
    assert!(plan.rules.iter().any(|rule| rule.input == "tax_rate_map.0.00//DE"), "{plan:#?}");
    // And where that rate is mapped for everywhere, an export asks for another.
    let mut world = irish();
    world.settings.tax_rate_map.insert("0".to_owned(), "IE_INTRA_EU".to_owned());
    world.settings.tax_rate_map.remove("0.00");
    let plan = plan_invoice(&sent_to("EUR", 0, "US", "02139"), &world.context());
    assert!(plan.rules.iter().any(|rule| rule.input == "tax_rate_map.0.00//US"), "{plan:#?}");
}

#[test]
fn money_that_is_no_sale_is_in_no_box() {
    let mut world = Scenario::new();
    for (card, total) in [("30.00", "36.00"), ("65.00", "1.00")] {
        let mut invoice = sent_to("GBP", 20, "GB", "RG1 2AB");
        invoice.grand_total -= d(card);
        assert_eq!(invoice.grand_total, d(total));
        expect(&plan_invoice(&invoice, &world.context()), &[("1", "11.00"), ("6", "55.00")]);
    }
    world.settings.foreign_tax_ledger_account_id = Some("fees".to_owned());
    let plan = plan_invoice(&sent_to("GBP", 8, "US", "90001"), &world.context());
    expect(&plan, &[("1", "0.00"), ("6", "55.00")]);
}

#[test]
fn boxes_are_in_the_base_currency_and_a_credit_note_takes_from_them() {
    let world = Scenario::new();
    let mut invoice = sent_to("EUR", 20, "GB", "RG1 2AB");
    invoice.base_to_order_rate = Some(d("1.25"));
    expect(&plan_invoice(&invoice, &world.context()), &[("1", "8.80"), ("6", "44.00")]);
    let plan = plan_creditmemo(&super::creditmemos::memo("1a"), None, &world.context());
    expect(&plan, &[("1", "-4.50"), ("6", "-36.13")]);
}

#[test]
fn a_business_that_is_not_registered_moves_no_box() {
    let mut world = Scenario::new();
    world.reference.registered_for_tax = false;
    expect(&plan_invoice(&fixtures::invoice("invoice-1a"), &world.context()), &[]);
}

/// The law over a body that was changed after the translation.
fn law(invoice: &Invoice, world: &Scenario, change: impl Fn(&mut serde_json::Value)) -> Result<(), Code> {
    let context = world.context();
    let plan = plan_invoice(invoice, &context);
    let mut body = call(&plan, "invoice").body["sales_invoice"].clone();
    change(&mut body);
    let document = SalesDocument::of_invoice(invoice);
    assert_eq!(document.kind, DocumentKind::Invoice);
    let assigned = identity::assign(&document.buyer, &context);
    let mut findings = Findings::default();
    let terms = Terms::of(&document, &assigned, false, &context, &mut findings).unwrap();
    let fields = body.as_object().unwrap();
    let proven = tax_return::proven(&document, fields, d("0"), &terms, &context, &mut findings);
    proven.map(drop).map_err(|plan| plan.code.unwrap())
}

#[test]
fn a_translation_that_moves_another_box_is_held_although_its_total_is_right() {
    let world = Scenario::new();
    let mut invoice = sent_to("GBP", 20, "GB", "RG1 2AB");
    invoice.grand_total -= d("30.00");
    assert_eq!(law(&invoice, &world, |_| {}), Ok(()));
    let held = Err(Code::VatBoxesUndetermined);
    let set = |line: usize, field: &'static str, value: serde_json::Value| {
        move |body: &mut serde_json::Value| body["invoice_lines"][line][field] = value.clone()
    };
    // The card at a zero rate takes 30.00 from box 6.
    assert_eq!(law(&invoice, &world, set(1, "tax_rate_id", json!("GB_ZERO"))), held);
    // Goods outside the tax leave both boxes short.
    assert_eq!(law(&invoice, &world, set(0, "tax_rate_id", json!("GB_NO_TAX"))), held);
    // Tax that is moved into the price is in box 6 and not in box 1.
    let untaxed = |body: &mut serde_json::Value| {
        body["invoice_lines"][0]["tax_amount"] = json!(0);
        body["invoice_lines"][0]["unit_price"] = json!(15);
    };
    assert_eq!(law(&invoice, &world, untaxed), held);
}

/// An untaxed line and a taxed one of so much each, sold to Paris at 9 %; the law's own smallest counterexamples.
fn sold_to_paris(untaxed: &str, taxed: &str, tax: &str, subtotal: &str) -> Plan {
    let mut world = irish();
    world.reference.tax_rates.push(TaxRate { id: "IE_NINE".to_owned(), percentage: d("9"), ..zero() });
    world.settings.tax_rate_map.insert("9//FR".to_owned(), "IE_NINE".to_owned());
    let mut invoice = sent_to("EUR", 0, "FR", "75011");
    let line = |net: &str, tax: &str| {
        let pattern = sent_to("EUR", 0, "FR", "75011").lines.remove(0);
        let (net, tax) = (d(net), d(tax));
        domain::documents::Line {
            qty: d("1"),
            unit_price: net,
            line_subtotal: net,
            line_tax: tax,
            line_total: net + tax,
            ..pattern
        }
    };
    invoice.lines = vec![line(untaxed, "0"), line(taxed, tax)];
    (invoice.shipping_amount, invoice.shipping_tax_amount) = (d("0"), d("0"));
    (invoice.subtotal, invoice.tax_amount) = (d(subtotal), d(tax));
    invoice.grand_total = d(subtotal) + d(tax);
    plan_invoice(&invoice, &world.context())
}

fn zero() -> TaxRate {
    irish().reference.tax_rates.into_iter().find(|rate| rate.percentage.is_zero()).unwrap()
}

#[test]
fn pence_whose_tax_rounds_away_and_product_taxes_of_the_header_hold_nothing() {
    // A line of 12 cents bears a cent that rounds away, and is a supply to the Union or a part of the taxed sale.
    assert_eq!(sold_to_paris("0.12", "1.42", "0.13", "1.54").verdict, Verdict::Post);
    // 0.25 of untaxed product tax is in the header's subtotal alone.
    assert_eq!(sold_to_paris("10.00", "10.00", "0.90", "20.25").verdict, Verdict::Post);
}

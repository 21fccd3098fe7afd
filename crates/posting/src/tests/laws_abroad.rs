//! The penny law over generated sales in other currencies and to other countries, of businesses in Great Britain, Ireland and
//! Canada, registered for tax or not.

use std::cell::RefCell;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rust_decimal::Decimal;

use super::{
    call, d,
    laws::{cart, cases, world},
    magento::{self, Cart},
    pennies, percentage, total_and_tax,
};
use crate::{fixtures::Scenario, plan_invoice};
use domain::{
    code::Code,
    documents::Invoice,
    money::Currency,
    plan::{Plan, Verdict},
};

/// Country, region or postcode of places to sell to.
const PLACES: [(&str, &str); 10] = [
    ("GB", "LE1 5AA"),
    ("GB", "BT1 5GS"),
    ("IM", "IM1 1AG"),
    ("JE", "JE2 3QN"),
    ("IE", "D02 X285"),
    ("FR", "75001"),
    ("US", "73301"),
    ("CA", "K1A 0B1"),
    ("CA", "H2X 1Y4"),
    ("CA", "V6B 1A1"),
];

/// Currencies of two decimals, and what one unit of the base is in them.
const CURRENCIES: [(&str, &str); 6] = [
    ("GBP", "0.8613"),
    ("EUR", "1.1734"),
    ("USD", "1.336412345678"),
    ("CAD", "1.8551"),
    ("SEK", "12.8366"),
    ("SGD", "1.7203"),
];

/// Businesses: country, base currency, and whether it is registered for tax.
const BUSINESSES: [(&str, &str, bool); 4] =
    [("GB", "GBP", true), ("IE", "EUR", true), ("CA", "CAD", true), ("GB", "GBP", false)];

const EUROPEAN: [&str; 2] = ["IE", "FR"];

/// A sale of a business.
#[derive(Clone, Debug)]
struct Sale {
    cart: Cart,
    place: (&'static str, &'static str),
    currency: (&'static str, &'static str),
    taxed: bool,
}

impl Sale {
    fn invoice(&self) -> Invoice {
        let mut cart = self.cart.clone();
        if !self.taxed {
            cart.shipping_percent = Decimal::ZERO;
            for article in &mut cart.articles {
                article.percent = Decimal::ZERO;
            }
        }
        let (mut invoice, _) = magento::invoice(&cart);
        for address in [&mut invoice.billing_address, &mut invoice.shipping_address].into_iter().flatten() {
            address.country_id = Some(self.place.0.to_owned());
            address.postcode = Some(self.place.1.to_owned());
        }
        invoice.currency = self.currency.0.parse().unwrap();
        invoice.base_to_order_rate = Some(d(self.currency.1));
        invoice
    }
}

fn sale(country: &str) -> impl Strategy<Value = Sale> {
    let sale = |(cart, place, currency, taxed)| Sale { cart, place, currency, taxed };
    (cart(country), prop::sample::select(&PLACES[..]), prop::sample::select(&CURRENCIES[..]), any::<bool>())
        .prop_map(sale)
}

fn business((country, base, registered): (&str, &str, bool)) -> Scenario {
    let mut world = world(country);
    world.reference.base_currency = base.parse().unwrap();
    world.reference.registered_for_tax = registered;
    // The merchant says of every place that its tax is the business's own.
    let own: Vec<(String, String)> = world.settings.tax_rate_map.clone().into_iter().collect();
    for (place, (percentage, id)) in PLACES.iter().flat_map(|place| own.iter().map(move |own| (place, own))) {
        let code = if place.1.starts_with("BT") { "XI" } else { place.0 };
        world.settings.tax_rate_map.insert(format!("{percentage}//{code}"), id.clone());
    }
    world
}

/// Whether a place is abroad, and whether Sage takes tax there.
fn abroad(business: &str, place: &str) -> (bool, bool) {
    let home = place == business || (business == "GB" && place == "IM");
    (!home, home || business != "GB" || EUROPEAN.contains(&place))
}

/// What must hold for every invoice that is posted.
fn check(plan: &Plan, sale: &Sale, invoice: &Invoice, world: &Scenario) -> Result<(), TestCaseError> {
    let reference = &world.reference;
    let tax = if reference.registered_for_tax { pennies(invoice.tax_amount) } else { Decimal::ZERO };
    prop_assert_eq!(total_and_tax(plan, world), (pennies(invoice.grand_total), tax));
    let call = call(plan, "invoice");
    let body = &call.body["sales_invoice"];
    let foreign = invoice.currency != reference.base_currency;
    prop_assert_eq!(body.get("exchange_rate").is_some(), foreign);
    if let Some(base_total) = call.expect.as_ref().unwrap().base_total {
        let exact = invoice.grand_total / d(sale.currency.1);
        prop_assert!(foreign && (base_total - exact).abs() <= d("0.02"), "{} {}", base_total, exact);
    } else {
        prop_assert!(!foreign);
    }
    let (is_abroad, tax_allowed) = abroad(&reference.country, sale.place.0);
    let types = is_abroad && reference.registered_for_tax && reference.country != "CA";
    for line in body["invoice_lines"].as_array().unwrap() {
        prop_assert_eq!(line.get("eu_goods_services_type_id").is_some(), types, "{}", line);
        if reference.registered_for_tax && !tax_allowed {
            prop_assert!(percentage(&line["tax_rate_id"], world).is_zero(), "{}", line);
        }
    }
    let region = body.get("tax_address_region_id").and_then(|region| region.as_str());
    let expected = match sale.place {
        ("CA", postcode) if reference.country == "CA" => Some(match &postcode[..1] {
            "K" => "CA-ON",
            "H" => "CA-QC",
            _ => "CA-BC",
        }),
        _ => None,
    };
    prop_assert_eq!(region, expected);
    Ok(())
}

#[test]
fn abroad_and_in_any_currency_what_is_posted_has_magentos_total_and_tax() {
    for kind in BUSINESSES {
        let world = business(kind);
        let (posted, refused) = (RefCell::new(0), RefCell::new(Vec::new()));
        let config = Config { cases: cases() / 3 + 1, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let outcome = runner.run(&sale(kind.0), |sale| {
            let invoice = sale.invoice();
            let plan = plan_invoice(&invoice, &world.context());
            let (_, tax_allowed) = abroad(kind.0, sale.place.0);
            let has_tax = kind.2 && !tax_allowed && !pennies(invoice.tax_amount).is_zero();
            match (plan.verdict, plan.code) {
                (Verdict::Post, _) => {
                    prop_assert!(!has_tax, "tax was dropped or charged where Sage takes none");
                    check(&plan, &sale, &invoice, &world)?;
                    *posted.borrow_mut() += 1;
                }
                (_, Some(Code::TaxNotAllowed)) => prop_assert!(has_tax),
                // Percentages that no Canadian province charges.
                (_, Some(Code::VatBoxesUndetermined)) => {
                    prop_assert!(
                        kind.0 == "CA" && sale.taxed && !sale.place.1.starts_with('K'),
                        "{:?}",
                        plan.message
                    );
                }
                (_, Some(Code::InconsistentDocument)) => prop_assert!(invoice.grand_total < Decimal::ZERO),
                _ => refused.borrow_mut().push(format!("{:?} {sale:?}", plan.message)),
            }
            Ok(())
        });
        outcome.unwrap();
        let (posted, refused) = (posted.into_inner(), refused.into_inner());
        println!("{kind:?}: {posted} posted, {} refused", refused.len());
        for refusal in refused.iter().take(4) {
            println!("{refusal}");
        }
        assert!(refused.len() * 50 <= posted, "more than two in a hundred are refused");
    }
}

#[test]
fn a_sale_in_the_base_currency_needs_no_rate() {
    let world = business(BUSINESSES[0]);
    let (mut invoice, _) = magento::invoice(&Cart::of_one_article());
    invoice.currency = Currency::GBP;
    invoice.base_to_order_rate = None;
    assert_eq!(plan_invoice(&invoice, &world.context()).verdict, Verdict::Post);
}

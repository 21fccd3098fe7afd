//! Places, as shops write them, seen from a British and an Irish business: the rate, the country and Sage's view of the contact.

use serde_json::{Value, json};

use super::{call, d};
use crate::{fixtures::Scenario, plan_invoice};
use domain::{
    business::TaxRate,
    code::Code,
    documents::Invoice,
    plan::{Plan, Verdict},
    xref::{XrefKey, XrefKind},
};

fn address(country: &str, postcode: &str) -> Value {
    json!({ "street": ["14 Orchard Row"], "city": "Town", "postcode": postcode, "country_id": country })
}

/// Goods of 50.00 and shipping of 5.00, both taxed at a percentage, in the business's currency.
pub fn sale(currency: &str, percent: i64, billing: (&str, &str), delivery: (&str, &str)) -> Invoice {
    let tax = |net: i64| d(&format!("{}.{:02}", net * percent / 100, net * percent % 100));
    let (goods, shipping) = (tax(50), tax(5));
    let invoice = json!({
        "magento_id": 5001, "increment_id": "000005001", "order_increment_id": "000005001",
        "website_id": 1, "store_id": 1, "currency": currency, "state": "paid",
        "customer": { "magento_id": 0, "email": "nora.quill@example.com", "first_name": "Nora", "last_name": "Quill" },
        "lines": [{ "sku": "JUG", "name": "Stoneware jug", "qty": 4, "unit_price": "12.50", "line_subtotal": "50",
            "line_tax": goods.to_string(), "line_total": (d("50") + goods).to_string() }],
        "subtotal": "50", "tax_amount": (goods + shipping).to_string(), "shipping_amount": "5", "shipping_tax_amount": shipping.to_string(),
        "discount_amount": "0", "grand_total": (d("55") + goods + shipping).to_string(), "created_at": "2026-05-12T10:15:00Z",
        "payment_method": "banktransfer", "base_to_order_rate": "1",
        "billing_address": address(billing.0, billing.1), "shipping_address": address(delivery.0, delivery.1),
    });
    serde_json::from_value(invoice).unwrap()
}

/// The same sent and billed to one place.
pub fn sent_to(currency: &str, percent: i64, country: &str, postcode: &str) -> Invoice {
    sale(currency, percent, (country, postcode), (country, postcode))
}

fn rate(id: &str, percentage: &str) -> TaxRate {
    let percentage = d(percentage);
    TaxRate { id: id.to_owned(), name: format!("{id} {percentage}%"), percentage, regions: Vec::new() }
}

/// An Irish business with a rate for goods to the European Union, as Sage's Irish list may have.
pub fn irish() -> Scenario {
    let mut world = Scenario::new();
    "IE".clone_into(&mut world.reference.country);
    world.reference.base_currency = "EUR".parse().unwrap();
    world.reference.tax_rates = [
        ("IE_STANDARD", "23"),
        ("IE_LOWER", "13.5"),
        ("IE_ZERO", "0"),
        ("IE_INTRA_EU", "0"),
        ("IE_NO_TAX", "0"),
    ]
    .map(|(id, percentage)| rate(id, percentage))
    .to_vec();
    let map = [
        ("23.00", "IE_STANDARD"),
        ("0.00", "IE_ZERO"),
        ("0.00//FR", "IE_INTRA_EU"),
        ("0.00//ES", "IE_INTRA_EU"),
        ("0.00//XI", "IE_INTRA_EU"),
    ];
    world.settings.tax_rate_map = map.map(|(key, id)| (key.to_owned(), id.to_owned())).into();
    world.settings.default_tax_rate_id = Some("IE_STANDARD".to_owned());
    world
}

fn body(plan: &Plan) -> &Value {
    assert_eq!(plan.verdict, Verdict::Post, "{plan:#?}");
    &call(plan, "invoice").body["sales_invoice"]
}

fn contact(plan: &Plan) -> &Value {
    &call(plan, "contact").body["contact"]
}

fn rates(plan: &Plan) -> Vec<&str> {
    let lines = body(plan)["invoice_lines"].as_array().unwrap();
    let mut rates: Vec<&str> = lines.iter().filter_map(|line| line["tax_rate_id"].as_str()).collect();
    rates.extend(body(plan).get("shipping_tax_rate_id").and_then(Value::as_str));
    rates
}

fn missing(plan: &Plan) -> &str {
    assert_eq!((plan.verdict, plan.code), (Verdict::Hold, Some(Code::NeedsMapping)), "{plan:#?}");
    &plan.rules.iter().find(|rule| rule.subject == "missing setting").unwrap().input
}

#[test]
fn a_country_is_sent_to_sage_by_the_code_that_sage_lists() {
    let world = Scenario::new();
    for (percent, country, postcode, in_sage, rate) in [
        (0, "EL", "105 57", Some("GR"), "GB_ZERO"),
        (20, "XI", "BT7 1NN", Some("GB"), "GB_STANDARD"),
        (20, "UK", "LS1 4AP", Some("GB"), "GB_STANDARD"),
        (0, "IRL", "D02 X285", Some("IE"), "GB_ZERO"),
        (0, "XK", "10000", None, "GB_ZERO"),
        (20, "United Kingdom", "LS1 4AP", Some("GB"), "GB_STANDARD"),
    ] {
        let plan = plan_invoice(&sent_to("GBP", percent, country, postcode), &world.context());
        assert_eq!(rates(&plan), [rate, rate], "{country}");
        for address in [&body(&plan)["main_address"], &contact(&plan)["main_address"]] {
            assert_eq!(address.get("country_id").and_then(Value::as_str), in_sage, "{country}");
        }
    }
    let plan = plan_invoice(&sent_to("GBP", 0, "XK", "10000"), &world.context());
    assert_eq!(contact(&plan)["tax_treatment"]["rest_of_world_tax"], true);
    assert!(plan.notes.iter().any(|note| note.contains("Kosovo")), "{:?}", plan.notes);
}

#[test]
fn a_text_that_names_no_country_is_refused_by_name_before_any_call() {
    let plan = plan_invoice(&sent_to("GBP", 0, "Atlantis", ""), &Scenario::new().context());
    assert_eq!((plan.verdict, plan.code), (Verdict::Fail, Some(Code::UnreadableDocument)));
    assert!(plan.message.unwrap().contains("Atlantis"));
}

#[test]
fn an_irish_business_sells_goods_to_northern_ireland_within_the_union_and_to_the_canaries_beyond_it() {
    let world = irish();
    for (country, postcode, rate, treatment) in [
        ("GB", "BT7 1NN", "IE_INTRA_EU", None),
        ("XI", "BT7 1NN", "IE_INTRA_EU", None),
        ("GB", "LS1 4AP", "IE_ZERO", None),
        ("ES", "28001", "IE_INTRA_EU", None),
        ("ES", "35001", "IE_ZERO", Some("rest_of_world_tax")),
        ("ES", "51001", "IE_ZERO", Some("rest_of_world_tax")),
        ("FR", "75011", "IE_INTRA_EU", None),
        ("FR", "97400", "IE_ZERO", Some("rest_of_world_tax")),
        ("FR", "98000", "IE_INTRA_EU", Some("eu_not_tax_registered")),
        ("US", "02139", "IE_ZERO", None),
    ] {
        let plan = plan_invoice(&sent_to("EUR", 0, country, postcode), &world.context());
        assert_eq!(rates(&plan), [rate, rate], "{country} {postcode}");
        let sent = contact(&plan).get("tax_treatment");
        assert_eq!(sent.is_some(), treatment.is_some(), "{country} {postcode}: {sent:?}");
        assert!(treatment.is_none_or(|name| sent.unwrap()[name] == true), "{country} {postcode}: {sent:?}");
    }
}

#[test]
fn services_to_northern_ireland_are_supplied_to_the_united_kingdom() {
    let world = irish();
    let mut invoice = sent_to("EUR", 0, "GB", "BT7 1NN");
    invoice.lines[0].product_type = Some("virtual".to_owned());
    assert_eq!(rates(&plan_invoice(&invoice, &world.context())), ["IE_ZERO"; 2]);
}

#[test]
fn tax_of_the_same_percentage_charged_abroad_asks_whose_it_is() {
    for (world, currency, percent, country, postcode, key) in [
        (irish(), "EUR", 23, "PT", "1100-148", "tax_rate_map.23.00//PT"),
        (irish(), "EUR", 23, "GB", "BT7 1NN", "tax_rate_map.23.00//XI"),
        (irish(), "EUR", 23, "DE", "78266", "tax_rate_map.23.00//DE"),
        (Scenario::new(), "GBP", 20, "FR", "75011", "tax_rate_map.20.00//FR"),
        (Scenario::new(), "GBP", 20, "EL", "105 57", "tax_rate_map.20.00//GR"),
    ] {
        let invoice = sent_to(currency, percent, country, postcode);
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(missing(&plan), key);
        assert!(plan.message.as_ref().unwrap().contains("OSS"), "{:?}", plan.message);
        // The merchant's word lets it go on.
        let mut world = world;
        let standard = world.settings.default_tax_rate_id.clone().unwrap();
        world.settings.tax_rate_map.insert(key.replace("tax_rate_map.", ""), standard);
        assert_eq!(plan_invoice(&invoice, &world.context()).verdict, Verdict::Post, "{key}");
    }
}

#[test]
fn a_gift_to_britain_paid_by_an_american_is_taxed_at_home() {
    let mut world = Scenario::new();
    let invoice = sale("GBP", 20, ("US", "02139"), ("GB", "RG1 2AB"));
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(rates(&plan), ["GB_STANDARD"; 2]);
    assert_eq!(contact(&plan)["tax_treatment"], json!({ "home_tax": true }));
    assert_eq!(contact(&plan)["main_address"]["country_id"], "US");
    // A contact that is in Sage already is asked to be treated so first.
    let mut known = invoice.clone();
    known.customer.magento_id = 7;
    let key = XrefKey { kind: XrefKind::Contact("GBP".parse().unwrap()), magento_key: "7".to_owned() };
    world.knows(key.clone(), "nora");
    let plan = plan_invoice(&known, &world.context());
    let first = &plan.calls[0];
    assert_eq!((first.path.as_str(), first.xref.as_ref()), ("/contacts/nora", Some(&key)));
    let treatment = json!({
        "home_tax": true, "eu_tax_registered": false, "eu_not_tax_registered": false, "rest_of_world_tax": false,
    });
    assert_eq!(first.body, json!({ "contact": { "tax_treatment": treatment } }));
    assert_eq!(body(&plan)["contact_id"], "nora");
}

#[test]
fn sales_tax_of_another_jurisdiction_is_refused_unless_it_has_an_account() {
    let mut world = Scenario::new();
    let invoice = sent_to("GBP", 8, "US", "90001");
    assert_eq!(plan_invoice(&invoice, &world.context()).code, Some(Code::TaxNotAllowed));
    world.settings.foreign_tax_ledger_account_id = Some("fees".to_owned());
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(super::total_and_tax(&plan, &world), (invoice.grand_total, d("0")));
    let line = body(&plan)["invoice_lines"].as_array().unwrap().last().unwrap();
    assert_eq!((&line["ledger_account_id"], &line["tax_rate_id"]), (&json!("fees"), &json!("GB_NO_TAX")));
    assert_eq!(super::amount(line, "unit_price"), invoice.tax_amount);
    assert_eq!(rates(&plan)[0], "GB_ZERO");
    // Within the Union British 20 % may be British: that is asked as before.
    let plan = plan_invoice(&sent_to("GBP", 20, "FR", "75011"), &world.context());
    assert_eq!(missing(&plan), "tax_rate_map.20.00//FR");
    // A percentage that no British rate has is certainly not.
    let plan = plan_invoice(&sent_to("GBP", 24, "FI", "00100"), &world.context());
    assert_eq!(super::total_and_tax(&plan, &world).1, d("0"));
}

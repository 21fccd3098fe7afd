//! Sales across borders: of British, Irish and Canadian businesses, and of one that is not registered for tax.

use rust_decimal::Decimal;
use serde_json::Value;

use super::{call, d, total_and_tax};
use crate::{fixtures, fixtures::Scenario, plan_invoice};
use domain::{
    business::TaxRate,
    code::Code,
    documents::{Address, Invoice},
    plan::{Plan, Verdict},
    settings::MixedGoodsServices,
};

fn address(country: &str, region: &str, postcode: &str) -> Address {
    Address {
        city: Some("Town".to_owned()),
        region: Some(region.to_owned()),
        postcode: Some(postcode.to_owned()),
        country_id: Some(country.to_owned()),
        ..Address::default()
    }
}

/// A sample, sent and billed to one address.
fn sold_to(name: &str, country: &str, region: &str, postcode: &str) -> Invoice {
    let mut invoice = fixtures::invoice(name);
    invoice.billing_address = Some(address(country, region, postcode));
    invoice.shipping_address = invoice.shipping_address.and(invoice.billing_address.clone());
    invoice
}

/// The same without the tax.
fn untaxed(mut invoice: Invoice) -> Invoice {
    for line in &mut invoice.lines {
        line.line_total -= line.line_tax;
        line.line_tax = Decimal::ZERO;
    }
    invoice.grand_total -= invoice.tax_amount;
    invoice.tax_amount = Decimal::ZERO;
    invoice.shipping_tax_amount = Decimal::ZERO;
    invoice
}

/// The tax of a sale at 20 % becomes that of another percentage, on every line and shipping.
fn taxed_at(invoice: Invoice, percent: &str) -> Invoice {
    let mut invoice = untaxed(invoice);
    let tax = |net: Decimal| domain::money::round2(net * d(percent) / Decimal::ONE_HUNDRED);
    for line in &mut invoice.lines {
        line.line_tax = tax(line.line_subtotal - line.discount());
        line.line_total += line.line_tax;
    }
    invoice.shipping_tax_amount = tax(invoice.shipping_amount);
    invoice.tax_amount =
        invoice.shipping_tax_amount + invoice.lines.iter().map(|line| line.line_tax).sum::<Decimal>();
    invoice.grand_total += invoice.tax_amount;
    invoice
}

fn body(plan: &Plan) -> &Value {
    assert_eq!(plan.verdict, Verdict::Post, "{plan:#?}");
    &call(plan, "invoice").body["sales_invoice"]
}

/// What each line says of a field, shipping's tax rate last.
fn each<'a>(plan: &'a Plan, field: &str) -> Vec<&'a str> {
    let lines = body(plan)["invoice_lines"].as_array().unwrap();
    lines.iter().map(|line| line.get(field).and_then(Value::as_str).unwrap_or("none")).collect()
}

fn rates(plan: &Plan) -> Vec<&str> {
    let mut rates = each(plan, "tax_rate_id");
    rates.extend(body(plan).get("shipping_tax_rate_id").and_then(Value::as_str));
    rates
}

fn rule<'a>(plan: &'a Plan, subject: &str) -> &'a str {
    plan.rules.iter().find(|rule| rule.subject == subject).map_or("none", |rule| &rule.rule)
}

#[test]
fn northern_ireland_and_the_isle_of_man_are_home() {
    let world = Scenario::new();
    for (country, postcode, told) in [
        ("GB", "BT1 5GS", "Northern Ireland is domestic"),
        ("IM", "IM1 1AG", "the Isle of Man is in the UK tax area"),
        ("GB", "IM1 1AG", "the Isle of Man is in the UK tax area"),
        ("XI", "BT1 5GS", "Northern Ireland is domestic"),
        ("GB", "LE1 5AA", "none"),
    ] {
        let invoice = sold_to("invoice-1a", country, "", postcode);
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(total_and_tax(&plan, &world), (d("81.52"), d("13.59")), "{country} {postcode}");
        assert_eq!(rates(&plan), ["GB_STANDARD"; 3]);
        assert_eq!(each(&plan, "eu_goods_services_type_id"), ["none"; 2]);
        assert_eq!(rule(&plan, "tax country"), told);
    }
}

#[test]
fn an_untaxed_sale_to_america_takes_the_zero_rate_and_says_goods_on_every_line() {
    let mut world = Scenario::new();
    let invoice = untaxed(sold_to("invoice-1a", "US", "Texas", "73301"));
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(total_and_tax(&plan, &world), (d("67.93"), d("0")));
    assert_eq!(rates(&plan), ["GB_ZERO"; 3]);
    assert_eq!(each(&plan, "eu_goods_services_type_id"), ["GOODS"; 2]);
    world.settings.tax_rate_map.insert("0//us".to_owned(), "GB_NO_TAX".to_owned());
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(rates(&plan), ["GB_NO_TAX"; 3]);
    world.settings.tax_rate_map.insert("0//us".to_owned(), "GB_STANDARD".to_owned());
    assert_eq!(plan_invoice(&invoice, &world.context()).code, Some(Code::NeedsMapping), "it must be of 0 %");
}

#[test]
fn tax_charged_outside_the_european_union_is_refused_and_never_dropped() {
    for (country, postcode) in [("US", "73301"), ("JE", "JE2 3QN"), ("CH", "8001")] {
        let invoice = sold_to("invoice-1a", country, "", postcode);
        let plan = plan_invoice(&invoice, &Scenario::new().context());
        assert_eq!((plan.verdict, plan.code), (Verdict::Fail, Some(Code::TaxNotAllowed)));
        let message = plan.message.unwrap();
        assert!(message.contains("13.59") && message.contains(country), "{message}");
    }
}

#[test]
fn tax_charged_in_the_european_union_keeps_its_mapped_rate_and_waits_for_one() {
    let mut world = Scenario::new();
    let invoice = taxed_at(sold_to("invoice-1a", "FR", "", "75001"), "20");
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(plan.code, Some(Code::NeedsMapping), "French 20 % is not British 20 %");
    assert!(plan.rules.iter().any(|rule| rule.input == "tax_rate_map.20.00//FR"), "{plan:#?}");
    world.settings.tax_rate_map.insert("20//FR".to_owned(), "GB_STANDARD".to_owned());
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(total_and_tax(&plan, &world), (invoice.grand_total, invoice.tax_amount));
    assert_eq!(rates(&plan), ["GB_STANDARD"; 3]);
    assert_eq!(each(&plan, "eu_goods_services_type_id"), ["GOODS"; 2]);
    let invoice = taxed_at(sold_to("invoice-1a", "IE", "", "D02 X285"), "23");
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(plan.code, Some(Code::NeedsMapping));
    assert!(plan.rules.iter().any(|rule| rule.input == "tax_rate_map.23.00//IE"), "{plan:#?}");
    world.reference.tax_rates.push(rate("IE_DESTINATION", "23", &[]));
    world.settings.tax_rate_map.insert("23//IE".to_owned(), "IE_DESTINATION".to_owned());
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(total_and_tax(&plan, &world), (invoice.grand_total, invoice.tax_amount));
}

#[test]
fn where_only_the_customer_or_only_the_delivery_is_abroad_the_delivery_decides() {
    let mut world = Scenario::new();
    // Delivered abroad: British tax on it is the merchant's word.
    let mut invoice = fixtures::invoice("invoice-1a");
    invoice.shipping_address = Some(address("US", "Texas", "73301"));
    assert_eq!(plan_invoice(&invoice, &world.context()).code, Some(Code::NeedsMapping));
    world.settings.tax_rate_map.insert("20//US".to_owned(), "GB_STANDARD".to_owned());
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(total_and_tax(&plan, &world), (d("81.52"), d("13.59")));
    assert_eq!(each(&plan, "eu_goods_services_type_id"), ["GOODS"; 2]);
    assert!(call(&plan, "contact").body["contact"].get("tax_treatment").is_none());
    // Delivered at home to an American: Sage is asked to treat the contact as at home.
    let mut invoice = fixtures::invoice("invoice-1a");
    invoice.billing_address = Some(address("US", "Texas", "73301"));
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(total_and_tax(&plan, &world), (d("81.52"), d("13.59")));
    assert_eq!(rates(&plan), ["GB_STANDARD"; 3]);
    assert_eq!(call(&plan, "contact").body["contact"]["tax_treatment"]["home_tax"], true);
    // The contact that consumers share lives at home.
    let mut world = Scenario::new();
    world.settings.consolidation.enabled = true;
    let plan = plan_invoice(&invoice, &world.context());
    assert!(call(&plan, "contact").body["contact"].get("tax_treatment").is_none());
}

#[test]
fn an_order_without_delivery_is_a_service_and_product_types_say_it_where_they_are_told() {
    let world = Scenario::new();
    let virtual_order = untaxed(sold_to("invoice-4-virtual", "US", "Texas", "73301"));
    let plan = plan_invoice(&virtual_order, &world.context());
    assert!(each(&plan, "eu_goods_services_type_id").iter().all(|kind| *kind == "SERVICES"));
    let mut invoice = untaxed(sold_to("invoice-1a", "US", "Texas", "73301"));
    for line in &mut invoice.lines {
        line.product_type = Some("downloadable".to_owned());
    }
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(each(&plan, "eu_goods_services_type_id"), ["SERVICES"; 2]);
    assert_eq!(rule(&plan, "goods or services"), "product_type_eu_goods_map");
}

#[test]
fn a_mix_of_goods_and_services_takes_the_default_or_waits() {
    let mut world = Scenario::new();
    let mut invoice = untaxed(sold_to("invoice-1a", "FR", "", "75001"));
    for line in &mut invoice.lines {
        line.product_type = Some("configurable".to_owned());
    }
    invoice.lines[0].product_type = Some("virtual".to_owned());
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(each(&plan, "eu_goods_services_type_id"), ["GOODS"; 2]);
    assert!(plan.notes.iter().any(|note| note.starts_with("mixed_eu_goods_services_coerced_to_default")));
    world.settings.mixed_goods_services = MixedGoodsServices::Hold;
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!((plan.verdict, plan.code), (Verdict::Hold, Some(Code::MixedGoodsServices)));
    // At home nobody minds.
    let home = Invoice { billing_address: None, shipping_address: None, ..invoice };
    assert_eq!(plan_invoice(&home, &world.context()).verdict, Verdict::Post);
}

#[test]
fn a_business_with_other_ids_for_goods_and_services_gets_those() {
    let mut world = Scenario::new();
    world.reference.eu_goods_services_types =
        vec![domain::business::Named { id: "2".to_owned(), name: "Goods".to_owned() }];
    let plan = plan_invoice(&untaxed(sold_to("invoice-1a", "US", "", "73301")), &world.context());
    assert_eq!(each(&plan, "eu_goods_services_type_id"), ["2"; 2]);
}

#[test]
fn a_free_sale_abroad_is_at_the_zero_rate_whatever_the_default_is() {
    let invoice = sold_to("invoice-6-zero", "US", "Texas", "73301");
    let plan = plan_invoice(&invoice, &Scenario::new().context());
    assert_eq!(rates(&plan), ["GB_ZERO"]);
}

#[test]
fn a_business_that_is_not_registered_sells_abroad_as_at_home() {
    let mut world = Scenario::new();
    world.reference.registered_for_tax = false;
    for country in ["US", "FR", "GB", "CA"] {
        for business in ["GB", "IE", "CA"] {
            business.clone_into(&mut world.reference.country);
            let invoice = sold_to("invoice-1a", country, "", "");
            let plan = plan_invoice(&invoice, &world.context());
            assert_eq!(total_and_tax(&plan, &world), (d("81.52"), Decimal::ZERO), "{business} to {country}");
            let text = body(&plan).to_string();
            assert!(!text.contains("tax_") && !text.contains("eu_goods"), "{text}");
        }
    }
}

fn rate(id: &str, percentage: &str, regions: &[&str]) -> TaxRate {
    TaxRate {
        id: id.to_owned(),
        name: format!("{id} {percentage}%"),
        percentage: d(percentage),
        regions: regions.iter().map(|region| format!("CA-{region}")).collect(),
    }
}

fn business(country: &str, rates: Vec<TaxRate>, map: &[(&str, &str)]) -> Scenario {
    let mut world = Scenario::new();
    country.clone_into(&mut world.reference.country);
    world.reference.tax_rates = rates;
    world.settings.tax_rate_map = map.iter().map(|(key, id)| ((*key).to_owned(), (*id).to_owned())).collect();
    world.settings.default_tax_rate_id = Some(world.reference.tax_rates[0].id.clone());
    world
}

fn irish() -> Scenario {
    let rates =
        vec![rate("IE_STANDARD", "23", &[]), rate("IE_LOWER", "13.5", &[]), rate("IE_ZERO", "0", &[])];
    business("IE", rates, &[("23", "IE_STANDARD"), ("13.50", "IE_LOWER"), ("0", "IE_ZERO")])
}

#[test]
fn an_irish_business_sells_at_irish_rates_and_at_nothing_to_the_european_union() {
    let world = irish();
    let home = taxed_at(sold_to("invoice-1a", "IE", "", "D02 X285"), "13.5");
    let plan = plan_invoice(&home, &world.context());
    assert_eq!(total_and_tax(&plan, &world), (home.grand_total, home.tax_amount));
    assert_eq!(rates(&plan), ["IE_LOWER"; 3]);
    assert_eq!(each(&plan, "eu_goods_services_type_id"), ["none"; 2]);
    for (country, postcode) in [("FR", "75001"), ("GB", "LE1 5AA"), ("US", "73301")] {
        let plan = plan_invoice(&untaxed(sold_to("invoice-1a", country, "", postcode)), &world.context());
        assert_eq!(rates(&plan), ["IE_ZERO"; 3], "{country}");
        assert_eq!(each(&plan, "eu_goods_services_type_id"), ["GOODS"; 2], "{country}");
    }
    // Irish tax charged to a consumer in Germany is kept where the merchant says that it is Irish.
    let mut world = world;
    let german = taxed_at(sold_to("invoice-1a", "DE", "", "10115"), "23");
    assert_eq!(plan_invoice(&german, &world.context()).code, Some(Code::NeedsMapping));
    world.settings.tax_rate_map.insert("23//DE".to_owned(), "IE_STANDARD".to_owned());
    assert_eq!(rates(&plan_invoice(&german, &world.context())), ["IE_STANDARD"; 3]);
}

fn canadian() -> Scenario {
    let rates = vec![
        rate("CA_HST_ON", "13", &["ON"]),
        rate("CA_GST", "5", &["AB", "BC", "MB", "NT", "NU", "QC", "SK", "YT"]),
        rate("CA_GST_PST_BC", "12", &["BC"]),
        rate("CA_LIQUOR_BC", "15", &["BC"]),
        rate("CA_GST_QST", "14.975", &["QC"]),
        rate("CA_HST_15", "15", &["NB", "NL", "NS", "PE"]),
        rate("CA_ZERO", "0", &[]),
    ];
    business("CA", rates, &[("13", "CA_HST_ON"), ("0", "CA_ZERO"), ("15", "CA_LIQUOR_BC")])
}

#[test]
fn a_canadian_sale_names_its_province_and_takes_a_rate_that_serves_it() {
    let world = canadian();
    for (province, percent, region, chosen, by) in [
        ("Ontario", "13", "CA-ON", "CA_HST_ON", "tax_rate_map"),
        ("Québec", "14.975", "CA-QC", "CA_GST_QST", "the only rate of the region with this percentage"),
        (
            "Colombie-Britannique",
            "12",
            "CA-BC",
            "CA_GST_PST_BC",
            "the only rate of the region with this percentage",
        ),
        ("British Columbia", "15", "CA-BC", "CA_LIQUOR_BC", "tax_rate_map"),
        ("Nouvelle-Écosse", "15", "CA-NS", "CA_HST_15", "the only rate of the region with this percentage"),
        ("AB", "5", "CA-AB", "CA_GST", "the only rate of the region with this percentage"),
        ("Yukon", "0", "CA-YT", "CA_ZERO", "tax_rate_map"),
    ] {
        let invoice = taxed_at(sold_to("invoice-1a", "CA", province, ""), percent);
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(total_and_tax(&plan, &world), (invoice.grand_total, invoice.tax_amount), "{province}");
        assert_eq!(body(&plan)["tax_address_region_id"], region);
        assert_eq!(rates(&plan), [chosen; 3], "{province}");
        assert_eq!(rule(&plan, "line 1 tax rate"), by);
        assert_eq!(each(&plan, "eu_goods_services_type_id"), ["none"; 2]);
    }
    // A percentage that the province does not have waits.
    let invoice = taxed_at(sold_to("invoice-1a", "CA", "Ontario", ""), "12");
    let plan = plan_invoice(&invoice, &world.context());
    assert!(plan.message.unwrap().contains("12.00% in CA-ON"));
}

#[test]
fn a_canadian_sale_without_a_province_is_refused_unless_the_postcode_tells_it() {
    let world = canadian();
    let plan = plan_invoice(&sold_to("invoice-1a", "CA", "Cascadia", ""), &world.context());
    assert_eq!((plan.verdict, plan.code), (Verdict::Fail, Some(Code::TaxRegionUnknown)));
    assert!(plan.message.unwrap().contains("Cascadia"));
    let invoice = taxed_at(sold_to("invoice-1a", "CA", "", "K1A 0B1"), "13");
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(body(&plan)["tax_address_region_id"], "CA-ON");
}

#[test]
fn a_canadian_export_is_at_the_zero_rate_in_the_business_s_own_province() {
    let mut world = canadian();
    let invoice = untaxed(sold_to("invoice-1a", "US", "Texas", "73301"));
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(rates(&plan), ["CA_ZERO"; 3]);
    assert!(body(&plan).get("tax_address_region_id").is_none() && !plan.notes.is_empty());
    world.reference.region = Some("CA-ON".to_owned());
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(body(&plan)["tax_address_region_id"], "CA-ON");
}

#[test]
fn a_business_in_a_closed_country_still_waits_for_sales_abroad() {
    let mut world = Scenario::new();
    "FR".clone_into(&mut world.reference.country);
    let plan = plan_invoice(&fixtures::invoice("invoice-1a"), &world.context());
    assert_eq!(plan.code, Some(Code::CrossBorderNotSupported));
}

//! Customers on their own, and as news within invoices.

use std::collections::BTreeMap;

use super::{call, plan as plan_of_sample};
use crate::{
    ContactSnapshot, KnownRecord, contact_snapshot, fixtures, fixtures::Scenario, plan_customer,
    plan_invoice, plan_payment, wanted_customer_xrefs, with_contact_changes,
};
use domain::{
    business::Named,
    code::Code,
    documents::{Customer, Invoice},
    money::Currency,
    plan::{Method, Plan},
    xref::{XrefKey, XrefKind},
};

fn customer(file: &str) -> Customer {
    let path = format!("{}/../../fixtures/wire/entity/customer-{file}.body", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn key(currency: Currency, id: &str) -> XrefKey {
    XrefKey { kind: XrefKind::Contact(currency), magento_key: id.to_owned() }
}

#[test]
fn a_customer_without_a_contact_gets_the_one_that_an_invoice_would_make() {
    let plan = plan_customer(&customer("01"), &Scenario::new().context());
    let made = call(&plan, "contact");
    let invoiced = plan_of_sample("invoice-1a");
    assert_eq!(made, call(&invoiced, "contact"));
}

#[test]
fn every_contact_of_a_customer_is_brought_up_to_date_and_keeps_its_identity() {
    let mut world = Scenario::new();
    world.knows(key(Currency::GBP, "1"), "pounds");
    world.knows(key(Currency::EUR, "1"), "euros");
    world.knows(key(Currency::GBP, "11"), "another");
    let plan = plan_customer(&customer("01"), &world.context());
    assert_eq!(plan.calls.len(), 2);
    let euros = call(&plan, "contact:EUR");
    assert_eq!((euros.method, euros.path.as_str()), (Method::Put, "/contacts/euros"));
    assert_eq!(euros.body["contact"]["name"], "Priya Shah (EUR)");
    let pounds = &call(&plan, "contact:GBP").body["contact"];
    assert_eq!(pounds["main_address"]["postal_code"], "LS1 4AP");
    assert_eq!(pounds["main_contact_person"]["telephone"], "+44 113 496 0000");
    for field in ["reference", "currency_id", "contact_type_ids", "idempotency_id"] {
        assert!(pounds.get(field).is_none() && euros.body["contact"].get(field).is_none(), "{field}");
    }
}

#[test]
fn what_magento_does_not_tell_overwrites_nothing() {
    let mut world = Scenario::new();
    world.knows(key(Currency::GBP, "2"), "leo");
    let plan = plan_customer(&customer("02-no-addresses"), &world.context());
    let body = &call(&plan, "contact:GBP").body["contact"];
    assert_eq!(body["main_contact_person"]["name"], "Leo Marsh");
    assert!(body.get("main_address").is_none() && body.get("delivery_address").is_none());
    assert!(body["main_contact_person"].get("telephone").is_none());
    world.knows(key(Currency::GBP, "3"), "sean");
    let plan = plan_customer(&customer("03-billing-default-only"), &world.context());
    let body = &call(&plan, "contact:GBP").body["contact"];
    assert!(body.get("main_address").is_some() && body.get("delivery_address").is_none());
}

#[test]
fn a_company_that_magento_keeps_to_itself_keeps_its_contact() {
    let mut world = Scenario::new();
    let known = |name: &str| KnownRecord { sage_id: "c".to_owned(), displayed_as: Some(name.to_owned()) };
    let name = |world: &Scenario, customer: &Customer| {
        let plan = plan_customer(customer, &world.context());
        call(&plan, "contact:GBP").body["contact"].get("name").cloned()
    };
    let mut priya = customer("01");
    world.xrefs.insert(key(Currency::GBP, "1"), known("Shah Catering Ltd (M1)"));
    assert_eq!(name(&world, &priya), Some("Priya Shah".into()), "Shah is in it");
    world.xrefs.insert(key(Currency::GBP, "1"), known("Leeds Catering Ltd (M1)"));
    assert_eq!(name(&world, &priya), None);
    world.xrefs.insert(key(Currency::GBP, "1"), known("Priya Patel (M1)"));
    assert_eq!(name(&world, &priya), Some("Priya Shah".into()));
    priya.company = Some("Leeds Catering Group".to_owned());
    world.xrefs.insert(key(Currency::GBP, "1"), known("Leeds Catering Ltd (M1)"));
    assert_eq!(name(&world, &priya), Some("Leeds Catering Group".into()));
}

#[test]
fn a_consumer_of_the_shared_contact_gets_none_of_their_own() {
    let mut world = Scenario::new();
    world.settings.consolidation.enabled = true;
    let mut customer = customer("01");
    assert_eq!(plan_customer(&customer, &world.context()).code, Some(Code::CustomerConsolidated));
    customer.company = Some("Shah Catering Ltd".to_owned());
    assert_eq!(call(&plan_customer(&customer, &world.context()), "contact").method, Method::Post);
    customer.magento_id = 0;
    assert_eq!(plan_customer(&customer, &world.context()).code, Some(Code::InconsistentDocument));
    world.settings.website_filter = vec![7];
    customer.magento_id = 1;
    assert_eq!(plan_customer(&customer, &world.context()).code, Some(Code::OutsideWebsiteFilter));
}

/// The calls of an invoice of a customer who is told so now and was told otherwise before.
fn calls(world: &Scenario, invoice: &Invoice, before: Option<&ContactSnapshot>) -> Vec<String> {
    let told = before.map(|told| (key(invoice.currency, "1"), told.clone()));
    let plan = with_news(world, invoice, &told.into_iter().collect());
    plan.calls.into_iter().map(|call| call.path).collect()
}

fn with_news(world: &Scenario, invoice: &Invoice, told: &BTreeMap<XrefKey, ContactSnapshot>) -> Plan {
    let context = world.context();
    with_contact_changes(plan_invoice(invoice, &context), invoice, told, &context)
}

fn told(invoice: &Invoice) -> ContactSnapshot {
    contact_snapshot(&invoice.customer, &Scenario::new().context()).unwrap()
}

const UPDATED: [&str; 2] = ["/contacts/priya", "/sales_invoices"];
const UNCHANGED: [&str; 1] = ["/sales_invoices"];

fn world_of_priya() -> Scenario {
    let mut world = Scenario::new();
    world.knows(key(Currency::GBP, "1"), "priya");
    world
}

#[test]
fn the_customer_within_an_invoice_is_news_once() {
    let mut invoice = fixtures::invoice("invoice-1a");
    let before = told(&invoice);
    assert_eq!(
        calls(&Scenario::new(), &invoice, None),
        ["/contacts", "/sales_invoices"],
        "no contact is known"
    );
    let world = world_of_priya();
    assert_eq!(calls(&world, &invoice, Some(&before)), UNCHANGED);
    invoice.shipping_address.as_mut().unwrap().city = Some("York".to_owned());
    assert_eq!(calls(&world, &invoice, Some(&before)), UNCHANGED, "a present to York is no news of Priya");
    invoice.customer.phone = Some("07700 900999".to_owned());
    assert_eq!(calls(&world, &invoice, Some(&before)), UPDATED);
    assert_eq!(calls(&world, &invoice, Some(&told(&invoice).over(Some(&before)))), UNCHANGED);
    let plan = with_news(&world, &invoice, &BTreeMap::from([(key(Currency::GBP, "1"), before)]));
    let customer = plan_customer(&invoice.customer, &world.context());
    assert_eq!(plan.calls[0], customer.calls[0], "the very update that an event of the customer makes");
    let rule = plan.rules.iter().find(|rule| rule.subject == "contact's details").unwrap();
    assert_eq!(rule.input, "main_contact_person.telephone");
}

#[test]
fn every_field_that_an_update_writes_can_be_news() {
    let invoice = fixtures::invoice("invoice-1a");
    let before = told(&invoice);
    let changes: [fn(&mut Customer); 6] = [
        |customer| customer.email = Some("priya@example.org".to_owned()),
        |customer| customer.last_name = Some("Patel".to_owned()),
        |customer| customer.company = Some("Shah Catering Ltd".to_owned()),
        |customer| customer.phone = Some("07700 900999".to_owned()),
        |customer| customer.addresses[0].city = Some("York".to_owned()),
        |customer| customer.addresses[1].city = Some("York".to_owned()),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut told = invoice.clone();
        change(&mut told.customer);
        assert_eq!(calls(&world_of_priya(), &told, Some(&before)), UPDATED, "change {number}");
    }
}

#[test]
fn older_news_and_news_of_unknown_age_change_nothing() {
    let mut invoice = fixtures::invoice("invoice-1a");
    let before = told(&invoice);
    invoice.customer.phone = Some("07700 900999".to_owned());
    assert_eq!(
        calls(&world_of_priya(), &invoice, Some(&before)),
        UPDATED,
        "an address has no age of its own"
    );
    invoice.customer.updated_at = before.as_of.map(|at| at - chrono::TimeDelta::seconds(1));
    assert_eq!(calls(&world_of_priya(), &invoice, Some(&before)), UNCHANGED);
    invoice.customer.updated_at = None;
    assert_eq!(calls(&world_of_priya(), &invoice, Some(&before)), UNCHANGED);
    let ageless = ContactSnapshot { as_of: None, ..before };
    assert_eq!(calls(&world_of_priya(), &invoice, Some(&ageless)), UPDATED);
}

#[test]
fn a_contact_of_which_nothing_is_known_is_brought_up_to_date() {
    let invoice = fixtures::invoice("invoice-1a");
    assert_eq!(calls(&world_of_priya(), &invoice, None), UPDATED);
}

#[test]
fn what_magento_does_not_tell_is_no_news() {
    let mut invoice = fixtures::invoice("invoice-1a");
    invoice.customer.company = Some("Shah Catering Ltd".to_owned());
    let rich = told(&invoice);
    invoice.customer.company = None;
    invoice.customer.addresses.clear();
    invoice.customer.phone = None;
    assert_eq!(calls(&world_of_priya(), &invoice, Some(&rich)), UNCHANGED);
    assert_eq!(told(&invoice).over(Some(&rich)), rich, "what is known of the rest stays");
}

#[test]
fn guests_and_the_shared_contact_have_no_news() {
    let guest = fixtures::invoice("invoice-4-virtual");
    assert_eq!(contact_snapshot(&guest.customer, &Scenario::new().context()), None);
    let mut world = Scenario::new();
    world.settings.consolidation.enabled = true;
    let shared = XrefKind::ContactFallback(Currency::GBP);
    world.knows(XrefKey { kind: shared, magento_key: "WEBSALES".to_owned() }, "shared");
    for invoice in ["invoice-1a", "invoice-4-virtual", "invoice-6-zero"].map(fixtures::invoice) {
        let plan = with_news(&world, &invoice, &BTreeMap::new());
        assert!(plan.calls.iter().all(|call| call.method == Method::Post), "{plan:?}");
    }
}

#[test]
fn only_an_invoice_that_is_posted_brings_news() {
    let invoice = fixtures::invoice("invoice-1a");
    let mut world = world_of_priya();
    let payment = |world: &Scenario| {
        let context = world.context();
        let plan = plan_payment(&invoice, &fixtures::payment("invoice-1a"), &context);
        let plan = with_contact_changes(plan, &invoice, &BTreeMap::new(), &context);
        plan.calls.into_iter().map(|call| call.path).collect::<Vec<_>>()
    };
    assert_eq!(payment(&world), ["/contacts/priya", "/sales_invoices", "/contact_payments"]);
    world.knows(XrefKey { kind: XrefKind::Invoice, magento_key: "1".to_owned() }, "posted");
    assert_eq!(payment(&world), ["/contact_payments"]);
    assert!(calls(&world, &invoice, None).is_empty(), "a retry of what is in Sage makes no call");
    world.xrefs.retain(|key, _| key.kind != XrefKind::Invoice);
    world.settings.default_ledger_account_id = None;
    assert!(calls(&world, &invoice, None).is_empty(), "a held invoice changes nothing");
}

#[test]
fn a_contact_is_looked_for_in_every_currency_of_the_business() {
    let mut world = Scenario::new();
    let named = |id: &str| Named { id: id.to_owned(), name: id.to_owned() };
    world.reference.currencies = ["EUR", "GBP", "USD"].map(named).to_vec();
    let wanted = wanted_customer_xrefs(&customer("01"), &world.reference);
    let kinds: Vec<String> = wanted.iter().map(|key| key.kind.to_string()).collect();
    assert_eq!(kinds, ["contact:GBP", "contact:EUR", "contact:USD"]);
}

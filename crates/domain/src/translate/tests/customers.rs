//! Customers on their own, and as news within invoices.

use super::{call, plan as plan_of_sample};
use crate::{
    business::Named,
    code::Code,
    documents::Customer,
    money::Currency,
    plan::Method,
    translate::{
        KnownRecord, contact_digest, contact_news, fixtures, fixtures::World, plan_customer,
        wanted_customer_xrefs,
    },
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
    let plan = plan_customer(&customer("01"), &World::new().context());
    let made = call(&plan, "contact");
    let invoiced = plan_of_sample("invoice-1a");
    assert_eq!(made, call(&invoiced, "contact"));
}

#[test]
fn every_contact_of_a_customer_is_brought_up_to_date_and_keeps_its_identity() {
    let mut world = World::new();
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
    let mut world = World::new();
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
    let mut world = World::new();
    let known = |name: &str| KnownRecord { sage_id: "c".to_owned(), displayed_as: Some(name.to_owned()) };
    let name = |world: &World, customer: &Customer| {
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
    let mut world = World::new();
    world.policy.consolidation.enabled = true;
    let mut customer = customer("01");
    assert_eq!(plan_customer(&customer, &world.context()).code, Some(Code::CustomerConsolidated));
    customer.company = Some("Shah Catering Ltd".to_owned());
    assert_eq!(call(&plan_customer(&customer, &world.context()), "contact").method, Method::Post);
    customer.magento_id = 0;
    assert_eq!(plan_customer(&customer, &world.context()).code, Some(Code::DocumentMakesNoSense));
    world.policy.website_filter = vec![7];
    customer.magento_id = 1;
    assert_eq!(plan_customer(&customer, &world.context()).code, Some(Code::OutsideWebsiteFilter));
}

#[test]
fn the_customer_within_an_invoice_is_news_once() {
    let mut world = World::new();
    let mut invoice = fixtures::invoice("invoice-1a");
    assert_eq!(contact_news(&invoice, None, &world.context()), None, "no contact is known");
    let made = plan_of_sample("invoice-1a");
    let sent = contact_digest(&call(&made, "contact").body);
    world.knows(key(Currency::GBP, "1"), "priya");
    assert_eq!(contact_news(&invoice, Some(&sent), &world.context()), None, "nothing has changed");
    invoice.shipping_address.as_mut().unwrap().city = Some("York".to_owned());
    assert_eq!(
        contact_news(&invoice, Some(&sent), &world.context()),
        None,
        "a present to York is no news of Priya"
    );
    invoice.customer.phone = Some("07700 900999".to_owned());
    let news = contact_news(&invoice, Some(&sent), &world.context()).unwrap();
    assert_eq!(news.path, "/contacts/priya");
    assert_eq!(contact_news(&invoice, Some(&contact_digest(&news.body)), &world.context()), None);
    let guest = fixtures::invoice("invoice-4-virtual");
    assert_eq!(contact_news(&guest, None, &world.context()), None);
}

#[test]
fn a_contact_is_looked_for_in_every_currency_of_the_business() {
    let mut world = World::new();
    let named = |id: &str| Named { id: id.to_owned(), name: id.to_owned() };
    world.reference.currencies = ["EUR", "GBP", "USD"].map(named).to_vec();
    let wanted = wanted_customer_xrefs(&customer("01"), &world.reference);
    let kinds: Vec<String> = wanted.iter().map(|key| key.kind.to_string()).collect();
    assert_eq!(kinds, ["contact:GBP", "contact:EUR", "contact:USD"]);
}

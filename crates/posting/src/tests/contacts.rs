//! Who the samples are for.

use super::{call, d, plan};
use crate::{fixtures, fixtures::Scenario, plan_invoice, wanted_xrefs};
use domain::{
    money::Currency,
    plan::Adopt,
    xref::{XrefKey, XrefKind},
};

#[test]
fn a_long_customer_number_still_makes_five_different_references_of_ten_characters() {
    let mut invoice = fixtures::invoice("invoice-1a");
    for id in [1, 12_345_678, 1_234_567_890_123] {
        invoice.customer.magento_id = id;
        let plan = plan_invoice(&invoice, &Scenario::new().context());
        let Some(Adopt::Contact { reference, mut alternatives, .. }) = call(&plan, "contact").adopt.clone()
        else {
            panic!()
        };
        alternatives.push(reference);
        alternatives.sort();
        alternatives.dedup();
        assert_eq!(alternatives.len(), 5);
        assert!(alternatives.iter().all(|reference| reference.len() <= 10), "{alternatives:?}");
    }
}

#[test]
fn registered_customers_and_guests_have_contacts_of_their_own() {
    let first = plan("invoice-1a");
    let contact = &call(&first, "contact").body["contact"];
    assert_eq!((contact["name"].as_str(), contact["reference"].as_str()), (Some("Priya Shah"), Some("M1")));
    assert_eq!(contact["main_contact_person"]["email"], "priya.shah@example.com");
    assert!(contact.get("currency_id").is_none());
    let guest = plan("invoice-4-virtual");
    let contact = &call(&guest, "contact").body["contact"];
    assert_eq!(contact["name"], "Lee & Co");
    assert_eq!(contact["delivery_address"], contact["main_address"]);
    let reference = contact["reference"].as_str().unwrap();
    assert!(reference.len() == 10 && reference.starts_with('G'), "{reference}");
    let Some(Adopt::Contact { alternatives, email, .. }) = &call(&guest, "contact").adopt else { panic!() };
    assert_eq!((alternatives.len(), email.as_deref()), (4, Some("sam.lee@example.com")));
    assert!(call(&guest, "contact").xref.as_ref().unwrap().magento_key.starts_with("guest:"));
}

#[test]
fn a_guest_is_one_contact_however_the_address_is_written() {
    let world = Scenario::new();
    let mut invoice = fixtures::invoice("invoice-4-virtual");
    let keys = wanted_xrefs(&invoice, &world.settings, &world.reference);
    invoice.customer.email = Some(" Sam.LEE@example.com ".to_owned());
    assert_eq!(wanted_xrefs(&invoice, &world.settings, &world.reference), keys);
    invoice.customer.email = None;
    let own = &wanted_xrefs(&invoice, &world.settings, &world.reference)[2];
    assert_eq!(own.magento_key, "invoice:5");
}

#[test]
fn consumers_share_a_contact_by_the_five_rules() {
    let mut world = Scenario::new();
    world.settings.consolidation.enabled = true;
    let chosen = |world: &Scenario, name: &str| {
        let plan = plan_invoice(&fixtures::invoice(name), &world.context());
        let reference = plan.calls.iter().find(|call| call.name == "contact");
        reference.map(|call| call.body["contact"]["reference"].as_str().unwrap().to_owned())
    };
    assert_eq!(chosen(&world, "invoice-1a").as_deref(), Some("WEBSALES"));
    assert!(chosen(&world, "invoice-4-virtual").unwrap().starts_with('G'), "it has a company");
    world.settings.consolidation.always_individual_for_b2b = false;
    assert_eq!(chosen(&world, "invoice-4-virtual").as_deref(), Some("WEBSALES"));
    world.settings.consolidation.min_total_for_individual = d("81.52");
    assert_eq!(chosen(&world, "invoice-1a").as_deref(), Some("M1"));
    world.settings.consolidation.min_total_for_individual = d("81.53");
    assert_eq!(chosen(&world, "invoice-1a").as_deref(), Some("WEBSALES"));
    let key = XrefKind::Contact(Currency::GBP);
    world.knows(XrefKey { kind: key, magento_key: "1".to_owned() }, "priya");
    assert_eq!(chosen(&world, "invoice-1a"), None);
}

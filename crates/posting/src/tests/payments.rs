//! Payments of the samples.

use super::{amount, call, d};
use crate::{fixtures, fixtures::Scenario, plan_payment, plan_payment_of_reduced};
use domain::{code::Code, plan::Adopt};

#[test]
fn a_payment_finds_its_bank_or_is_skipped() {
    let (invoice, payment) = (fixtures::invoice("invoice-1a"), fixtures::payment("invoice-1a"));
    let mut world = Scenario::new();
    let plan = plan_payment(&invoice, &payment, &world.context());
    let receipt = &call(&plan, "payment").body["contact_payment"];
    assert_eq!(receipt["bank_account_id"], "current");
    assert_eq!((amount(receipt, "total_amount"), &receipt["contact_id"]), (d("81.52"), &"{contact}".into()));
    assert_eq!(call(&plan, "payment").adopt, Some(Adopt::Payment { reference: "000000001".to_owned() }));
    world.settings.payment_method_map.insert("banktransfer".to_owned(), None);
    let plan = plan_payment(&invoice, &payment, &world.context());
    assert_eq!(plan.code, Some(Code::PaymentMethodNotMapped));
    world.settings.payment_method_map.insert("banktransfer".to_owned(), Some("closed".to_owned()));
    assert_eq!(plan_payment(&invoice, &payment, &world.context()).code, Some(Code::NeedsMapping));
    world.settings.payment_method_map.clear();
    world.settings.default_bank_account_id = None;
    let plan = plan_payment(&invoice, &payment, &world.context());
    assert_eq!(plan.code, Some(Code::PaymentMethodNotMapped));
}

#[test]
fn a_payment_of_nothing_or_of_a_skipped_invoice_is_skipped() {
    let mut world = Scenario::new();
    let zero = fixtures::invoice("invoice-6-zero");
    let plan = plan_payment(&zero, &fixtures::payment("invoice-6-zero"), &world.context());
    assert_eq!(plan.code, Some(Code::NothingToPay));
    world.settings.store_filter = vec![99];
    let invoice = fixtures::invoice("invoice-1a");
    let plan = plan_payment(&invoice, &fixtures::payment("invoice-1a"), &world.context());
    assert_eq!(plan.code, Some(Code::InvoiceNotSynced));
}

#[test]
fn a_payment_of_more_than_the_invoice_leaves_the_rest_on_account() {
    let (invoice, mut payment) = (fixtures::invoice("invoice-1a"), fixtures::payment("invoice-1a"));
    payment.amount = d("100");
    let plan = plan_payment(&invoice, &payment, &Scenario::new().context());
    let receipt = &call(&plan, "payment").body["contact_payment"];
    assert_eq!(amount(receipt, "total_amount"), d("100"));
    assert_eq!(amount(&receipt["allocated_artefacts"][0], "amount"), d("81.52"));
    assert!(plan.notes.iter().any(|note| note.contains("stays on the customer’s account")));
}

#[test]
fn a_payment_of_a_credited_invoice_takes_what_is_outstanding() {
    let (invoice, payment) = (fixtures::invoice("invoice-1a"), fixtures::payment("invoice-1a"));
    for (outstanding, allocated) in
        [("51.52", Some("51.52")), ("0", None), ("-1", None), ("90", Some("81.52"))]
    {
        let plan = plan_payment_of_reduced(&invoice, &payment, d(outstanding), &Scenario::new().context());
        let receipt = &call(&plan, "payment").body["contact_payment"];
        assert_eq!(amount(receipt, "total_amount"), d("81.52"), "{outstanding}");
        match allocated {
            Some(allocated) => {
                assert_eq!(amount(&receipt["allocated_artefacts"][0], "amount"), d(allocated));
            }
            None => assert!(receipt.get("allocated_artefacts").is_none(), "{outstanding}"),
        }
        let stays = plan.notes.iter().any(|note| note.contains("stays on the customer’s account"));
        assert_eq!(stays, outstanding != "90", "{outstanding}");
    }
}

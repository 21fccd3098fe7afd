//! Closing the books of refunds: the sample memo of 40.63.

use serde_json::Value;

use super::{
    amount, call,
    creditmemos::{memo, original},
    d,
};
use crate::{OriginalInvoice, PostedPayment, fixtures::Scenario, plan_creditmemo};
use domain::{
    plan::{Adopt, Plan},
    xref::{XrefKey, XrefKind},
};

fn paid(outstanding: &str) -> OriginalInvoice {
    let payment =
        Some(PostedPayment { sage_id: "receipt".to_owned(), bank_account_id: "current".to_owned() });
    OriginalInvoice { payment, ..original(outstanding) }
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.calls.iter().map(|call| call.name.as_str()).collect()
}

fn allocated(plan: &Plan) -> Vec<(String, String)> {
    let artefact = |one: &Value| (one["artefact_id"].as_str().unwrap().to_owned(), one["amount"].to_string());
    let artefacts = &call(plan, "allocation").body["contact_allocation"]["allocated_artefacts"];
    artefacts.as_array().unwrap().iter().map(artefact).collect()
}

fn stays(plan: &Plan, words: &str) -> bool {
    plan.notes.iter().any(|note| note.contains("stays on the customer’s account") && note.contains(words))
}

#[test]
fn a_memo_of_an_unpaid_invoice_pays_off_what_is_outstanding() {
    let world = Scenario::new();
    let plan = plan_creditmemo(&memo("1a"), Some(&original("112.09")), &world.context());
    assert_eq!(names(&plan), ["creditmemo", "allocation"]);
    let expected = [("si-2", "40.63"), ("{creditmemo}", "-40.63")];
    assert_eq!(allocated(&plan), expected.map(|(id, amount)| (id.to_owned(), amount.to_owned())));
    let allocation = call(&plan, "allocation");
    assert_eq!(allocation.body["contact_allocation"]["contact_id"], "priya");
    assert_eq!(allocation.body["contact_allocation"]["idempotency_id"].as_str().unwrap().len(), 32);
    assert_eq!(allocation.xref.as_ref().unwrap().kind, XrefKind::Allocation);
}

#[test]
fn a_memo_of_a_paid_invoice_is_refunded_from_the_bank_that_the_payment_went_into() {
    let world = Scenario::new();
    let plan = plan_creditmemo(&memo("1a"), Some(&paid("0")), &world.context());
    assert_eq!(names(&plan), ["creditmemo", "refund"]);
    let refund = &call(&plan, "refund").body["contact_payment"];
    assert_eq!(refund["transaction_type_id"], "CUSTOMER_REFUND");
    assert_eq!(
        (refund["bank_account_id"].as_str(), amount(refund, "total_amount")),
        (Some("current"), d("40.63"))
    );
    assert_eq!(refund["allocated_artefacts"][0]["artefact_id"], "{creditmemo}");
    // A receipt may bear the memo's very number, and adoption must not mistake it for the refund.
    assert_eq!(
        call(&plan, "refund").adopt,
        Some(Adopt::Payment { reference: "Refund 000000001".to_owned() })
    );
}

#[test]
fn a_part_paid_invoice_is_paid_off_first_and_the_rest_refunded() {
    let world = Scenario::new();
    let plan = plan_creditmemo(&memo("1a"), Some(&paid("30")), &world.context());
    assert_eq!(names(&plan), ["creditmemo", "allocation", "refund"]);
    assert_eq!(allocated(&plan)[1].1, "-30.00");
    assert_eq!(amount(&call(&plan, "refund").body["contact_payment"], "total_amount"), d("10.63"));
}

#[test]
fn what_cannot_be_settled_stays_on_account_and_says_why() {
    let mut world = Scenario::new();
    let memo = memo("1a");
    let plan = |world: &Scenario, original: Option<&OriginalInvoice>| {
        plan_creditmemo(&memo, original, &world.context())
    };
    assert!(stays(&plan(&world, None), "is not in Sage"));
    assert!(stays(&plan(&world, Some(&original("0"))), "posted no payment"));
    assert!(stays(&plan(&world, Some(&original("30"))), "10.63"));
    world.settings.record_refunds = false;
    assert!(stays(&plan(&world, Some(&paid("0"))), "“Record refunds” is off"));
    assert_eq!(names(&plan(&world, Some(&paid("99")))), ["creditmemo", "allocation"], "that moves no money");
    world.settings.record_refunds = true;
    world.reference.bank_accounts[0].is_active = false;
    assert!(stays(&plan(&world, Some(&paid("0"))), "is not active"));
}

#[test]
fn a_void_invoice_or_a_draft_takes_no_allocation() {
    for status in ["VOID", "DRAFT"] {
        let original = OriginalInvoice { status: Some(status.to_owned()), ..original("99") };
        let plan = plan_creditmemo(&memo("1a"), Some(&original), &Scenario::new().context());
        assert_eq!(names(&plan), ["creditmemo"], "{status}");
    }
}

#[test]
fn a_retry_makes_only_what_is_missing() {
    let mut world = Scenario::new();
    let memo = memo("1a");
    let key = |kind| XrefKey { kind, magento_key: "1".to_owned() };
    world.knows(key(XrefKind::Creditmemo), "cn-1");
    let plan = plan_creditmemo(&memo, Some(&paid("30")), &world.context());
    assert_eq!(names(&plan), ["allocation", "refund"]);
    assert_eq!(allocated(&plan)[1].0, "cn-1");
    world.knows(key(XrefKind::Allocation), "allocation-1");
    let left = OriginalInvoice { left_of_note: Some(d("10.63")), ..paid("0") };
    let plan = plan_creditmemo(&memo, Some(&left), &world.context());
    assert_eq!(names(&plan), ["refund"]);
    assert_eq!(amount(&call(&plan, "refund").body["contact_payment"], "total_amount"), d("10.63"));
    let plan = plan_creditmemo(&memo, Some(&paid("0")), &world.context());
    assert!(
        plan.calls.is_empty(),
        "what is left of the note is not known: better on account than refunded twice"
    );
    world.knows(key(XrefKind::Refund), "refund-1");
    let plan = plan_creditmemo(&memo, Some(&left), &world.context());
    assert!(plan.calls.is_empty() && plan.notes[0].contains("already in Sage"), "{:?}", plan.notes);
}

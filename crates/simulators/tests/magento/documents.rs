//! Reading the shop's documents.

use serde_json::json;
use simulators::magento::{Documents, Kind};

use crate::support::{fixture, fixtures};

#[test]
fn a_printed_document_goes_out_in_the_bytes_that_magento_sends() {
    let documents = Documents::read(&fixtures("documents")).unwrap();
    assert_eq!(documents.ids(Kind::Invoice), [1, 2, 3, 4, 5, 8, 9]);
    assert_eq!(documents.ids(Kind::CreditMemo), [1, 2, 3, 4]);
    assert_eq!(documents.ids(Kind::Product), [1, 4, 7, 8, 9]);
    for id in 1..=5 {
        let sample = fixture(&format!("wire/entity/invoice-0{id}.body"));
        assert_eq!(documents.raw(Kind::Invoice, id), Some(sample.as_str()));
    }
    for id in 1..=4 {
        let sample = fixture(&format!("wire/entity/creditmemo-0{id}.body"));
        assert_eq!(documents.raw(Kind::CreditMemo, id), Some(sample.as_str()));
    }
    let payment = documents.raw(Kind::Payment, 2).unwrap();
    assert!(payment.contains("\"amount\":90.76") && payment.contains("Bank Transfer Payment"), "{payment}");
}

#[test]
fn numbers_slashes_and_letters_keep_magentos_spelling() {
    let documents = Documents::read(&fixtures("wire/entity")).unwrap();
    let invoice = documents.raw(Kind::Invoice, 92).unwrap();
    assert!(invoice.contains("3.5527136788005e-15") && invoice.contains("<\\/b>"));
    let value = json!({"magento_id": 6, "first_name": "Seán", "last_name": "a/b", "addresses": []});
    let documents = Documents::from_values(vec![value]).unwrap();
    let customer = documents.raw(Kind::Customer, 6).unwrap();
    assert!(customer.contains("Se\\u00e1n") && customer.contains("a\\/b"), "{customer}");
}

#[test]
fn a_paid_invoice_without_a_payment_gets_the_one_the_module_would_make() {
    let documents = Documents::read(&fixtures("wire/entity")).unwrap();
    let expected = "{\"magento_id\":4,\"invoice_id\":4,\"invoice_increment_id\":\"2000000001\",\
        \"method\":\"checkmo\",\"currency\":\"EUR\",\"amount\":159.69,\
        \"captured_at\":\"2026-11-23T23:46:09Z\",\"gateway_metadata\":[]}";
    assert_eq!(documents.raw(Kind::Payment, 4), Some(expected));
}

#[test]
fn a_customer_known_from_an_invoice_alone_is_served_and_a_guest_is_not() {
    let invoice = |id: u64, customer: u64, name: &str| {
        json!({"magento_id": id, "increment_id": "1", "state": "open", "lines": [],
            "customer": {"magento_id": customer, "first_name": name, "addresses": []}})
    };
    let documents =
        Documents::from_values(vec![invoice(1, 5, "Old"), invoice(2, 5, "New"), invoice(3, 0, "Guest")])
            .unwrap();
    assert_eq!(documents.ids(Kind::Customer), [5]);
    assert!(documents.raw(Kind::Customer, 5).unwrap().contains("New"));
    // An open invoice has no payment yet.
    assert!(documents.ids(Kind::Payment).is_empty());
}

#[test]
fn a_file_that_is_no_document_is_named() {
    let folder = std::env::temp_dir().join(format!("shop-of-odd-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("odd.json"), "{\"colour\":\"red\"}").unwrap();
    let why = Documents::read(&folder).unwrap_err();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(why.contains("odd.json") && why.contains("is no document"), "{why}");
    assert!(Documents::read(&folder).unwrap_err().contains("cannot be read"));
}

//! Documents made after faults that shops reported of other connectors (`fixtures/reported`): texts, numbers, dates and currencies.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{amount, call, d, total_and_tax};
use crate::{fixtures::Scenario, plan_creditmemo, plan_customer, plan_invoice, plan_product};
use domain::{
    business::Named,
    code::Code,
    documents::{self, Document, Invoice},
    plan::{Plan, Verdict},
    xref::{XrefKey, XrefKind},
};

fn body(case: &str, file: &str) -> Value {
    let path = format!("{}/../../fixtures/reported/{case}/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// A document of a case, read as a shop's answer is.
pub fn document<T: Document>(case: &str, file: &str) -> T {
    read(case, file).unwrap_or_else(|error| panic!("{case}: {error}"))
}

fn read<T: Document>(case: &str, file: &str) -> Result<T, String> {
    let now = "2027-06-01T00:00:00Z".parse().unwrap();
    documents::read(&body(case, file), now).map_err(|error| error.to_string())
}

fn of_business<T: DeserializeOwned>(business: &str, file: &str) -> T {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/businesses");
    serde_json::from_str(&std::fs::read_to_string(format!("{folder}/{business}/{file}.json")).unwrap())
        .unwrap()
}

/// A business of the golden files.
fn business(name: &str) -> Scenario {
    let (reference, settings) = (of_business(name, "reference"), of_business(name, "settings"));
    Scenario { settings, reference, ..Scenario::new() }
}

fn plan(case: &str, world: &Scenario) -> Plan {
    plan_invoice(&document(case, "invoice"), &world.context())
}

fn posted(case: &str) -> Plan {
    let plan = plan(case, &Scenario::new());
    assert_eq!(plan.verdict, Verdict::Post, "{case}: {plan:#?}");
    plan
}

fn contact(plan: &Plan) -> &Value {
    &call(plan, "contact").body["contact"]
}

fn descriptions(plan: &Plan) -> Vec<&str> {
    let lines = call(plan, "invoice").body["sales_invoice"]["invoice_lines"].as_array().unwrap();
    lines.iter().map(|line| line["description"].as_str().unwrap()).collect()
}

fn has_note(plan: &Plan, part: &str) -> bool {
    plan.notes.iter().any(|note| note.contains(part))
}

#[test]
fn a_text_that_is_no_email_address_is_left_out_and_the_invoice_goes() {
    for (case, note) in [
        ("02-email-na", "The e-mail address is “n/a”"),
        ("05-email-inner-space", "The e-mail address is not valid"),
    ] {
        let plan = posted(case);
        assert_eq!(contact(&plan)["main_contact_person"].get("email"), None, "{case}");
        assert_eq!(contact(&plan)["name"], "Nora Quill");
        assert!(has_note(&plan, note), "{case}: {:?}", plan.notes);
    }
    let total = total_and_tax(&posted("02-email-na"), &Scenario::new());
    assert_eq!(total, (d("30.00"), d("5.00")));
}

#[test]
fn a_ligature_in_an_email_address_is_made_plain() {
    let plan = posted("04-email-ligature");
    assert_eq!(contact(&plan)["main_contact_person"]["email"], "finance@harbour.example");
    assert!(has_note(&plan, "plain letters"), "{:?}", plan.notes);
}

#[test]
fn two_guests_without_an_address_have_two_contacts() {
    let mut other: Invoice = document("02-email-na", "invoice");
    other.magento_id += 1;
    let (one, other) = (posted("02-email-na"), plan_invoice(&other, &Scenario::new().context()));
    assert_ne!(contact(&one)["reference"], contact(&other)["reference"]);
    assert_ne!(call(&one, "contact").xref, call(&other, "contact").xref);
}

#[test]
fn a_customer_whose_address_becomes_a_word_is_updated_without_it() {
    let invoice: Invoice = document("124-mail-becomes-none", "invoice-b");
    let mut world = Scenario::new();
    let kind = XrefKind::Contact(invoice.currency);
    world.knows(XrefKey { kind, magento_key: invoice.customer.magento_id.to_string() }, "known");
    let plan = plan_customer(&invoice.customer, &world.context());
    let person = &call(&plan, &kind.to_string()).body["contact"]["main_contact_person"];
    assert!(person.get("email").is_none() && person.get("name").is_some(), "{person}");
    assert!(has_note(&plan, "The e-mail address is “none”"), "{:?}", plan.notes);
}

#[test]
fn a_name_that_shows_nothing_gives_way_to_the_sku() {
    let plan = posted("12-name-only-nbsp");
    assert_eq!(descriptions(&plan), ["GAP-1", "GAP-2", "Stoneware jug"]);
    assert_eq!(total_and_tax(&plan, &Scenario::new()), (d("60.00"), d("10.00")));
    let mut nameless: Invoice = document("12-name-only-nbsp", "invoice");
    "\u{200b}".clone_into(&mut nameless.lines[0].sku);
    let plan = plan_invoice(&nameless, &Scenario::new().context());
    assert_eq!(descriptions(&plan), ["Article without a name", "GAP-2", "Stoneware jug"]);
    assert!(has_note(&plan, "no name and no SKU"));
}

#[test]
fn tags_and_hidden_characters_are_left_out_of_a_line_with_a_note() {
    for (case, description) in
        [("134-line-name-with-tags", "Tea Assam 250g"), ("156-bidi-override-in-name", "Gift card 00.5 PBG")]
    {
        let plan = posted(case);
        assert_eq!(descriptions(&plan), [description]);
        assert!(has_note(&plan, "were left out of the description of a line"), "{:?}", plan.notes);
    }
}

#[test]
fn a_dash_is_no_company() {
    let plan = posted("166-company-dash");
    assert_eq!(contact(&plan)["name"], "Nora Quill");
    assert!(has_note(&plan, "The company is “-”"), "{:?}", plan.notes);
}

#[test]
fn a_long_street_is_whole_in_two_lines() {
    let invoice: Invoice = document("48-street-one-long-line", "invoice");
    let street = invoice.billing_address.unwrap().street.unwrap().join(" ");
    let plan = posted("48-street-one-long-line");
    let line = |field: &str| contact(&plan)["main_address"][field].as_str().unwrap().to_owned();
    let lines = format!("{} {}", line("address_line_1"), line("address_line_2"));
    let words = |text: &str| text.replace(',', "").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&lines), words(&street));
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
}

#[test]
fn the_vat_number_of_a_company_reaches_its_contact() {
    let world = business("ie");
    let plan = plan("149-vat-number-of-eu-company", &world);
    assert_eq!(contact(&plan)["tax_number"], "FR40303265045");
    let mut invoice: Invoice = document("149-vat-number-of-eu-company", "invoice");
    for number in ["FR12", "n/a"] {
        invoice.customer.vat_id = Some(number.to_owned());
        for address in [&mut invoice.billing_address, &mut invoice.shipping_address] {
            address.as_mut().unwrap().vat_id = None;
        }
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(contact(&plan).get("tax_number"), None);
        assert!(has_note(&plan, "The VAT number"), "{:?}", plan.notes);
    }
}

#[test]
fn a_currency_that_the_business_does_not_have_is_held_by_name() {
    let mut world = Scenario::new();
    let currency = |id: &str| Named { id: id.to_owned(), name: id.to_owned() };
    world.reference.currencies = ["GBP", "EUR", "USD"].map(currency).to_vec();
    let plan = plan("19-huf-not-in-sage", &world);
    assert_eq!((plan.verdict, plan.code), (Verdict::Hold, Some(Code::CurrencyNotInSage)));
    assert!(plan.message.unwrap().contains("has no HUF"));
    world.reference.currencies.push(currency("HUF"));
    assert_eq!(super::reported::plan("19-huf-not-in-sage", &world).verdict, Verdict::Post);
}

#[test]
fn fifteen_thousand_million_rupiah_are_an_everyday_sum() {
    let world = Scenario::new();
    let plan = plan("21-idr-fifteen-milliards", &world);
    assert_eq!(total_and_tax(&plan, &world).0, d("15000000000.00"));
    assert_eq!(call(&plan, "invoice").expect.as_ref().unwrap().base_total, Some(d("697674.00")));
    let mut invoice: Invoice = document("21-idr-fifteen-milliards", "invoice");
    invoice.currency = "KWD".parse().unwrap();
    let plan = plan_invoice(&invoice, &world.context());
    assert_eq!(plan.code, Some(Code::InconsistentDocument));
    assert!(plan.message.unwrap().contains("above 10 billion KWD"));
}

#[test]
fn a_rate_of_another_day_is_taken_once_it_is_confirmed() {
    let case = "23-try-invoice-of-last-year";
    let mut world = Scenario::new();
    let lira = "TRY".parse().unwrap();
    world.reference.exchange_rates.insert(lira, d("0.0171"));
    let refused = plan(case, &world);
    assert_eq!(refused.code, Some(Code::ExchangeRateDoubtful));
    assert!(refused.message.unwrap().contains("confirm “TRY 2025-01-15 0.0227790433”"));
    world.settings.confirmed_exchange_rates = Some("TRY 2025-01-15 0.0228".to_owned());
    let confirmed = plan(case, &world);
    assert_eq!(call(&confirmed, "invoice").expect.as_ref().unwrap().base_total, Some(d("1184.51")));
    // A confirmation is of a day and a worth, not of whatever a shop says.
    for other in ["TRY 2025-01-16 0.0228", "EUR 2025-01-15 0.0228", "TRY 2025-01-15 43.9"] {
        world.settings.confirmed_exchange_rates = Some(other.to_owned());
        assert_eq!(plan(case, &world).code, Some(Code::ExchangeRateDoubtful), "{other}");
    }
}

#[test]
fn a_sale_of_new_years_eve_is_dated_in_the_business_s_own_province() {
    let mut world = business("ca");
    world.reference.region = Some("CA-BC".to_owned());
    let plan = plan("89-date-vancouver-new-year", &world);
    assert_eq!(call(&plan, "invoice").body["sales_invoice"]["date"], "2026-12-31", "{plan:#?}");
}

#[test]
fn what_cannot_be_read_is_named_with_its_value() {
    for (case, expected) in [
        ("90-date-mysql-form", "created_at: “2026-"),
        ("91-date-zero", "created_at: “0000-00-00"),
        ("109-exponent-of-nought", "0e+2147483647 is not a number"),
        ("121-exponents-sixty-times", "lines[0]."),
    ] {
        let begun = std::time::Instant::now();
        let error = read::<Invoice>(case, "invoice").unwrap_err();
        assert!(error.contains(expected), "{case}: {error}");
        assert!(begun.elapsed().as_millis() < 200, "{case}");
    }
    let error = read::<Invoice>("115-number-type", "invoice").map(|invoice| invoice.increment_id);
    assert!(
        error.as_ref().is_ok_and(|number| !number.is_empty())
            || error.is_err_and(|error| error.contains("_id: "))
    );
}

#[test]
fn a_number_is_one_line_and_never_empty() {
    let plan = posted("96-number-control-characters");
    let sent = call(&plan, "invoice").body.to_string();
    assert!(!sent.contains("\\r") && !sent.contains("\\u0000"), "{sent}");
    let reference = call(&plan, "invoice").body["sales_invoice"]["reference"].as_str().unwrap();
    assert!(!reference.is_empty() && !reference.contains('\n'));
    let plan = super::reported::plan("125-number-empty", &Scenario::new());
    assert_eq!(plan.code, Some(Code::InconsistentDocument));
    assert!(plan.message.unwrap().contains("no number in Magento yet"));
}

#[test]
fn a_price_below_a_penny_is_left_out_with_a_note() {
    let mut world = Scenario::new();
    world.settings.sync_products = true;
    world.settings.default_purchase_ledger_account_id = Some("sales".to_owned());
    for account in &mut world.reference.ledger_accounts {
        account.visible_in_expenses = true;
    }
    let stock = crate::KnownStock { quantity: None, as_of: "2026-05-12T10:15:00Z".parse().unwrap() };
    let mut product: documents::Product = document("101-product-price-four-decimals", "product");
    let plan = plan_product(&product, &stock, &world.context());
    assert_eq!(call(&plan, "product").body["product"].get("sales_prices"), None);
    assert!(has_note(&plan, "0.0045"), "{:?}", plan.notes);
    product.price = Some(d("1.2345"));
    let plan = plan_product(&product, &stock, &world.context());
    let price = &call(&plan, "product").body["product"]["sales_prices"][0];
    assert_eq!(amount(price, "price"), d("1.23"));
    assert!(has_note(&plan, "1.2345"), "{:?}", plan.notes);
    product.product_type =
        document::<documents::Product>("132-product-type-giftcard", "product").product_type;
    let plan = plan_product(&product, &stock, &world.context());
    assert_eq!(plan.code, Some(Code::ProductTypeNotSupported));
    assert_eq!(
        plan.message.unwrap(),
        "Products of type “giftcard” are not synced, because Sage has no matching type."
    );
}

/// A memo of a case with its invoice as Sage holds it.
fn memo_of_invoice(case: &str, outstanding: &str) -> Plan {
    let document = Some(document::<Invoice>(case, "invoice"));
    let original = crate::OriginalInvoice { document, ..super::creditmemos::original(outstanding) };
    let memo: documents::CreditMemo = document_of_memo(case);
    let mut world = Scenario::new();
    world.settings.tax_undetermined = domain::settings::UndeterminedTax::Infer;
    plan_creditmemo(&memo, Some(&original), &world.context())
}

fn document_of_memo(case: &str) -> documents::CreditMemo {
    document(case, "creditmemo")
}

#[test]
fn a_memo_in_another_currency_than_its_invoice_is_refused_by_name() {
    let plan = memo_of_invoice("137-memo-other-currency-than-invoice", "0");
    assert_eq!((plan.verdict, plan.code), (Verdict::Fail, Some(Code::InconsistentDocument)));
    assert_eq!(plan.message.unwrap(), "The credit memo is in EUR, but its invoice is in GBP.");
}

#[test]
fn money_that_a_memo_lacks_is_no_gift_card_where_the_invoice_had_none() {
    let plan = memo_of_invoice("57-memo-shipping-tax-missing", "0");
    assert_eq!((plan.verdict, plan.code), (Verdict::Hold, Some(Code::TaxUndetermined)));
    let sums = |plan: &Plan| plan.readings.iter().map(|one| (one.total, one.tax)).collect::<Vec<_>>();
    assert_eq!(sums(&plan), [(d("70.00"), d("12.00")), (d("70.00"), d("11.67"))]);
    // Nor where no invoice says so: a gift card and a tax that is missing look alike.
    let memo = document_of_memo("57-memo-shipping-tax-missing");
    let plan = plan_creditmemo(&memo, None, &Scenario::new().context());
    assert_eq!((plan.verdict, plan.code), (Verdict::Hold, Some(Code::TaxUndetermined)));
    assert_eq!(sums(&plan), [(d("70.00"), d("12.00")), (d("70.00"), d("11.67"))]);
}

#[test]
fn a_payment_of_a_partly_credited_invoice_leaves_the_rest_on_account() {
    let case = "180-payment-of-a-partly-credited-invoice";
    let (invoice, payment): (Invoice, documents::Payment) =
        (document(case, "invoice"), document(case, "payment"));
    let mut world = Scenario::new();
    world.knows(XrefKey { kind: XrefKind::Invoice, magento_key: invoice.magento_id.to_string() }, "si-1");
    let plan = crate::plan_payment_of_reduced(&invoice, &payment, d("60.00"), &world.context());
    let receipt = &call(&plan, "payment").body["contact_payment"];
    assert_eq!(amount(receipt, "total_amount"), d("120.00"));
    assert_eq!(amount(&receipt["allocated_artefacts"][0], "amount"), d("60.00"));
    assert!(has_note(&plan, "60.00"), "{:?}", plan.notes);
}

#[test]
fn the_largest_sums_of_small_units_are_computed_or_refused_and_nothing_overflows() {
    let world = Scenario::new();
    let mut invoice: Invoice = document("21-idr-fifteen-milliards", "invoice");
    let most = d("1000000000000");
    let line = invoice.lines[0].clone();
    for (qty, percent, off) in
        [("1", None, "0"), ("10000000000", Some("10000000000"), "0.01"), ("3", Some("20"), "333333333333.33")]
    {
        let spoilt = documents::Line {
            qty: d(qty),
            tax_percent: percent.map(d),
            unit_price: most,
            line_subtotal: most,
            line_tax: most,
            line_total: most - d(off),
            ..line.clone()
        };
        invoice.lines = vec![spoilt.clone(), line.clone(), spoilt];
        (invoice.subtotal, invoice.tax_amount, invoice.grand_total) = (most, most, most);
        (invoice.shipping_amount, invoice.shipping_tax_amount) = (most, d(off));
        let plan = plan_invoice(&invoice, &world.context());
        assert!(plan.verdict == Verdict::Post || plan.message.is_some(), "{plan:?}");
        let mut memo: documents::CreditMemo = document("57-memo-shipping-tax-missing", "creditmemo");
        (memo.currency, memo.base_to_order_rate) = (invoice.currency, invoice.base_to_order_rate);
        (memo.lines, memo.grand_total) = (invoice.lines.clone(), most);
        let original =
            crate::OriginalInvoice { document: Some(invoice.clone()), ..super::creditmemos::original("0") };
        for original in [None, Some(&original)] {
            let plan = plan_creditmemo(&memo, original, &world.context());
            assert!(plan.verdict == Verdict::Post || plan.message.is_some(), "{plan:?}");
        }
    }
}

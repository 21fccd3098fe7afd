//! Documents in other currencies than the business's.

use serde_json::Value;

use super::{amount, call, d, total_and_tax};
use crate::{fixtures, fixtures::Scenario, plan_invoice, plan_payment};
use domain::{
    business::{BankAccount, TaxRate},
    code::Code,
    documents::Invoice,
    money::Currency,
    plan::{Adopt, Plan, Verdict},
    xref::{XrefKey, XrefKind},
};

/// A British business that has a rate for the Irish tax which the sample in euro bears.
fn world() -> Scenario {
    let mut world = Scenario::new();
    world.reference.tax_rates.push(TaxRate {
        id: "IE_STANDARD".to_owned(),
        name: "Ireland 23.00%".to_owned(),
        percentage: d("23"),
        regions: Vec::new(),
    });
    world.settings.tax_rate_map.insert("23.00//IE".to_owned(), "IE_STANDARD".to_owned());
    world
}

fn euro() -> Invoice {
    fixtures::invoice("invoice-3-eur")
}

/// A home sale, told in another currency.
fn in_currency(code: &str, rate: &str) -> Invoice {
    let mut invoice = fixtures::invoice("invoice-1a");
    invoice.currency = code.parse().unwrap();
    invoice.base_to_order_rate = Some(d(rate));
    invoice
}

fn body(plan: &Plan) -> &Value {
    &call(plan, "invoice").body["sales_invoice"]
}

#[test]
fn a_sale_in_euro_bears_its_rate_in_base_units_for_one_euro_and_what_it_comes_to() {
    let world = world();
    let plan = plan_payment(&euro(), &fixtures::payment("invoice-3-eur"), &world.context());
    assert_eq!(total_and_tax(&plan, &world), (d("159.69"), d("29.84")));
    let receipt = &call(&plan, "payment").body["contact_payment"];
    for fields in [body(&plan), receipt] {
        assert_eq!(fields["currency_id"], "EUR");
        assert_eq!(fields["exchange_rate"].to_string(), "0.8522243054");
    }
    for name in ["invoice", "payment"] {
        assert_eq!(call(&plan, name).expect.as_ref().unwrap().base_total, Some(d("136.09")), "{name}");
    }
    assert_eq!(plan.predicted.unwrap().currency, Currency::EUR);
}

#[test]
fn every_digit_of_magentos_rate_counts() {
    let mut text: Value = serde_json::to_value(euro()).unwrap();
    text["base_to_order_rate"] = serde_json::from_str("1.173412345678").unwrap();
    let invoice: Invoice = serde_json::from_value(text).unwrap();
    let plan = plan_invoice(&invoice, &world().context());
    assert_eq!(body(&plan)["exchange_rate"].to_string(), "0.852215339");
}

#[test]
fn a_customer_has_one_contact_for_each_currency() {
    let mut world = Scenario::new();
    let contact = |world: &Scenario, code: &str| {
        let invoice = in_currency(code, if code == "GBP" { "1" } else { "1.5" });
        let plan = plan_invoice(&invoice, &world.context());
        assert_eq!(plan.verdict, Verdict::Post, "{plan:#?}");
        call(&plan, "contact").clone()
    };
    for (code, reference, name) in [
        ("GBP", "M1", "Priya Shah"),
        ("EUR", "M1E", "Priya Shah (EUR)"),
        ("USD", "M1U", "Priya Shah (USD)"),
        ("SEK", "M1S", "Priya Shah (SEK)"),
        ("SGD", "M1SGD", "Priya Shah (SGD)"),
        ("SAR", "M1SAR", "Priya Shah (SAR)"),
    ] {
        let call = contact(&world, code);
        let fields = &call.body["contact"];
        assert_eq!((&fields["reference"], &fields["name"]), (&reference.into(), &name.into()));
        assert_eq!(fields.get("currency_id").and_then(Value::as_str), (code != "GBP").then_some(code));
        let Some(Adopt::Contact { currency, .. }) = call.adopt else { panic!() };
        assert_eq!(currency, code.parse().ok());
        let kind = XrefKind::Contact(code.parse().unwrap());
        assert_eq!(call.xref, Some(XrefKey { kind, magento_key: "1".to_owned() }));
    }
    // A contact in pounds is no contact for euro.
    world.knows(XrefKey { kind: XrefKind::Contact(Currency::GBP), magento_key: "1".to_owned() }, "pounds");
    assert_eq!(contact(&world, "EUR").body["contact"]["reference"], "M1E");
}

#[test]
fn a_guest_in_another_currency_keeps_eight_digits_of_the_hash() {
    let plan = plan_invoice(&euro(), &world().context());
    let contact = &call(&plan, "contact").body["contact"];
    // The first eight digits of sha256("aoife.byrne@example.com").
    assert_eq!(contact["reference"], "G843c4810E");
    assert_eq!((&contact["name"], &contact["currency_id"]), (&"Byrne Interiors (EUR)".into(), &"EUR".into()));
}

#[test]
fn the_shared_contact_is_one_for_each_currency() {
    let mut world = Scenario::new();
    world.settings.consolidation.enabled = true;
    for (code, reference) in [("EUR", "WEBSALESE"), ("SGD", "WEBSALESGD"), ("CHF", "WEBSALECHF")] {
        let plan = plan_invoice(&in_currency(code, "1.5"), &world.context());
        let call = call(&plan, "contact");
        assert_eq!(call.body["contact"]["reference"], reference);
        assert_eq!(call.body["contact"]["name"], format!("Magento Web Sales ({code})"));
        let kind = XrefKind::ContactFallback(code.parse().unwrap());
        assert_eq!(call.xref.as_ref().map(|key| key.kind), Some(kind));
    }
}

#[test]
fn a_rate_that_is_missing_or_nothing_is_told_clearly() {
    for rate in [None, Some(d("0")), Some(d("-1.2")), Some(d("1e-27")), Some(d("100000000000"))] {
        let mut invoice = euro();
        invoice.base_to_order_rate = rate;
        let plan = plan_invoice(&invoice, &world().context());
        assert_eq!((plan.verdict, plan.code), (Verdict::Fail, Some(Code::ExchangeRateMissing)), "{rate:?}");
    }
}

#[test]
fn a_rate_far_from_sages_own_is_refused_with_both() {
    let mut world = world();
    let mut plan = |own: &str, rate: &str| {
        world.reference.exchange_rates.insert(Currency::EUR, d(own));
        let mut invoice = euro();
        invoice.base_to_order_rate = Some(d(rate));
        plan_invoice(&invoice, &world.context())
    };
    assert_eq!(plan("0.85222", "1.1734").verdict, Verdict::Post);
    assert_eq!(plan("0.75", "1.1734").verdict, Verdict::Post, "13.6 %");
    let refused = plan("0.74", "1.1734");
    assert_eq!(refused.code, Some(Code::ExchangeRateDoubtful));
    let message = refused.message.unwrap();
    assert!(message.contains("0.8522243054") && message.contains("0.74"), "{message}");
    assert!(plan("0.85222", "0.8522").message.unwrap().contains("inverted"));
    assert!(plan("0.85222", "1").message.unwrap().contains("base currency seems to be EUR"));
}

#[test]
fn a_rate_of_one_says_nothing_of_the_books_currency_however_near_sages_own_is() {
    let mut world = world();
    let mut plan = |own: &str| {
        world.reference.exchange_rates.insert(Currency::EUR, d(own));
        let mut invoice = euro();
        invoice.base_to_order_rate = Some(d("1"));
        plan_invoice(&invoice, &world.context())
    };
    for own in ["0.88", "0.99", "1.01", "1.15"] {
        let refused = plan(own);
        assert_eq!(refused.code, Some(Code::ExchangeRateDoubtful), "{own}");
        let message = refused.message.unwrap();
        assert!(message.contains("base currency seems to be EUR") && message.contains(own), "{message}");
    }
    for pegged in ["1", "1.004"] {
        assert_eq!(plan(pegged).verdict, Verdict::Post, "{pegged}");
    }
}

#[test]
fn without_sages_own_rate_magentos_is_used_and_that_is_noted() {
    let plan = plan_invoice(&euro(), &world().context());
    assert!(plan.notes.iter().any(|note| note.contains("Sage shows no rate for EUR")));
    let mut invoice = euro();
    invoice.base_to_order_rate = Some(d("1"));
    assert_eq!(plan_invoice(&invoice, &world().context()).code, Some(Code::ExchangeRateDoubtful));
}

#[test]
fn sums_in_yen_post_and_a_third_decimal_of_a_dinar_is_refused_with_both_sums() {
    let world = Scenario::new();
    let yen = in_currency("JPY", "203.25");
    assert_eq!(total_and_tax(&plan_invoice(&yen, &world.context()), &world), (d("81.52"), d("13.59")));
    let mut dinar = in_currency("KWD", "0.41");
    assert_eq!(total_and_tax(&plan_invoice(&dinar, &world.context()), &world), (d("81.52"), d("13.59")));
    dinar.grand_total += d("0.005");
    let plan = plan_invoice(&dinar, &world.context());
    assert_eq!(plan.code, Some(Code::TotalsMismatch));
    let message = plan.message.unwrap();
    assert!(message.contains("81.525 KWD") && message.contains("81.53"), "{message}");
    let invoice = in_currency("KWD", "0.41");
    let mut payment = fixtures::payment("invoice-1a");
    payment.currency = invoice.currency;
    payment.amount = d("81.525");
    assert_eq!(plan_payment(&invoice, &payment, &world.context()).code, Some(Code::TotalsMismatch));
}

#[test]
fn a_payment_goes_into_an_account_of_its_own_or_the_base_currency() {
    let mut world = world();
    let mut plan = |kept: Option<&str>| {
        world.reference.bank_accounts = vec![BankAccount {
            id: "current".to_owned(),
            name: "Current".to_owned(),
            currency: kept.map(|kept| kept.parse().unwrap()),
            is_active: true,
        }];
        plan_payment(&euro(), &fixtures::payment("invoice-3-eur"), &world.context())
    };
    for kept in [None, Some("GBP"), Some("EUR")] {
        assert_eq!(plan(kept).verdict, Verdict::Post, "{kept:?}");
    }
    let held = plan(Some("USD"));
    assert_eq!((held.verdict, held.code), (Verdict::Hold, Some(Code::NeedsMapping)));
    assert!(held.message.unwrap().contains("holds USD"));
}

#[test]
fn the_payment_of_a_posted_invoice_takes_the_invoices_rate_without_doubting_it() {
    let mut world = world();
    world.reference.exchange_rates.insert(Currency::EUR, d("0.5"));
    world.knows(XrefKey { kind: XrefKind::Invoice, magento_key: "4".to_owned() }, "sage-4");
    let plan = plan_payment(&euro(), &fixtures::payment("invoice-3-eur"), &world.context());
    let receipt = &call(&plan, "payment").body["contact_payment"];
    assert_eq!(receipt["exchange_rate"].to_string(), "0.8522243054");
    assert_eq!(amount(receipt, "total_amount"), d("159.69"));
}

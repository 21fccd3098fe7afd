//! Nothing of a person's is left, and everything else is.

use std::{collections::BTreeSet, fs, path::Path};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{LARGEST, Redactor, STRUCK, shortened};
use crate::plan::Plan;

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// What a document says of people: names, companies, addresses, numbers, as they must not be found anywhere.
fn people(value: &Value, found: &mut BTreeSet<String>) {
    const OF_PEOPLE: [&str; 12] = [
        "address_line_1",
        "address_line_2",
        "company",
        "email",
        "last_name",
        "phone",
        "postal_code",
        "postcode",
        "po_number",
        "street",
        "telephone",
        "vat_id",
    ];
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let texts = member.as_array().map_or_else(|| vec![member], |items| items.iter().collect());
                let is_name = key == "name"
                    && ["main_contact_person", "contact_type_ids"]
                        .iter()
                        .any(|mark| members.contains_key(*mark));
                if OF_PEOPLE.contains(&key.as_str()) || is_name {
                    found.extend(texts.iter().filter_map(|text| text.as_str()).map(str::to_owned));
                }
                people(member, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| people(item, found)),
        _ => {}
    }
}

fn assert_nobody_in(text: &str, people: &BTreeSet<String>, what: &str) {
    for one in people.iter().filter(|one| one.chars().count() > 3) {
        let whole = text.match_indices(one.as_str()).any(|(at, _)| {
            let joins = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
            !joins(text[..at].chars().next_back()) && !joins(text[at + one.len()..].chars().next())
        });
        assert!(!whole, "{what}: {one} is left in {text}");
    }
    assert!(!text.contains('@'), "{what}: an e-mail address is left in {text}");
}

#[test]
fn no_plan_of_the_golden_files_keeps_a_person() {
    let mut plans = 0;
    for case in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../posting/tests/golden")).unwrap() {
        let case = case.unwrap().path();
        if !case.join("plan.json").exists() {
            continue;
        }
        let document = read(&case.join("document.json"));
        let mut found = BTreeSet::new();
        people(&document, &mut found);
        let mut redactor = Redactor::default();
        // As it is in a run: the document is seen first.
        redactor.learn(&document);
        let plan: Plan = serde_json::from_value(read(&case.join("plan.json"))).unwrap();
        let redacted = redactor.plan(&plan);
        let text = serde_json::to_string(&redacted).unwrap();
        assert_nobody_in(&text, &found, &case.display().to_string());
        assert_eq!(redacted.predicted, plan.predicted);
        assert_eq!(redacted.rules.len(), plan.rules.len());
        // Alone, without the document, it keeps nobody of its own bodies either.
        let mut of_bodies = BTreeSet::new();
        people(&serde_json::to_value(&plan).unwrap(), &mut of_bodies);
        let alone = serde_json::to_string(&Redactor::default().plan(&plan)).unwrap();
        assert_nobody_in(&alone, &of_bodies, &case.display().to_string());
        plans += 1;
    }
    assert!(plans > 30, "only {plans} plans");
}

#[test]
fn no_document_of_the_fixtures_keeps_a_person_and_each_keeps_its_sums_and_articles() {
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/documents")).unwrap() {
        let path = entry.unwrap().path();
        let document = read(&path);
        let mut found = BTreeSet::new();
        people(&document, &mut found);
        let redacted = Redactor::default().value(&document);
        assert_nobody_in(&redacted.to_string(), &found, &path.display().to_string());
        for key in [
            "magento_id",
            "increment_id",
            "grand_total",
            "tax_amount",
            "lines",
            "currency",
            "sku",
            "created_at",
        ] {
            assert_eq!(redacted.get(key), document.get(key), "{key} of {}", path.display());
        }
    }
}

#[test]
fn an_answer_of_sage_keeps_numbers_and_states_and_no_names() {
    let answer = json!({
        "id": "f1", "displayed_as": "SI-27", "total_amount": "90.76", "reference": "000000001",
        "contact": {"id": "c1", "displayed_as": "Jane Doe (M7)", "$path": "/contacts/c1"},
        "contact_name": "Jane Doe", "contact_reference": "M7", "notes": "Magento order 5\nPurchase Order: JD & 7",
        "main_address": {"address_line_1": "1 High Street", "city": "Leeds", "region": "Yorks", "postal_code": "LS1 4AP",
                         "country": {"id": "GB", "displayed_as": "United Kingdom (GB)"}},
        "status": {"id": "UNPAID", "displayed_as": "Unpaid"},
        "invoice_lines": [{"description": "Blue Mug for Jane Doe", "tax_rate": {"id": "GB_STANDARD", "displayed_as": "Standard 20.00%"}}],
        "links": [{"href": "https://accounts-extra.sageone.com/invoicing/sales_invoices/f1", "rel": "alternate"}],
        "something_new": "anything"
    });
    let redacted = Redactor::default().value(&answer);
    assert_eq!(redacted["displayed_as"], "SI-27");
    assert_eq!(redacted["contact"], json!({"id": "c1", "displayed_as": STRUCK, "$path": "/contacts/c1"}));
    assert_eq!(redacted["contact_reference"], "M7");
    assert_eq!(redacted["notes"], format!("Magento order 5\nPurchase Order: {STRUCK}"));
    assert_eq!(redacted["main_address"]["country"]["displayed_as"], "United Kingdom (GB)");
    for key in ["address_line_1", "city", "region", "postal_code"] {
        assert_eq!(redacted["main_address"][key], STRUCK, "{key}");
    }
    assert_eq!(redacted["status"]["displayed_as"], "Unpaid");
    assert_eq!(redacted["links"], answer["links"]);
    assert_eq!(redacted["something_new"], STRUCK);
    let line = &redacted["invoice_lines"][0];
    assert_eq!(line["tax_rate"]["displayed_as"], "Standard 20.00%");
    assert_eq!(
        line["description"], "Blue Mug for Jane Doe",
        "an invoice alone does not tell whose name this is"
    );
}

#[test]
fn what_was_struck_out_once_is_found_in_every_text_after_it() {
    let mut redactor = Redactor::default();
    redactor.learn(&json!({"customer": {"first_name": "Jane", "last_name": "Doe", "company": "Lee", "email": "Jane@Doe.example"},
                           "billing_address": {"street": ["1 High Street"], "telephone": "07700 900123"}}));
    assert_eq!(redactor.text("Jane Doe (M7) of 1 High Street"), format!("{STRUCK} (M7) of {STRUCK}"));
    assert_eq!(
        redactor.text("main_contact_person.email: 'jane@doe.example' is invalid"),
        format!("main_contact_person.email: {STRUCK} is invalid")
    );
    assert_eq!(redactor.text("Jane Doering rang 07700 900123"), format!("Jane Doering rang {STRUCK}"));
    assert_eq!(redactor.text("2 @ 4.50 in Leeds"), "2 @ 4.50 in Leeds");
}

#[test]
fn a_long_body_stays_json_and_says_what_is_missing() {
    let lines: Vec<Value> =
        (0..500).map(|number| json!({"description": "Mug", "sku": number.to_string()})).collect();
    let kept = shortened(json!({"sales_invoice": {"date": "2026-11-23", "invoice_lines": lines}}), LARGEST);
    assert!(kept.to_string().len() <= LARGEST);
    assert_eq!(kept["sales_invoice"]["date"], "2026-11-23");
    let lines = kept["sales_invoice"]["invoice_lines"].as_array().unwrap();
    assert_eq!(lines.last().unwrap(), &json!(format!("and {} more", 500 - (lines.len() - 1))));
    let wide: serde_json::Map<String, Value> =
        (0..2000).map(|number| (number.to_string(), json!("x"))).collect();
    assert!(shortened(Value::Object(wide), LARGEST).to_string().contains("bytes, too many to keep"));
}

#[test]
fn a_large_document_of_different_addresses_is_redacted_at_once() {
    let mut redactor = Redactor::default();
    let address = |number: usize| {
        json!({ "street": [format!("{number} High Street")], "postcode": format!("LS{number} 4AP"), "telephone": "07700 900123",
                "city": "Leeds", "company": format!("Company number {number} of a long name"), "kind": "billing" })
    };
    let customer = json!({ "magento_id": 7, "addresses": (0..40_000).map(address).collect::<Vec<_>>() });
    let lines: Vec<_> = (0..40_000)
        .map(|number| json!({ "sku": "M", "name": format!("Mug for {number} High Street") }))
        .collect();
    let document = json!({ "customer": customer, "lines": lines });
    assert!(document.to_string().len() > 8 * 1024 * 1024);
    let begun = std::time::Instant::now();
    let kept = redactor.kept(&document).unwrap();
    let took = begun.elapsed();
    assert!(kept.len() <= LARGEST && kept.contains("and 39960 more"), "{kept}");
    assert!(!kept.contains("High Street") && !kept.contains("LS1"), "{kept}");
    // Without optimisation; the quadratic way took minutes.
    assert!(took.as_secs() < 10, "it took {took:?}");
}

#[test]
fn an_object_of_many_keys_is_redacted_at_once() {
    let wide: serde_json::Map<String, Value> =
        (0..100_000).map(|number| (format!("a{number}_id"), json!("a text that stays"))).collect();
    let begun = std::time::Instant::now();
    let kept = Redactor::default().kept(&Value::Object(wide)).unwrap();
    assert!(kept.contains("too many to keep"), "{kept}");
    assert!(begun.elapsed().as_secs() < 10, "it took {:?}", begun.elapsed());
}

#[test]
fn of_what_is_too_large_to_be_looked_at_only_the_size_is_kept() {
    let (mut redactor, answer) = (Redactor::default(), json!({ "id": "1", "name": "Ada Quill" }));
    let size = answer.to_string().len();
    assert_eq!(redactor.kept_within(&answer, size), redactor.clone().kept(&answer));
    let kept = redactor.kept_within(&answer, size - 1).unwrap();
    assert_eq!(kept, format!("\"{size} bytes, too many to keep\""));
}

#[test]
fn a_long_text_is_cut_after_it_was_redacted() {
    let mut redactor = Redactor::default();
    redactor.learn(&json!({ "customer": { "company": "Quill & Daughters" } }));
    let filler = "x ".repeat(92);
    let description = format!("{filler}for Quill & Daughters {}", "y ".repeat(50_000));
    let kept = redactor.kept(&json!({ "description": description })).unwrap();
    assert!(kept.contains("more characters") && !kept.contains("Quill"), "{kept}");
}

/// Keys that mean something to the redactor, and some that do not.
fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "name",
            "email",
            "contact",
            "displayed_as",
            "sku",
            "notes",
            "id",
            "contact_id",
            "total_amount",
            "main_address",
            "city",
            "street",
            "first_name",
            "last_name",
            "telephone",
            "description",
            "customer",
        ])
        .prop_map(str::to_owned),
        "[a-z]{1,6}",
    ]
}

fn any_body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[A-Za-z@. ]{0,24}".prop_map(Value::from),
        Just(Value::from("Purchase Order: x")),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any_key(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The keys and lengths of a body, without its values.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(key, member)| (key.clone(), shape(member))).collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        _ => Value::Null,
    }
}

proptest! {
    #[test]
    fn redacting_neither_invents_nor_drops_a_key_and_twice_is_as_once(body in any_body()) {
        let mut redactor = Redactor::default();
        let once = redactor.value(&body);
        prop_assert_eq!(shape(&once), shape(&body));
        prop_assert_eq!(&redactor.value(&once), &once);
        prop_assert_eq!(&Redactor::default().value(&once), &once);
    }

    #[test]
    fn what_is_kept_is_short_and_json(body in any_body(), largest in 64_usize..2000) {
        let kept = shortened(body, largest).to_string();
        prop_assert!(kept.len() <= largest);
        prop_assert!(serde_json::from_str::<Value>(&kept).is_ok());
    }
}

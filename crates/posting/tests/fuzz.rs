//! Whatever a shop, a settings file or Sage may send: read or refused by name, never a panic, never slower than its size explains.
//! `make fuzz` tries many more cases than the few hundred of a plain test run (PROPTEST_CASES).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must say where")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use domain::{
    Decimal,
    business::ReferenceSet,
    documents::{self, CreditMemo, Customer, Document, Invoice, Payment, Product},
    ids::BindingId,
    plan::Plan,
    redact::{LARGEST, Redactor},
    settings::Settings,
};
use posting::{
    Context, Generations, KnownStock, OriginalInvoice, contact_snapshot, plan_creditmemo, plan_customer,
    plan_invoice, plan_payment, plan_product, sage_arithmetic, wanted_creditmemo_xrefs, wanted_xrefs,
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

/// Without optimisation, beside other tests.
const BOUND: Duration = Duration::from_secs(10);

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures"))
}

fn parsed(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The sample documents by their kind.
fn samples() -> Vec<(String, Value)> {
    let mut samples: Vec<_> = fs::read_dir(fixtures().join("documents"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name.split('-').next().unwrap().to_owned(), parsed(&path))
        })
        .collect();
    samples.sort_by_key(|(kind, value)| (kind.clone(), value.to_string()));
    samples
}

/// Numbers at and beyond every limit.
const NUMBERS: [&str; 23] = [
    "0",
    "-1",
    "1e400",
    "0E2147483647",
    "1e-2147483648",
    "9e99",
    "99999999999999",
    "1e13",
    "-1e13",
    "9999999999.9999",
    "-9999999999",
    "10000000001",
    "3.5527136788005e-15",
    "0.00005",
    "1e-400",
    "-0.0",
    "79228162514264337593543950335",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "0.0000001",
    "33.333333333333",
    "1234567890123456789012345678901234567890123456789012345678901234567890",
];

/// Texts that look like something else, or like nothing.
const TEXTS: [&str; 36] = [
    "",
    " ",
    "\0",
    "\r\n",
    "0E2147483647",
    "1e-2147483648",
    "NaN",
    "Infinity",
    "-",
    "\u{202e}abc",
    "<b>x</b>",
    "&amp;&#0;",
    "2026-04-29 10:11:12",
    "0000-00-00 00:00:00",
    "+262142-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "2000-01-01T00:00:00Z",
    "2026-12-31T23:59:60Z",
    "GBP",
    "JPY",
    "KWD",
    "EUR",
    "XTS",
    "GB",
    "IE",
    "US",
    "CA",
    "XI",
    "IRL",
    "paid",
    "open",
    "cancelled",
    "a@b",
    "virtual",
    "configurable",
    "12.5",
];

/// What is put in the place of a value.
fn hostile() -> Vec<Value> {
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    let mut values: Vec<Value> = NUMBERS.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    values.extend(TEXTS.iter().map(|text| json!(text)));
    values.extend([json!(null), json!(true), json!([]), json!({}), deep]);
    values.extend([json!("x".repeat(70_000)), json!("é".repeat(300)), json!(vec![0; 6_000])]);
    values
}

/// A change of a document.
#[derive(Clone, Debug)]
enum Mutation {
    Replace(Index, Index),
    Remove(Index),
    Repeat(Index, usize),
}

fn changes() -> impl Strategy<Value = Vec<Mutation>> {
    let change = prop_oneof![
        6 => (any::<Index>(), any::<Index>()).prop_map(|(at, with)| Mutation::Replace(at, with)),
        1 => any::<Index>().prop_map(Mutation::Remove),
        1 => (any::<Index>(), 2..400_usize).prop_map(|(at, times)| Mutation::Repeat(at, times)),
    ];
    prop::collection::vec(change, 0..5)
}

fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| {
                pointers(member, &format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            });
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| pointers(item, &format!("{here}/{at}"), found));
        }
        _ => {}
    }
}

fn changed(mut document: Value, changes: &[Mutation], hostile: &[Value]) -> Value {
    for change in changes {
        let mut all = Vec::new();
        pointers(&document, "", &mut all);
        match change {
            Mutation::Replace(at, with) => {
                *document.pointer_mut(at.get(&all[..]).as_str()).unwrap() = with.get(hostile).clone();
            }
            Mutation::Remove(at) => {
                let (parent, name) = at.get(&all[..]).rsplit_once('/').unwrap_or_default();
                if let Some(Value::Object(members)) = document.pointer_mut(parent) {
                    members.remove(name);
                }
            }
            Mutation::Repeat(at, times) => {
                let lists = all.iter().filter(|one| document.pointer(one).is_some_and(Value::is_array));
                let lists: Vec<String> = lists.cloned().collect();
                if lists.is_empty() {
                    continue;
                }
                let list = document.pointer_mut(at.get(&lists[..]).as_str()).unwrap().as_array_mut().unwrap();
                if let Some(first) = list.first().cloned() {
                    list.extend(std::iter::repeat_n(first, *times));
                }
            }
        }
    }
    document
}

struct FuzzedSetup {
    settings: Settings,
    reference: ReferenceSet,
    generations: Generations,
}

impl FuzzedSetup {
    fn new() -> Self {
        let typed = |name: &str| parsed(&fixtures().join("demo").join(name));
        Self {
            settings: serde_json::from_value(typed("settings.json")).unwrap(),
            reference: serde_json::from_value(typed("reference.json")).unwrap(),
            generations: Generations::new(),
        }
    }

    fn context<'a>(
        &'a self,
        xrefs: &'a BTreeMap<domain::xref::XrefKey, posting::KnownRecord>,
    ) -> Context<'a> {
        Context {
            binding: BindingId::default(),
            business: "business",
            settings: &self.settings,
            reference: &self.reference,
            xrefs,
            generations: &self.generations,
            safe_mode: true,
        }
    }
}

fn now() -> DateTime<Utc> {
    "2026-12-01T00:00:00Z".parse().unwrap()
}

fn read<T: Document>(document: &Value) -> Option<T> {
    match documents::read(document, now()) {
        Ok(read) => Some(read),
        Err(refusal) => {
            assert!(!refusal.field.is_empty() && !refusal.problem.is_empty(), "{refusal}");
            assert!(refusal.to_string().len() < 1_000, "{refusal}");
            None
        }
    }
}

/// Everything that is made of a document in a run.
fn plans(kind: &str, document: &Value, invoice: &Invoice, world: &FuzzedSetup) -> Vec<Plan> {
    let none = BTreeMap::new();
    let context = world.context(&none);
    match kind {
        "invoice" => read::<Invoice>(document).map_or_else(Vec::new, |invoice| {
            let _ = (
                wanted_xrefs(&invoice, &world.settings, &world.reference),
                contact_snapshot(&invoice.customer, &context),
            );
            vec![plan_invoice(&invoice, &context)]
        }),
        "payment" => read::<Payment>(document)
            .map_or_else(Vec::new, |payment| vec![plan_payment(invoice, &payment, &context)]),
        "creditmemo" => read::<CreditMemo>(document).map_or_else(Vec::new, |memo| {
            let _ = wanted_creditmemo_xrefs(&memo, &world.settings, &world.reference);
            let original = OriginalInvoice {
                sage_id: "si-1".to_owned(),
                displayed_as: None,
                contact_id: "contact".to_owned(),
                date: None,
                status: None,
                outstanding: Decimal::ZERO,
                payment: None,
                left_of_note: None,
                is_by_order: false,
                document: Some(invoice.clone()),
            };
            vec![plan_creditmemo(&memo, None, &context), plan_creditmemo(&memo, Some(&original), &context)]
        }),
        "customer" => read::<Customer>(document)
            .map_or_else(Vec::new, |customer| vec![plan_customer(&customer, &context)]),
        _ => read::<Product>(document).map_or_else(Vec::new, |product| {
            let stock = KnownStock { quantity: Some(Decimal::ONE), as_of: now() };
            vec![plan_product(&product, &stock, &context)]
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_document_is_planned_or_refused_and_redacted(sample in any::<Index>(), changes in changes()) {
        let (samples, world, hostile) = (samples(), FuzzedSetup::new(), hostile());
        let (kind, document) = sample.get(&samples);
        let document = changed(document.clone(), &changes, &hostile);
        let invoice: Invoice = serde_json::from_value(parsed(&fixtures().join("documents/invoice-1a.json"))).unwrap();
        let begun = Instant::now();
        let mut redactor = Redactor::default();
        if let Some(kept) = redactor.kept(&document) {
            prop_assert!(kept.len() <= LARGEST, "{} bytes are kept", kept.len());
        }
        for plan in plans(kind, &document, &invoice, &world) {
            let _ = redactor.plan(&plan);
        }
        prop_assert!(begun.elapsed() < BOUND, "{:?} for {}", begun.elapsed(), document.to_string().len());
    }

    #[test]
    fn an_invoice_that_a_memo_takes_back_may_be_anything(sample in any::<Index>(), of_memo in changes(), of_invoice in changes()) {
        let (world, hostile, none) = (FuzzedSetup::new(), hostile(), BTreeMap::new());
        let of = |kind: &str| samples().into_iter().filter(|(other, _)| other == kind).collect::<Vec<_>>();
        let memo = changed(sample.get(&of("creditmemo")).1.clone(), &of_memo, &hostile);
        let invoice = changed(sample.get(&of("invoice")).1.clone(), &of_invoice, &hostile);
        if let (Some(memo), Some(invoice)) = (read::<CreditMemo>(&memo), read::<Invoice>(&invoice)) {
            let begun = Instant::now();
            let original = OriginalInvoice {
                sage_id: "si-1".to_owned(), displayed_as: None, contact_id: "c".to_owned(), date: None, status: None,
                outstanding: Decimal::ONE_HUNDRED, payment: None, left_of_note: None, is_by_order: false, document: Some(invoice),
            };
            let _ = plan_creditmemo(&memo, Some(&original), &world.context(&none));
            prop_assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
        }
    }

    #[test]
    fn a_settings_file_or_lists_of_sages_may_be_anything(of_settings in changes(), of_reference in changes(), sample in any::<Index>()) {
        let hostile = hostile();
        let demo = |name: &str| parsed(&fixtures().join("demo").join(name));
        let settings = changed(demo("settings.json"), &of_settings, &hostile);
        let reference = changed(demo("reference.json"), &of_reference, &hostile);
        let begun = Instant::now();
        let (settings, reference) = (serde_json::from_value::<Settings>(settings), serde_json::from_value::<ReferenceSet>(reference));
        if let (Ok(settings), Ok(reference)) = (settings, reference) {
            let world = FuzzedSetup { settings, reference, generations: Generations::new() };
            let (kind, document) = sample.get(&samples()).clone();
            let invoice: Invoice = serde_json::from_value(parsed(&fixtures().join("documents/invoice-1a.json"))).unwrap();
            let _ = plans(&kind, &document, &invoice, &world);
        }
        prop_assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    }

    #[test]
    fn an_answer_of_sages_may_be_anything(changes in changes()) {
        let world = FuzzedSetup::new();
        let answer = json!({
            "id": "f1", "displayed_as": "SI-27", "total_amount": "90.76", "tax_amount": 15.13, "outstanding_amount": "0.0",
            "date": "2026-11-23", "contact": {"id": "c1", "displayed_as": "Jane Doe (M7)"}, "status": {"id": "PAID"},
            "invoice_lines": [{"unit_price": "10.0", "quantity": 2, "tax_amount": 4, "tax_rate_id": "GB_STANDARD"}],
            "shipping_net_amount": "4.95", "shipping_tax_rate_id": "GB_STANDARD"
        });
        let answer = changed(answer, &changes, &hostile());
        let begun = Instant::now();
        let _ = sage_arithmetic(&answer, "invoice_lines", &world.reference);
        let _ = Redactor::default().kept(&answer);
        prop_assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    }
}

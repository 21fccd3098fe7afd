//! Golden files: Magento's JSON beside the Plan that it becomes, a folder a case, for an accountant to read.
//!
//! - `golden/NAME/document.json`: `about` says what the case shows; `business` names a folder of `golden/businesses` (with its
//!   reference set and settings); the document stands under its kind, what it needs besides under its own (`invoice` with
//!   `payment`, `original` with `creditmemo`: the invoice as Sage holds it; `stock` with `product`: what Sage has of it); `xrefs`, if there, is what Sage holds already.
//! - `golden/NAME/settings.json`, if there: settings that differ from the business's.
//! - `golden/NAME/plan.json`: the Plan. `UPDATE_GOLDEN=1 cargo test -p posting --test golden` writes it again: look at the difference.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use domain::{business::ReferenceSet, plan::Plan, settings::Settings, xref::XrefKey};
use posting::{
    Context, Generations, KnownRecord, plan_creditmemo, plan_customer, plan_invoice, plan_payment,
    plan_product,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn typed<T: DeserializeOwned>(value: &Value, what: &str) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// The business's settings with the case's own settings.
fn settings(business: &Path, case: &Path) -> Settings {
    let mut settings = read(&business.join("settings.json"));
    let own = case.join("settings.json");
    if own.exists() {
        for (field, value) in read(&own).as_object().into_iter().flatten() {
            settings[field] = value.clone();
        }
    }
    typed(&settings, "settings")
}

/// What Sage holds already: `[{"kind": "invoice", "magento_key": "1", "sage_id": "...", "displayed_as": "SI-1"}]`.
fn xrefs(document: &Value) -> BTreeMap<XrefKey, KnownRecord> {
    let known = |one: &Value| (typed::<XrefKey>(one, "xref"), typed::<KnownRecord>(one, "xref"));
    document.get("xrefs").and_then(Value::as_array).into_iter().flatten().map(known).collect()
}

/// The Plan of a case.
fn plan(case: &Path) -> Plan {
    let document = read(&case.join("document.json"));
    let business = folder().join("businesses").join(typed::<String>(&document["business"], "business"));
    let reference: ReferenceSet = typed(&read(&business.join("reference.json")), "reference");
    let (settings, xrefs, generations) = (settings(&business, case), xrefs(&document), Generations::new());
    let context = Context {
        binding: typed(&"0190f5a2-7c1e-7a3b-9d4e-5f60718293a4".into(), "binding"),
        business: "business",
        settings: &settings,
        reference: &reference,
        xrefs: &xrefs,
        generations: &generations,
        safe_mode: document["safe_mode"] == true,
    };
    let given = |kind: &str| document.get(kind).is_some();
    if given("creditmemo") {
        let original = document.get("original").map(|original| typed(original, "original"));
        return plan_creditmemo(&typed(&document["creditmemo"], "creditmemo"), original.as_ref(), &context);
    }
    if given("customer") {
        return plan_customer(&typed(&document["customer"], "customer"), &context);
    }
    if given("product") {
        return plan_product(
            &typed(&document["product"], "product"),
            &typed(&document["stock"], "stock"),
            &context,
        );
    }
    if given("payment") {
        plan_payment(
            &typed(&document["invoice"], "invoice"),
            &typed(&document["payment"], "payment"),
            &context,
        )
    } else if given("invoice") {
        plan_invoice(&typed(&document["invoice"], "invoice"), &context)
    } else {
        panic!("{}: no document of a known kind", case.display())
    }
}

#[test]
fn every_document_becomes_the_plan_beside_it() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut cases: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("document.json").exists())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    let mut differing = Vec::new();
    for case in &cases {
        let plan = serde_json::to_string_pretty(&plan(case)).unwrap() + "\n";
        let path = case.join("plan.json");
        if update {
            fs::write(&path, plan).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != plan {
            differing.push(format!("{}:\n{plan}", case.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

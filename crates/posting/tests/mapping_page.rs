//! The page that says where each field comes from is held against the golden Plans.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

/// The fields of a body below its wrapper, lists as `name[]`.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                fields(member, &path, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, &format!("{path}[]"), found)),
        _ => _ = found.insert(path.to_owned()),
    }
}

/// The part of the page under the heading that names the wrapper.
fn section<'a>(page: &'a str, wrapper: &str) -> Option<&'a str> {
    page.split("\n## ").find(|part| {
        part.lines().next().is_some_and(|heading| heading.split(", ").any(|name| name == wrapper))
    })
}

#[test]
fn every_field_that_is_sent_is_in_the_mapping_table() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mapping.md")).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut checked = 0;
    for case in fs::read_dir(golden).unwrap() {
        let Ok(text) = fs::read_to_string(case.unwrap().path().join("plan.json")) else { continue };
        let plan: Value = serde_json::from_str(&text).unwrap();
        for call in plan["calls"].as_array().unwrap() {
            let Some((wrapper, body)) = call["body"].as_object().and_then(|body| body.iter().next()) else {
                continue;
            };
            let section = section(&page, wrapper)
                .unwrap_or_else(|| panic!("docs/mapping.md has no section for {wrapper}"));
            let mut found = BTreeSet::new();
            fields(body, "", &mut found);
            for field in found.iter().filter(|field| *field != "idempotency_id") {
                assert!(
                    section.contains(&format!("`{field}`")),
                    "docs/mapping.md does not name {field} of {wrapper}"
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "only {checked} fields were checked");
}

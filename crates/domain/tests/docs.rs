//! The pages that people read are held against the code.

use std::{collections::BTreeSet, fs, path::Path};

use domain::{
    code::{Code, Effect},
    preflight::{FindingCode, Severity},
};
use serde_json::Value;

fn docs(page: &str) -> String {
    format!("{}/../../docs/{page}", env!("CARGO_MANIFEST_DIR"))
}

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
    let page = fs::read_to_string(docs("mapping.md")).unwrap();
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

#[test]
fn the_page_of_codes_is_the_catalogue() {
    let mut page = String::from(
        "# Codes\n\nWhy a run was skipped, waits or failed: what happened and what to do. Written by a test from the catalogue in \
         `crates/domain/src/code.rs`;\n`UPDATE_DOCS=1 cargo test -p domain --test docs` writes it anew.\n",
    );
    let title_of = |code: &Code| match code.effect() {
        Effect::Skips => "Skipped",
        Effect::Holds => "Waiting",
        Effect::Fails(_) => "Failed",
    };
    for title in ["Skipped", "Waiting", "Failed"] {
        let heading = format!("\n## {title}\n\n| code | what happened | what to do |\n| --- | --- | --- |\n");
        let lines = Code::ALL.iter().filter(|code| title_of(code) == title);
        let lines = lines.map(|code| format!("| `{code}` | {} | {} |\n", code.sentence(), code.action()));
        page.extend(std::iter::once(heading).chain(lines));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(docs("codes.md"), &page).unwrap();
    }
    assert_eq!(
        fs::read_to_string(docs("codes.md")).unwrap_or_default(),
        page,
        "docs/codes.md is not the catalogue"
    );
}

#[test]
fn the_page_of_findings_is_the_catalogue() {
    let mut page = String::from(
        "# Before the first invoice\n\nWhat a shop's page finds before documents do: what it is and what to do. Written by a test from the catalogue in\n\
         `crates/domain/src/preflight/catalogue.rs`; `UPDATE_DOCS=1 cargo test -p domain --test docs` writes it anew.\n\nWhat needs no network is \
         always shown; the shop and Sage are asked when a person opens the check, and right after connecting. Whether a\nSage user may write shows \
         only when something is written: reading tells the rights to see.\n",
    );
    for (title, severity) in
        [("Stops documents", Severity::Blocks), ("Mind this", Severity::Warns), ("Fine", Severity::Fine)]
    {
        let heading =
            format!("\n## {title}\n\n| code | what was found | what to do |\n| --- | --- | --- |\n");
        let lines = FindingCode::ALL.iter().filter(|code| code.severity() == severity);
        let lines =
            lines.map(|code| format!("| `{}` | {} | {} |\n", code.as_str(), code.sentence(), code.action()));
        page.extend(std::iter::once(heading).chain(lines));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(docs("preflight.md"), &page).unwrap();
    }
    assert_eq!(
        fs::read_to_string(docs("preflight.md")).unwrap_or_default(),
        page,
        "docs/preflight.md is not the catalogue"
    );
}

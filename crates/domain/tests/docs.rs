//! The pages that people read are held against the code.

use std::fs;

use domain::{
    code::{Code, Effect},
    preflight::{FindingCode, Severity},
};

fn docs(page: &str) -> String {
    format!("{}/../../docs/{page}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_page_of_codes_is_the_catalogue() {
    let mut page = String::from(
        "# Codes\n\nWhy a run was skipped, waits or failed: what happened and what to do. Written by a test from the catalogue in \
         `crates/domain/src/code.rs`;\n`UPDATE_DOCS=1 cargo test -p domain --test docs` writes it again.\n",
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
        "# Before the first invoice\n\nWhat a shop's page finds before the first document is posted, and what to do. Written by a test from the catalogue in\n\
         `crates/domain/src/preflight/catalogue.rs`; `UPDATE_DOCS=1 cargo test -p domain --test docs` writes it again.\n\nFindings that need no network are \
         always shown. The shop and Sage are checked on request, and right after connecting. Whether a\nSage user may write shows \
         only when something is written: reading shows only the right to read.\n",
    );
    for (title, severity) in
        [("Blocks syncing", Severity::Blocks), ("Check this", Severity::Warns), ("OK", Severity::Fine)]
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

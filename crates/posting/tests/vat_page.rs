//! The page that says how tax is decided is held against the table of territories and against the golden Plans.
//! `UPDATE_DOCS=1 cargo test -p posting --test vat_page` writes its tables again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must say where")]

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use domain::{
    plan::Plan,
    territory::{AREAS, TaxArea, of_address},
};

fn page_path() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vat.md"))
}

/// Replaces what is between the marks of a table, or says that it is not what it should be.
fn hold(name: &str, table: &str) {
    // The tests of this file write one page.
    static PAGE: Mutex<()> = Mutex::new(());
    let _page = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let page = fs::read_to_string(page_path()).unwrap();
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let (before, rest) = page.split_once(&begin).unwrap();
    let (now, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(page_path(), format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(now, table, "docs/vat.md, {name}");
    }
}

fn word(area: TaxArea) -> &'static str {
    match area {
        TaxArea::Home => "home",
        TaxArea::EuropeanUnion => "EU",
        TaxArea::RestOfWorld => "abroad",
    }
}

/// Every area with how it is known and how each business sees it.
fn areas() -> String {
    let mut table =
        "| area | address | key | from GB | from IE | source |\n| --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for area in AREAS {
        let address = domain::documents::Address {
            country_id: Some(area.country.to_owned()),
            postcode: area.postcodes.first().map(|prefix| format!("{prefix:1<5}")),
            region: area.regions.first().map(|region| (*region).to_owned()),
            ..Default::default()
        };
        let territory = of_address(&address).unwrap().unwrap();
        assert_eq!(territory.name, area.name, "{address:?}");
        let seen = |home| word(territory.seen_from(home, true));
        let known_by =
            if area.postcodes.is_empty() { "by name".to_owned() } else { area.postcodes.join(", ") };
        let key = area.code.map_or_else(|| "none".to_owned(), |code| format!("`{code}`"));
        let (british, irish, source) = (seen("GB"), seen("IE"), area.source);
        writeln!(
            table,
            "| {} | {} {known_by} | {key} | {british} | {irish} | {source} |",
            area.name, area.country
        )
        .unwrap();
    }
    table
}

/// The boxes of every golden Plan that moves some.
fn worked_examples() -> String {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut rows = BTreeMap::new();
    for case in fs::read_dir(golden).unwrap() {
        let case = case.unwrap();
        let Ok(text) = fs::read_to_string(case.path().join("plan.json")) else { continue };
        let plan: Plan = serde_json::from_str(&text).unwrap();
        let boxes = plan.predicted.map(|predicted| predicted.boxes).unwrap_or_default();
        let shown: Vec<String> = boxes.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
        if !shown.is_empty() {
            rows.insert(case.file_name().into_string().unwrap(), shown.join(", "));
        }
    }
    let mut table = "| golden file | boxes |\n| --- | --- |\n".to_owned();
    for (case, shown) in rows {
        writeln!(table, "| `{case}` | {shown} |").unwrap();
    }
    table
}

#[test]
fn every_area_is_on_the_page_with_its_source() {
    hold("areas", &areas());
}

#[test]
fn the_boxes_of_every_golden_plan_are_on_the_page_and_each_box_is_explained() {
    let examples = worked_examples();
    hold("examples", &examples);
    let page = fs::read_to_string(page_path()).unwrap();
    for name in ["1", "6", "T1", "E1", "ES1", "VIES", "101", "GST/HST", "QST", "PST"] {
        assert!(page.contains(&format!("| `{name}` |")), "docs/vat.md does not explain box {name}");
    }
}

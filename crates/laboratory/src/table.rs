//! The table of a long run, as `docs/exactly-once.md` shows it.

use std::{fs, io, path::Path};

use crate::{books::Verdict, play::Report};

const BEGIN: &str = "<!-- matrix: written by `make matrix` -->";
const END: &str = "<!-- matrix: end -->";

/// What a table counts by.
type Column = fn(&Report) -> String;

/// The tables, and how many cells there were.
pub fn tables(reports: &[Report]) -> String {
    let columns: [(&str, Column); 4] = [
        ("what goes wrong", |report| report.cell.row()),
        ("what happens next", |report| report.cell.sequel.name().to_owned()),
        ("documents", |report| report.cell.family.name().to_owned()),
        ("database and clocks", |report| format!("{}, {}", report.cell.database, report.cell.clocks.name())),
    ];
    let mut text = format!("{} cells were played.\n", reports.len());
    for (title, column) in columns {
        text.extend(["\n", &table(reports, title, column), "\n"]);
    }
    text
}

fn table(reports: &[Report], title: &str, column: Column) -> String {
    let heads = Verdict::ALL.map(Verdict::name).join(" | ");
    let mut lines = vec![format!("| {title} | cells | {heads} |"), format!("| --- |{}", " --- |".repeat(6))];
    let mut rows: Vec<String> = Vec::new();
    for report in reports {
        let row = column(report);
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows.sort();
    for row in rows {
        let of_row: Vec<&Report> = reports.iter().filter(|report| column(report) == row).collect();
        let count = |verdict| of_row.iter().filter(|report| report.verdict == verdict).count().to_string();
        let counts = Verdict::ALL.map(count).join(" | ");
        lines.push(format!("| {row} | {} | {counts} |", of_row.len()));
    }
    lines.join("\n")
}

/// Writes the tables between the markers of a file.
///
/// # Errors
/// When the file cannot be read or written, or has no markers.
pub fn write(file: &Path, reports: &[Report]) -> io::Result<()> {
    let text = fs::read_to_string(file)?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts
        .ok_or_else(|| io::Error::other(format!("{} has no lines {BEGIN} and {END}", file.display())))?;
    fs::write(file, format!("{before}{BEGIN}\n\n{}\n{END}{after}", tables(reports)))
}

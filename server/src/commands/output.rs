//! What a command prints: text for people, or one JSON document for programs.

use std::io::{ErrorKind, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use domain::money;
use serde::Serialize;

use crate::lifecycle::Failure;

/// How a command prints.
#[derive(Args, Clone, Copy)]
pub struct Output {
    /// Prints one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

impl Output {
    /// Prints a value, as JSON or in words.
    pub fn print(self, value: &impl Serialize, words: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json { serde_json::to_string_pretty(value)? } else { words() };
        match writeln!(std::io::stdout().lock(), "{}", text.trim_end()) {
            // Whoever reads has seen enough, as `head` does.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => Ok(result?),
        }
    }
}

/// Rows under a head, each column as wide as its widest cell.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let lines = std::iter::once(line(&head.map(str::to_owned))).chain(rows.iter().map(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// An instant to the second.
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A time that has passed, roughly: `3 min`.
pub fn ago(seconds: i64) -> String {
    match seconds {
        ..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// An amount, or a dash.
pub fn amount(minor: Option<i64>) -> String {
    minor.map_or_else(dash, |minor| money::text(money::from_minor(minor)))
}

/// What stands where nothing is known.
pub fn dash() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["1".to_owned(), "Mötörhead".to_owned()], ["22".to_owned(), String::new()]];
        assert_eq!(table(["id", "name"], &rows), "id  name\n1   Mötörhead\n22");
    }

    #[test]
    fn ages_are_told_in_the_unit_that_fits() {
        let told = [5, 300, 7_200, 400_000].map(ago);
        assert_eq!(told, ["5 s", "5 min", "2 h", "4 days"]);
    }
}

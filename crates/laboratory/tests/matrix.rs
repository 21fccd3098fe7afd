//! `make matrix`: what goes wrong x what happens next x where. The quick form is a test like the others.

use std::{env, path::Path, process::ExitCode, time::Instant};

use laboratory::{
    books::Verdict,
    cell::Cell,
    matrix::{Form, cells, databases, play_all},
    play::Report,
    table,
};

fn main() -> ExitCode {
    let form = if env::var("MATRIX").is_ok_and(|form| form == "long") { Form::Long } else { Form::Quick };
    let only = env::var("ONLY").unwrap_or_default();
    let begun = Instant::now();
    let databases = databases();
    let cells = cells(form, &databases, &only);
    if env::args().any(|argument| argument == "--list") {
        cells.iter().map(Cell::name).for_each(|name| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    println!("\nplaying {} cells", cells.len());
    let reports = play_all(&cells, &databases, |report| {
        if report.verdict != Verdict::Ok || !only.is_empty() {
            show(report);
        }
    });
    println!("{}", table::tables(&reports));
    println!("{} s", begun.elapsed().as_secs());
    if let Ok(file) = env::var("MATRIX_WRITES")
        && let Err(error) = table::write(Path::new(&file), &reports)
    {
        eprintln!("the tables were not written: {error}");
        return ExitCode::FAILURE;
    }
    let all_is_well = reports.iter().all(|report| report.verdict == Verdict::Ok);
    if all_is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(report: &Report) {
    println!("{:<8} {} ({} min)", report.verdict.name(), report.cell.name(), report.took.num_minutes());
    for reason in &report.reasons {
        println!("         {reason}");
    }
}

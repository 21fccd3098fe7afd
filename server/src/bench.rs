//! `ledger bench`: measures Ledger on this machine and prints one table.

mod events;
mod plans;
mod rest;
mod runs;

use std::process::ExitCode;

use clap::Args;

use crate::lifecycle::Failure;

/// How the benchmarks are run.
#[derive(Args)]
pub struct BenchArgs {
    /// Seconds for each of the measurements of requests a second.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many invoices go through the worker.
    #[arg(long, default_value_t = 300)]
    invoices: i64,
}

/// Runs the benchmarks and prints a table of what was measured.
pub async fn run(args: BenchArgs) -> Result<ExitCode, Failure> {
    crate::telemetry::start("error", "text");
    let mut table = Vec::new();
    table.extend(events::measure(args.seconds).await?);
    table.extend(runs::measure(args.invoices).await?);
    table.extend(plans::measure()?);
    table.extend(rest::measure().await?);
    println!("| what | measured on {} |\n| --- | --- |", machine());
    for (what, measured) in table {
        println!("| {what} | {measured} |");
    }
    Ok(ExitCode::SUCCESS)
}

/// A line of the table.
type Line = (String, String);

/// The machine's name and processor.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let name = read("/proc/sys/kernel/hostname").trim().to_owned();
    let processors = read("/proc/cpuinfo");
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map(|(_, model)| model);
    let count = processors.lines().filter(|line| line.starts_with("processor")).count();
    format!("{name}, {count} x {}", model.unwrap_or("unknown processor"))
}

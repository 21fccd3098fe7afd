//! `ledger bench`: measures Ledger on this machine and prints one table.

mod backlog;
mod events;
mod history;
mod neighbours;
mod plans;
mod rest;
mod runs;
mod settings;
mod sizes;

use std::{process::ExitCode, time::Duration};

use clap::Args;
use domain::percentile::percentile;

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
    /// How many runs the history has, and a shop's queue.
    #[arg(long, default_value_t = 1_000_000)]
    runs: i64,
    /// The address of a Postgres database to measure the history or, with --backlog, the queue on as well; it is filled and left so.
    #[arg(long, env = "LEDGER_TEST_POSTGRES_URL")]
    postgres: Option<String>,
    /// Measures everything but the history alone.
    #[arg(long)]
    events: bool,
    /// Measures the history alone.
    #[arg(long)]
    history: bool,
    /// Measures alone what a shop feels of a neighbour that sends the worst documents it can: so many seconds without it, as many with it.
    #[arg(long)]
    neighbours: Option<u64>,
    /// Measures a shop with a long queue alone.
    #[arg(long)]
    backlog: bool,
}

/// Runs the benchmarks and prints a table of what was measured.
pub async fn run(args: BenchArgs) -> Result<ExitCode, Failure> {
    crate::telemetry::start("error", "text", "");
    println!("| what | measured on {} |\n| --- | --- |", machine());
    if let Some(seconds) = args.neighbours {
        show(neighbours::measure(seconds).await?);
        return Ok(ExitCode::SUCCESS);
    }
    if args.backlog {
        backlog::measure(args.runs, args.postgres.as_deref()).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.history || args.events {
        show(events::measure(args.seconds).await?);
        show(runs::measure(args.invoices).await?);
        show(plans::measure()?);
        show(settings::measure().await?);
        show(rest::measure().await?);
    }
    if !args.events {
        history::measure(args.runs, args.postgres.as_deref()).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints lines of the table as soon as they are measured: the whole takes minutes.
fn show(lines: impl IntoIterator<Item = Line>) {
    for (what, measured) in lines {
        println!("| {what} | {measured} |");
    }
}

/// A line of the table.
type Line = (String, String);

/// A percentile, in millionths of a second.
fn micros_at(times: &[Duration], percent: usize) -> i64 {
    let micros: Vec<_> =
        times.iter().map(|time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX)).collect();
    percentile(&micros, percent).unwrap_or(i64::MAX)
}

/// Median and 95th of a hundred, in milliseconds.
fn spread(times: &[Duration]) -> String {
    let ms = |percent| {
        let micros = micros_at(times, percent);
        format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100)
    };
    format!("{}, {} at p95", ms(50), ms(95))
}

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

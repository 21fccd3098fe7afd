//! The command line.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use messages::message;

#[cfg(feature = "demo")]
use crate::{bench, demo, simulate};
use crate::{
    commands::{self, Output, runs::RunsCommand},
    config::Config,
    keys,
    lifecycle::{self, Failure, Process},
    plan, telemetry,
    users::{self, UsersCommand},
};

/// Ledger connects Magento 2 shops to Sage Business Cloud Accounting.
#[derive(Parser)]
#[command(name = "ledger", version, about)]
pub struct Cli {
    /// The configuration file to use instead of ledger.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the dashboard and the API for Magento, and processes runs.
    Serve,
    /// Processes runs only. On Postgres, start as many as you need beside `serve`.
    Worker,
    /// Starts a demo in one process: both simulators, a paired and connected shop, and real documents.
    #[cfg(feature = "demo")]
    Demo(demo::DemoArgs),
    /// Runs one simulator.
    #[cfg(feature = "demo")]
    Simulate {
        #[command(subcommand)]
        what: simulate::Simulate,
    },
    /// Prints what Ledger would post for a document, with the rule behind each choice. Changes nothing.
    Plan(plan::PlanArgs),
    /// Updates the database's schema to the newest version.
    Migrate,
    /// Prints every configuration setting with its default.
    Config,
    /// Creates and rotates the encryption keys.
    Keys {
        #[command(subcommand)]
        command: keys::KeysCommand,
    },
    /// Manages the people who sign in.
    Users {
        #[command(subcommand)]
        command: UsersCommand,
    },
    /// Lists every shop with its Sage business and status.
    Bindings(Output),
    /// Lists, shows, retries and deletes runs.
    Runs {
        #[command(subcommand)]
        command: RunsCommand,
    },
    /// Lists who did what, newest first: people, shops, settings, connections.
    Actions(commands::actions::ActionsArgs),
    /// Syncs a document as if Magento had just reported it. An existing run is retried.
    Sync(commands::sync::SyncArgs),
    /// Refreshes Sage's lists: tax rates and accounts.
    Reference {
        #[command(subcommand)]
        command: commands::reference::ReferenceCommand,
    },
    /// Checks everything that Ledger needs, and says what is wrong and what to do. Exits with 1 if there is a problem.
    Doctor(commands::doctor::DoctorArgs),
    /// Measures Ledger on this machine and prints a table.
    #[cfg(feature = "demo")]
    Bench(bench::BenchArgs),
}

/// Carries out a command.
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let read = || Config::read(cli.config.as_deref());
    match cli.command {
        Command::Serve => serve(read()?, true).await,
        Command::Worker => serve(read()?, false).await,
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(args).await,
        #[cfg(feature = "demo")]
        Command::Simulate { what } => simulate::run(what).await,
        Command::Plan(args) => plan::run(&args),
        Command::Migrate => {
            lifecycle::open_store(&read()?.database_url).await?.close().await;
            println!("{}", message!(command_line.migrated));
            Ok(ExitCode::SUCCESS)
        }
        Command::Config => {
            print!("{}", crate::config::DEFAULTS);
            Ok(ExitCode::SUCCESS)
        }
        Command::Keys { command } => keys::run(command, read).await,
        Command::Users { command } => users::run(&read()?, command).await,
        Command::Bindings(output) => commands::bindings::run(&read()?, output).await,
        Command::Runs { command } => commands::runs::run(&read()?, command).await,
        Command::Actions(args) => commands::actions::run(&read()?, &args).await,
        Command::Sync(args) => commands::sync::run(&read()?, &args).await,
        Command::Reference { command } => commands::reference::run(&read()?, command).await,
        Command::Doctor(args) => commands::doctor::run(&read()?, &args).await,
        #[cfg(feature = "demo")]
        Command::Bench(args) => bench::run(args).await,
    }
}

async fn serve(config: Config, pages: bool) -> Result<ExitCode, Failure> {
    telemetry::start(&config.log, &config.log_format, &config.otlp.endpoint);
    // A missing key must be said before anything is opened.
    config.key_ring()?;
    let store = lifecycle::open_store(&config.database_url).await?;
    let engine = lifecycle::engine(&config, store, sync::Timing::default()).await?;
    if pages {
        let process = Process::start(&config, engine).await?;
        lifecycle::asked_to_stop().await?;
        process.stop().await;
    } else {
        let shutdown = tokio_util::sync::CancellationToken::new();
        let (engine, stop) = (std::sync::Arc::new(engine), shutdown.clone());
        lifecycle::answer_operators(&config, &engine, &shutdown, true).await?;
        let name = format!("worker-{}", std::process::id());
        let working = tokio::spawn(sync::Worker::new(engine, name, config.worker.parallel).run(stop));
        lifecycle::asked_to_stop().await?;
        shutdown.cancel();
        working.await?;
    }
    telemetry::stop().await;
    Ok(ExitCode::SUCCESS)
}

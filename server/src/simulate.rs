//! The simulators by themselves.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::Subcommand;
use domain::environment::Environment;
use simulators::{magento, sage};

use crate::{
    environment::Machine,
    lifecycle::{Failure, asked_to_stop},
    telemetry,
};

/// Which simulator.
#[derive(Subcommand)]
pub enum Simulate {
    /// A Sage Business Cloud Accounting.
    Sage {
        /// The port; 0 takes any.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// A Magento shop with the published module.
    Magento {
        /// The port; 0 takes any.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// The folder of canonical documents.
        #[arg(long)]
        documents: PathBuf,
        /// The pairing code; one is made when it is not given.
        #[arg(long)]
        pairing_code: Option<String>,
        /// Seconds between the outbox's passes; the module's cron runs every 60.
        #[arg(long, default_value_t = 60)]
        cron_seconds: u64,
    },
}

/// A Sage to run against. Its ids are the same in every run, so that settings may name them.
pub async fn start_sage(port: u16, environment: Arc<dyn Environment>) -> Result<sage::Running, Failure> {
    let clock: sage::Clock = Arc::new(move || environment.now());
    Ok(sage::start(sage::Options { port, clock, ..sage::Options::default() }).await?)
}

/// A shop to run against.
pub async fn start_magento(
    port: u16,
    documents: magento::Documents,
    pairing_code: Option<String>,
    cron_every: Duration,
    environment: Arc<dyn Environment>,
) -> Result<magento::Running, Failure> {
    let clock: magento::Clock = Arc::new(move || environment.now());
    let options = magento::Options {
        port,
        documents,
        clock,
        // Token ids come from the seed: two runs of the same one would look like replays to Ledger.
        seed: seed(),
        pairing_code,
        cron_every,
        batch: magento::BATCH,
    };
    Ok(magento::start(options).await?)
}

fn seed() -> u64 {
    let mut bytes = [0; 8];
    Machine.random(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// Runs a simulator until it is asked to stop.
pub async fn run(what: Simulate) -> Result<ExitCode, Failure> {
    telemetry::start("info", "text", "");
    match what {
        Simulate::Sage { port } => {
            let running = start_sage(port, Arc::new(Machine)).await?;
            println!("Sage simulator at {}; its books are at {0}/_sim/books", running.url());
            asked_to_stop().await?;
            running.stop().await;
        }
        Simulate::Magento { port, documents, pairing_code, cron_seconds } => {
            let documents = magento::Documents::read(&documents)?;
            let running = start_magento(
                port,
                documents,
                pairing_code,
                Duration::from_secs(cron_seconds),
                Arc::new(Machine),
            )
            .await?;
            println!("Magento simulator at {}; its controls are at {0}/_sim", running.url());
            println!("Pairing code: {}", running.pairing_code());
            asked_to_stop().await?;
            running.stop().await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

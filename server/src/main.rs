//! The binary `ledger`.

use std::process::ExitCode;

use clap::Parser;
use server::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(Cli::parse()).await {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("ledger: {failure}");
            ExitCode::from(2)
        }
    }
}

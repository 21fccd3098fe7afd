//! The binary `ledger`.

use std::process::ExitCode;

use clap::Parser;
use server::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    // On the heap: what a command keeps while it waits is more than a stack frame should hold.
    match Box::pin(cli::run(Cli::parse())).await {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("ledger: {failure}");
            ExitCode::from(2)
        }
    }
}

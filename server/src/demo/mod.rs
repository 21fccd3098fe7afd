//! `ledger demo`: both simulators, a paired and connected shop, real documents, all in one process.

pub mod once;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use domain::{money, settings::SafeMode};
use serde_json::{Value, json};
use simulators::magento::Documents;
use store::Run;

use crate::{
    lifecycle::{Failure, asked_to_stop},
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
    telemetry,
};

/// How the demo is run.
#[derive(Args)]
pub struct DemoArgs {
    /// Works every document, prints a line for each, and ends: with 0 only if every one ended as expected.
    #[arg(long)]
    once: bool,
    /// The port of the pages; 0 takes any.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// A folder of canonical documents in place of the bundled ones.
    #[arg(long)]
    documents: Option<PathBuf>,
    /// The database, in place of SQLite in a temporary folder.
    #[arg(long)]
    database_url: Option<String>,
    /// A Magento simulator that runs already, in place of the bundled one; needs --pairing-code.
    #[arg(long, requires = "pairing_code", conflicts_with = "documents")]
    magento_url: Option<String>,
    /// Its pairing code.
    #[arg(long, requires = "magento_url")]
    pairing_code: Option<String>,
    /// A Sage simulator that runs already, in place of the bundled one.
    #[arg(long)]
    sage_url: Option<String>,
    /// Faults for the Sage simulator, as its `/_sim/faults` takes them: {"fail_after": 3}.
    #[arg(long, value_name = "JSON")]
    sage_faults: Option<String>,
    /// When documents go through drafts: always, first_documents or never.
    #[arg(long, default_value = "first_documents", value_parser = safe_mode)]
    safe_mode: SafeMode,
    /// Writes the addresses, the sign-in and the database to a file, as JSON.
    #[arg(long)]
    info_file: Option<PathBuf>,
}

fn safe_mode(word: &str) -> Result<SafeMode, String> {
    serde_json::from_value(word.into()).map_err(|_| "it takes always, first_documents or never".to_owned())
}

/// Runs the demo.
pub async fn run(args: DemoArgs) -> Result<ExitCode, Failure> {
    telemetry::start(if args.once { "error" } else { "warn,sync=info" }, "text", "");
    let (once, faults, info_file) = (args.once, args.sage_faults.clone(), args.info_file.clone());
    let sandbox = Sandbox::set(options(args)?).await?;
    if let Some(faults) = &faults {
        sandbox.sage.post("/_sim/faults", &serde_json::from_str(faults)?).await?;
    }
    sandbox.send_all_events().await?;
    let info = json!({
        "ledger": sandbox.url(), "magento": sandbox.magento.base(), "sage": sandbox.sage.base(), "mail": sandbox.mail.url(),
        "email": EMAIL, "password": PASSWORD, "database": sandbox.config().database_url,
    });
    if let Some(file) = info_file {
        std::fs::write(file, info.to_string())?;
    }
    let code = if once {
        once::report(&sandbox).await?
    } else {
        announce(&info);
        asked_to_stop().await?;
        ExitCode::SUCCESS
    };
    sandbox.stop().await;
    telemetry::stop().await;
    Ok(code)
}

fn options(args: DemoArgs) -> Result<Options, Failure> {
    Ok(Options {
        documents: args.documents.map(|folder| Documents::read(&folder)).transpose()?,
        // A run that nobody looks at must not fail because a port is taken.
        port: if args.once { 0 } else { args.port },
        worker: true,
        settings: true,
        safe_mode: args.safe_mode,
        database_url: args.database_url,
        magento: args.magento_url.zip(args.pairing_code),
        sage_url: args.sage_url,
        cron_every: Duration::from_secs(1),
        calls_per_second: if args.once { 0 } else { 20 },
        ..Options::default()
    })
}

fn announce(info: &Value) {
    let text = |name: &str| info[name].as_str().unwrap_or_default().to_owned();
    println!("Ledger's demo is up.\n");
    println!("  Look at   {}/dashboard/sync", text("ledger"));
    println!("  Sign in   {} with the password {}", text("email"), text("password"));
    println!(
        "  The shop  {}/_sim/outbox (events), {0}/_sim/sync-state (what its grids show)",
        text("magento")
    );
    println!("  The mail  {}/_sim/mails (what Ledger writes to its members)", text("mail"));
    println!("  The books {}/_sim/books (what the Sage simulator holds)\n", text("sage"));
    println!("The documents are real ones of a running Magento; they arrive as its module sends them.");
    println!("Ctrl-C ends the demo and deletes what it stored.");
}

/// A run in a line: event, Magento's id, outcome, Sage's reference, both totals.
pub fn line(run: &Run) -> String {
    let amount = |minor: Option<i64>| {
        minor.map_or_else(|| "–".to_owned(), |minor| money::text(money::from_minor(minor)))
    };
    let outcome = match run.code {
        Some(code) => format!("{} ({code})", run.status),
        None => run.status.to_string(),
    };
    format!(
        "{:<19} {:>5}  {:<44} {:<10} {:>10} {:>10} {}",
        run.event.as_str(),
        run.magento_id,
        outcome,
        run.facts.sage_reference.as_deref().unwrap_or("–"),
        amount(run.facts.amount_minor),
        amount(run.facts.in_sage().0),
        run.facts.currency.as_deref().unwrap_or("")
    )
}

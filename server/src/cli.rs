//! The command line.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use domain::{
    ids::{MemberId, OrganisationId, RunId},
    outside::Outside,
    run::{EventName, Role, RunStatus},
};
use store::{Member, NewMember, Organisation, PageRequest, RunFilter, Seek};

use crate::{
    bench,
    config::Config,
    demo,
    lifecycle::{self, Failure, Process},
    outside::Machine,
    plan, simulate, telemetry,
};

/// Ledger connects Magento 2 shops to Sage Business Cloud Accounting.
#[derive(Parser)]
#[command(name = "ledger", version, about)]
pub struct Cli {
    /// The configuration file, in place of ledger.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the dashboards and the wire, and works the runs.
    Serve,
    /// Works runs only (Postgres: as many of these as wanted beside `serve`).
    Worker,
    /// Shows Ledger at work: both simulators, a paired and connected shop, real documents, all in one process.
    Demo(demo::DemoArgs),
    /// Runs a simulator by itself.
    Simulate {
        #[command(subcommand)]
        what: simulate::Simulate,
    },
    /// Prints the Plan of a document, with the rule behind each choice, and touches nothing.
    Plan(plan::PlanArgs),
    /// Brings the database's schema to the newest version.
    Migrate,
    /// Prints the configuration's reference: every setting with its default.
    Config,
    /// Makes keys for the credentials at rest.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// People who sign in.
    Users {
        #[command(subcommand)]
        command: UsersCommand,
    },
    /// Bindings of shops to Sage businesses.
    Bindings {
        #[command(subcommand)]
        command: BindingsCommand,
    },
    /// Sync runs.
    Runs {
        #[command(subcommand)]
        command: RunsCommand,
    },
    /// Measures Ledger on this machine and prints a table.
    Bench(bench::BenchArgs),
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Prints a new key for LEDGER_KEYS.
    New,
}

#[derive(Subcommand)]
enum UsersCommand {
    /// Adds a member; the organisation is made when it is the first of its name. The password is read from LEDGER_PASSWORD.
    Add(AddUser),
}

#[derive(Args)]
struct AddUser {
    /// The organisation's name.
    #[arg(long)]
    organisation: String,
    /// The e-mail address to sign in with.
    #[arg(long)]
    email: String,
    /// The member's name.
    #[arg(long)]
    name: String,
    /// viewer, operator, accountant or owner.
    #[arg(long, default_value = "owner")]
    role: Role,
    /// The password, from the environment so that it stays out of the shell's history.
    #[arg(long, env = "LEDGER_PASSWORD", hide_env_values = true)]
    password: String,
}

#[derive(Subcommand)]
enum BindingsCommand {
    /// Lists every binding with its status and its counts.
    List,
}

#[derive(Subcommand)]
enum RunsCommand {
    /// Lists the newest runs of every organisation.
    List {
        /// Only in this status.
        #[arg(long)]
        status: Option<RunStatus>,
        /// Only of this event.
        #[arg(long)]
        event: Option<EventName>,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Shows a run with its attempts and their calls.
    Show {
        /// The run's id.
        run: RunId,
    },
    /// Retries a run.
    Retry {
        /// The run's id.
        run: RunId,
    },
}

/// Carries out a command.
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let read = || Config::read(cli.config.as_deref());
    match cli.command {
        Command::Serve => serve(read()?, true).await,
        Command::Worker => serve(read()?, false).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Simulate { what } => simulate::run(what).await,
        Command::Plan(args) => plan::run(&args),
        Command::Migrate => {
            lifecycle::open_store(&read()?.database_url).await?.close().await;
            println!("The schema is the newest.");
            Ok(ExitCode::SUCCESS)
        }
        Command::Config => {
            print!("{}", crate::config::DEFAULTS);
            Ok(ExitCode::SUCCESS)
        }
        Command::Keys { command: KeysCommand::New } => {
            let mut random = [0; 32];
            Machine.random(&mut random);
            let id = Machine.now().format("k%Y%m%d").to_string();
            println!("{}", vault::KeyRing::generate(random, &id));
            Ok(ExitCode::SUCCESS)
        }
        Command::Users { command: UsersCommand::Add(user) } => add_user(&read()?, user).await,
        Command::Bindings { command: BindingsCommand::List } => list_bindings(&read()?).await,
        Command::Runs { command } => runs(&read()?, command).await,
        Command::Bench(args) => bench::run(args).await,
    }
}

async fn serve(config: Config, pages: bool) -> Result<ExitCode, Failure> {
    telemetry::start(&config.log, &config.log_format);
    // A missing key must be said before anything is opened.
    config.key_ring()?;
    let store = lifecycle::open_store(&config.database_url).await?;
    let engine = lifecycle::engine(&config, store, sync::Timing::default())?;
    if pages {
        let process = Process::start(&config, engine).await?;
        lifecycle::asked_to_stop().await?;
        process.stop().await;
    } else {
        let shutdown = tokio_util::sync::CancellationToken::new();
        let (engine, stop) = (std::sync::Arc::new(engine), shutdown.clone());
        let name = format!("worker-{}", std::process::id());
        let working = tokio::spawn(sync::Worker::new(engine, name, config.worker.parallel).run(stop));
        lifecycle::asked_to_stop().await?;
        shutdown.cancel();
        working.await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn add_user(config: &Config, user: AddUser) -> Result<ExitCode, Failure> {
    let store = lifecycle::open_store(&config.database_url).await?;
    let known = store.list_organisations().await?.into_iter().find(|known| known.name == user.organisation);
    let organisation_id = if let Some(known) = known {
        known.id
    } else {
        let id = OrganisationId(Machine.id());
        let organisation = Organisation { id, name: user.organisation, created_at: Machine.now() };
        store.create_organisation(&organisation).await?;
        id
    };
    let member = Member {
        id: MemberId(Machine.id()),
        organisation_id,
        email: user.email.trim().to_lowercase(),
        name: user.name,
        role: user.role,
        created_at: Machine.now(),
    };
    let password_hash = app::session::hash_password(&user.password, &Machine)?;
    println!("{} may sign in.", member.email);
    store.create_member(&NewMember { member, password_hash }).await?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn list_bindings(config: &Config) -> Result<ExitCode, Failure> {
    let store = lifecycle::open_store(&config.database_url).await?;
    for binding in store.list_all_bindings().await? {
        let counts = store.count_runs(binding.id, Machine.now() - chrono::TimeDelta::hours(24)).await?;
        let business =
            binding.business.map_or_else(|| "no Sage business".to_owned(), |business| business.name);
        println!(
            "{}  {:<12} {}  {}  {business}  {} pending, {} failed in 24 h",
            binding.id, binding.status, binding.name, binding.magento_url, counts.pending, counts.failed
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn runs(config: &Config, command: RunsCommand) -> Result<ExitCode, Failure> {
    let store = lifecycle::open_store(&config.database_url).await?;
    for organisation in store.list_organisations().await? {
        match command {
            RunsCommand::List { status, event, limit } => {
                let filter = RunFilter { binding: None, status, event };
                let request = PageRequest { filter, seek: Seek::Newest, limit };
                for run in store.page_runs(organisation.id, &request).await?.runs {
                    println!("{}", demo::line(&run));
                }
            }
            RunsCommand::Show { run } => {
                if let Some(found) = store.run(organisation.id, run).await? {
                    println!("{}", demo::line(&found));
                    for attempt in store.attempts(organisation.id, run).await? {
                        println!(
                            "  attempt {} {}",
                            attempt.number,
                            attempt.outcome.as_deref().unwrap_or("running")
                        );
                        for step in attempt.steps {
                            let status =
                                step.status.map_or_else(|| "–".to_owned(), |status| status.to_string());
                            println!(
                                "    {} {} {} {status} {} ms  {}",
                                step.target, step.method, step.path, step.duration_ms, step.summary
                            );
                        }
                    }
                    return Ok(ExitCode::SUCCESS);
                }
            }
            RunsCommand::Retry { run } => {
                if store.run(organisation.id, run).await?.is_some() {
                    store.retry_run(organisation.id, run, Machine.now()).await?;
                    println!("{run} is queued again.");
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
    }
    match command {
        RunsCommand::List { .. } => Ok(ExitCode::SUCCESS),
        RunsCommand::Show { run } | RunsCommand::Retry { run } => {
            Err(format!("there is no run {run}").into())
        }
    }
}

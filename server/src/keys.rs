//! `ledger keys`: makes a key, and brings everything that is sealed under the first one.

use std::process::ExitCode;

use clap::Subcommand;
use domain::{environment::Environment, run::ActionKind};
use messages::message;
use sync::Rotation;
use vault::KeyRing;

use crate::{
    commands,
    config::{Config, ConfigError},
    environment::Machine,
    lifecycle::{self, Failure},
};

/// What is to be done with the keys.
#[derive(Subcommand)]
pub enum KeysCommand {
    /// Prints a new key for LEDGER_KEYS.
    New,
    /// Seals every credential again with the first key of LEDGER_KEYS, without downtime. Safe to repeat.
    Rotate,
}

/// Carries it out; a failure where something keeps needing an old key.
pub async fn run(
    command: KeysCommand,
    read: impl FnOnce() -> Result<Config, ConfigError>,
) -> Result<ExitCode, Failure> {
    match command {
        KeysCommand::New => {
            let mut random = [0; 32];
            Machine.random(&mut random);
            let id = Machine.now().format("k%Y%m%d").to_string();
            println!("{}", KeyRing::generate(random, &id));
            Ok(ExitCode::SUCCESS)
        }
        KeysCommand::Rotate => {
            let config = read()?;
            let keys = config.key_ring()?;
            let store = lifecycle::open_store(&config.database_url).await?;
            for organisation in store.list_organisations().await? {
                let action = commands::action(organisation.id, ActionKind::KeysRotated);
                store
                    .record_action(
                        &action.saying(message!(action_details.to_key, key = keys.sealing_key_id())),
                    )
                    .await?;
            }
            let rotation = sync::rotate_keys(store.as_ref(), &keys, &Machine).await?;
            store.close().await;
            for line in report(&rotation, keys.sealing_key_id()) {
                println!("{line}");
            }
            Ok(if rotation.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// What a person reads: how many, what could not be opened, and whether the old keys may go.
fn report(rotation: &Rotation, key: &str) -> Vec<String> {
    let Rotation { resealed, already, unopened, left } = rotation;
    let mut lines = vec![message!(
        command_line.resealed,
        resealed = resealed,
        key = key,
        already = already,
        failed = unopened.len()
    )];
    lines
        .extend(unopened.iter().map(|(what, why)| message!(command_line.not_opened, what = what, why = why)));
    if *left > 0 {
        lines.push(message!(command_line.sealed_meanwhile, count = left, key = key));
    }
    let advice = if rotation.is_complete() {
        message!(command_line.remove_old_keys)
    } else {
        message!(command_line.keep_old_keys)
    };
    lines.push(advice.to_owned());
    lines
}

//! The keys of the credentials at rest, by the command line, while a process works.

use std::process::{Command, Output};

use domain::environment::Environment;
use secrecy::ExposeSecret;
use server::{
    config::Config,
    environment::Machine,
    lifecycle,
    sandbox::{Options, Sandbox, timing},
};
use store::CredentialKind;

use crate::postgres;

fn ledger(arguments: &[&str], config: &Config, keys: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ledger"))
        .args(arguments)
        .env("LEDGER_DATABASE_URL", &config.database_url)
        .env("LEDGER_KEYS", keys)
        .env("LEDGER_LOG", "error")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn new_key(id: &str) -> String {
    let mut random = [0; 32];
    Machine.random(&mut random);
    vault::KeyRing::generate(random, id)
}

async fn rotated(options: Options) {
    let sandbox = Sandbox::set(Options { worker: false, ..options }).await.unwrap();
    let old = sandbox.config().keys.expose_secret().to_owned();
    let (new, other) = (new_key("new"), new_key("other"));

    let lost = ledger(&["keys", "rotate"], sandbox.config(), &other);
    assert_eq!(lost.status.code(), Some(1));
    let text = said(&lost);
    for name in ["magento_api_key", "sage_tokens", &sandbox.binding.id.to_string(), "Keep the old keys"] {
        assert!(text.contains(name), "{text}");
    }
    assert!(!text.contains("v1.") && !text.contains(other.split(':').nth(1).unwrap()), "{text}");

    let both = format!("{new},{old}");
    let rotation = ledger(&["keys", "rotate"], sandbox.config(), &both);
    let text = said(&rotation);
    assert!(rotation.status.success(), "{text}");
    assert!(
        text.contains(
            "2 secrets sealed again with the key \"new\", 0 already used it, 0 could not be opened."
        ),
        "{text}"
    );
    assert!(text.contains("You can remove the old keys"), "{text}");

    // Without the old key everything opens, and Sage is reached.
    let again = ledger(&["keys", "rotate"], sandbox.config(), &new);
    assert!(again.status.success() && said(&again).contains("0 secrets sealed again"), "{}", said(&again));
    let config = Config { keys: new.into(), ..sandbox.config().clone() };
    let store = lifecycle::open_store(&config.database_url).await.unwrap();
    let engine = lifecycle::engine(&config, store, timing()).await.unwrap();
    let binding = engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    engine.refresh_reference(&binding, None).await.unwrap();
    assert!(engine.open_credential(binding.id, CredentialKind::MagentoApiKey).await.unwrap().is_some());
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_the_old_key_is_not_needed_any_more() {
    rotated(Options::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_on_postgres_the_old_key_is_not_needed_any_more() {
    let Some(database_url) = postgres::database().await else { return };
    rotated(Options { database_url: Some(database_url), ..Options::default() }).await;
}

#[test]
fn without_a_key_no_process_starts_and_it_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let database_url = format!("sqlite://{}", folder.path().join("ledger.db").display());
    let config = Config { database_url, ..Config::defaults().unwrap() };
    for command in [&["serve"][..], &["worker"], &["keys", "rotate"]] {
        let output = ledger(command, &config, "");
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {text}");
        assert!(
            text.contains("`ledger keys new` prints one") && text.contains("LEDGER_KEYS"),
            "{command:?}: {text}"
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was opened");
    let printed = ledger(&["keys", "new"], &config, "");
    assert!(vault::KeyRing::parse(String::from_utf8(printed.stdout).unwrap().trim()).is_ok());
}

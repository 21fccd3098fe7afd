//! The machine: configuration, public address, database and disk.

use std::{fs, path::Path, sync::Arc, time::Duration};

use messages::message;
use secrecy::ExposeSecret;
use store::Store;
use url::Url;

use super::{Finding, servers};
use crate::{
    config::{Config, Doubt},
    lifecycle,
    site::Site,
};

const MIB: u64 = 1024 * 1024;
/// With less room than this SQLite's next writes are in danger.
const TOO_LITTLE: u64 = 256 * MIB;
/// With less than this somebody should look soon.
const LITTLE: u64 = 2_048 * MIB;
/// A log of changes that has grown so far is not being folded into the database.
const LARGE_LOG: u64 = 512 * MIB;

/// What can be seen without opening anything.
pub fn configuration(config: &Config) -> Vec<Finding> {
    let mut findings = vec![match config.key_ring() {
        Ok(keys) => {
            Finding::ok("keys", format!("credentials are sealed with the key {:?}", keys.sealing_key_id()))
        }
        Err(error) => Finding::problem("keys", error.to_string(), "Nothing starts without a key.", ""),
    }];
    let has_app = !config.sage.client_id.is_empty()
        && config.sage_secret().is_ok_and(|secret| !secret.expose_secret().is_empty());
    findings.push(if has_app {
        Finding::ok("sage_app", "the app's id and secret are set")
    } else {
        Finding::problem(
            "sage_app",
            "the app's id or secret is missing",
            "No business can be connected, and no token refreshed.",
            "Register an app with Sage and set LEDGER_SAGE__CLIENT_ID and LEDGER_SAGE__CLIENT_SECRET.",
        )
    });
    if let Err(error) = config.metrics_token() {
        let to_do = "Correct LEDGER_METRICS__TOKEN_FILE.";
        findings.push(Finding::problem(
            "metrics",
            error.to_string(),
            "`ledger serve` does not start.",
            to_do,
        ));
    }
    findings.push(site(config));
    findings.extend(config.doubts().into_iter().map(doubted));
    findings
}

/// Whether the pages have their script and style.
fn site(config: &Config) -> Finding {
    const CHECK: &str = "site";
    let trouble = match Site::of(config) {
        Ok(site) => site.trouble().map(|trouble| trouble.to_string()),
        Err(error) => Some(error.to_string()),
    };
    match trouble {
        Some(says) => Finding::problem(CHECK, says, message!(site.means), message!(site.to_do)),
        None => Finding::ok(CHECK, message!(site.complete)),
    }
}

/// What is most likely wrong with the configuration.
fn doubted(doubt: Doubt) -> Finding {
    let says = doubt.to_string();
    let (check, means) = match doubt {
        Doubt::NoProxyTrusted => {
            ("trusted_proxies", "Tries to sign in are not told apart by where they come from.")
        }
        Doubt::ProxiesOfAPublicSocket => ("trusted_proxies", "Limits by address can be evaded."),
        Doubt::KeysReadByOthers => {
            ("keys_file", "Whoever reads it and the database can open every credential.")
        }
    };
    Finding::problem(check, says, means, "")
}

/// Whether browsers and shops would reach this Ledger by its public address; from here, which is not from there.
pub async fn public_address(config: &Config) -> Finding {
    const CHECK: &str = "public_url";
    let url = &config.public_url;
    let to_do = "Correct LEDGER_PUBLIC_URL, or what stands between it and Ledger, and see that `ledger serve` is running.";
    let means = "Shops cannot deliver their events there, nor can browsers come back from Sage's consent.";
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build();
    let asked = match client {
        Ok(client) => client.get(format!("{url}/healthz")).send().await,
        Err(error) => Err(error),
    };
    let answered = match asked {
        Ok(answer) => {
            answer.status().is_success() && answer.text().await.is_ok_and(|text| text.trim() == "ok")
        }
        Err(_) => return Finding::problem(CHECK, format!("{url} is not reached from here"), means, to_do),
    };
    if !answered {
        return Finding::problem(CHECK, format!("something else than Ledger answers at {url}"), means, to_do);
    }
    if is_plain(url) {
        let says = format!("{url} is not https");
        let means = "Cookies and tokens travel in the clear, and Sage takes no such address.";
        return Finding::note(CHECK, says, means, "Put Ledger behind a proxy that speaks https.");
    }
    Finding::ok(CHECK, format!("{url} answers"))
}

/// Whether an address that is not of this machine goes without encryption.
fn is_plain(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return true };
    let is_local = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() != "https" && !is_local
}

/// The database, and the store where it can be worked with.
pub async fn database(config: &Config) -> (Vec<Finding>, Option<Arc<dyn Store>>) {
    const CHECK: &str = "database";
    let file = config.database_url.strip_prefix("sqlite://").map(Path::new);
    if let Some(file) = file
        && !file.exists()
    {
        let says = format!("there is no file {}", file.display());
        let to_do = "`ledger serve` and `ledger migrate` make it; or correct LEDGER_DATABASE_URL.";
        return (vec![Finding::problem(CHECK, says, "Nothing is kept yet.", to_do)], None);
    }
    let mut findings: Vec<Finding> = file.into_iter().map(disk).collect();
    let store = match lifecycle::connect(&config.database_url).await {
        Ok(store) => store,
        Err(error) => {
            let to_do = "Start the database, or correct LEDGER_DATABASE_URL.";
            findings.push(Finding::problem(CHECK, error.to_string(), "Nothing works without it.", to_do));
            return (findings, None);
        }
    };
    let (finding, is_usable) = schema(store.as_ref()).await;
    findings.push(finding);
    if is_usable {
        findings.extend(servers::clock(store.as_ref()).await);
        findings.extend(servers::durability(store.as_ref()).await);
        findings.extend(rows(store.as_ref()).await);
        return (findings, Some(store));
    }
    store.close().await;
    (findings, None)
}

/// Whether the schema is the newest, and rows can be written.
async fn schema(store: &dyn Store) -> (Finding, bool) {
    const CHECK: &str = "database";
    match store.missing_migrations().await {
        Ok(0) => {}
        Ok(missing) => {
            let says = format!("{missing} steps of the schema are missing");
            let means = "The database was made by an older Ledger.";
            let to_do = "`ledger migrate` makes them, as does the next start of `ledger serve`.";
            return (Finding::problem(CHECK, says, means, to_do), false);
        }
        Err(error) => {
            let means = "It is no database of Ledger's yet, or it cannot be read.";
            return (Finding::problem(CHECK, error.to_string(), means, "`ledger migrate` makes one."), false);
        }
    }
    match store.ready().await {
        Ok(()) => (Finding::ok(CHECK, "it is reached and written, and its schema is the newest"), true),
        Err(error) => {
            let means = "Events are refused until it can be; the shops send them again.";
            let to_do = "Look at its disk, its rights, and who holds it.";
            (Finding::problem(CHECK, error.to_string(), means, to_do), true)
        }
    }
}

/// The rows that cannot be read.
async fn rows(store: &dyn Store) -> Vec<Finding> {
    const CHECK: &str = "rows";
    let means = "What can be read of it is shown, and nothing else is affected.";
    let to_do = "Stop Ledger, make a backup, and correct the column with the database's own tool (docs/operating.md).";
    let found = match store.unreadable().await {
        Ok(found) => found,
        Err(error) => {
            return vec![Finding::problem(CHECK, error.to_string(), "The rows were not looked at.", "")];
        }
    };
    if found.is_empty() {
        return vec![Finding::ok(CHECK, "all of them can be read")];
    }
    let named = found.into_iter().map(|store::Unreadable { table, column, row, value, rows }| {
        let others = if rows > 1 { format!(" and {} others", rows - 1) } else { String::new() };
        let value = domain::bounds::shown(&value);
        Finding::problem(CHECK, format!("{table}.{column} of {row}{others} holds {value:?}"), means, to_do)
    });
    named.collect()
}

/// The room that is left for a SQLite file and its log of changes.
fn disk(file: &Path) -> Finding {
    const CHECK: &str = "disk";
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    let log =
        size(&file.with_file_name(format!("{}-wal", file.file_name().unwrap_or_default().to_string_lossy())));
    let Ok(room) = rustix::fs::statvfs(folder) else {
        return Finding::note(CHECK, "the room that is left cannot be read", "", "");
    };
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let says = format!(
        "{} MiB are free; the database has {} MiB, its log of changes {} MiB",
        free / MIB,
        size(file) / MIB,
        log / MIB
    );
    let means = "When the disk is full, events are refused.";
    let to_do = "Make room, or let `ledger runs cleanup` delete old runs.";
    if free < TOO_LITTLE {
        Finding::problem(CHECK, says, means, to_do)
    } else if free < LITTLE {
        Finding::note(CHECK, says, means, to_do)
    } else if log > LARGE_LOG {
        let means = "The log is folded into the database only while nobody reads for long.";
        Finding::note(CHECK, says, means, "End what keeps the file open, such as a back-up or a shell.")
    } else {
        Finding::ok(CHECK, says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_elsewhere_should_be_https() {
        for plain in ["http://ledger.example", "http://192.0.2.1:3000", "nonsense"] {
            assert!(is_plain(plain), "{plain}");
        }
        for fine in
            ["https://ledger.example", "http://127.0.0.1:3000", "http://localhost:3000", "http://[::1]"]
        {
            assert!(!is_plain(fine), "{fine}");
        }
    }
}

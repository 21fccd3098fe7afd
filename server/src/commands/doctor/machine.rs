//! The machine: configuration, public address, database and disk.

use std::{fs, path::Path, sync::Arc, time::Duration};

use messages::message;
use secrecy::ExposeSecret;
use store::Store;
use url::Url;

use super::{Finding, servers};
use crate::{
    config::{Config, ConfigWarning},
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
        Ok(keys) => Finding::ok("keys", message!(doctor.machine.keys, key = keys.sealing_key_id())),
        Err(error) => {
            Finding::problem("keys", error.to_string(), message!(doctor.machine.keys_missing_means), "")
        }
    }];
    let has_app = !config.sage.client_id.is_empty()
        && config.sage_secret().is_ok_and(|secret| !secret.expose_secret().is_empty());
    findings.push(if has_app {
        Finding::ok("sage_app", message!(doctor.machine.app_set))
    } else {
        Finding::problem(
            "sage_app",
            message!(doctor.machine.app_missing),
            message!(doctor.machine.app_missing_means),
            message!(doctor.machine.app_missing_action),
        )
    });
    if let Err(error) = config.metrics_token() {
        let to_do = message!(doctor.machine.metrics_action);
        findings.push(Finding::problem(
            "metrics",
            error.to_string(),
            message!(doctor.machine.metrics_means),
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
fn doubted(doubt: ConfigWarning) -> Finding {
    let says = doubt.to_string();
    let (check, means) = match doubt {
        ConfigWarning::NoProxyTrusted => ("trusted_proxies", message!(doctor.machine.no_proxy_means)),
        ConfigWarning::ProxiesOfAPublicSocket => {
            ("trusted_proxies", message!(doctor.machine.public_proxy_means))
        }
        ConfigWarning::KeysReadByOthers => ("keys_file", message!(doctor.machine.keys_file_means)),
    };
    Finding::problem(check, says, means, "")
}

/// Whether browsers and shops would reach this Ledger by its public address; from here, which is not from there.
pub async fn public_address(config: &Config) -> Finding {
    const CHECK: &str = "public_url";
    let url = &config.public_url;
    let to_do = message!(doctor.machine.url_action);
    let means = message!(doctor.machine.url_means);
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build();
    let asked = match client {
        Ok(client) => client.get(format!("{url}/healthz")).send().await,
        Err(error) => Err(error),
    };
    let answered = match asked {
        Ok(answer) => {
            answer.status().is_success() && answer.text().await.is_ok_and(|text| text.trim() == "ok")
        }
        Err(_) => {
            return Finding::problem(
                CHECK,
                message!(doctor.machine.url_unreachable, url = url),
                means,
                to_do,
            );
        }
    };
    if !answered {
        return Finding::problem(CHECK, message!(doctor.machine.url_other, url = url), means, to_do);
    }
    if is_plain(url) {
        let says = message!(doctor.machine.url_plain, url = url);
        let means = message!(doctor.machine.url_plain_means);
        return Finding::note(CHECK, says, means, message!(doctor.machine.url_plain_action));
    }
    Finding::ok(CHECK, message!(doctor.machine.url_answers, url = url))
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
        let says = message!(doctor.database.no_file, file = file.display());
        let to_do = message!(doctor.database.no_file_action);
        return (vec![Finding::problem(CHECK, says, message!(doctor.database.no_file_means), to_do)], None);
    }
    let mut findings: Vec<Finding> = file.into_iter().map(disk).collect();
    let store = match lifecycle::connect(&config.database_url).await {
        Ok(store) => store,
        Err(error) => {
            let to_do = message!(doctor.database.down_action);
            findings.push(Finding::problem(
                CHECK,
                error.to_string(),
                message!(doctor.database.down_means),
                to_do,
            ));
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
            let says = message!(doctor.database.old_schema, missing = missing);
            let means = message!(doctor.database.old_schema_means);
            let to_do = message!(doctor.database.old_schema_action);
            return (Finding::problem(CHECK, says, means, to_do), false);
        }
        Err(error) => {
            let means = message!(doctor.database.unreadable_means);
            return (
                Finding::problem(
                    CHECK,
                    error.to_string(),
                    means,
                    message!(doctor.database.unreadable_action),
                ),
                false,
            );
        }
    }
    match store.ready().await {
        Ok(()) => (Finding::ok(CHECK, message!(doctor.database.well)), true),
        Err(error) => {
            let means = message!(doctor.database.not_writable_means);
            let to_do = message!(doctor.database.not_writable_action);
            (Finding::problem(CHECK, error.to_string(), means, to_do), true)
        }
    }
}

/// The rows that cannot be read.
async fn rows(store: &dyn Store) -> Vec<Finding> {
    const CHECK: &str = "rows";
    let means = message!(doctor.database.rows_means);
    let to_do = message!(doctor.database.rows_action);
    let found = match store.unreadable().await {
        Ok(found) => found,
        Err(error) => {
            return vec![Finding::problem(
                CHECK,
                error.to_string(),
                message!(doctor.database.rows_not_checked),
                "",
            )];
        }
    };
    if found.is_empty() {
        return vec![Finding::ok(CHECK, message!(doctor.database.rows_well))];
    }
    let named = found.into_iter().map(|store::Unreadable { table, column, row, value, rows }| {
        let place = format!("{table}.{column}");
        let value = domain::bounds::shown(&value);
        let says = if rows > 1 {
            message!(
                doctor.database.rows_unreadable,
                place = place,
                row = row,
                others = rows - 1,
                value = value
            )
        } else {
            message!(doctor.database.row_unreadable, place = place, row = row, value = value)
        };
        Finding::problem(CHECK, says, means, to_do)
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
        return Finding::note(CHECK, message!(doctor.disk.unreadable), "", "");
    };
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let says = message!(doctor.disk.space, free = free / MIB, database = size(file) / MIB, log = log / MIB);
    let means = message!(doctor.disk.full_means);
    let to_do = message!(doctor.disk.full_action);
    if free < TOO_LITTLE {
        Finding::problem(CHECK, says, means, to_do)
    } else if free < LITTLE {
        Finding::note(CHECK, says, means, to_do)
    } else if log > LARGE_LOG {
        let means = message!(doctor.disk.log_means);
        Finding::note(CHECK, says, means, message!(doctor.disk.log_action))
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

//! Configuration: built-in defaults, a file, the environment, in this order.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use domain::{health::Thresholds, quota::Quotas};
use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use messages::message;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The commented defaults; also the reference that `ledger config` prints.
pub const DEFAULTS: &str = include_str!("default.toml");

/// The settings of a process.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    /// `LEDGER_LISTEN`: address and port.
    pub listen: String,
    /// `LEDGER_PUBLIC_URL`: where browsers and Magento reach the process.
    pub public_url: String,
    /// `LEDGER_TRUSTED_PROXIES`: how many proxies in front say truly where requests come from.
    pub trusted_proxies: usize,
    /// `LEDGER_CONNECTIONS`: how many may be open at once.
    pub connections: usize,
    /// `LEDGER_DATABASE_URL`.
    pub database_url: String,
    /// `LEDGER_SITE_ROOT`: the folder with scripts and styles.
    pub site_root: PathBuf,
    /// `LEDGER_LOG`: tracing filters.
    pub log: String,
    /// `LEDGER_LOG_FORMAT`: `text` or `json`.
    pub log_format: String,
    /// `LEDGER_KEYS`.
    pub keys: SecretString,
    /// `LEDGER_KEYS_FILE`.
    pub keys_file: PathBuf,
    /// `LEDGER_WORKER__…`.
    pub worker: WorkerConfig,
    /// `LEDGER_MAGENTO__…`.
    pub magento: Magento,
    /// `LEDGER_SMTP__…`.
    pub smtp: Smtp,
    /// `LEDGER_ALERTS__…`.
    pub alerts: AlertsConfig,
    /// `LEDGER_SAGE__…`.
    pub sage: SageConfig,
    /// `LEDGER_QUOTAS__…`.
    pub quotas: Quotas,
    /// `LEDGER_METRICS__…`.
    pub metrics: MetricsConfig,
    /// `LEDGER_OTLP__…`.
    pub otlp: Otlp,
}

/// Who may read figures, and which.
#[derive(Clone, Debug, Deserialize)]
pub struct MetricsConfig {
    /// An address for operators alone; empty = none.
    pub listen: String,
    /// The bearer token.
    pub token: SecretString,
    /// A file that holds it.
    pub token_file: PathBuf,
    /// Whether figures are told of each binding as well.
    pub by_binding: bool,
}

/// Where traces go.
#[derive(Clone, Debug, Deserialize)]
pub struct Otlp {
    /// The base URL of a collector; empty = nowhere, unless OpenTelemetry's own variables name one.
    pub endpoint: String,
}

/// The worker's settings.
#[derive(Clone, Debug, Deserialize)]
pub struct WorkerConfig {
    /// Whether this process works runs.
    pub enabled: bool,
    /// How many at once.
    pub parallel: usize,
    /// Seconds that a run is held without a sign of life.
    pub lease_seconds: u32,
}

/// Settings of Magento's side.
#[derive(Clone, Debug, Deserialize)]
pub struct Magento {
    /// Whether shops at private addresses are allowed.
    pub allow_private_addresses: bool,
}

/// Settings of e-mail.
#[derive(Clone, Debug, Deserialize)]
pub struct Smtp {
    /// The mail server, with the password.
    pub url: SecretString,
    /// A file that holds it.
    pub url_file: PathBuf,
    /// Who writes.
    pub from: String,
}

/// Settings of alerts.
#[derive(Clone, Debug, Deserialize)]
pub struct AlertsConfig {
    /// When documents that fail one after another are told of, and pause the shop.
    #[serde(flatten)]
    pub thresholds: Thresholds,
    /// Whether webhooks at private addresses are allowed.
    pub allow_private_addresses: bool,
}

/// Settings of Sage's side.
#[derive(Clone, Debug, Deserialize)]
pub struct SageConfig {
    /// The app's id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: SecretString,
    /// A file that holds the secret.
    pub client_secret_file: PathBuf,
    /// Another base than Sage's own hosts.
    pub base_url: String,
    /// Calls a second to one business.
    pub calls_per_second: u32,
    /// Seconds that calls rest after Sage has failed several times in a row.
    pub circuit_rests_seconds: u32,
}

/// Something in a configuration that is most likely wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigWarning {
    /// https always comes through a proxy, since Ledger speaks no TLS.
    #[error("{}", message!(startup.no_proxy_trusted))]
    NoProxyTrusted,
    /// Whoever reaches the socket past the proxies writes the header as they like.
    #[error("{}", message!(startup.public_socket))]
    ProxiesOfAPublicSocket,
    /// The keys open everything that is sealed.
    #[error("{}", message!(startup.keys_readable))]
    KeysReadByOthers,
}

/// Whether a file lets others read it.
fn is_open(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    if file.as_os_str().is_empty() {
        return false;
    }
    std::fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value is wrong; the message says which and where it came from.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(#[from] Box<figment::Error>),
    /// A secret's file cannot be read.
    #[error("{path} cannot be read: {source}")]
    SecretFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no key.
    #[error("{}", message!(startup.no_key))]
    NoKey,
    /// The key cannot be used.
    #[error("LEDGER_KEYS cannot be used: {0}")]
    BadKey(#[from] vault::Error),
}

impl Config {
    /// Reads the configuration; `file` must exist when it is named.
    pub fn read(file: Option<&Path>) -> Result<Self, ConfigError> {
        let named = file.map_or_else(|| Toml::file("ledger.toml"), Toml::file_exact);
        Figment::new()
            .merge(Toml::string(DEFAULTS))
            .merge(named)
            .merge(Env::prefixed("LEDGER_").split("__"))
            .extract()
            .map_err(|error| Box::new(error).into())
    }

    /// The built-in defaults alone.
    pub fn defaults() -> Result<Self, ConfigError> {
        Figment::new().merge(Toml::string(DEFAULTS)).extract().map_err(|error| Box::new(error).into())
    }

    /// The keys of the credentials; none is an error that says how to make one.
    pub fn key_ring(&self) -> Result<vault::KeyRing, ConfigError> {
        let text = secret(&self.keys, &self.keys_file)?;
        if text.expose_secret().trim().is_empty() {
            return Err(ConfigError::NoKey);
        }
        Ok(vault::KeyRing::parse(text.expose_secret().trim())?)
    }

    /// What is most likely wrong although it can be used: for the log at the start, and for the doctor.
    pub fn doubts(&self) -> Vec<ConfigWarning> {
        let is_https = self.public_url.starts_with("https://");
        let is_public = self.listen.parse().is_ok_and(|listen: SocketAddr| !listen.ip().is_loopback());
        [
            (is_https && self.trusted_proxies == 0).then_some(ConfigWarning::NoProxyTrusted),
            (!is_https && is_public && self.trusted_proxies > 0)
                .then_some(ConfigWarning::ProxiesOfAPublicSocket),
            is_open(&self.keys_file).then_some(ConfigWarning::KeysReadByOthers),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The token for `/metrics`.
    pub fn metrics_token(&self) -> Result<SecretString, ConfigError> {
        secret(&self.metrics.token, &self.metrics.token_file)
    }

    /// The mail server; none where it is not set up.
    pub fn smtp_url(&self) -> Result<Option<SecretString>, ConfigError> {
        let url = secret(&self.smtp.url, &self.smtp.url_file)?;
        Ok((!url.expose_secret().is_empty()).then_some(url))
    }

    /// The app's secret at Sage.
    pub fn sage_secret(&self) -> Result<SecretString, ConfigError> {
        secret(&self.sage.client_secret, &self.sage.client_secret_file)
    }
}

/// A secret, or what its file holds.
fn secret(value: &SecretString, file: &Path) -> Result<SecretString, ConfigError> {
    if file.as_os_str().is_empty() {
        return Ok(value.clone());
    }
    let text = std::fs::read_to_string(file)
        .map_err(|source| ConfigError::SecretFile { path: file.to_owned(), source })?;
    Ok(SecretString::from(text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_a_whole_configuration() {
        let config = Config::defaults().unwrap();
        assert_eq!(config.listen, "127.0.0.1:3000");
        assert!(matches!(config.key_ring(), Err(ConfigError::NoKey)));
    }

    #[test]
    fn what_is_most_likely_wrong_is_doubted() {
        use std::os::unix::fs::PermissionsExt;

        let defaults = Config::defaults().unwrap();
        assert_eq!(defaults.doubts(), []);
        let https = Config { public_url: "https://ledger.example".to_owned(), ..defaults.clone() };
        assert_eq!(https.doubts(), [ConfigWarning::NoProxyTrusted]);
        assert_eq!(Config { trusted_proxies: 1, ..https }.doubts(), []);
        let open = Config { trusted_proxies: 1, listen: "0.0.0.0:3000".to_owned(), ..defaults.clone() };
        assert_eq!(open.doubts(), [ConfigWarning::ProxiesOfAPublicSocket]);
        let folder = tempfile::tempdir().unwrap();
        let keys_file = folder.path().join("keys");
        std::fs::write(&keys_file, "k1:00").unwrap();
        let with_mode = |mode| {
            std::fs::set_permissions(&keys_file, std::fs::Permissions::from_mode(mode)).unwrap();
            Config { keys_file: keys_file.clone(), ..defaults.clone() }.doubts()
        };
        assert_eq!((with_mode(0o640), with_mode(0o600)), (vec![ConfigWarning::KeysReadByOthers], vec![]));
    }

    #[test]
    fn a_wrong_value_is_named() {
        let figment =
            Figment::new().merge(Toml::string(DEFAULTS)).merge(Toml::string("[worker]\nparallel = \"many\""));
        let message = figment.extract::<Config>().unwrap_err().to_string();
        assert!(message.contains("parallel"), "{message}");
    }
}

//! Where Sage is, and who we are to it.

use secrecy::SecretString;
use url::Url;

/// The four addresses of Sage (Sage's guide on authentication; base path of the swagger).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Where the merchant consents.
    pub authorize: Url,
    /// Where codes and refresh tokens become tokens.
    pub token: Url,
    /// Where refresh tokens end.
    pub revoke: Url,
    /// The API's base, without a slash at the end.
    pub api: Url,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            authorize: fixed("https://www.sageone.com/oauth2/auth/central"),
            token: fixed("https://oauth.accounting.sage.com/token"),
            revoke: fixed("https://oauth.accounting.sage.com/revoke"),
            api: fixed("https://api.accounting.sage.com/v3.1"),
        }
    }
}

impl Endpoints {
    /// All four on one base, as the simulator has them.
    pub fn at(base: &Url) -> Self {
        let below = |path: &str| {
            let mut url = base.clone();
            url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
            url.set_query(None);
            url.set_fragment(None);
            url
        };
        Self {
            authorize: below("/oauth2/auth/central"),
            token: below("/token"),
            revoke: below("/revoke"),
            api: below("/v3.1"),
        }
    }

    /// Whether the API is on this machine (a simulator).
    pub(crate) fn are_local(&self) -> bool {
        match self.api.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }
}

#[expect(clippy::expect_used, reason = "the constants above; a test parses them")]
fn fixed(text: &'static str) -> Url {
    Url::parse(text).expect("a constant URL")
}

/// The app as it is registered with Sage.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// Where Sage sends the merchant back to; must equal the registered one exactly.
    pub redirect_uri: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_hosts_are_the_default() {
        assert_eq!(Endpoints::default().api.as_str(), "https://api.accounting.sage.com/v3.1");
        assert!(!Endpoints::default().are_local());
    }

    #[test]
    fn a_simulator_has_everything_on_one_base() {
        let endpoints = Endpoints::at(&Url::parse("http://127.0.0.1:9/sage/").unwrap());
        assert_eq!(endpoints.authorize.as_str(), "http://127.0.0.1:9/sage/oauth2/auth/central");
        assert_eq!(endpoints.token.as_str(), "http://127.0.0.1:9/sage/token");
        assert_eq!(endpoints.revoke.as_str(), "http://127.0.0.1:9/sage/revoke");
        assert_eq!(endpoints.api.as_str(), "http://127.0.0.1:9/sage/v3.1");
        assert!(endpoints.are_local());
    }
}

//! The shop's address, typed by a person: hostile until it is a [`ShopUrl`].

use std::fmt;

use messages::message;
use url::Url;

use crate::address::{Place, place};

/// The longest address that is read, in bytes.
const LONGEST: usize = 1024;

/// The base URL of a shop: `https://shop.example`, perhaps with a path in front of `rest`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ShopUrl(Url);

/// Why an address is not taken. Nothing that was typed is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Nothing was typed.
    #[error("{}", message!(shop_address.empty))]
    Empty,
    /// Not an address at all.
    #[error("{}", message!(shop_address.not_a_url))]
    NotAUrl,
    /// Another scheme.
    #[error("{}", message!(shop_address.not_https))]
    NotHttps,
    /// `user:password@` in it.
    #[error("{}", message!(shop_address.credentials))]
    Credentials,
    /// `?...` or `#...` behind it.
    #[error("{}", message!(shop_address.query))]
    QueryOrFragment,
    /// It leads into a private network.
    #[error("{}", message!(shop_address.private))]
    Private,
}

impl ShopUrl {
    /// Reads an address. Space around it is passed over, a missing scheme is taken as https, trailing slashes fall away.
    ///
    /// `allow_private_addresses` is for development: loopback by http, and private addresses, are then taken.
    pub fn parse(text: &str, allow_private_addresses: bool) -> Result<Self, UrlError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        // The URL parser drops tabs and line ends and turns backslashes round: what is read would not be what was typed.
        let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if text.len() > LONGEST || text.contains(odd) {
            return Err(UrlError::NotAUrl);
        }
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let mut url = Url::parse(&with_scheme).map_err(|_| UrlError::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(UrlError::QueryOrFragment);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let url = Self(url);
        url.check(allow_private_addresses)?;
        Ok(url)
    }

    /// The checks that depend on where Ledger runs; the client makes them again before every call.
    pub(crate) fn check(&self, allow_private_addresses: bool) -> Result<(), UrlError> {
        let place = place(&self.0).ok_or(UrlError::NotAUrl)?;
        match self.0.scheme() {
            "https" => {}
            "http" if allow_private_addresses && place == Place::Loopback => {}
            _ => return Err(UrlError::NotHttps),
        }
        if allow_private_addresses || place == Place::Elsewhere { Ok(()) } else { Err(UrlError::Private) }
    }

    /// As it is stored and shown: without a slash at the end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Scheme, host and port, as a browser names the origin of the shop's pages.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The shop behind a stored address, whatever scheme and spelling it was typed with: host, port where it is not the scheme's own,
    /// and path without `index.php`. Scheme and `index.php` only say how Magento is reached: a shop that moves from http to https, or
    /// whose web server learns to rewrite, keeps its database, and with it the ids of its documents. Another path or host
    /// may be another Magento, so it is another shop.
    pub fn place_of(stored: &str) -> Option<String> {
        let url = Self::parse(stored, true).ok()?.0;
        let host = url.host_str()?.trim_end_matches('.');
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let mut path = url.path().trim_end_matches('/');
        while let Some(before) = path.strip_suffix("/index.php") {
            path = before.trim_end_matches('/');
        }
        Some(format!("{host}{port}{path}"))
    }

    /// A call of the module: `path` such as `/invoice/42` below `rest/V1/byte8`.
    pub(crate) fn endpoint(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}/rest/V1/byte8{path}"));
        url
    }
}

impl fmt::Display for ShopUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ShopUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShopUrl({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_uniform() {
        for (text, expected) in [
            ("https://shop.example", "https://shop.example"),
            ("  https://Shop.Example/ \n", "https://shop.example"),
            ("shop.example", "https://shop.example"),
            ("shop.example:8443/de//", "https://shop.example:8443/de"),
            ("https://shop.example:443/a/b/", "https://shop.example/a/b"),
            ("https://shop.example/a/../b", "https://shop.example/b"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(ShopUrl::parse(text, false).unwrap().as_str(), expected, "{text:?}");
        }
        let url = ShopUrl::parse("https://shop.example:8443/de/", false).unwrap();
        assert_eq!(
            url.endpoint("/invoice/42").as_str(),
            "https://shop.example:8443/de/rest/V1/byte8/invoice/42"
        );
        assert_eq!(url.origin(), "https://shop.example:8443");
        assert_eq!(
            ShopUrl::parse("shop.example", false).unwrap().endpoint("/ping").path(),
            "/rest/V1/byte8/ping"
        );
    }

    #[test]
    fn one_shop_has_one_place_however_it_is_typed() {
        let place = |text: &str| ShopUrl::place_of(text).unwrap();
        for text in [
            "https://shop.example",
            "shop.example",
            "https://SHOP.example/",
            "https://shop.example:443",
            "https://shop.example.",
            "https://shop.example/index.php",
            "https://shop.example/index.php/",
            "https://shop.example//index.php//",
        ] {
            assert_eq!(place(text), "shop.example", "{text}");
        }
        // Loopback is the only host that is ever called by http.
        assert_eq!(place("http://localhost"), place("https://localhost"));
        assert_eq!(place("http://localhost:8080/"), place("https://localhost:8080"));
        for other in [
            "https://shop.example:8443",
            "https://www.shop.example",
            "https://shop.example/de",
            "https://shop.example/index.php/de",
            "https://shop.example/INDEX.PHP",
        ] {
            assert_ne!(place(other), "shop.example", "{other}");
        }
        assert_eq!(ShopUrl::place_of("ftp://shop.example"), None);
    }

    #[test]
    fn hostile_addresses_are_refused() {
        for (text, expected) in [
            ("", UrlError::Empty),
            ("   ", UrlError::Empty),
            ("https://", UrlError::NotAUrl),
            ("https://a b.example", UrlError::NotAUrl),
            ("https://shop.example\\@evil.example", UrlError::NotAUrl),
            ("https://shop\t.example", UrlError::NotAUrl),
            ("javascript:alert(1)", UrlError::NotAUrl),
            ("ftp://shop.example", UrlError::NotHttps),
            ("file:///etc/passwd", UrlError::NotAUrl),
            ("http://shop.example", UrlError::NotHttps),
            ("http://localhost", UrlError::NotHttps),
            ("https://user@shop.example", UrlError::Credentials),
            ("https://user:pass@shop.example", UrlError::Credentials),
            ("https://:pass@shop.example", UrlError::Credentials),
            ("https://shop.example/?a=b", UrlError::QueryOrFragment),
            ("https://shop.example/?", UrlError::QueryOrFragment),
            ("https://shop.example/#a", UrlError::QueryOrFragment),
            ("https://localhost", UrlError::Private),
            ("https://localhost.", UrlError::Private),
            ("https://a.localhost", UrlError::Private),
            ("https://printer.local", UrlError::Private),
            ("https://metadata.google.internal", UrlError::Private),
            ("https://127.0.0.1", UrlError::Private),
            ("https://2130706433", UrlError::Private),
            ("https://0x7f.1", UrlError::Private),
            ("https://017700000001", UrlError::Private),
            ("https://169.254.169.254", UrlError::Private),
            ("https://[::1]", UrlError::Private),
            ("https://[::ffff:10.0.0.1]", UrlError::Private),
            ("https://[fd00:ec2::254]", UrlError::Private),
        ] {
            assert_eq!(ShopUrl::parse(text, false), Err(expected), "{text:?}");
        }
        assert_eq!(ShopUrl::parse(&format!("https://{}", "a".repeat(2000)), false), Err(UrlError::NotAUrl));
    }

    #[test]
    fn development_reaches_loopback_by_http_and_nothing_else() {
        for text in ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:80", "https://10.0.0.1"]
        {
            assert!(ShopUrl::parse(text, true).is_ok(), "{text}");
        }
        assert_eq!(ShopUrl::parse("http://10.0.0.1", true), Err(UrlError::NotHttps));
        assert_eq!(ShopUrl::parse("http://shop.example", true), Err(UrlError::NotHttps));
        let stored = ShopUrl::parse("http://localhost:8080", true).unwrap();
        assert_eq!(stored.check(false), Err(UrlError::NotHttps));
    }
}

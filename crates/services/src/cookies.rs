//! The cookies that Ledger gives browsers: none of them can be read by a script.

use chrono::TimeDelta;
use cookie::{Cookie, CookieBuilder, SameSite, time::Duration};
use http::{HeaderMap, header};

/// The cookie's name. Under https a prefix keeps it from being planted by another host of the same domain (RFC 6265bis).
const COOKIE: &str = "ledger_session";

/// How long a session lasts.
pub const LIFETIME: TimeDelta = TimeDelta::days(14);

/// The cookie of a sign-in that waits for its code.
const PENDING_COOKIE: &str = "ledger_sign_in";

/// How long a sign-in waits for its code.
pub const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// The cookie that carries a session.
///
/// `Lax`, because `Strict` would not be sent on the way back from Sage's sign-in page.
pub fn cookie(token: &str, secure: bool) -> String {
    carrying(COOKIE, token, LIFETIME, secure)
}

/// The cookie that makes the browser forget its session.
pub fn expired_cookie(secure: bool) -> String {
    carrying(COOKIE, "", TimeDelta::zero(), secure)
}

/// The cookie that carries a sign-in which waits for its code.
pub fn pending_cookie(token: &str, secure: bool) -> String {
    carrying(PENDING_COOKIE, token, PATIENCE, secure)
}

/// The cookie that makes the browser forget it.
pub fn expired_pending_cookie(secure: bool) -> String {
    carrying(PENDING_COOKIE, "", TimeDelta::zero(), secure)
}

/// A cookie of the whole site that no script can read.
pub fn carrying(name: &str, token: &str, lifetime: TimeDelta, secure: bool) -> String {
    baked(named(name, secure), token, lifetime, secure).path("/").same_site(SameSite::Lax).build().to_string()
}

/// A cookie's name: under https browsers take one of this prefix from this very host only, with `Secure` and for the whole site.
pub fn named(name: &str, secure: bool) -> String {
    if secure { format!("__Host-{name}") } else { name.to_owned() }
}

/// The token of a request.
pub fn token(headers: &HeaderMap, secure: bool) -> Option<&str> {
    cookie_value(headers, &named(COOKIE, secure)).filter(|token| token.len() == 64)
}

/// The token of a request whose sign-in waits for its code.
pub fn pending_token(headers: &HeaderMap, secure: bool) -> Option<&str> {
    cookie_value(headers, &named(PENDING_COOKIE, secure)).filter(|token| token.len() == 64)
}

/// A cookie that no script can read, for a path and for other sites' requests as its maker says.
pub fn baked(name: String, value: &str, lifetime: TimeDelta, secure: bool) -> CookieBuilder<'_> {
    let cookie =
        Cookie::build((name, value)).http_only(true).max_age(Duration::seconds(lifetime.num_seconds()));
    if secure { cookie.secure(true) } else { cookie }
}

/// The value of a request's cookie.
pub fn cookie_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).flatten();
    cookies.find(|cookie| cookie.name() == name).and_then(|cookie| cookie.value_raw())
}

//! Browsers that have signed in before ("device cookies", OWASP): what others try in an account's name does not keep them out.
//!
//! The cookie names the account and opens nothing. Its content is sealed, so nobody can make one; each has tries of its own.

use chrono::TimeDelta;
use domain::ids::PersonId;
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use views::error::AppError;

use crate::{
    Services,
    cookies::{cookie_value, named},
    tokens::token_hash,
};

/// The cookie's name.
pub const COOKIE: &str = "ledger_device";

/// Browsers keep no cookie for longer.
pub const LIFETIME: TimeDelta = TimeDelta::days(400);

/// What the content is bound to.
const BOUND_TO: &str = "device";

/// A browser that has signed in to an account before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Whose account; their address may be that of others as well.
    pub person: PersonId,
    /// What its tries are counted under.
    pub key: String,
}

impl Device {
    /// The device of a request. A cookie that does not open is none.
    pub fn of(services: &Services, headers: &HeaderMap) -> Option<Self> {
        let sealed = cookie_value(headers, &named(COOKIE, services.secure_cookies))?;
        let person = services.sealing.open(sealed, BOUND_TO).ok()?.expose_secret().parse().ok()?;
        Some(Self { person, key: token_hash(sealed) })
    }
}

/// The content of the cookie that remembers a browser.
pub fn sealed(services: &Services, person: PersonId) -> Result<String, AppError> {
    services.sealing.seal(&SecretString::from(person.to_string()), BOUND_TO)
}

//! Browsers that have signed in before ("device cookies", OWASP): what others try in an account's name does not keep them out.
//!
//! The cookie names the account and opens nothing. Its content is sealed, so nobody can make one; each has tries of its own.

use chrono::TimeDelta;
use domain::ids::PersonId;
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    context::{self, Services},
    error::AppError,
    session::{carrying, cookie_value, named, token_hash},
};

const COOKIE: &str = "ledger_device";

/// Browsers keep no cookie for longer.
const LIFETIME: TimeDelta = TimeDelta::days(400);

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

/// Remembers the browser of this request, in which a session was opened just now, and ends the one that it had before.
pub async fn signed_in(services: &Services, token: &str) -> Result<(), AppError> {
    let headers = context::request()?.headers;
    if let Some(earlier) = crate::session::token(&headers, services.secure_cookies) {
        services.store.end_session(&token_hash(earlier)).await?;
    }
    let found = services.store.signed_in(&token_hash(token), services.outside.now()).await?;
    let Some(person) = found.map(|found| found.member.person_id) else { return Ok(()) };
    if Device::of(services, &headers).is_some_and(|device| device.person == person) {
        return Ok(());
    }
    let sealed = services.sealing.seal(&SecretString::from(person.to_string()), BOUND_TO)?;
    context::set_cookie(&carrying(COOKIE, &sealed, LIFETIME, services.secure_cookies))
}

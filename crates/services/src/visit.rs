//! A browser's visit: who calls, the cookies that it brings, and how it is given others.

use http::{HeaderMap, request::Parts};
use views::error::AppError;

use crate::{
    Services,
    client_info::Caller,
    cookies::{self, carrying},
    device,
    tokens::token_hash,
};

/// One request of a browser.
pub struct Visit {
    /// Who calls.
    pub caller: Caller,
    /// What was sent with the request.
    pub headers: HeaderMap,
    /// Sends a cookie with the answer.
    give: fn(&str) -> Result<(), AppError>,
}

impl Visit {
    /// The visit of a request; `give` sends a cookie with its answer.
    pub fn of(services: &Services, request: &Parts, give: fn(&str) -> Result<(), AppError>) -> Self {
        Self { caller: Caller::known(services, request), headers: request.headers.clone(), give }
    }

    /// Sends a cookie with the answer.
    pub fn give_cookie(&self, cookie: &str) -> Result<(), AppError> {
        (self.give)(cookie)
    }

    /// Remembers this browser, in which a session was opened just now, and ends the one that it had before.
    pub async fn remember(&self, services: &Services, token: &str) -> Result<(), AppError> {
        if let Some(earlier) = cookies::token(&self.headers, services.secure_cookies) {
            services.store.end_session(&token_hash(earlier)).await?;
        }
        let found = services.store.signed_in(&token_hash(token), services.environment.now()).await?;
        let Some(person) = found.map(|found| found.member.person_id) else { return Ok(()) };
        if self.caller.device.as_ref().is_some_and(|device| device.person == person) {
            return Ok(());
        }
        let sealed = device::sealed(services, person)?;
        self.give_cookie(&carrying(device::COOKIE, &sealed, device::LIFETIME, services.secure_cookies))
    }
}

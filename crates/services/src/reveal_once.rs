//! What is shown once: an invitation's link, recovery codes, a webhook's secret. From the form that makes it to the page that shows it the browser
//! carries it, sealed, in a cookie that scripts cannot read and that ends with the showing; it is in no address and no log.

use chrono::{DateTime, TimeDelta};
use cookie::SameSite;
use secrecy::{ExposeSecret, SecretString};
use views::error::AppError;

use crate::{
    Member, Services,
    cookies::{baked, cookie_value},
    visit::Visit,
};

/// From the form to its page is a moment.
const LIFETIME: TimeDelta = TimeDelta::minutes(1);

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub enum RevealOnce {
    /// An invitation's link.
    Link,
    /// Recovery codes, with spaces in between.
    Codes,
    /// The secret of a webhook.
    Secret,
}

impl RevealOnce {
    const fn word(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Codes => "codes",
            Self::Secret => "secret",
        }
    }

    fn name(self) -> String {
        format!("ledger_once_{}", self.word())
    }

    fn cookie(self, value: &str, lifetime: TimeDelta, secure: bool) -> String {
        let cookie = baked(self.name(), value, lifetime, secure);
        cookie.path("/dashboard").same_site(SameSite::Strict).build().to_string()
    }

    fn associated(self, member: &Member) -> String {
        format!("{}/once_{}", member.id(), self.word())
    }

    /// Sends a text on its way to the page that shows it.
    pub fn keep(
        self,
        services: &Services,
        member: &Member,
        visit: &Visit,
        text: &str,
    ) -> Result<(), AppError> {
        let until = (services.environment.now() + LIFETIME).timestamp();
        let plain = SecretString::from(format!("{until} {text}"));
        let sealed = services.sealing.seal(&plain, &self.associated(member))?;
        visit.give_cookie(&self.cookie(&sealed, LIFETIME, services.secure_cookies))
    }

    /// The text, when this request brings one; the browser forgets it.
    pub fn take(
        self,
        services: &Services,
        member: &Member,
        visit: &Visit,
    ) -> Result<Option<String>, AppError> {
        let Some(sealed) = cookie_value(&visit.headers, &self.name()) else { return Ok(None) };
        visit.give_cookie(&self.cookie("", TimeDelta::zero(), services.secure_cookies))?;
        // Another member's, or one that was sealed with a key that is gone, is none.
        let Ok(plain) = services.sealing.open(sealed, &self.associated(member)) else { return Ok(None) };
        let (until, text) = plain.expose_secret().split_once(' ').unwrap_or_default();
        let until = until.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        Ok(until.is_some_and(|until| until > services.environment.now()).then(|| text.to_owned()))
    }
}

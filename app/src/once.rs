//! What is shown once: an invitation's link, recovery codes, a webhook's secret. From the form that makes it to the page that shows it the browser
//! carries it, sealed, in a cookie that scripts cannot read and that ends with the showing; it is in no address and no log.

use chrono::{DateTime, TimeDelta};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    context::{self, Member, Services},
    error::AppError,
    session::cookie_value,
};

/// From the form to its page is a moment.
const LIFETIME: TimeDelta = TimeDelta::minutes(1);

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub enum Once {
    /// An invitation's link.
    Link,
    /// Recovery codes, with spaces in between.
    Codes,
    /// The secret of a webhook.
    Secret,
}

impl Once {
    const fn word(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Codes => "codes",
            Self::Secret => "secret",
        }
    }

    fn cookie(self, value: &str, seconds: i64, secure: bool) -> String {
        let secure = if secure { "; Secure" } else { "" };
        let word = self.word();
        format!(
            "ledger_once_{word}={value}; HttpOnly; SameSite=Strict; Path=/dashboard; Max-Age={seconds}{secure}"
        )
    }

    fn associated(self, member: &Member) -> String {
        format!("{}/once_{}", member.id(), self.word())
    }

    /// Sends a text on its way to the page that shows it.
    pub fn keep(self, services: &Services, member: &Member, text: &str) -> Result<(), AppError> {
        let until = (services.outside.now() + LIFETIME).timestamp();
        let plain = SecretString::from(format!("{until} {text}"));
        let sealed = services.sealing.seal(&plain, &self.associated(member))?;
        context::set_cookie(&self.cookie(&sealed, LIFETIME.num_seconds(), services.secure_cookies))
    }

    /// The text, when this request brings one; the browser forgets it.
    pub fn take(self, services: &Services, member: &Member) -> Result<Option<String>, AppError> {
        let headers = context::request()?.headers;
        let name = format!("ledger_once_{}", self.word());
        let Some(sealed) = cookie_value(&headers, &name) else { return Ok(None) };
        context::set_cookie(&self.cookie("", 0, services.secure_cookies))?;
        // Another member's, or one that was sealed with a key that is gone, is none.
        let Ok(plain) = services.sealing.open(sealed, &self.associated(member)) else { return Ok(None) };
        let (until, text) = plain.expose_secret().split_once(' ').unwrap_or_default();
        let until = until.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        Ok(until.is_some_and(|until| until > services.outside.now()).then(|| text.to_owned()))
    }
}

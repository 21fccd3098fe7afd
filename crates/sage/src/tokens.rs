//! A connection's tokens.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Seconds that an access token lives where Sage does not say (its guide on authentication).
const ACCESS_SECONDS: i64 = 300;

/// The same for a refresh token: 31 days.
const REFRESH_SECONDS: i64 = 2_678_400;

/// The tokens of a connection. Refreshing rotates both: store the new ones before using them.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Goes with every call.
    pub access: SecretString,
    /// From then on Sage refuses it.
    pub access_expires_at: DateTime<Utc>,
    /// Buys new tokens, once.
    pub refresh: SecretString,
    /// From then on the merchant must connect again.
    pub refresh_expires_at: DateTime<Utc>,
    /// Sage's id of the user who consented.
    pub requested_by: Option<String>,
}

/// The tokens in the clear, for the vault alone.
#[derive(Serialize, Deserialize)]
struct Clear {
    access: String,
    access_expires_at: DateTime<Utc>,
    refresh: String,
    refresh_expires_at: DateTime<Utc>,
    requested_by: Option<String>,
}

impl Tokens {
    /// As JSON in the clear, to be sealed by the vault.
    pub fn to_json(&self) -> SecretString {
        let clear = Clear {
            access: self.access.expose_secret().to_owned(),
            access_expires_at: self.access_expires_at,
            refresh: self.refresh.expose_secret().to_owned(),
            refresh_expires_at: self.refresh_expires_at,
            requested_by: self.requested_by.clone(),
        };
        // Strings and dates always serialise.
        SecretString::from(serde_json::to_string(&clear).unwrap_or_default())
    }

    /// Reads what [`Tokens::to_json`] wrote; `None` when it is something else.
    pub fn from_json(json: &SecretString) -> Option<Self> {
        let clear: Clear = serde_json::from_str(json.expose_secret()).ok()?;
        Some(Self {
            access: clear.access.into(),
            access_expires_at: clear.access_expires_at,
            refresh: clear.refresh.into(),
            refresh_expires_at: clear.refresh_expires_at,
            requested_by: clear.requested_by,
        })
    }

    /// Whether the access token still lives `margin` from now.
    pub fn is_fresh(&self, now: DateTime<Utc>, margin: TimeDelta) -> bool {
        self.access_expires_at - margin > now
    }

    /// Reads the token host's answer, given at `now`; `None` when a token is missing.
    pub(crate) fn from_answer(body: &Value, now: DateTime<Utc>) -> Option<Self> {
        let text = |name: &str| body.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let at = |name: &str, default: i64| {
            let seconds = body.get(name).and_then(Value::as_i64).filter(|seconds| *seconds > 0);
            now.checked_add_signed(TimeDelta::try_seconds(seconds.unwrap_or(default))?)
        };
        Some(Self {
            access: text("access_token")?.into(),
            access_expires_at: at("expires_in", ACCESS_SECONDS)?,
            refresh: text("refresh_token")?.into(),
            refresh_expires_at: at("refresh_token_expires_in", REFRESH_SECONDS)?,
            requested_by: text("requested_by_id"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Value {
        serde_json::json!({
            "access_token": "access-1", "token_type": "bearer", "scope": "full_access", "expires_in": 300,
            "refresh_token": "refresh-1", "refresh_token_expires_in": 2_678_400, "requested_by_id": "u1",
        })
    }

    #[test]
    fn an_answer_becomes_tokens_that_the_vault_can_keep() {
        let now = DateTime::from_timestamp(1_777_460_000, 0).unwrap();
        let tokens = Tokens::from_answer(&answer(), now).unwrap();
        let read = Tokens::from_json(&tokens.to_json()).unwrap();
        assert_eq!(read.access.expose_secret(), "access-1");
        assert_eq!(read.refresh.expose_secret(), "refresh-1");
        assert_eq!(read.access_expires_at, now + TimeDelta::seconds(300));
        assert_eq!(read.refresh_expires_at, now + TimeDelta::days(31));
        assert_eq!(read.requested_by.as_deref(), Some("u1"));
        assert!(read.is_fresh(now, TimeDelta::seconds(60)));
        assert!(!read.is_fresh(now + TimeDelta::seconds(240), TimeDelta::seconds(60)));
        assert!(!format!("{read:?}").contains("-1"), "{read:?}");
    }

    #[test]
    fn lifetimes_have_defaults_and_tokens_have_none() {
        let now = DateTime::UNIX_EPOCH;
        let mut answer = answer();
        answer.as_object_mut().unwrap().remove("expires_in");
        assert!(Tokens::from_answer(&answer, now).unwrap().is_fresh(now, TimeDelta::seconds(299)));
        answer.as_object_mut().unwrap().remove("refresh_token");
        assert!(Tokens::from_answer(&answer, now).is_none());
        assert!(Tokens::from_json(&SecretString::from("{}")).is_none());
    }
}

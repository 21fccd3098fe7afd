//! Codes and tokens that the token host has given out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

/// Codes and tokens that are out.
#[derive(Default)]
pub(super) struct Grants {
    pub(super) codes: HashMap<String, Code>,
    pub(super) access: HashMap<String, Grant>,
    pub(super) refresh: HashMap<String, Grant>,
}

/// A code that was given out.
pub(super) struct Code {
    pub(super) grant: Grant,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<(String, String)>,
}

/// What a code or token is good for.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) scope: String,
    pub(super) until: DateTime<Utc>,
}

impl Grants {
    /// Whether a token may do this; `None` when it is not valid.
    pub(super) fn allows(&self, token: &str, method: &str, now: DateTime<Utc>) -> Option<bool> {
        let grant = self.access.get(token).filter(|grant| grant.until > now)?;
        Some(method == "GET" || grant.scope == "full_access")
    }

    /// Ends every access token at once.
    pub(super) fn end_access_tokens(&mut self) {
        self.access.clear();
    }

    /// Takes tokens away that nobody can use any more.
    pub(super) fn sweep(&mut self, now: DateTime<Utc>) {
        self.access.retain(|_, grant| grant.until > now);
        self.codes.retain(|_, code| code.grant.until > now);
    }
}

//! The pairing code, the pairing call and what the shop keeps of it: the wire specification, section 2.

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};

use super::answers::Answer;
use super::inputs::Inputs;
use super::tokens::Keys;

/// How long a code lives.
const LIFE_OF_A_CODE: TimeDelta = TimeDelta::minutes(30);

/// The parameters of the PHP method, in its order: the order in which missing ones are listed.
const FIELDS: [&str; 4] = ["pairingCode", "tenantId", "byte8ApiKey", "ledgerBaseUrl"];

/// What a paired shop knows of its Ledger.
#[derive(Clone)]
pub(crate) struct Paired {
    pub tenant_id: String,
    pub ledger_base_url: String,
    pub keys: Keys,
}

struct Code {
    text: String,
    made_at: DateTime<Utc>,
}

impl Code {
    fn lives(&self, now: DateTime<Utc>) -> bool {
        now - self.made_at <= LIFE_OF_A_CODE
    }
}

/// The shop's side of the pairing.
#[derive(Default)]
pub(crate) struct Pairing {
    code: Option<Code>,
    paired: Option<Paired>,
}

impl Pairing {
    /// The merchant generates a code; an older one is gone.
    pub fn set_code(&mut self, text: String, now: DateTime<Utc>) {
        self.code = Some(Code { text, made_at: now });
    }

    /// The code that waits to be used.
    pub fn waiting_code(&self, now: DateTime<Utc>) -> Option<&str> {
        self.code.as_ref().filter(|code| code.lives(now)).map(|code| code.text.as_str())
    }

    pub fn paired(&self) -> Option<&Paired> {
        self.paired.as_ref()
    }

    pub fn forget(&mut self) {
        self.paired = None;
    }

    /// The pairing call: field errors first, then the code, and only a success uses the code up.
    pub fn pair(&mut self, inputs: &Inputs, now: DateTime<Utc>) -> Answer {
        match self.try_pair(inputs, now) {
            Ok(()) => Answer::ok("[]"),
            Err(answer) => answer,
        }
    }

    fn try_pair(&mut self, inputs: &Inputs, now: DateTime<Utc>) -> Result<(), Answer> {
        let missing = inputs.missing(&FIELDS);
        if !missing.is_empty() {
            return Err(Answer::missing(&missing));
        }
        let field = |name| inputs.text(name).map(|text| text.unwrap_or_default().trim().to_owned());
        let [code, tenant_id, api_key, url] = FIELDS;
        let (code, tenant_id, api_key, url) = (field(code)?, field(tenant_id)?, field(api_key)?, field(url)?);
        if [&code, &tenant_id, &api_key, &url].iter().any(|text| text.is_empty()) {
            return Err(Answer::error(
                StatusCode::BAD_REQUEST,
                "pairing_code, tenant_id, byte8_api_key and ledger_base_url are all required.",
            ));
        }
        if !is_absolute_http(&url) {
            return Err(Answer::error(
                StatusCode::BAD_REQUEST,
                "ledger_base_url must be an absolute http(s) URL.",
            ));
        }
        // Missing, wrong and expired look alike on purpose.
        if self.waiting_code(now) != Some(code.as_str()) {
            return Err(Answer::error(StatusCode::UNAUTHORIZED, "Invalid or expired pairing code."));
        }
        self.code = None;
        let ledger_base_url = url.trim_end_matches('/').to_owned();
        self.paired = Some(Paired { tenant_id, ledger_base_url, keys: Keys::derive(&api_key) });
        Ok(())
    }
}

fn is_absolute_http(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

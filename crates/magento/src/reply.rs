//! An answer of Magento's: read within bounds, and judged.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::bounds::LARGEST_DOCUMENT;
use messages::message;
use reqwest::{Response, header};
use serde_json::Value;
use url::Url;

use crate::{Error, json, message::sentence};

/// Magento's sentence when no route fits the path: the module is not there.
const NO_ROUTE: &str = "Request does not match any route.";

/// An answer, read to its end.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// `Date`.
    pub(crate) date: Option<DateTime<Utc>>,
    /// `Retry-After` where it is whole seconds.
    retry_after: Option<i64>,
    /// Where `Location` leads.
    location: Option<String>,
    /// Whether it says that it is JSON.
    claims_json: bool,
    body: Vec<u8>,
    /// From sending to the last byte.
    pub(crate) duration: Duration,
}

impl Reply {
    /// Reads an answer to its end.
    pub(crate) async fn read(mut response: Response, started: std::time::Instant) -> Result<Self, Error> {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let date = header(header::DATE)
            .and_then(|text| DateTime::parse_from_rfc2822(text).ok())
            .map(|date| date.to_utc());
        let retry_after = header(header::RETRY_AFTER)
            .and_then(|text| text.trim().parse().ok())
            .filter(|seconds| *seconds >= 0);
        let location = header(header::LOCATION).and_then(|text| origin(response.url(), text));
        let claims_json =
            header(header::CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Error::of_transport(&error))? {
            if body.len() + chunk.len() > LARGEST_DOCUMENT {
                return Err(Error::TooLarge { status });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self { status, date, retry_after, location, claims_json, body, duration: started.elapsed() })
    }

    /// Whether Magento itself (not a proxy in front of it) refuses the token.
    pub(crate) fn refuses_the_token(&self) -> bool {
        self.status == 401 && self.json().is_some_and(|body| sentence(&body).is_some())
    }

    /// The body of a good answer; anything else is an error.
    pub(crate) fn good(&self) -> Result<Value, Error> {
        if self.is_good() { self.json().ok_or_else(|| self.no_json()) } else { Err(self.bad()) }
    }

    /// The document of a good answer. What calls itself JSON and begins as such is the document: where it cannot be read, a repeat would
    /// bring the same.
    pub(crate) fn document(&self) -> Result<Value, Error> {
        if !self.is_good() || !self.claims_json || !json::is_document(&self.body) {
            return self.good();
        }
        json::read(&self.body).map_err(|problem| match problem {
            json::Problem::Spoilt => self.no_json(),
            json::Problem::Unreadable(what) => Error::Unreadable { status: self.status, what },
        })
    }

    fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn no_json(&self) -> Error {
        let what = message!(magento_answers.not_json);
        Error::InvalidResponse { status: self.status, what }
    }

    /// A good answer that says nothing: an empty body, `null` or `[]`.
    pub(crate) fn good_and_empty(&self) -> Result<(), Error> {
        if self.is_good() && self.body.trim_ascii().is_empty() {
            return Ok(());
        }
        match self.good()? {
            Value::Null => Ok(()),
            Value::Array(list) if list.is_empty() => Ok(()),
            _ => Err(Error::InvalidResponse {
                status: self.status,
                what: message!(magento_answers.not_of_module),
            }),
        }
    }

    fn bad(&self) -> Error {
        let status = self.status;
        let message = self.json().as_ref().and_then(sentence);
        match (status, message) {
            (300..400, _) => Error::Redirected { status, to: self.location.clone() },
            (404, Some(message)) if message == NO_ROUTE => Error::ModuleMissing,
            (404, Some(message)) => Error::NotFound { message },
            (404, None) => Error::InvalidResponse { status, what: message!(magento_answers.no_api) },
            (400 | 405 | 406 | 409 | 413 | 415 | 422, Some(message)) => Error::Refused { status, message },
            (_, message) => Error::Unavailable { status, message, retry_after: self.retry_after },
        }
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Scheme, host and port of where a redirect leads.
fn origin(from: &Url, location: &str) -> Option<String> {
    let to = from.join(location).ok()?;
    matches!(to.scheme(), "http" | "https").then(|| to.origin().ascii_serialization())
}

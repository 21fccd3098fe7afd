//! What a handler works with, and what it answers.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    faults::Faults,
    lists::Query,
    tables::{Business, Ids, Record},
};

/// What a handler works with.
pub(super) struct Ctx<'a> {
    pub(super) business: &'a mut Business,
    pub(super) ids: &'a mut Ids,
    pub(super) now: DateTime<Utc>,
    pub(super) query: &'a Query,
    pub(super) faults: &'a Faults,
    /// Where links to Sage's screens lead.
    pub(super) site: &'a str,
}

impl Ctx<'_> {
    /// `links[]`: the first opens the record in Sage's screen.
    pub(super) fn links(&self, resource: &str, id: &str) -> Value {
        let href = format!("{}/_sim/open/{}/{resource}/{id}", self.site, self.business.id);
        json!([{"href": href, "rel": "alternate", "type": "text/html"}])
    }
}

/// An answer of success.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
}

impl Reply {
    /// 200.
    pub(super) fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body) }
    }

    /// 201 with the full object.
    pub(super) fn created(body: Record) -> Self {
        Self { status: 201, body: Some(Value::Object(body)) }
    }

    /// 204.
    pub(super) fn empty() -> Self {
        Self { status: 204, body: None }
    }
}

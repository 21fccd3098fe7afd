//! Faults to order: slow answers, failures before and after the work, cut lines, refused tokens, wrong totals.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Answers come late; the business is busy meanwhile.
    LatencyMs,
    /// A failure (`status`, else 500) with nothing done.
    FailBefore,
    /// The work is done, then a failure (`status`, else 500) is answered.
    FailAfter,
    /// The connection is cut with nothing done.
    CutBefore,
    /// The work is done, then the connection is cut without an answer.
    CutAfter,
    /// A failure (`status`, else 504) is answered at once; the work is done `after_s` seconds later, by the simulator's clock.
    CommitLate,
    /// Nothing is answered before it may go on ([`Faults::let_go`]); the work is done then, and with `after_s` so many seconds later as well.
    HangBefore,
    /// The work is done, and nothing is answered before it may go on.
    HangAfter,
    /// 401, as for a token that has run out.
    RefuseTokens,
    /// 403, as when the user's rights were withdrawn.
    Forbid,
    /// 429 with `retry_after` seconds.
    RateLimit,
    /// The totals of the next invoices or credit notes are a penny too high.
    WrongTotals,
}

/// How often a fault strikes, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// How many matching requests it strikes.
    pub times: u32,
    /// How many matching requests it lets pass before.
    #[serde(skip_serializing_if = "is_zero")]
    pub skip: u32,
    /// Only this method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only paths that contain this text; a `$` at its end ties it to the end of the path. Without it every API request
    /// matches; the token host's paths (`/token`, `/revoke`) must be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only requests whose body contains this text: a document that Sage cannot digest. For [`Kind::FailBefore`] alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The status of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `Retry-After`, in seconds, of a failure or a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The latency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// How much later the work is done, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_s: Option<u32>,
    /// A failure without Sage's own body: a page, as a gateway before Sage answers it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bare: bool,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            times: 1,
            skip: 0,
            method: None,
            path: None,
            body: None,
            status: None,
            retry_after: None,
            ms: None,
            after_s: None,
            bare: false,
        }
    }
}

impl Rule {
    /// Strikes the next `times` requests.
    pub fn times(times: u32) -> Self {
        Self { times, ..Self::default() }
    }

    /// Only requests with this method and a path that contains this text (see [`Rule::path`]).
    pub fn on(self, method: &str, path: &str) -> Self {
        Self { method: Some(method.to_owned()), path: Some(path.to_owned()), ..self }
    }

    /// Answers with this status.
    pub fn status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Lets so many matching requests pass first.
    pub fn skip(self, requests: u32) -> Self {
        Self { skip: requests, ..self }
    }

    /// Is done so many seconds later.
    pub fn after(self, seconds: u32) -> Self {
        Self { after_s: Some(seconds), ..self }
    }

    /// Answers without Sage's own body.
    pub fn bare(self) -> Self {
        Self { bare: true, ..self }
    }

    /// Answers with `Retry-After`.
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let at = match self.path.as_deref() {
            None => path.starts_with("/v3.1"),
            Some(part) => {
                part.strip_suffix('$').map_or_else(|| path.contains(part), |end| path.ends_with(end))
            }
        };
        at && self.times > 0 && self.method.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(method))
    }
}

#[derive(Default)]
struct Book {
    rules: BTreeMap<Kind, Vec<Rule>>,
    rates_inverted: bool,
}

/// The faults that are set. Each rule counts down by itself.
#[derive(Default)]
pub struct Faults {
    book: Mutex<Book>,
    /// How many requests have met a fault that lets them hang.
    hung: watch::Sender<u64>,
    /// How many of those may go on.
    let_go: watch::Sender<u64>,
}

impl Faults {
    /// Adds a rule; rules of one kind strike in the order they were added.
    pub fn add(&self, kind: Kind, rule: Rule) {
        self.book().rules.entry(kind).or_default().push(rule);
    }

    /// Makes every answer of the API this late; zero ends it.
    pub fn latency(&self, latency: Duration) {
        let mut book = self.book();
        book.rules.remove(&Kind::LatencyMs);
        if let Some(ms) = u64::try_from(latency.as_millis()).ok().filter(|ms| *ms > 0) {
            book.rules
                .insert(Kind::LatencyMs, vec![Rule { times: u32::MAX, ms: Some(ms), ..Rule::default() }]);
        }
    }

    /// Turns the exchange rates round: foreign units for one base unit, in what is read and in what is told. Sage
    /// documents no direction, so a client that checks it needs both.
    pub fn invert_rates(&self, inverted: bool) {
        self.book().rates_inverted = inverted;
    }

    /// Takes all faults away.
    pub fn clear(&self) {
        *self.book() = Book::default();
    }

    /// The faults as `GET /_sim/faults` shows them.
    pub fn show(&self) -> Value {
        let book = self.book();
        let mut shown = json!(book.rules);
        shown["rates_inverted"] = book.rates_inverted.into();
        shown
    }

    /// Replaces the kinds of fault that `wanted` names, each a number of times, a rule or an array of rules.
    pub(super) fn merge(&self, wanted: Map<String, Value>) -> Result<(), String> {
        let mut merged = Vec::new();
        for (name, value) in wanted {
            if name == "rates_inverted" {
                self.invert_rates(value.as_bool().ok_or("rates_inverted is not a boolean")?);
                continue;
            }
            let kind: Kind = serde_json::from_value(Value::String(name.clone()))
                .map_err(|_| format!("there is no fault '{name}'"))?;
            merged.push((kind, rules(kind, value).map_err(|error| format!("{name}: {error}"))?));
        }
        self.book().rules.extend(merged);
        Ok(())
    }

    /// Takes one strike of a fault, if a rule matches.
    pub(super) fn take(&self, kind: Kind, method: &str, path: &str) -> Option<Rule> {
        self.take_where(kind, |rule| rule.body.is_none() && rule.matches(method, path))
    }

    /// Takes one strike of a failure that is meant for what this request holds.
    pub(super) fn take_indigestible(&self, method: &str, path: &str, body: &[u8]) -> Option<Rule> {
        let holds = |text: &String| body.windows(text.len().max(1)).any(|part| part == text.as_bytes());
        self.take_where(Kind::FailBefore, |rule| {
            rule.body.as_ref().is_some_and(holds) && rule.matches(method, path)
        })
    }

    fn take_where(&self, kind: Kind, strikes: impl Fn(&Rule) -> bool) -> Option<Rule> {
        let mut book = self.book();
        let rules = book.rules.get_mut(&kind)?;
        let rule = rules.iter_mut().find(|rule| strikes(rule))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        if rule.times < u32::MAX {
            rule.times -= 1;
        }
        let taken = rule.clone();
        rules.retain(|rule| rule.times > 0);
        if rules.is_empty() {
            book.rules.remove(&kind);
        }
        Some(taken)
    }

    /// How many requests hang or have hung; it is watched to hang up on them.
    pub fn hung(&self) -> watch::Receiver<u64> {
        self.hung.subscribe()
    }

    /// Lets the requests that hang go on.
    pub fn let_go(&self) {
        self.let_go.send_replace(*self.hung.borrow());
    }

    /// Hangs until the client gives up, or until it may go on.
    pub(super) async fn hang(&self) {
        self.hung.send_modify(|hung| *hung += 1);
        let number = *self.hung.borrow();
        // The sender lives as long as the faults.
        let _ = self.let_go.subscribe().wait_for(|let_go| *let_go >= number).await;
    }

    pub(super) fn rates_inverted(&self) -> bool {
        self.book().rates_inverted
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn rules(kind: Kind, value: Value) -> Result<Vec<Rule>, serde_json::Error> {
    let mut rules = match value {
        Value::Number(number) => {
            let number = number.as_u64().unwrap_or_default();
            let times = u32::try_from(number).unwrap_or(u32::MAX);
            let one = match kind {
                Kind::LatencyMs => Rule { ms: Some(number), times: u32::MAX, ..Rule::default() },
                _ => Rule::times(times),
            };
            vec![one]
        }
        Value::Array(rules) => rules.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?,
        rule => vec![serde_json::from_value(rule)?],
    };
    // A latency with a filter lasts until it is taken away.
    for rule in rules.iter_mut().filter(|rule| kind == Kind::LatencyMs && rule.times == 1) {
        rule.times = u32::MAX;
    }
    rules.retain(|rule| rule.times > 0 && (kind != Kind::LatencyMs || rule.ms.is_some_and(|ms| ms > 0)));
    Ok(rules)
}

//! The outbox: its rows, and what an answer makes of one. The wire specification, section 3, and the rows in
//! the samples.

use std::collections::HashSet;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde::Serialize;

/// Waits after the first, second, ... failure; the last one repeats.
const WAITS: [TimeDelta; 7] = [
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(6),
    TimeDelta::hours(12),
    TimeDelta::hours(24),
];
/// After this many tries without an answer that settles it, the row is dead.
const MOST_ATTEMPTS: u32 = 10;
/// Delivered rows are swept after this time, and block their key until then.
const KEPT_WHEN_DELIVERED: TimeDelta = TimeDelta::days(30);
/// A text column of MySQL holds this much.
const LONGEST_ERROR: usize = 65_535;

/// What has become of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxStatus {
    /// Waits for a cron pass.
    Pending,
    /// Any 2xx came back.
    Succeeded,
    /// A 4xx came back, or ten tries went wrong: a person must act.
    DeadLettered,
}

impl OutboxStatus {
    /// The text in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::DeadLettered => "dead_lettered",
        }
    }
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutboxRow {
    /// The row's number: rows are posted in its order.
    pub id: u64,
    /// The event's name, the last part of the path.
    pub event_name: String,
    /// The `Idempotency-Key`.
    pub idempotency_key: String,
    /// The body, byte for byte.
    pub payload: String,
    /// What has become of it.
    pub status: OutboxStatus,
    /// How often it was posted.
    pub attempts: u32,
    /// The status code that settled it; a retry leaves none.
    pub last_code: Option<u16>,
    /// When it was posted last.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// When it is due again.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The module's sentence about the last failure.
    pub last_error: Option<String>,
    /// When the event happened.
    pub created_at: DateTime<Utc>,
}

/// What came of one POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer, with its body.
    Answered { code: u16, body: String },
    /// No answer; curl's words for it.
    Network(String),
}

/// The table.
#[derive(Default)]
pub(crate) struct Outbox {
    /// By number, ascending.
    rows: Vec<OutboxRow>,
    keys: HashSet<String>,
    last_id: u64,
}

impl Outbox {
    pub fn rows(&self) -> Vec<OutboxRow> {
        self.rows.clone()
    }

    /// Adds a row unless one with the same key exists in any status; says whether it did.
    pub fn enqueue(
        &mut self,
        event: &str,
        entity_id: u64,
        place: (u64, u64),
        payload: &str,
        now: DateTime<Utc>,
    ) -> bool {
        let idempotency_key = format!("{event}:{entity_id}");
        if !self.keys.insert(idempotency_key.clone()) {
            return false;
        }
        let (website_id, store_id) = place;
        let occurred_at = now.format("%Y-%m-%dT%H:%M:%SZ");
        self.last_id += 1;
        self.rows.push(OutboxRow {
            id: self.last_id,
            event_name: event.to_owned(),
            idempotency_key,
            payload: format!(
                "{{\"magento_entity_id\":{entity_id},\"website_id\":{website_id},\"store_id\":{store_id},\"occurred_at\":\"{occurred_at}\",\"payload\":{payload}}}"
            ),
            status: OutboxStatus::Pending,
            attempts: 0,
            last_code: None,
            last_attempt_at: None,
            next_attempt_at: None,
            last_error: None,
            created_at: now.trunc_subsecs(0),
        });
        true
    }

    /// The rows of one pass, oldest first.
    pub fn due(&self, now: DateTime<Utc>, batch: usize) -> Vec<OutboxRow> {
        self.rows
            .iter()
            .filter(|row| row.status == OutboxStatus::Pending)
            .filter(|row| row.next_attempt_at.is_none_or(|due| due <= now))
            .take(batch)
            .cloned()
            .collect()
    }

    /// Writes down what came of a row.
    pub fn settle(&mut self, id: u64, url: &str, outcome: Outcome, now: DateTime<Utc>) {
        let Ok(place) = self.rows.binary_search_by_key(&id, |row| row.id) else { return };
        let row = &mut self.rows[place];
        let now = now.trunc_subsecs(0);
        row.attempts += 1;
        row.last_attempt_at = Some(now);
        row.next_attempt_at = None;
        row.last_code = None;
        match outcome {
            Outcome::Answered { code, .. } if (200..300).contains(&code) => {
                row.status = OutboxStatus::Succeeded;
                row.last_code = Some(code);
                row.last_error = None;
            }
            Outcome::Answered { code, body } if (400..500).contains(&code) => {
                row.status = OutboxStatus::DeadLettered;
                row.last_code = Some(code);
                row.last_error = Some(cut(format!("HTTP {code}: {body}")));
            }
            Outcome::Answered { code, .. } => {
                retry(row, now, format!("Byte8 returned HTTP {code} from {url}; will retry."));
            }
            Outcome::Network(words) => {
                retry(row, now, format!("Network error publishing to Byte8 ({url}): {words}"));
            }
        }
    }

    /// The module's sweep: delivered rows go after 30 days, dead ones never.
    pub fn sweep(&mut self, now: DateTime<Utc>) {
        let keys = &mut self.keys;
        self.rows.retain(|row| {
            let old = row.status == OutboxStatus::Succeeded && now - row.created_at >= KEPT_WHEN_DELIVERED;
            if old {
                keys.remove(&row.idempotency_key);
            }
            !old
        });
    }
}

fn retry(row: &mut OutboxRow, now: DateTime<Utc>, error: String) {
    if row.attempts >= MOST_ATTEMPTS {
        row.status = OutboxStatus::DeadLettered;
        row.last_error = Some(cut(format!(
            "transient_exhausted: retries capped at MAX_TRANSIENT_ATTEMPTS without success — last error: {error}"
        )));
        return;
    }
    let step = usize::try_from(row.attempts.saturating_sub(1)).unwrap_or(usize::MAX).min(WAITS.len() - 1);
    row.next_attempt_at = Some(now + WAITS[step]);
    row.last_error = Some(cut(error));
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST_ERROR {
        text.truncate(text.floor_char_boundary(LONGEST_ERROR));
    }
    text
}

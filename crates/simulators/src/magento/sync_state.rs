//! The table behind the chips in Magento's grids: the wire specification, sections 4 and 5.

use std::collections::HashMap;

use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::Serialize;

use super::answers::Answer;
use super::inputs::Inputs;

/// The columns hold this many characters; the rest is cut without a word (samples 12 and 13).
const COLUMN: usize = 64;
const ENTITY_TYPES: [&str; 4] = ["invoice", "creditmemo", "customer", "product"];
const STATUSES: [&str; 3] = ["synced", "skipped", "failed"];
const PENDING: &str = "pending";
/// What MySQL stores for a time that is none.
const ZERO_TIME: &str = "0000-00-00 00:00:00";
const MYSQL_TIME: &str = "%Y-%m-%d %H:%M:%S";

/// A row of the table, as the module's SQL shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncStateRow {
    /// The row's own number.
    pub entity_id: u64,
    /// `invoice`, `creditmemo`, `customer` or `product`.
    pub entity_type: String,
    /// The document's id in Magento.
    pub magento_id: i64,
    /// `sage_accounting`.
    pub provider: String,
    /// `pending` (Magento's own), `synced`, `skipped` or `failed`.
    pub sync_status: String,
    /// The id over there.
    pub provider_entity_id: Option<String>,
    /// The number over there, such as `SI-27`.
    pub provider_reference: Option<String>,
    /// Why nothing was posted.
    pub skip_reason: Option<String>,
    /// What went wrong.
    pub error_code: Option<String>,
    /// MySQL's text of the time; `0000-00-00 00:00:00` when what came was no time.
    pub last_sync_at: String,
}

/// The table.
#[derive(Default)]
pub(crate) struct SyncStates {
    rows: Vec<SyncStateRow>,
    /// The unique key of the table, and where its row stands.
    places: HashMap<(String, i64, String), usize>,
    last_id: u64,
}

impl SyncStates {
    pub fn rows(&self) -> Vec<SyncStateRow> {
        self.rows.clone()
    }

    /// `POST /sync-state`: always overwrites, without looking at times (sample 03).
    pub fn receive(&mut self, inputs: &Inputs, now: DateTime<Utc>) -> Answer {
        match read_row(inputs, now) {
            Ok(row) => {
                self.overwrite(row);
                Answer::ok("[]")
            }
            Err(answer) => answer,
        }
    }

    /// The module's own note while a document is saved: a terminal status stays, only the time moves on
    /// (the facts about the modules, section 5).
    pub fn note_pending(&mut self, entity_type: &str, magento_id: i64, now: DateTime<Utc>) {
        if !ENTITY_TYPES.contains(&entity_type) {
            return;
        }
        let last_sync_at = now.format(MYSQL_TIME).to_string();
        let row = SyncStateRow {
            entity_id: 0,
            entity_type: entity_type.to_owned(),
            magento_id,
            provider: "sage_accounting".to_owned(),
            sync_status: PENDING.to_owned(),
            provider_entity_id: None,
            provider_reference: None,
            skip_reason: None,
            error_code: None,
            last_sync_at: last_sync_at.clone(),
        };
        match self.find(&row) {
            Some(known) => {
                known.last_sync_at = last_sync_at;
                self.last_id += 1;
            }
            None => self.overwrite(row),
        }
    }

    fn overwrite(&mut self, row: SyncStateRow) {
        // MySQL's `INSERT ... ON DUPLICATE KEY UPDATE` uses up a number even when it updates.
        self.last_id += 1;
        let next = self.last_id;
        if let Some(known) = self.find(&row) {
            *known = SyncStateRow { entity_id: known.entity_id, ..row };
            return;
        }
        self.places.insert(key_of(&row), self.rows.len());
        self.rows.push(SyncStateRow { entity_id: next, ..row });
    }

    fn find(&mut self, like: &SyncStateRow) -> Option<&mut SyncStateRow> {
        self.places.get(&key_of(like)).and_then(|place| self.rows.get_mut(*place))
    }
}

fn key_of(row: &SyncStateRow) -> (String, i64, String) {
    (row.entity_type.clone(), row.magento_id, row.provider.clone())
}

fn read_row(inputs: &Inputs, now: DateTime<Utc>) -> Result<SyncStateRow, Answer> {
    let missing = inputs.missing(&["entityType", "magentoEntityId", "provider", "syncStatus"]);
    if !missing.is_empty() {
        return Err(Answer::missing(&missing));
    }
    let entity_type = inputs.text("entityType")?.unwrap_or_default();
    let magento_id = inputs.integer("magentoEntityId")?.unwrap_or_default();
    let provider = inputs.text("provider")?.unwrap_or_default();
    let sync_status = inputs.text("syncStatus")?.unwrap_or_default();
    if !ENTITY_TYPES.contains(&entity_type.as_str()) {
        return Err(Answer::template(
            "Unknown entity_type %1; expected one of: %2",
            &[&entity_type, &ENTITY_TYPES.join(", ")],
        ));
    }
    if !STATUSES.contains(&sync_status.as_str()) {
        return Err(Answer::template(
            "Invalid sync_status %1; pending is Magento-side only and must not arrive via callback. Expected: %2",
            &[&sync_status, &STATUSES.join(", ")],
        ));
    }
    if magento_id <= 0 {
        return Err(Answer::error(StatusCode::BAD_REQUEST, "magento_entity_id must be positive"));
    }
    let column = |name| inputs.text(name).map(|text| text.map(|text| cut(&text)));
    let time = inputs.text("lastSyncAt")?;
    Ok(SyncStateRow {
        entity_id: 0,
        entity_type,
        magento_id,
        provider: cut(&provider),
        sync_status,
        provider_entity_id: column("providerEntityId")?,
        provider_reference: column("providerReference")?,
        skip_reason: column("skipReason")?,
        error_code: column("errorCode")?,
        last_sync_at: time.map_or_else(|| now.format(MYSQL_TIME).to_string(), |text| as_mysql_reads(&text)),
    })
}

fn cut(text: &str) -> String {
    text.chars().take(COLUMN).collect()
}

/// The clock's reading as it stands in the text: the fraction and the offset are dropped (samples 14 to 17).
fn as_mysql_reads(text: &str) -> String {
    let start: String = text.chars().take(19).collect();
    let moment = ["%Y-%m-%dT%H:%M:%S", MYSQL_TIME]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&start, form).ok())
        .or_else(|| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0))
        });
    moment.map_or_else(|| ZERO_TIME.to_owned(), |moment| moment.format(MYSQL_TIME).to_string())
}

//! What Magento is told after every terminal run (wire specification, sections 4 and 5).

use chrono::{DateTime, Utc};
use domain::run::EntityKind;
use serde::{Serialize, Serializer};

/// The provider's name that the module expects.
const PROVIDER: &str = "sage_accounting";

/// The module cuts texts at so many characters without a word; Ledger cuts first.
const LONGEST: usize = 64;

/// The chip's state. `pending` is Magento's own and is never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncStatus {
    /// In Sage.
    Synced,
    /// Left out on purpose.
    Skipped,
    /// Could not be synced.
    Failed,
}

impl SyncStatus {
    /// The status of this word, as the store keeps it.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "synced" => Some(Self::Synced),
            "skipped" => Some(Self::Skipped),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }
}

/// The body of `POST /sync-state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SyncStateBody {
    entity_type: &'static str,
    magento_entity_id: i64,
    provider: &'static str,
    sync_status: SyncStatus,
    provider_entity_id: Option<String>,
    provider_reference: Option<String>,
    skip_reason: Option<String>,
    error_code: Option<String>,
    #[serde(serialize_with = "whole_seconds")]
    last_sync_at: DateTime<Utc>,
}

impl SyncStateBody {
    /// A state reached at `at`, with nothing else to tell.
    pub fn new(entity: EntityKind, magento_id: i64, status: SyncStatus, at: DateTime<Utc>) -> Self {
        Self {
            entity_type: entity.as_str(),
            magento_entity_id: magento_id,
            provider: PROVIDER,
            sync_status: status,
            provider_entity_id: None,
            provider_reference: None,
            skip_reason: None,
            error_code: None,
            last_sync_at: at,
        }
    }

    /// Names the record in Sage: its id, and what people see there.
    pub fn sage(mut self, id: Option<&str>, reference: Option<&str>) -> Self {
        self.provider_entity_id = id.map(cut);
        self.provider_reference = reference.map(cut);
        self
    }

    /// Says why it was skipped.
    pub fn skip_reason(mut self, reason: Option<&str>) -> Self {
        self.skip_reason = reason.map(cut);
        self
    }

    /// Names the class of the failure.
    pub fn error_code(mut self, code: Option<&str>) -> Self {
        self.error_code = code.map(cut);
        self
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// UTC with `Z` and whole seconds: the module drops an offset and stores other forms as zero.
fn whole_seconds<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.format("%Y-%m-%dT%H:%M:%SZ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_the_documented_one() {
        let at = DateTime::from_timestamp_millis(1_777_457_472_999).unwrap();
        let body = SyncStateBody::new(EntityKind::Invoice, 42, SyncStatus::Skipped, at)
            .sage(Some("df6b"), Some(&"ü".repeat(70)))
            .skip_reason(Some("payment_method_not_mapped"))
            .error_code(None);
        let reference = "ü".repeat(64);
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            format!(
                r#"{{"entity_type":"invoice","magento_entity_id":42,"provider":"sage_accounting","sync_status":"skipped","provider_entity_id":"df6b","provider_reference":"{reference}","skip_reason":"payment_method_not_mapped","error_code":null,"last_sync_at":"2026-04-29T10:11:12Z"}}"#
            )
        );
        assert_eq!(SyncStatus::from_word("failed"), Some(SyncStatus::Failed));
        assert_eq!(SyncStatus::from_word("pending"), None);
    }
}

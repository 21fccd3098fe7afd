//! What members are told of: the kinds with their sentences, when a digest is due, and the facts beside an alert.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use messages::message;
use serde::{Deserialize, Serialize};

use crate::{
    code::Code,
    ids::{BindingId, RunId},
    run::EventName,
    words,
};

words! {
    /// What members are told of.
    pub enum AlertKind {
        /// A document needs a person.
        #[serde(rename = "document.failed")]
        #[strum(serialize = "document.failed")]
        DocumentFailed,
        /// A setting is missing, and documents wait for it.
        #[serde(rename = "mapping.missing")]
        #[strum(serialize = "mapping.missing")]
        MappingMissing,
        /// Several documents failed one after another.
        #[serde(rename = "binding.troubled")]
        #[strum(serialize = "binding.troubled")]
        BindingTroubled,
        /// Many did: the shop is paused if this goes on.
        #[serde(rename = "binding.failing")]
        #[strum(serialize = "binding.failing")]
        BindingFailing,
        /// Ledger has paused the shop.
        #[serde(rename = "binding.paused")]
        #[strum(serialize = "binding.paused")]
        BindingPaused,
        /// Sage or Magento refuses us.
        #[serde(rename = "binding.disconnected")]
        #[strum(serialize = "binding.disconnected")]
        BindingDisconnected,
        /// Documents arrive again.
        #[serde(rename = "binding.recovered")]
        #[strum(serialize = "binding.recovered")]
        BindingRecovered,
    }
}

words! {
    /// By what a member is told.
    pub enum ChannelKind {
        /// An e-mail.
        Email,
        /// A signed POST.
        Webhook,
    }
}

words! {
    /// When a member is told.
    pub enum AlertMode {
        /// As soon as it happens.
        AtOnce,
        /// Once an hour, on the hour, when there is something.
        DigestHourly,
        /// Once a day, at [`DIGEST_HOUR`], when there is something.
        DigestDaily,
    }
}

/// The hour of the daily digest, in UTC: before the working day of Europe begins.
pub const DIGEST_HOUR: i64 = 6;

impl AlertMode {
    /// When what happens now is told.
    pub fn slot(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let (length, offset) = match self {
            Self::AtOnce => return now,
            Self::DigestHourly => (TimeDelta::hours(1), TimeDelta::zero()),
            Self::DigestDaily => (TimeDelta::days(1), TimeDelta::hours(DIGEST_HOUR)),
        };
        let begun = (now - offset).duration_trunc(length).unwrap_or(now);
        begun + offset + length
    }

    /// Whether alerts are gathered.
    pub const fn is_digest(self) -> bool {
        !matches!(self, Self::AtOnce)
    }
}

/// What is known of an alert beside its kind: ids, sums, codes and counts, and nothing of people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertFacts {
    /// Documents that failed one after another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_in_a_row: Option<u32>,
    /// Why the document failed or waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What Magento announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventName>,
    /// Magento's id of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub magento_id: Option<i64>,
    /// Its number, as people know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increment_id: Option<String>,
    /// Its currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Its total in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
}

/// What is said of each kind, by the part of `alerts` in the catalogue of messages.
macro_rules! said {
    ($kind:expr, $part:ident) => {
        match $kind {
            AlertKind::DocumentFailed => message!(alerts.$part.document_failed),
            AlertKind::MappingMissing => message!(alerts.$part.mapping_missing),
            AlertKind::BindingTroubled => message!(alerts.$part.binding_troubled),
            AlertKind::BindingFailing => message!(alerts.$part.binding_failing),
            AlertKind::BindingPaused => message!(alerts.$part.binding_paused),
            AlertKind::BindingDisconnected => message!(alerts.$part.binding_disconnected),
            AlertKind::BindingRecovered => message!(alerts.$part.binding_recovered),
        }
    };
}

impl AlertKind {
    /// What happened, in a sentence.
    pub const fn sentence(self) -> &'static str {
        said!(self, sentence)
    }

    /// What to do about it, in a sentence.
    pub const fn action(self) -> &'static str {
        said!(self, action)
    }

    /// Its name where it is chosen.
    pub const fn label(self) -> &'static str {
        said!(self, label)
    }

    /// In few words, as the subject of an e-mail says it.
    pub const fn subject(self) -> &'static str {
        said!(self, subject)
    }

    /// The same as [`Self::sentence`] with the alert's own figures.
    pub fn told(self, facts: &AlertFacts) -> String {
        let count = facts.failed_in_a_row.unwrap_or(0);
        match (self, facts.code) {
            // An outage: nothing failed, and everything waits.
            (Self::BindingTroubled, Some(code)) if count == 0 => {
                return message!(alerts.counted.outage, cause = code.sentence());
            }
            _ => {}
        }
        match self {
            Self::BindingTroubled | Self::BindingFailing if count > 0 => {
                message!(alerts.counted.failed, count = count)
            }
            Self::BindingPaused if count > 0 => {
                message!(alerts.counted.paused, count = count)
            }
            Self::DocumentFailed | Self::MappingMissing => match facts.code {
                Some(code) => format!("{} {}", self.sentence(), code.sentence()),
                None => self.sentence().to_owned(),
            },
            _ => self.sentence().to_owned(),
        }
    }

    /// The same as [`Self::action`], as the code says it where one is known.
    pub const fn to_do(self, facts: &AlertFacts) -> &'static str {
        match (self, facts.code) {
            (Self::DocumentFailed | Self::MappingMissing, Some(code)) => code.action(),
            (Self::BindingTroubled, Some(code)) if facts.failed_in_a_row.is_none() => code.action(),
            _ => self.action(),
        }
    }

    /// The path of the page where something can be done about it.
    pub fn path(self, binding: BindingId, run: Option<RunId>) -> String {
        match (self, run) {
            (Self::DocumentFailed, Some(run)) => format!("/dashboard/sync/{run}"),
            (Self::MappingMissing, _) => format!("/dashboard/bindings/{binding}/settings"),
            (Self::BindingTroubled | Self::BindingFailing, _) => "/dashboard/sync?status=failed".to_owned(),
            _ => format!("/dashboard/bindings/{binding}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn every_kind_says_what_happened_and_what_to_do() {
        let binding = BindingId::default();
        for kind in AlertKind::ALL {
            assert!(kind.sentence().ends_with('.') && kind.action().ends_with('.'), "{kind}");
            assert_eq!(kind.told(&AlertFacts::default()), kind.sentence());
            assert!(kind.path(binding, None).starts_with("/dashboard/"), "{kind}");
        }
    }

    #[test]
    fn figures_are_told_where_they_are_known() {
        let facts = AlertFacts { failed_in_a_row: Some(50), ..AlertFacts::default() };
        let told = AlertKind::BindingPaused.told(&facts);
        assert_eq!(told, "Ledger paused the shop because 50 documents failed in a row.");
        let facts = AlertFacts { code: Some(Code::TotalsMismatch), ..AlertFacts::default() };
        assert!(AlertKind::DocumentFailed.told(&facts).ends_with(Code::TotalsMismatch.sentence()));
        assert_eq!(AlertKind::DocumentFailed.to_do(&facts), Code::TotalsMismatch.action());
        assert_eq!(AlertKind::BindingPaused.to_do(&facts), AlertKind::BindingPaused.action());
    }

    #[test]
    fn a_digest_is_due_at_the_next_full_hour_or_morning() {
        let now = at("2026-03-01T09:05:07Z");
        assert_eq!(AlertMode::AtOnce.slot(now), now);
        assert_eq!(AlertMode::DigestHourly.slot(now), at("2026-03-01T10:00:00Z"));
        assert_eq!(AlertMode::DigestDaily.slot(now), at("2026-03-02T06:00:00Z"));
        assert_eq!(AlertMode::DigestDaily.slot(at("2026-03-01T05:59:59Z")), at("2026-03-01T06:00:00Z"));
        // What happens at the very moment of a digest is in the next one: this one is on its way.
        assert_eq!(AlertMode::DigestHourly.slot(at("2026-03-01T10:00:00Z")), at("2026-03-01T11:00:00Z"));
    }

    #[test]
    fn facts_that_are_not_known_take_no_room() {
        assert_eq!(serde_json::to_string(&AlertFacts::default()).unwrap(), "{}");
        let facts =
            AlertFacts { magento_id: Some(7), code: Some(Code::SageValidation), ..AlertFacts::default() };
        assert_eq!(serde_json::to_string(&facts).unwrap(), r#"{"code":"sage_validation","magento_id":7}"#);
    }
}

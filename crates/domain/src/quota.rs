//! How much one shop, member or organisation may take of what all share. The defaults are far above honest use: a quota keeps one
//! from harming the others, and never decides what people can do. Whoever runs Ledger can raise each.

use chrono::{DateTime, TimeDelta, Utc};
use messages::message;
use serde::Deserialize;

/// The quotas of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Quotas {
    /// Events that one shop may send a minute in the long run; 0 = any number. Magento's module sends at most 50.
    pub events_per_minute: u32,
    /// Events that one shop may send at once, before that rate counts.
    pub events_at_once: u32,
    /// Views of the history that one member may give a name.
    pub saved_views: usize,
    /// Invitations of one organisation that may be open.
    pub open_invitations: usize,
    /// Retries of many runs that one organisation may have under way.
    pub bulk_retries: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            events_per_minute: 600,
            events_at_once: 1_000,
            saved_views: 100,
            open_invitations: 200,
            bulk_retries: 10,
        }
    }
}

impl Quotas {
    /// Takes one event of a shop's. `whole_at` is when all that it may send at once will be there again; told is the same after this event,
    /// or how long the shop must wait.
    pub fn take_event(
        &self,
        whole_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, TimeDelta> {
        let Some(each) = 60_000_i64.checked_div(self.events_per_minute.into()) else { return Ok(now) };
        let whole_at = whole_at.map_or(now, |at| at.max(now)) + TimeDelta::milliseconds(each.max(1));
        let most =
            TimeDelta::milliseconds(each.max(1)) * i32::try_from(self.events_at_once).unwrap_or(i32::MAX);
        let wait = whole_at - now - most;
        if wait > TimeDelta::zero() { Err(wait) } else { Ok(whole_at) }
    }

    /// What a shop may send, in a sentence for its page.
    pub fn of_events(&self) -> String {
        if self.events_per_minute == 0 {
            return message!(quota.none).to_owned();
        }
        message!(
            quota.events,
            at_once = grouped(self.events_at_once),
            a_minute = grouped(self.events_per_minute)
        )
    }
}

fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_that_floods_waits_and_one_that_does_not_never_does() {
        let quotas = Quotas { events_per_minute: 60, events_at_once: 100, ..Quotas::default() };
        let mut now = DateTime::UNIX_EPOCH;
        let mut whole_at = None;
        for _ in 0..100 {
            whole_at = Some(quotas.take_event(whole_at, now).unwrap());
        }
        assert_eq!(quotas.take_event(whole_at, now), Err(TimeDelta::seconds(1)));
        now += TimeDelta::seconds(1);
        whole_at = Some(quotas.take_event(whole_at, now).unwrap());
        assert!(quotas.take_event(whole_at, now).is_err());
        let mut honest = None;
        for _ in 0..10_000 {
            now += TimeDelta::seconds(1);
            honest = Some(quotas.take_event(honest, now).unwrap());
        }
        let unlimited = Quotas { events_per_minute: 0, ..quotas };
        assert_eq!(unlimited.take_event(whole_at, now), Ok(now));
    }

    #[test]
    fn a_quota_is_told_in_words() {
        assert_eq!(Quotas::default().of_events(), "1,000 at once, then 600 a minute");
    }
}

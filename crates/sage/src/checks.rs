//! What is asked before the first document is posted.

use chrono::NaiveDate;
use serde_json::Value;

use crate::{Connection, Error, businesses::text};

/// What `/financial_settings` tells besides what the reference set keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finances {
    /// The last day that the year-end lock covers; none while the books are open.
    pub locked_until: Option<NaiveDate>,
    /// Seconds by which Sage's clock is ahead of ours (negative: behind), as `Date` says; whole seconds are cut off there.
    pub clock_ahead: Option<i64>,
}

impl Connection<'_> {
    /// The lock of the books, and Sage's clock.
    pub async fn finances(&self) -> Result<Finances, Error> {
        let answer = self.get("/financial_settings", &[]).await?;
        let now = self.client().limits.now();
        Ok(Finances {
            locked_until: locked_until(&answer.body),
            clock_ahead: answer.date.map(|date| (date - now).num_seconds()),
        })
    }

    /// Reads one entry of a list, to see whether it opens at all.
    pub async fn look_into(&self, list: &str) -> Result<(), Error> {
        self.get(list, &[("items_per_page", "1")]).await.map(drop)
    }
}

fn locked_until(settings: &Value) -> Option<NaiveDate> {
    text(settings, "year_end_lockdown_date").and_then(|date| date.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lock_is_a_day_or_none() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 31);
        assert_eq!(locked_until(&json!({ "year_end_lockdown_date": "2026-03-31" })), day);
        assert_eq!(locked_until(&json!({ "year_end_lockdown_date": null })), None);
        assert_eq!(locked_until(&json!({})), None);
    }
}

//! What the overview shows: how much, how long, how far behind. Everything here is counted where it happens or found by an index, so
//! that it costs the same few milliseconds however long the history is.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use domain::{
    health::Stage,
    ids::{BindingId, OrganisationId},
    run::{EventName, RunStatus},
};

use crate::Result;

/// How long a count runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// From one full hour to the next.
    Hour,
    /// A day in UTC.
    Day,
}

impl Span {
    /// The word that it is kept under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// How long it is.
    pub const fn length(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        }
    }

    /// The start of the one that an instant lies in.
    pub fn start(self, at: DateTime<Utc>) -> DateTime<Utc> {
        at.duration_trunc(self.length()).unwrap_or(at)
    }
}

/// What is counted of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// They came in.
    Received,
    /// They ended in this status; one that is retried and ends again counts again.
    Ended(RunStatus),
}

impl Tally {
    /// The word that it is kept under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Ended(status) => status.as_str(),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Tally {
    type Err = domain::words::UnknownWord;

    fn from_str(word: &str) -> std::result::Result<Self, Self::Err> {
        if word == Self::Received.as_str() { Ok(Self::Received) } else { word.parse().map(Self::Ended) }
    }
}

/// So many runs within an hour or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// When it starts.
    pub starts_at: DateTime<Utc>,
    /// What is counted.
    pub tally: Tally,
    /// How many.
    pub runs: i64,
}

/// How a binding gets along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Which.
    pub binding_id: BindingId,
    /// Runs that are due and that nobody holds.
    pub backlog: i64,
    /// Since when the oldest of them is due.
    pub oldest_due: Option<DateTime<Utc>>,
    /// Runs that ended within the last hour.
    pub ended: i64,
    /// Calls to Sage since the day began, in UTC.
    pub calls: i64,
    /// When the newest run that succeeded ended.
    pub last_success: Option<DateTime<Utc>>,
    /// States that Magento could not be told of.
    pub untold: i64,
    /// Documents that failed one after another, up to now.
    pub failed_in_a_row: u32,
    /// What that means.
    pub stage: Stage,
}

/// What documents of one kind and currency came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takings {
    /// Of which binding.
    pub binding_id: BindingId,
    /// Invoices or credit memos, by the event that made them.
    pub event: EventName,
    /// Their currency; none where they have none.
    pub currency: Option<String>,
    /// How many.
    pub runs: i64,
    /// The sum of Magento's totals, in minor units of two decimals.
    pub value_minor: i64,
}

/// The times of a run that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When it happened in Magento.
    pub occurred_at: DateTime<Utc>,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// When its last attempt began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
}

/// The overview.
#[async_trait]
pub trait Overviews {
    /// How many runs of an organisation came in and ended, by hour or day and outcome, from one instant up to another, oldest first.
    async fn volume(
        &self,
        organisation: OrganisationId,
        span: Span,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<Volume>>;

    /// How each binding of an organisation gets along, oldest binding first.
    async fn loads(&self, organisation: OrganisationId, now: DateTime<Utc>) -> Result<Vec<Load>>;

    /// The times of the runs that succeeded since an instant, the newest so many, newest first.
    async fn times(
        &self,
        organisation: OrganisationId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Times>>;

    /// What the invoices and credit memos came to whose runs succeeded since an instant, the newest so many runs of any kind.
    async fn takings(
        &self,
        organisation: OrganisationId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Takings>>;

    /// Forgets the counts of hours that are over before an instant; the days stay.
    async fn forget_hours(&self, before: DateTime<Utc>) -> Result<u64>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_start_where_clocks_in_utc_do() {
        let at: DateTime<Utc> = "2026-01-05T10:59:59.999Z".parse().unwrap();
        assert_eq!(Span::Hour.start(at).to_rfc3339(), "2026-01-05T10:00:00+00:00");
        assert_eq!(Span::Day.start(at).to_rfc3339(), "2026-01-05T00:00:00+00:00");
    }

    #[test]
    fn a_tally_is_read_as_it_is_kept() {
        for tally in [Tally::Received, Tally::Ended(RunStatus::Failed)] {
            assert_eq!(tally.as_str().parse(), Ok(tally));
        }
        assert!("nothing".parse::<Tally>().is_err());
    }
}

//! The history: which runs, in which order, page by page. Every page costs the same few milliseconds, however long the history is.
//!
//! Two ways lead to a page, and both drivers take the same one. What is rare (at most [`Reach::few`] runs on the narrowest path) is gathered
//! whole and sorted: exact, whatever the filter. What is not rare is walked in order until the page is full; on a walk most runs
//! match, and where they do not after all, it stops after [`Reach::window`] runs and says where it stopped.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    code::Code,
    ids::{BindingId, BulkRetryId, OrganisationId, RunId},
    run::{EventName, RunStatus},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Find, Result, Run};

/// Which runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFilter {
    /// Of one binding.
    pub binding: Option<BindingId>,
    /// In one status.
    pub status: Option<RunStatus>,
    /// Of one event.
    pub event: Option<EventName>,
    /// With this reason or error code.
    pub code: Option<Code>,
    /// Open (see [`RunFilter::open`]) and of this cause: [`domain::cause::Cause`] as text.
    pub cause: Option<String>,
    /// Only what a person may have to look after: failed and not made good by a later run of the same document, or waiting.
    pub open: bool,
    /// Only what a retry may bring further: [`RunStatus::RETRYABLE`].
    pub retryable: bool,
    /// Put in the queue by this retry of many.
    pub bulk: Option<BulkRetryId>,
    /// Without what was skipped because its kind is switched off in the settings: [`Code::SWITCHED_OFF`].
    pub without_switched_off: bool,
    /// Under one version of the settings; versions are counted within a binding.
    pub settings_version: Option<i64>,
    /// Received at this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// Received before this instant.
    pub until: Option<DateTime<Utc>>,
    /// Magento's total, in minor units of two decimals: at least.
    pub at_least: Option<i64>,
    /// Magento's total, in minor units of two decimals: at most.
    pub at_most: Option<i64>,
    /// In this currency.
    pub currency: Option<String>,
    /// Of a customer whose folded name, or the last word of it, begins like this.
    pub customer: Option<String>,
    /// What a person holds in their hands.
    pub find: Option<Find>,
}

/// What a list is sorted by; equals are sorted by their arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// When it arrived.
    #[default]
    Received,
    /// Magento's total, in whatever currency; none counts as nothing.
    Amount,
    /// The document's number; none comes before all others.
    Number,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub by: SortBy,
    /// The newest, the largest, the last first.
    pub descending: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self { by: SortBy::Received, descending: true }
    }
}

/// Where a page starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seek {
    /// At the first.
    #[default]
    First,
    /// At the first one after this run.
    After(RunId),
    /// So that it ends just before this run.
    Before(RunId),
}

/// How far a look at the history reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// So many runs are gathered and sorted.
    pub few: i64,
    /// So many runs a walk looks at before it stops.
    pub window: i64,
}

impl Reach {
    /// How many runs of this path are gathered and sorted. Those that were searched for lie scattered, and each costs a look of its own.
    pub fn few_of(self, path: Path) -> i64 {
        if path == Path::Find { self.few / 2 } else { self.few }
    }

    /// How many runs a walk along this path looks at.
    pub fn window_of(self, path: Path) -> i64 {
        if path == Path::Find { (self.window / 4).max(1) } else { self.window }
    }
}

impl Default for Reach {
    /// Some milliseconds in either database.
    fn default() -> Self {
        Self { few: 2_000, window: 2_000 }
    }
}

/// A page that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Which runs.
    pub filter: RunFilter,
    /// In which order.
    pub order: Order,
    /// Where it starts.
    pub seek: Seek,
    /// How many at most.
    pub limit: u32,
    /// How far the look reaches.
    pub reach: Reach,
}

/// A page of runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The runs, in the order asked for.
    pub runs: Vec<Run>,
    /// The page before it ends before this run; none at the start of the list.
    pub previous: Option<RunId>,
    /// The page after it starts after this run; none at the end of the list.
    pub next: Option<RunId>,
    /// The search was stopped before the page was full: there may be more beyond [`Page::next`] (or [`Page::previous`], on the way back).
    pub stopped: bool,
}

impl Page {
    /// A page of what was found from `seek` on, in the direction of the walk: one more than the limit where it goes on, and the
    /// run at which the walk was stopped, where it was.
    pub fn cut(mut found: Vec<Run>, request: &PageRequest, stopped_at: Option<RunId>) -> Self {
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let goes_on = found.len() > limit;
        found.truncate(limit);
        let stopped_at = stopped_at.filter(|_| !goes_on);
        // Where the walk goes on; and the side that it came from, which is there because somebody came from there.
        let onward = if goes_on { found.last().map(|run| run.id) } else { stopped_at };
        let first = found.first().map(|run| run.id);
        let (previous, next) = match request.seek {
            Seek::First => (None, onward),
            Seek::After(run) => (Some(first.unwrap_or(run)), onward),
            Seek::Before(run) => (onward, Some(first.unwrap_or(run))),
        };
        if matches!(request.seek, Seek::Before(_)) {
            found.reverse();
        }
        Self { runs: found, previous, next, stopped: stopped_at.is_some() }
    }
}

/// An index that gives some of the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// All, in the order of their arrival.
    Received,
    /// All, by amount.
    Amount,
    /// All, by number.
    Number,
    /// Of a status.
    Status,
    /// Of an event.
    Event,
    /// Of an event, in a status.
    EventStatus,
    /// With a code.
    Code,
    /// Open.
    Open,
    /// Of a binding.
    Binding,
    /// Of a binding, in a status.
    BindingStatus,
    /// Of a binding, under a version of its settings.
    Settings,
    /// What a person holds in their hands.
    Find,
}

impl RunFilter {
    /// The paths that may be narrow enough to gather, each worth a count.
    pub fn narrow_paths(&self) -> Vec<Path> {
        let (binding, status, event) = (self.binding.is_some(), self.status.is_some(), self.event.is_some());
        let worth = [
            (self.find.is_some(), Path::Find),
            (self.open || self.cause.is_some(), Path::Open),
            (self.code.is_some(), Path::Code),
            (binding && self.settings_version.is_some(), Path::Settings),
            (event && status, Path::EventStatus),
            (binding && status, Path::BindingStatus),
            (self.at_least.is_some() || self.at_most.is_some(), Path::Amount),
            (event && !status, Path::Event),
            (status && !binding && !event, Path::Status),
            (binding && !status, Path::Binding),
            (!binding && (self.from.is_some() || self.until.is_some()), Path::Received),
        ];
        worth.into_iter().filter(|(is_worth, _)| *is_worth).map(|(_, path)| path).collect()
    }

    /// Whether all runs of the path that is walked in this order match: then the walk ends with a full page, and needs no count.
    pub fn is_walked_whole(&self, order: Order) -> bool {
        let mut rest = self.clone();
        match self.walked_path(order) {
            Path::Find => rest.find = None,
            Path::Status => rest.status = None,
            Path::Event => rest.event = None,
            Path::EventStatus => (rest.event, rest.status) = (None, None),
            Path::Code => rest.code = None,
            Path::Binding => rest.binding = None,
            Path::BindingStatus => (rest.binding, rest.status) = (None, None),
            Path::Amount if !self.takes_nothing() => (rest.at_least, rest.at_most) = (None, None),
            Path::Received | Path::Amount | Path::Number | Path::Open | Path::Settings => {}
        }
        if order.by == SortBy::Received {
            (rest.from, rest.until) = (None, None);
        }
        !rest.is_any()
    }

    /// The path that is walked in this order: the one that narrows most and needs no sorting.
    pub const fn walked_path(&self, order: Order) -> Path {
        match (order.by, self.binding, self.event, self.status, self.code) {
            (SortBy::Amount, ..) => Path::Amount,
            (SortBy::Number, ..) => Path::Number,
            (SortBy::Received, ..) if self.find.is_some() => Path::Find,
            (SortBy::Received, _, _, _, Some(_)) => Path::Code,
            (SortBy::Received, Some(_), _, Some(_), None) => Path::BindingStatus,
            (SortBy::Received, Some(_), _, None, None) => Path::Binding,
            (SortBy::Received, None, Some(_), Some(_), None) => Path::EventStatus,
            (SortBy::Received, None, Some(_), None, None) => Path::Event,
            (SortBy::Received, None, None, Some(_), None) => Path::Status,
            (SortBy::Received, None, None, None, None) => Path::Received,
        }
    }

    /// Whether an amount of nothing is asked for: runs without an amount lie among these, and must be told from them.
    pub fn takes_nothing(&self) -> bool {
        let is_asked = self.at_least.is_some() || self.at_most.is_some();
        is_asked && self.at_least.is_none_or(|least| least <= 0) && self.at_most.is_none_or(|most| most >= 0)
    }

    /// The lowest id that a run received from [`RunFilter::from`] on may have: ids are sorted by time.
    pub fn lowest_id(&self) -> Option<RunId> {
        self.from.map(id_at)
    }

    /// The id that all runs received before [`RunFilter::until`] lie beneath.
    pub fn beyond_id(&self) -> Option<RunId> {
        self.until.map(id_at)
    }

    /// Whether anything is asked for besides the whole history.
    pub fn is_any(&self) -> bool {
        *self != Self::default()
    }
}

/// The lowest id of an instant (RFC 9562, section 5.7: the first 48 bits are its milliseconds).
fn id_at(at: DateTime<Utc>) -> RunId {
    // The instant may lie within a millisecond: what comes after it has a later one.
    let up = at + TimeDelta::nanoseconds(999_999);
    let millis = u128::try_from(up.timestamp_millis()).unwrap_or_default();
    RunId(Uuid::from_u128(millis << 80))
}

/// So many runs, or more than were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many were found.
    pub runs: i64,
    /// Whether there may be more beyond those that were looked at.
    pub is_more: bool,
}

/// Open runs that one thing would fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CauseGroup {
    /// Of which binding.
    pub binding_id: BindingId,
    /// Failed or waiting.
    pub status: RunStatus,
    /// Why.
    pub code: Code,
    /// The cause, as [`RunFilter::cause`] takes it.
    pub cause: String,
    /// Currency of the value; none where the documents have no amounts.
    pub currency: Option<String>,
    /// How many runs.
    pub runs: i64,
    /// The sum of Magento's totals, in minor units of two decimals.
    pub value_minor: i64,
    /// The oldest of them.
    pub oldest: RunId,
    /// The newest of them.
    pub newest: RunId,
}

/// The history.
#[async_trait]
pub trait History {
    /// A page of an organisation's runs.
    async fn page_runs(&self, organisation: OrganisationId, request: &PageRequest) -> Result<Page>;

    /// How many runs match, counted up to a limit.
    async fn count_matching(
        &self,
        organisation: OrganisationId,
        filter: &RunFilter,
        up_to: i64,
    ) -> Result<i64>;

    /// How many runs match, as far as a page would look: a few milliseconds, however long the history is.
    async fn count_nearby(
        &self,
        organisation: OrganisationId,
        filter: &RunFilter,
        reach: Reach,
    ) -> Result<Counted>;

    /// What is open, by binding, cause and currency, most runs first; at most so many groups.
    async fn causes(&self, organisation: OrganisationId, limit: u32) -> Result<Vec<CauseGroup>>;

    /// The runs of these ids, in their order; those that are gone or another organisation's are left out.
    async fn runs_by_id(&self, organisation: OrganisationId, ids: &[RunId]) -> Result<Vec<Run>>;

    /// Keeps runs as they are, in the order of their ids, and counts them by day; without events and attempts: a history to measure
    /// with.
    async fn seed_for_bench(&self, organisation: OrganisationId, runs: &[Run]) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_bound_an_instant() {
        let at = DateTime::from_timestamp_millis(1_767_607_200_123).unwrap_or_default();
        let id = |millis: u128, rest: u128| RunId(Uuid::from_u128(millis << 80 | 7 << 76 | rest));
        let bound = RunFilter { from: Some(at), ..RunFilter::default() }.lowest_id();
        assert!(bound.is_some_and(|bound| bound <= id(1_767_607_200_123, 0)));
        assert!(bound.is_some_and(|bound| bound > id(1_767_607_200_122, u128::from(u64::MAX))));
    }

    #[test]
    fn a_walk_that_leads_past_nothing_needs_no_count() {
        let any = RunFilter::default;
        let (newest, largest) = (Order::default(), Order { by: SortBy::Amount, descending: true });
        let shop = Some(BindingId::default());
        let failed = RunFilter { binding: shop, status: Some(RunStatus::Failed), ..any() };
        let of_a_day = RunFilter { from: DateTime::from_timestamp_millis(0), ..failed.clone() };
        assert!(any().is_walked_whole(newest) && any().is_walked_whole(largest));
        assert!(failed.is_walked_whole(newest) && of_a_day.is_walked_whole(newest));
        assert!(!failed.is_walked_whole(largest));
        assert!(!RunFilter { event: Some(EventName::InvoicePaid), ..failed }.is_walked_whole(newest));
        assert!(RunFilter { at_least: Some(1), ..any() }.is_walked_whole(largest));
        assert!(!RunFilter { at_least: Some(0), ..any() }.is_walked_whole(largest), "no amount is not 0.00");
        assert!(!RunFilter { open: true, ..any() }.is_walked_whole(newest));
    }

    #[test]
    fn what_is_narrow_is_counted_before_it_is_walked() {
        let filter = RunFilter { status: Some(RunStatus::Failed), at_least: Some(1), ..RunFilter::default() };
        assert_eq!(filter.narrow_paths(), [Path::Amount, Path::Status]);
        assert_eq!(filter.walked_path(Order::default()), Path::Status);
        assert_eq!(RunFilter::default().narrow_paths(), []);
    }
}

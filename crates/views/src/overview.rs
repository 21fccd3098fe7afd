//! The overview, as its page shows it.

use domain::{run::RunStatus, setup::ShopState};
use store::{Span, Tally};

use super::{
    format::{Moment, grouped},
    setup::SetupView,
};

/// Everything that the overview shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverviewView {
    /// The store's change number when it was read.
    pub version: u64,
    /// What was posted today, waits and failed.
    pub money: MoneyView,
    /// What needs a person, the worst first, as many as are shown.
    pub needs: Vec<NeedView>,
    /// How many there are in all.
    pub needs_in_all: usize,
    /// Shops, those in trouble first, as many as are shown.
    pub shops: Vec<ShopView>,
    /// How many there are in all.
    pub shops_in_all: usize,
    /// How many of them are in trouble.
    pub in_trouble: usize,
    /// Documents that are due and not at work yet, of all shops.
    pub backlog: i64,
    /// When the last of them is expected to be done.
    pub end: EndView,
    /// Calls to Sage for documents since the day began.
    pub calls: i64,
    /// What came in and how it ended.
    pub chart: ChartView,
    /// How long it took.
    pub times: TimesView,
    /// The steps of the first shop, before there is one.
    pub first_steps: SetupView,
    /// Whether the one who looks may connect a shop.
    pub may_connect: bool,
}

/// What was posted today, waits and failed, in the currency of the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyView {
    /// Posted since the day began.
    pub posted: FigureView,
    /// Waiting for somebody or something.
    pub waiting: FigureView,
    /// Failed and not made good.
    pub failed: FigureView,
    /// When the oldest that waits or failed arrived, and the address of its page.
    pub oldest: Option<(Moment, String)>,
}

/// A sum of documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureView {
    /// What they come to; none where they have no amounts.
    pub value: Option<String>,
    /// Which and how many they are.
    pub detail: String,
    /// The list of them.
    pub href: String,
}

/// How bad it is; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A shop is not set up: nothing of it has ever reached Sage.
    NotSetUp,
    /// A shop cannot work: nothing of it reaches Sage.
    Stopped,
    /// A shop is paused: what it sends waits.
    Paused,
    /// Documents failed.
    Failed,
    /// Documents are held.
    Held,
}

impl Urgency {
    /// In a person's words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotSetUp => ShopState::NotSetUp.label(),
            Self::Stopped => "Stopped",
            Self::Paused => "Paused",
            Self::Failed => "Failed",
            Self::Held => "Held",
        }
    }

    /// The status of runs whose colour and shape it has.
    pub const fn like(self) -> RunStatus {
        match self {
            Self::Stopped | Self::Failed => RunStatus::Failed,
            Self::NotSetUp | Self::Paused | Self::Held => RunStatus::Waiting,
        }
    }
}

/// One thing that a person would fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedView {
    /// How bad it is.
    pub severity: Urgency,
    /// Of which shop.
    pub shop: String,
    /// How many documents are behind it.
    pub runs: i64,
    /// What they come to, in the currency of the books where it can be told.
    pub value: Option<String>,
    /// What happened.
    pub sentence: &'static str,
    /// What to do.
    pub action: String,
    /// The code; none of a shop that is not set up.
    pub code: Option<&'static str>,
    /// Where it is fixed or looked at.
    pub href: String,
    /// The steps of a shop that is not set up.
    pub setup: Option<SetupView>,
    /// The documents that whoever looks may retry: the query of their list.
    pub retry: Option<String>,
}

/// A shop and how it gets along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopView {
    /// Its name.
    pub name: String,
    /// The address of its page.
    pub href: String,
    /// Where it stands.
    pub state: ShopState,
    /// How it gets along, in a sentence.
    pub health: &'static str,
    /// Why, the worst first.
    pub causes: Vec<String>,
    /// When a document reached Sage last.
    pub last_success: Option<Moment>,
    /// Documents that are due and not at work yet, or wait for the shop.
    pub backlog: i64,
    /// When they are expected to be done.
    pub end: EndView,
    /// Calls to Sage for documents since the day began.
    pub calls: i64,
}

/// When a backlog is expected to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndView {
    /// There is none.
    Nothing,
    /// Then, at the pace of the last hour.
    At(Moment),
    /// Nothing of it moves.
    Still,
    /// It cannot be told: nothing ended within the last hour.
    Unknown,
}

/// What came in and how it ended, over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartView {
    /// By the hour or by the day.
    pub span: Span,
    /// The hours or days, oldest first.
    pub bars: Vec<BarView>,
}

/// An hour or a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarView {
    /// When it starts.
    pub starts: Moment,
    /// What stands beneath it; nothing where there is no room.
    pub label: String,
    /// What stands beneath that: the month or the day, where a new one begins.
    pub second_label: String,
    /// How many came in.
    pub received: i64,
    /// How many ended in Sage.
    pub succeeded: i64,
    /// How many were skipped.
    pub skipped: i64,
    /// How many failed.
    pub failed: i64,
}

impl BarView {
    /// How many ended.
    pub const fn ended(&self) -> i64 {
        self.succeeded + self.skipped + self.failed
    }

    /// Adds what was counted.
    pub const fn add(&mut self, tally: Tally, runs: i64) {
        match tally {
            Tally::Received => self.received += runs,
            Tally::Ended(RunStatus::Succeeded) => self.succeeded += runs,
            Tally::Ended(RunStatus::SkippedByPolicy) => self.skipped += runs,
            Tally::Ended(_) => self.failed += runs,
        }
    }
}

/// How long it takes from Magento's save to Sage's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimesView {
    /// Of how many documents.
    pub of: usize,
    /// A part, and how long half, nineteen of twenty, and ninety-nine of a hundred took at most.
    pub parts: Vec<(&'static str, [String; 3])>,
}

/// A number of something.
pub fn many(count: i64, one: &str, more: &str) -> String {
    match count {
        0 => format!("no {more}"),
        _ => format!("{} {}", grouped(count.unsigned_abs()), if count == 1 { one } else { more }),
    }
}

/// How long, to the precision that a person cares for: `40 ms`, `1.2 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
pub fn lasting(millis: i64) -> String {
    let millis = millis.max(0);
    let seconds = millis / 1000;
    match seconds {
        0 => format!("{millis} ms"),
        1..10 => format!("{seconds}.{} s", millis % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::{lasting, many};

    #[test]
    fn times_are_told_as_exactly_as_they_matter() {
        for (millis, text) in [
            (-5, "0 ms"),
            (449, "449 ms"),
            (1_250, "1.2 s"),
            (9_999, "9.9 s"),
            (12_345, "12 s"),
            (200_000, "3 min 20 s"),
            (7_500_000, "2 h 5 min"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(lasting(millis), text);
        }
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(many(0, "document", "documents"), "no documents");
        assert_eq!(many(1, "document", "documents"), "1 document");
        assert_eq!(many(1_200, "document", "documents"), "1,200 documents");
    }
}

//! Retries of many runs, as their pages show them.

use domain::run::{BulkState, RunStatus};
use serde::{Deserialize, Serialize};

use super::{
    format::{Moment, grouped},
    runs::status_label,
};

/// What a retry of all that match would mean.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewView {
    /// How many runs would be put in the queue.
    pub count: i64,
    /// Whether there are more than were counted.
    pub is_more: bool,
    /// How many of them are in each status, those without any left out.
    pub by_status: Vec<(RunStatus, i64)>,
    /// How many runs match, as far as they were counted.
    pub matching: i64,
    /// How many seconds they may take.
    pub seconds: i64,
    /// What is said of shops that so many new failures would pause.
    pub warnings: Vec<String>,
    /// Whether only some of the runs are meant.
    pub is_filtered: bool,
}

impl PreviewView {
    /// How many match, and how many of them a retry would put in the queue.
    pub fn sentence(&self) -> String {
        let matching = match (self.is_more, self.matching) {
            (true, many) => format!("More than {} runs match.", count(many)),
            (false, 1) => "1 run matches.".to_owned(),
            (false, many) => format!("{} runs match.", count(many)),
        };
        let parts: Vec<String> = self
            .by_status
            .iter()
            .map(|(status, runs)| format!("{} {}", count(*runs), status_label(*status).to_lowercase()))
            .collect();
        match (self.count, self.matching) {
            (0, 0) => matching,
            (0, _) => {
                format!("{matching} None of them can be retried: they are queued, in progress or in Sage.")
            }
            (all, many) if all == many => format!("{matching} All can be retried: {}.", parts.join(", ")),
            (some, _) => format!("{matching} {} can be retried: {}.", count(some), parts.join(", ")),
        }
    }

    /// What the button says.
    pub fn label(&self) -> String {
        match (self.is_more, self.count) {
            (true, many) => format!("Retry more than {} runs", count(many)),
            (false, 1) => "Retry 1 run".to_owned(),
            (false, many) => format!("Retry {} runs", count(many)),
        }
    }
}

/// A retry of many runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkView {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub state: BulkState,
    /// How many runs were counted when it began.
    pub expected: i64,
    /// How many were put in the queue.
    pub retried: i64,
    /// How many could not be.
    pub passed_over: i64,
    /// What came of those until now.
    pub outcomes: BulkOutcomes,
    /// Why those failed again that did, most runs first.
    #[serde(default)]
    pub failures: Vec<BulkFailureView>,
    /// The list of those that failed again.
    #[serde(default)]
    pub failed_again: Option<String>,
    /// Who began it.
    pub actor: String,
    /// The list of the runs that it is about.
    pub runs: String,
    /// When it began.
    pub began: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// Whether the one who looks may cancel it.
    pub may_cancel: bool,
}

/// Runs of a retry of many that failed again, of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkFailureView {
    /// How many, such as `34 documents`.
    pub documents: String,
    /// What happened.
    pub sentence: String,
    /// What to do.
    pub action: String,
    /// The list of them.
    pub href: String,
}

impl BulkView {
    /// Whether nothing more comes of it.
    pub fn is_settled(&self) -> bool {
        self.state != BulkState::Running && self.outcomes.open == 0
    }
}

/// How it stands, in a sentence.
pub fn state_sentence(bulk: &BulkView) -> String {
    let (passed, expected) = (count(bulk.retried + bulk.passed_over), count(bulk.expected));
    match bulk.state {
        BulkState::Running => {
            format!("{passed} of about {expected} done. It continues automatically, even after a restart.")
        }
        BulkState::Done => {
            format!("Complete: {} queued, {} not retried.", count(bulk.retried), count(bulk.passed_over))
        }
        BulkState::Cancelled => format!("Cancelled after {passed}. Runs already queued continue."),
    }
}

/// A number of runs.
pub fn count(number: i64) -> String {
    grouped(number.unsigned_abs())
}

/// What came of the runs that a bulk retry put in the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkOutcomes {
    /// Now in Sage.
    pub in_sage: i64,
    /// Skipped by the settings.
    pub skipped: i64,
    /// Failed again.
    pub failed: i64,
    /// Still queued, in progress, waiting or about to be tried again.
    pub open: i64,
}

impl BulkOutcomes {
    /// Sorts the runs of a status to where they belong.
    pub fn add(&mut self, status: RunStatus, runs: i64) {
        match status {
            RunStatus::Succeeded => self.in_sage += runs,
            RunStatus::SkippedByPolicy => self.skipped += runs,
            RunStatus::Failed => self.failed += runs,
            RunStatus::Queued | RunStatus::Running | RunStatus::Waiting | RunStatus::Retrying => {
                self.open += runs;
            }
        }
    }

    /// All of them in a sentence, such as `5 in Sage, 2 failed again, 1 in progress`.
    pub fn sentence(&self) -> String {
        let parts = [
            (self.in_sage, "in Sage"),
            (self.skipped, "skipped"),
            (self.failed, "failed again"),
            (self.open, "in progress"),
        ];
        let parts = parts.into_iter().filter(|(runs, _)| *runs > 0);
        parts.map(|(runs, what)| format!("{runs} {what}")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_how_many_of_the_matching_runs_can_be_retried() {
        let preview = |matching, by_status: &[(RunStatus, i64)]| PreviewView {
            matching,
            count: by_status.iter().map(|(_, runs)| runs).sum(),
            by_status: by_status.to_vec(),
            ..PreviewView::default()
        };
        let some = preview(24, &[(RunStatus::Failed, 5), (RunStatus::Waiting, 2)]);
        assert_eq!(some.sentence(), "24 runs match. 7 can be retried: 5 failed, 2 waiting.");
        assert_eq!(some.label(), "Retry 7 runs");
        let all = preview(1, &[(RunStatus::Failed, 1)]);
        assert_eq!(all.sentence(), "1 run matches. All can be retried: 1 failed.");
        let none = preview(42, &[]);
        assert!(none.sentence().starts_with("42 runs match. None of them"), "{}", none.sentence());
        assert_eq!(preview(0, &[]).sentence(), "0 runs match.");
    }
}

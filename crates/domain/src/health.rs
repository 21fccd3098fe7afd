//! How a binding fares: a count of documents that failed one after another, and the stages that it passes on the way down and up
//! again. Only what has failed for good is counted; what is tried again is no failure yet.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{alert::AlertKind, run::BindingStatus, words};

words! {
    /// How a binding fares.
    pub enum Stage {
        /// Its documents arrive.
        Healthy,
        /// Several failed one after another, Sage or the shop has not answered for a while, or it was resumed and nothing has arrived since.
        Troubled,
        /// Many failed one after another.
        Failing,
        /// So many that Ledger has paused it.
        Paused,
        /// Sage or Magento refuses us.
        Disconnected,
    }
}

/// How long Sage or a shop is silent before members are told: shorter outages end before anybody could do anything about them.
const SILENCE_IS_TOLD_AFTER: TimeDelta = TimeDelta::minutes(15);

/// After how many documents that failed one after another a stage is reached; 0 is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    /// [`Stage::Troubled`].
    pub troubled: u32,
    /// [`Stage::Failing`].
    pub failing: u32,
    /// [`Stage::Paused`].
    pub pause: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { troubled: 5, failing: 20, pause: 50 }
    }
}

impl Thresholds {
    /// The stage of so many failures.
    fn stage(self, failed: u32) -> Stage {
        let reached = |threshold: u32| threshold > 0 && failed >= threshold;
        match () {
            () if reached(self.pause) => Stage::Paused,
            () if reached(self.failing) => Stage::Failing,
            () if reached(self.troubled) => Stage::Troubled,
            () => Stage::Healthy,
        }
    }
}

/// How a run ended, where that says something of its binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is in Sage.
    Well,
    /// A person must act.
    Failed,
    /// It failed before, and that is counted already: a person who tries a document again finds no new failure.
    FailedAgain,
}

/// How a binding fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Documents that failed one after another, without a success between.
    pub failed_in_a_row: u32,
    /// The stage.
    pub stage: Stage,
}

impl Default for Health {
    fn default() -> Self {
        Self { failed_in_a_row: 0, stage: Stage::Healthy }
    }
}

impl Health {
    /// After a run has ended, with what members are to be told. [`AlertKind::BindingPaused`] asks that the binding be paused.
    pub fn after_run(self, ended: Ended, thresholds: Thresholds) -> (Self, Option<AlertKind>) {
        match ended {
            Ended::Well => self.after_success(),
            Ended::FailedAgain => (self, None),
            Ended::Failed => self.after_failure(thresholds),
        }
    }

    fn after_success(self) -> (Self, Option<AlertKind>) {
        // What was under way when Ledger paused the binding does not say that its cause is fixed.
        if self.stage == Stage::Paused {
            return (self, None);
        }
        let recovers = matches!(self.stage, Stage::Troubled | Stage::Failing);
        let stage = if recovers { Stage::Healthy } else { self.stage };
        (Self { failed_in_a_row: 0, stage }, recovers.then_some(AlertKind::BindingRecovered))
    }

    /// Below the first stage each document is told by itself; from there on the stages speak for all of them.
    fn after_failure(self, thresholds: Thresholds) -> (Self, Option<AlertKind>) {
        let failed_in_a_row = self.failed_in_a_row.saturating_add(1);
        let (before, reached) = (thresholds.stage(self.failed_in_a_row), thresholds.stage(failed_in_a_row));
        let pauses = reached == Stage::Paused && self.stage < Stage::Paused;
        let kind = match reached {
            Stage::Paused => pauses.then_some(AlertKind::BindingPaused),
            Stage::Failing => (before < reached).then_some(AlertKind::BindingFailing),
            Stage::Troubled => (before < reached).then_some(AlertKind::BindingTroubled),
            Stage::Healthy | Stage::Disconnected => Some(AlertKind::DocumentFailed),
        };
        (Self { failed_in_a_row, stage: self.stage.max(reached) }, kind)
    }

    /// After one more rest, while Sage or the shop has not answered for so long. No document fails through it, and it pauses nothing.
    pub fn after_rest(self, silent_for: TimeDelta) -> (Self, Option<AlertKind>) {
        if self.stage == Stage::Healthy && silent_for >= SILENCE_IS_TOLD_AFTER {
            return (Self { stage: Stage::Troubled, ..self }, Some(AlertKind::BindingTroubled));
        }
        (self, None)
    }

    /// After its status was set. Who resumes a binding begins to count again, and hears of its recovery with the first success.
    pub fn after_status(self, status: BindingStatus) -> (Self, Option<AlertKind>) {
        let again = |stage| Self { stage, ..Self::default() };
        match (status, self.stage) {
            (BindingStatus::NeedsReauth, Stage::Disconnected) => (self, None),
            (BindingStatus::NeedsReauth, _) => {
                (Self { stage: Stage::Disconnected, ..self }, Some(AlertKind::BindingDisconnected))
            }
            (BindingStatus::Active, Stage::Disconnected) => {
                (again(Stage::Healthy), Some(AlertKind::BindingRecovered))
            }
            (BindingStatus::Active, Stage::Paused) => (again(Stage::Troubled), None),
            (BindingStatus::Revoked, _) => (Self::default(), None),
            _ => (self, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AlertKind::{
        BindingDisconnected, BindingFailing, BindingPaused, BindingRecovered, BindingTroubled, DocumentFailed,
    };

    /// What is told while so many fail one after another, with the count at which it was.
    fn fail(health: &mut Health, count: u32, thresholds: Thresholds) -> Vec<(u32, AlertKind)> {
        let mut told = Vec::new();
        for _ in 0..count {
            let (next, kind) = health.after_run(Ended::Failed, thresholds);
            *health = next;
            told.extend(kind.map(|kind| (health.failed_in_a_row, kind)));
        }
        told
    }

    fn success(health: &mut Health) -> Option<AlertKind> {
        let (next, kind) = health.after_run(Ended::Well, Thresholds::default());
        *health = next;
        kind
    }

    fn status(health: &mut Health, status: BindingStatus) -> Option<AlertKind> {
        let (next, kind) = health.after_status(status);
        *health = next;
        kind
    }

    #[test]
    fn trouble_is_told_in_stages_and_once_each() {
        let mut health = Health::default();
        let told = fail(&mut health, 80, Thresholds::default());
        let documents = (1..5).map(|number| (number, DocumentFailed));
        let stages = [(5, BindingTroubled), (20, BindingFailing), (50, BindingPaused)];
        assert_eq!(told, documents.chain(stages).collect::<Vec<_>>());
        assert_eq!((health.failed_in_a_row, health.stage), (80, Stage::Paused));
    }

    #[test]
    fn a_success_between_begins_the_count_again() {
        let mut health = Health::default();
        assert_eq!(fail(&mut health, 4, Thresholds::default()).len(), 4);
        assert_eq!(success(&mut health), None, "it was never in trouble");
        assert_eq!(
            fail(&mut health, 4, Thresholds::default()),
            (1..5).map(|n| (n, DocumentFailed)).collect::<Vec<_>>()
        );
        fail(&mut health, 16, Thresholds::default());
        assert_eq!(success(&mut health), Some(BindingRecovered));
        assert_eq!(health, Health::default());
        assert_eq!(success(&mut health), None, "told once");
    }

    #[test]
    fn the_same_document_failing_again_is_no_new_failure() {
        let (first, _) = Health::default().after_run(Ended::Failed, Thresholds::default());
        assert_eq!(first.after_run(Ended::FailedAgain, Thresholds::default()), (first, None));
    }

    #[test]
    fn who_resumes_hears_of_the_recovery_with_the_first_success() {
        let mut health = Health::default();
        fail(&mut health, 50, Thresholds::default());
        assert_eq!(success(&mut health), None, "what was under way when it was paused resumes nothing");
        assert_eq!(health.stage, Stage::Paused);
        assert_eq!(status(&mut health, BindingStatus::Active), None);
        assert_eq!(health.stage, Stage::Troubled);
        let told = fail(&mut health, 5, Thresholds::default());
        assert_eq!(told.last(), Some(&(5, BindingTroubled)), "as bad as before: it is told again");
        assert_eq!(success(&mut health), Some(BindingRecovered));
    }

    #[test]
    fn a_lost_connection_is_told_once_and_its_return_at_once() {
        let mut health = Health::default();
        fail(&mut health, 7, Thresholds::default());
        assert_eq!(status(&mut health, BindingStatus::NeedsReauth), Some(BindingDisconnected));
        assert_eq!(status(&mut health, BindingStatus::NeedsReauth), None);
        assert_eq!(status(&mut health, BindingStatus::Active), Some(BindingRecovered));
        assert_eq!(health, Health::default());
    }

    #[test]
    fn an_outage_is_told_once_pauses_nothing_and_ends_with_the_first_success() {
        let mut health = Health::default();
        let mut told = Vec::new();
        for minutes in 0..10_000 {
            let (next, kind) = health.after_rest(TimeDelta::minutes(minutes));
            health = next;
            told.extend(kind.map(|kind| (minutes, kind)));
        }
        assert_eq!(told, [(15, BindingTroubled)]);
        assert_eq!((health.failed_in_a_row, health.stage), (0, Stage::Troubled));
        assert_eq!(success(&mut health), Some(BindingRecovered));
        assert_eq!(health, Health::default());
    }

    #[test]
    fn what_people_do_by_themselves_is_not_told() {
        let mut health = Health::default();
        for state in
            [BindingStatus::Paused, BindingStatus::Active, BindingStatus::Pending, BindingStatus::Revoked]
        {
            assert_eq!(status(&mut health, state), None, "{state}");
            assert_eq!(health, Health::default(), "{state}");
        }
    }

    #[test]
    fn a_threshold_of_nothing_is_never_reached() {
        let never = Thresholds { troubled: 5, failing: 0, pause: 0 };
        let told = fail(&mut Health::default(), 200, never);
        assert_eq!(told.last(), Some(&(5, BindingTroubled)));
        let each = Thresholds { troubled: 0, failing: 0, pause: 0 };
        assert_eq!(fail(&mut Health::default(), 9, each).len(), 9);
        let only_pause = Thresholds { troubled: 0, failing: 0, pause: 3 };
        assert_eq!(
            fail(&mut Health::default(), 9, only_pause),
            [(1, DocumentFailed), (2, DocumentFailed), (3, BindingPaused)]
        );
    }

    #[test]
    fn a_lower_threshold_takes_hold_with_the_next_failure() {
        let mut health = Health { failed_in_a_row: 30, stage: Stage::Failing };
        let told = fail(&mut health, 2, Thresholds { pause: 10, ..Thresholds::default() });
        assert_eq!(told, [(31, BindingPaused)]);
    }
}

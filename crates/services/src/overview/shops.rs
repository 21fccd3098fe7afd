//! The shops, and how each gets along.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    health::Stage,
    run::{BindingStatus, RunStatus},
    setup::ShopState,
};
use messages::message;
use store::{Binding, CauseGroup, Load};
use views::{
    bindings::href,
    overview::{EndView, ShopView, lasting, many},
};

use super::needs::Causes;
use crate::{history::causes::needs_a_person, setup::Setups};

/// So many causes of a shop are told.
const CAUSES: usize = 3;

/// Whose oldest document has been due for longer is behind.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);

/// Where a shop stands among others: what posts nothing first, then what fails, the more kinds of trouble the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ShopRank {
    NotSetUp,
    Stopped,
    Paused,
    Troubled(Reverse<usize>),
    Well,
    Gone,
}

impl ShopRank {
    const fn of(state: ShopState, kinds: usize) -> Self {
        match state {
            ShopState::NotSetUp => Self::NotSetUp,
            ShopState::Pending | ShopState::NeedsReauth => Self::Stopped,
            ShopState::Paused => Self::Paused,
            ShopState::Revoked => Self::Gone,
            ShopState::Working if kinds > 0 => Self::Troubled(Reverse(kinds)),
            ShopState::Working => Self::Well,
        }
    }

    /// Whether somebody should look at it.
    pub(super) const fn needs_a_look(self) -> bool {
        !matches!(self, Self::Well | Self::Gone)
    }
}

/// A shop, and where it stands among others.
pub(super) fn shop(
    binding: &Binding,
    load: &Load,
    (causes, setups): (&Causes, &Setups),
    now: DateTime<Utc>,
) -> (ShopRank, ShopView) {
    let state = ShopState::of(binding.status, setups.get(binding));
    let groups = causes.of_binding(binding.id);
    let open = groups.iter().filter(|group| group.first().is_some_and(|group| needs_a_person(group)));
    let mut told: Vec<String> = open.map(|group| cause(group)).collect();
    let kinds = told.len();
    if kinds > CAUSES {
        told.truncate(CAUSES);
        told.push(match kinds - CAUSES {
            1 => message!(overview.other_cause).to_owned(),
            count => message!(overview.other_causes, count = count),
        });
    }
    if let Some(run) = run_of_failures(load.stage, load.failed_in_a_row) {
        told.insert(0, run);
    }
    let moves = binding.status == BindingStatus::Active;
    let due_for = load.oldest_due.map(|due| now - due).filter(|due_for| moves && *due_for > PATIENCE);
    if let Some(due_for) = due_for {
        told.push(message!(overview.due_for, time = lasting(due_for.num_milliseconds())));
    }
    if load.untold > 0 {
        let documents = many(load.untold, "document", "documents");
        told.push(message!(overview.not_reported, documents = documents));
    }
    let rank = ShopRank::of(state, told.len());
    let backlog = load.backlog;
    let view = ShopView {
        name: binding.name.clone(),
        href: href(&binding.id.to_string()),
        state,
        health: health(state, rank.needs_a_look()),
        causes: told,
        last_success: load.last_success.map(Into::into),
        backlog,
        end: if backlog > 0 && !moves { EndView::Still } else { end(backlog, load.ended, now) },
        calls: load.calls,
    };
    (rank, view)
}

/// What is said of documents that failed one after another.
fn run_of_failures(stage: Stage, failed: u32) -> Option<String> {
    let documents = || many(failed.into(), "document", "documents");
    match stage {
        Stage::Healthy | Stage::Disconnected => None,
        Stage::Troubled if failed == 0 => Some(message!(overview.nothing_lately).to_owned()),
        Stage::Troubled | Stage::Failing => Some(message!(overview.failed_in_a_row, documents = documents())),
        Stage::Paused => Some(message!(overview.paused, documents = documents())),
    }
}

const fn health(state: ShopState, is_in_trouble: bool) -> &'static str {
    match (state, is_in_trouble) {
        (ShopState::NotSetUp, _) => message!(overview.not_set_up),
        (ShopState::Pending | ShopState::NeedsReauth, _) => message!(overview.not_connected),
        (ShopState::Paused, _) => message!(overview.shop_paused),
        (ShopState::Revoked, _) => message!(overview.disconnected),
        (ShopState::Working, true) => message!(overview.needs_attention),
        (ShopState::Working, false) => message!(overview.healthy),
    }
}

/// One cause in a line: how many, and what happened.
fn cause(group: &[&CauseGroup]) -> String {
    let runs = group.iter().map(|group| group.runs).sum();
    let documents = many(runs, "document", "documents");
    group.first().map_or_else(String::new, |first| {
        let sentence = first.code.sentence();
        if first.status == RunStatus::Failed {
            message!(overview.cause_failed, documents = documents, sentence = sentence)
        } else {
            message!(overview.cause_waiting, documents = documents, sentence = sentence)
        }
    })
}

/// When a backlog ends at the pace of the last hour.
pub(super) fn end(backlog: i64, ended: i64, now: DateTime<Utc>) -> EndView {
    match (backlog, ended) {
        (0, _) => EndView::Nothing,
        (_, 0) => EndView::Unknown,
        _ => EndView::At((now + TimeDelta::seconds(backlog.saturating_mul(3_600) / ended)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_posts_nothing_comes_before_what_fails_and_that_before_what_is_well() {
        let states = [
            (ShopState::NotSetUp, 0),
            (ShopState::NeedsReauth, 0),
            (ShopState::Paused, 0),
            (ShopState::Working, 3),
            (ShopState::Working, 1),
            (ShopState::Working, 0),
            (ShopState::Revoked, 2),
        ];
        let ranks = states.map(|(state, kinds)| ShopRank::of(state, kinds));
        assert!(ranks.is_sorted(), "{ranks:?}");
        assert_eq!(ranks.iter().filter(|rank| rank.needs_a_look()).count(), 5, "the paused one, too");
    }

    #[test]
    fn failures_one_after_another_are_told_by_their_stage() {
        let told = |stage, failed| run_of_failures(stage, failed).unwrap_or_default();
        assert_eq!(told(Stage::Healthy, 4), "");
        assert_eq!(told(Stage::Disconnected, 9), "", "its status says that");
        assert_eq!(told(Stage::Troubled, 5), "5 documents failed in a row.");
        assert_eq!(told(Stage::Troubled, 0), "Nothing has reached Sage lately.");
        assert_eq!(told(Stage::Paused, 50), "Ledger paused the shop because 50 documents failed in a row.");
    }
}

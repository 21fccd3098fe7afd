//! What needs somebody, the worst first.

use std::{cmp::Reverse, collections::HashMap};

use domain::{code::Code, ids::BindingId, run::RunStatus, setup::ShopState};
use messages::message;
use store::{Binding, CauseGroup, Load};
use views::{
    bindings::href,
    overview::{NeedView, Urgency},
};

use crate::{
    Member,
    history::causes::{needs_a_person, query_of, together},
    permission::Permission,
    purse::{AllBooks, Purse},
    setup::{self, Setups},
};

/// What is open, by binding.
pub(super) struct Causes {
    groups: HashMap<BindingId, Vec<CauseGroup>>,
}

impl Causes {
    /// Sorts the groups by their bindings.
    pub(super) fn of(groups: &[CauseGroup]) -> Self {
        let mut by_binding: HashMap<BindingId, Vec<CauseGroup>> = HashMap::new();
        for group in groups {
            by_binding.entry(group.binding_id).or_default().push(group.clone());
        }
        Self { groups: by_binding }
    }

    /// The groups of a binding, those of one cause in several currencies together.
    pub(super) fn of_binding(&self, binding: BindingId) -> Vec<Vec<&CauseGroup>> {
        together(self.groups.get(&binding).into_iter().flatten())
    }
}

/// What a need is found by.
pub(super) struct Known<'a> {
    pub(super) causes: &'a Causes,
    pub(super) loads: &'a HashMap<BindingId, Load>,
    pub(super) setups: &'a Setups,
    pub(super) books: &'a AllBooks,
}

/// What comes first: the worse, the more valuable in the books' currency, the more.
type Rank = (Urgency, Reverse<i64>, Reverse<i64>);

/// What needs somebody, the worst first.
pub(super) fn needs(bindings: &[Binding], known: &Known<'_>, member: &Member) -> Vec<NeedView> {
    let mut needs: Vec<(Rank, NeedView)> = Vec::new();
    for binding in bindings {
        let state = ShopState::of(binding.status, known.setups.get(binding));
        needs.extend(of_shop(binding, state, known, member));
        let groups = known.causes.of_binding(binding.id);
        needs.extend(groups.iter().filter_map(|group| of_cause(binding, group, known.books, member)));
    }
    needs.sort_by_key(|(rank, _)| *rank);
    needs.into_iter().map(|(_, need)| need).collect()
}

/// The need of a shop that posts nothing: not set up, stopped or paused.
fn of_shop(
    binding: &Binding,
    state: ShopState,
    known: &Known<'_>,
    member: &Member,
) -> Option<(Rank, NeedView)> {
    let page = href(&binding.id.to_string());
    let runs = known.loads.get(&binding.id).map_or(0, |load| load.backlog);
    let (severity, code) = match state {
        ShopState::NotSetUp => {
            let need = not_set_up(binding, known.setups, member)?;
            return Some(((Urgency::NotSetUp, Reverse(0), Reverse(0)), need));
        }
        ShopState::Pending => (Urgency::Stopped, Code::BindingPending),
        ShopState::NeedsReauth => (Urgency::Stopped, Code::BindingNeedsReauth),
        ShopState::Paused => (Urgency::Paused, Code::BindingPaused),
        ShopState::Working | ShopState::Revoked => return None,
    };
    let list = format!("/dashboard/sync?status=queued&shop={}", binding.id);
    let href = if severity == Urgency::Paused && runs > 0 { list } else { page };
    let need = NeedView { runs, ..need(binding, severity, code, href, None) };
    Some(((severity, Reverse(0), Reverse(runs)), need))
}

/// The need of documents that one thing would fix.
fn of_cause(
    binding: &Binding,
    group: &[&CauseGroup],
    books: &AllBooks,
    member: &Member,
) -> Option<(Rank, NeedView)> {
    let first = group.first().filter(|first| needs_a_person(first))?;
    let severity = if first.status == RunStatus::Failed { Urgency::Failed } else { Urgency::Held };
    let list = format!("/dashboard/sync?cause={}&shop={}", first.cause, binding.id);
    let (mut runs, mut purse) = (0, Purse::default());
    for one in group {
        runs += one.runs;
        purse.add(books, binding.id, one.currency.as_deref(), one.value_minor);
    }
    let may_retry = severity == Urgency::Failed && member.may(Permission::RetryRuns);
    let retry = may_retry.then(|| query_of(first).text());
    let need = NeedView { runs, retry, ..need(binding, severity, first.code, list, purse.words()) };
    Some(((severity, Reverse(purse.worth()), Reverse(runs)), need))
}

fn need(binding: &Binding, severity: Urgency, code: Code, href: String, value: Option<String>) -> NeedView {
    NeedView {
        severity,
        shop: binding.name.clone(),
        runs: 0,
        value,
        sentence: code.sentence(),
        action: code.action().to_owned(),
        code: Some(code.as_str()),
        href,
        setup: None,
        retry: None,
    }
}

/// The need of a shop that has never posted, with the steps that are left.
fn not_set_up(binding: &Binding, setups: &Setups, member: &Member) -> Option<NeedView> {
    let steps = setup::view(binding, setups.get(binding), member)?;
    let next = steps.next()?;
    let href = next.href.clone().unwrap_or_else(|| href(&binding.id.to_string()));
    Some(NeedView {
        severity: Urgency::NotSetUp,
        shop: binding.name.clone(),
        runs: 0,
        value: None,
        sentence: message!(setup.text.nothing_posted),
        action: message!(setup.text.next, step = next.step.title()),
        code: None,
        href,
        setup: Some(steps),
        retry: None,
    })
}

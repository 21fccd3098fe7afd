//! The service functions behind the overview.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use domain::{
    code::Code,
    health::Stage,
    ids::BindingId,
    percentile::percentile,
    run::{BindingStatus, RunStatus},
    setup::ShopState,
};
use messages::message;
use store::{Binding, CauseGroup, Load, Span, Times, Volume, waiting_code};
use views::{
    bindings::href,
    error::AppError,
    format::{Moment, amount},
    overview::{
        BarView, ChartView, EndView, NeedView, OverviewView, ShopView, TimesView, Urgency, lasting, many,
    },
};

use crate::{
    Member, Services,
    history::together,
    permission::Permission,
    setup::{self, Setups},
};

/// So many things that need a person are shown.
const NEEDS: usize = 10;

/// So many shops are shown.
const SHOPS: usize = 20;

/// So many causes of a shop are told.
const CAUSES: usize = 3;

/// More groups than anybody reads; the largest are told.
const GROUPS: u32 = 2_000;

/// Whose oldest document has been due for longer is behind.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);

/// How far back times are looked at, and at how many runs.
const TIMES_SINCE: TimeDelta = TimeDelta::days(7);
const TIMES_OF: u32 = 1_000;

/// The overview of the member's organisation; `span` is that of the chart's bars.
pub async fn overview(services: &Services, member: &Member, span: Span) -> Result<OverviewView, AppError> {
    // Read before the rest: what changes meanwhile is announced again rather than missed.
    let version = *services.store.changes_of(member.organisation()).borrow();
    let (store, now, whose) = (&*services.store, services.environment.now(), member.organisation());
    let (from, until) = reach(span, now);
    let (bindings, groups, loads, volume, times) = tokio::try_join!(
        store.list_bindings(whose),
        store.causes(whose, GROUPS),
        store.loads(whose, now),
        store.volume(whose, span, from, until),
        store.times(whose, now - TIMES_SINCE, TIMES_OF),
    )?;
    let setups = Setups::of(services, whose).await?;
    let causes = Causes::of(&bindings, groups);
    let loads: HashMap<BindingId, Load> = loads.into_iter().map(|load| (load.binding_id, load)).collect();
    let mut needs = causes.needs(&loads, &setups);
    for binding in bindings.iter().rev() {
        needs.splice(0..0, not_set_up(binding, &setups, member));
    }
    let mut shops: Vec<(usize, ShopView)> = bindings
        .iter()
        .filter_map(|binding| Some(shop(binding, loads.get(&binding.id)?, (&causes, &setups), now)))
        .collect();
    shops.sort_by_key(|(failed_call, _)| std::cmp::Reverse(*failed_call));
    let backlog = shops.iter().map(|(_, shop)| shop.backlog).sum();
    let moving =
        |binding: &Binding| (binding.status == BindingStatus::Active).then(|| loads.get(&binding.id));
    let moving: i64 = bindings.iter().filter_map(moving).flatten().map(|load| load.backlog).sum();
    let ended = loads.values().map(|load| load.ended).sum();
    let (needs_in_all, shops_in_all) = (needs.len(), shops.len());
    let in_trouble = shops.iter().filter(|(failed_call, _)| *failed_call > 0).count();
    needs.truncate(NEEDS);
    shops.truncate(SHOPS);
    Ok(OverviewView {
        version,
        needs,
        needs_in_all,
        shops: shops.into_iter().map(|(_, shop)| shop).collect(),
        shops_in_all,
        in_trouble,
        backlog,
        end: if backlog > 0 && moving == 0 { EndView::Still } else { end(moving, ended, now) },
        calls: loads.values().map(|load| load.calls).sum(),
        chart: chart(span, from, until, &volume),
        times: times_view(&times),
        first_steps: setup::before_pairing(member),
        may_connect: member.may(Permission::ConnectShops),
    })
}

/// What is open, by binding.
struct Causes<'a> {
    bindings: &'a [Binding],
    groups: HashMap<BindingId, Vec<CauseGroup>>,
}

impl<'a> Causes<'a> {
    fn of(bindings: &'a [Binding], groups: Vec<CauseGroup>) -> Self {
        let mut by_binding: HashMap<BindingId, Vec<CauseGroup>> = HashMap::new();
        for group in groups {
            by_binding.entry(group.binding_id).or_default().push(group);
        }
        Self { bindings, groups: by_binding }
    }

    /// The groups of a binding, those of one cause in several currencies together.
    fn of_binding(&self, binding: BindingId) -> Vec<Vec<&CauseGroup>> {
        together(self.groups.get(&binding).into_iter().flatten())
    }

    /// What needs a person, the worst first.
    fn needs(&self, loads: &HashMap<BindingId, Load>, setups: &Setups) -> Vec<NeedView> {
        let mut needs = Vec::new();
        for binding in self.bindings {
            let groups = self.of_binding(binding.id);
            // One that is not set up has a need of its own, which says how far it is.
            let is_set_up = ShopState::of(binding.status, setups.get(binding)) != ShopState::NotSetUp;
            let stop = stops(binding.status).filter(|_| is_set_up);
            let behind = loads.get(&binding.id).map_or(0, |load| load.backlog);
            if let Some(code) = stop {
                let page = href(&binding.id.to_string());
                let (rank, need) = need(binding, Urgency::Stopped, code, page, std::iter::empty());
                needs.push((rank, NeedView { runs: behind, ..need }));
            } else if let Some(code) = waiting_code(binding.status).filter(|_| behind > 0)
                && binding.status == BindingStatus::Paused
            {
                let list = format!("/dashboard/sync?status=queued&shop={}", binding.id);
                let (rank, need) = need(binding, Urgency::Held, code, list, std::iter::empty());
                needs.push((rank, NeedView { runs: behind, ..need }));
            }
            for group in groups {
                let Some(first) = group.first() else { continue };
                if !needs_a_person(first) {
                    continue;
                }
                let severity =
                    if first.status == RunStatus::Failed { Urgency::Failed } else { Urgency::Held };
                let list = format!("/dashboard/sync?cause={}&shop={}", first.cause, binding.id);
                needs.push(need(binding, severity, first.code, list, group.into_iter()));
            }
        }
        needs.sort_by_key(|(rank, _)| *rank);
        needs.into_iter().map(|(_, need)| need).collect()
    }
}

/// What comes first: the worse, the more valuable, the more.
type Rank = (Urgency, std::cmp::Reverse<i64>, std::cmp::Reverse<i64>);

fn need<'a>(
    binding: &Binding,
    severity: Urgency,
    code: Code,
    href: String,
    groups: impl Iterator<Item = &'a CauseGroup>,
) -> (Rank, NeedView) {
    let (mut runs, mut worth, mut value) = (0, 0, Vec::new());
    for group in groups {
        runs += group.runs;
        worth = worth.max(group.value_minor);
        if let Some(currency) = group.currency.as_ref().filter(|_| group.value_minor != 0) {
            value.push(format!("{currency} {}", amount(group.value_minor)));
        }
    }
    let rank = (severity, std::cmp::Reverse(worth), std::cmp::Reverse(runs));
    let (sentence, action) = (code.sentence(), code.action().to_owned());
    let shop = binding.name.clone();
    let code = Some(code.as_str());
    (rank, NeedView { severity, shop, runs, value, sentence, action, code, href, setup: None })
}

/// The need of a shop that has never posted, with the steps that are left.
fn not_set_up(binding: &Binding, setups: &Setups, member: &Member) -> Option<NeedView> {
    let far = setups.get(binding);
    if ShopState::of(binding.status, far) != ShopState::NotSetUp {
        return None;
    }
    let steps = setup::view(binding, far, member)?;
    let step = steps.next()?.step;
    Some(NeedView {
        severity: Urgency::NotSetUp,
        shop: binding.name.clone(),
        runs: 0,
        value: Vec::new(),
        sentence: message!(setup.text.nothing_posted),
        action: message!(setup.text.next, step = step.title()),
        code: None,
        href: steps.next()?.href.clone().unwrap_or_else(|| href(&binding.id.to_string())),
        setup: Some(steps),
    })
}

/// The code of a status in which a shop cannot work until a person has acted.
const fn stops(status: BindingStatus) -> Option<Code> {
    match status {
        BindingStatus::Pending => Some(Code::BindingPending),
        BindingStatus::NeedsReauth => Some(Code::BindingNeedsReauth),
        BindingStatus::Active | BindingStatus::Paused | BindingStatus::Revoked => None,
    }
}

/// Whether open runs need a person: what resumes automatically does not, nor what was ended on purpose.
const fn needs_a_person(group: &CauseGroup) -> bool {
    let goes_on = matches!(group.code, Code::WaitingForInvoice | Code::WaitingForWriter | Code::CircuitOpen);
    matches!(group.status, RunStatus::Failed) || !goes_on
}

/// A shop, and how many kinds of trouble it is in.
fn shop(
    binding: &Binding,
    load: &Load,
    (causes, setups): (&Causes<'_>, &Setups),
    now: DateTime<Utc>,
) -> (usize, ShopView) {
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
    let is_stopped = state == ShopState::NotSetUp || stops(binding.status).is_some();
    let failed_call = told.len() + if is_stopped { 100 } else { 0 };
    let backlog = load.backlog;
    let view = ShopView {
        name: binding.name.clone(),
        href: href(&binding.id.to_string()),
        state,
        health: health(state, failed_call > 0),
        causes: told,
        last_success: load.last_success.map(Into::into),
        backlog,
        end: if backlog > 0 && !moves { EndView::Still } else { end(backlog, load.ended, now) },
        calls: load.calls,
    };
    (failed_call, view)
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
fn end(backlog: i64, ended: i64, now: DateTime<Utc>) -> EndView {
    match (backlog, ended) {
        (0, _) => EndView::Nothing,
        (_, 0) => EndView::Unknown,
        _ => EndView::At((now + TimeDelta::seconds(backlog.saturating_mul(3_600) / ended)).into()),
    }
}

/// The first and the last instant of a chart: a day by the hour, or two weeks by the day.
fn reach(span: Span, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let bars = match span {
        Span::Hour => 24,
        Span::Day => 14,
    };
    let until = span.start(now) + span.length();
    (until - span.length() * bars, until)
}

fn chart(span: Span, from: DateTime<Utc>, until: DateTime<Utc>, volume: &[Volume]) -> ChartView {
    let starts = std::iter::successors(Some(from), |at| Some(*at + span.length()).filter(|at| *at < until));
    let mut bars: Vec<BarView> = starts.map(|at| bar(span, at, at == from)).collect();
    for counted in volume {
        let place = (counted.starts_at - from).num_seconds() / span.length().num_seconds();
        let bar = usize::try_from(place).ok().and_then(|place| bars.get_mut(place));
        if let Some(bar) = bar {
            bar.add(counted.tally, counted.runs);
        }
    }
    ChartView { span, bars }
}

fn bar(span: Span, at: DateTime<Utc>, is_first: bool) -> BarView {
    let starts = Moment::from(at);
    let mut words = starts.day.split(' ');
    let (day, month) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (label, second_label) = match span {
        Span::Day => (day.to_owned(), if is_first || at.day() == 1 { month } else { "" }.to_owned()),
        // On a phone there is room for every third hour.
        Span::Hour if !at.hour().is_multiple_of(3) => (String::new(), String::new()),
        Span::Hour => {
            let is_new = is_first || at.hour() == 0;
            (format!("{:02}", at.hour()), if is_new { format!("{day} {month}") } else { String::new() })
        }
    };
    BarView { starts, label, second_label, received: 0, succeeded: 0, skipped: 0, failed: 0 }
}

fn times_view(times: &[Times]) -> TimesView {
    let part = |name, lasted: fn(&Times) -> TimeDelta| {
        // The shop's clock is not ours: what seems to have come before it happened took no time.
        let millis: Vec<i64> = times.iter().map(|times| lasted(times).num_milliseconds().max(0)).collect();
        let told = [50, 95, 99].map(|percent| percentile(&millis, percent).map(lasting).unwrap_or_default());
        (name, told)
    };
    if times.is_empty() {
        return TimesView::default();
    }
    TimesView {
        of: times.len(),
        parts: vec![
            part(message!(overview.time_outbox), |times| times.created_at - times.occurred_at),
            part(message!(overview.time_queue), |times| times.started_at - times.created_at),
            part(message!(overview.time_work), |times| times.finished_at - times.started_at),
            part(message!(overview.time_total), |times| times.finished_at - times.occurred_at),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

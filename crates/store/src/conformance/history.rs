//! The history searched, sorted and grouped, on both ways that lead to a page.

use std::{cmp::Ordering, sync::Arc};

use chrono::TimeDelta;
use domain::{
    cause::cause,
    code::Code,
    environment::Environment,
    ids::{BindingId, OrganisationId, RunId},
    run::{
        EventName::{self, CustomerUpserted, InvoiceCreated},
        RunStatus,
    },
};

use super::world::{World, failed, needs_mapping, skipped};
use crate::{
    CauseGroup, Find, Order, Outcome, PageRequest, Reach, Run, RunFacts, RunFilter, Seek, SortBy, Store,
};

/// What is looked for is gathered, or walked to: with these no test history is rare.
pub(super) const REACHES: [Reach; 2] = [Reach { few: 2_000, window: 5_000 }, Reach { few: 0, window: 5_000 }];

/// A walk with this one stops again and again.
const SHORT: Reach = Reach { few: 0, window: 6 };

const ORDERS: [Order; 6] = {
    const fn order(by: SortBy, descending: bool) -> Order {
        Order { by, descending }
    }
    [
        order(SortBy::Received, true),
        order(SortBy::Received, false),
        order(SortBy::Amount, true),
        order(SortBy::Amount, false),
        order(SortBy::Number, true),
        order(SortBy::Number, false),
    ]
};

/// Receives an event and ends its run with what is known of its document.
pub(super) async fn through(
    world: &World,
    binding: BindingId,
    event: EventName,
    id: i64,
    outcome: Outcome,
    facts: RunFacts,
) -> RunId {
    let run = world.receive_of(binding, event, id).await;
    let claimed = world.claim().await;
    assert_eq!(claimed.run.id, run);
    let mut end = world.end(&claimed, outcome);
    end.facts = facts;
    end.steps = vec![crate::Step { request_id: Some(format!("request-{id}")), ..world.step("invoice") }];
    world.store.finish_run(&end).await.unwrap();
    run
}

pub(super) fn pounds(minor: i64) -> RunFacts {
    RunFacts { amount_minor: Some(minor), currency: Some("GBP".to_owned()), ..RunFacts::default() }
}

/// Forty runs of two bindings, with sums, numbers and ends of every kind, and as many of a stranger's, which are told.
async fn history(world: &World) -> (BindingId, OrganisationId) {
    let second = world.add_binding("business-2").await;
    let stranger = world.add_organisation("Second").await;
    let theirs = world.new_binding(stranger, "business-3");
    world.store.create_binding(&theirs, None).await.unwrap();
    for number in 0..40 {
        let binding = if number % 3 == 0 { second } else { world.binding };
        let event = EventName::ALL[usize::try_from(number * 7).unwrap() % EventName::ALL.len()];
        let outcome = [Outcome::Succeeded, failed(), skipped(), needs_mapping()]
            [usize::try_from(number / 2).unwrap() % 4]
            .clone();
        let outcome = if number % 5 == 0 && outcome == skipped() { switched_off() } else { outcome };
        let facts = if number % 5 == 0 { RunFacts::default() } else { pounds(number * 37 % 11 * 100 - 200) };
        through(world, binding, event, number * 13 % 17, outcome.clone(), facts.clone()).await;
        through(world, theirs.id, event, number * 13 % 17, outcome, facts).await;
        world.pass(TimeDelta::minutes(1));
    }
    (second, stranger)
}

fn switched_off() -> Outcome {
    Outcome::Skipped { code: Code::ProductsDisabled, message: None, waits_for_invoice: None }
}

async fn all(world: &World) -> Vec<Run> {
    let request = PageRequest { limit: 1_000, ..PageRequest::default() };
    world.store.page_runs(world.organisation, &request).await.unwrap().runs
}

fn fits(filter: &RunFilter, run: &Run) -> bool {
    let amount = run.facts.amount_minor;
    filter.binding.is_none_or(|one| one == run.binding_id)
        && filter.status.is_none_or(|one| one == run.status)
        && filter.event.is_none_or(|one| one == run.event)
        && filter.code.is_none_or(|one| Some(one) == run.code)
        && filter.from.is_none_or(|at| run.created_at >= at)
        && filter.until.is_none_or(|at| run.created_at < at)
        && filter.at_least.is_none_or(|least| amount.is_some_and(|amount| amount >= least))
        && filter.at_most.is_none_or(|most| amount.is_some_and(|amount| amount <= most))
        && filter.find.as_ref().is_none_or(|find| is_hit(find, run))
        && (!filter.retryable || run.status.is_retryable())
        && (!filter.without_switched_off || run.code != Some(Code::ProductsDisabled))
        && (!filter.open
            || matches!(run.status, RunStatus::Failed | RunStatus::Waiting) && run.resolved_by.is_none())
}

fn is_hit(find: &Find, run: &Run) -> bool {
    let has = |number: &Option<String>| number.as_ref().is_some_and(|number| find.numbers.contains(number));
    has(&run.facts.increment_id)
        || find.magento_id == Some(run.magento_id)
        || find.amount_minor.is_some() && find.amount_minor == run.facts.amount_minor
        || find.amount_within.is_some_and(|(least, most)| {
            run.facts.amount_minor.is_some_and(|minor| least <= minor && minor <= most)
        })
        || find.run == Some(run.id)
}

fn compare(order: Order, one: &Run, other: &Run) -> Ordering {
    let amount = |run: &Run| run.facts.amount_minor.unwrap_or_default();
    let number = |run: &Run| run.facts.increment_id.clone().unwrap_or_default();
    let by = match order.by {
        SortBy::Received => Ordering::Equal,
        SortBy::Amount => amount(one).cmp(&amount(other)),
        SortBy::Number => number(one).cmp(&number(other)),
    };
    let by = by.then(one.id.cmp(&other.id));
    if order.descending { by.reverse() } else { by }
}

/// Goes through a list to its end; and where each page said that the one before it ends.
pub(super) async fn forth(world: &World, request: &PageRequest) -> (Vec<RunId>, Vec<Option<RunId>>) {
    let mut request = request.clone();
    let (mut there, mut firsts) = (Vec::new(), Vec::new());
    loop {
        let page = world.store.page_runs(world.organisation, &request).await.unwrap();
        firsts.push(page.previous);
        there.extend(page.runs.iter().map(|run| run.id));
        match page.next {
            Some(next) => request.seek = Seek::After(next),
            None => return (there, firsts),
        }
    }
}

/// Goes through a list to its end, and back to its start.
pub(super) async fn gone_through(world: &World, request: &PageRequest) -> Vec<RunId> {
    let (there, mut firsts) = forth(world, request).await;
    let mut request = request.clone();
    let mut back = Vec::new();
    while let Some(Some(previous)) = firsts.pop() {
        request.seek = Seek::Before(previous);
        let page = world.store.page_runs(world.organisation, &request).await.unwrap();
        back.splice(0..0, page.runs.iter().map(|run| run.id));
    }
    assert_eq!(back, there[..back.len()], "the way back shows the same");
    there
}

fn filters(second: BindingId, runs: &[Run]) -> Vec<RunFilter> {
    let any = RunFilter::default;
    let middle = runs[runs.len() / 2].created_at;
    let amount = |minor| Some(Find { amount_minor: Some(minor), ..Find::default() });
    let several = Some(Find {
        numbers: vec!["000000007".to_owned(), "x".to_owned()],
        magento_id: Some(3),
        amount_minor: Some(-200),
        run: Some(runs[7].id),
        ..Find::default()
    });
    vec![
        RunFilter { code: Some(Code::SageValidation), ..any() },
        RunFilter { code: Some(Code::UnpaidInvoice), binding: Some(second), ..any() },
        RunFilter { open: true, ..any() },
        RunFilter { open: true, status: Some(RunStatus::Waiting), event: Some(InvoiceCreated), ..any() },
        RunFilter { from: Some(middle), ..any() },
        RunFilter { until: Some(middle), status: Some(RunStatus::Succeeded), ..any() },
        RunFilter {
            from: Some(middle - TimeDelta::minutes(9)),
            until: Some(middle),
            binding: Some(second),
            ..any()
        },
        RunFilter { at_least: Some(300), ..any() },
        RunFilter { at_most: Some(0), event: Some(CustomerUpserted), ..any() },
        RunFilter { at_least: Some(-100), at_most: Some(500), status: Some(RunStatus::Failed), ..any() },
        RunFilter {
            status: Some(RunStatus::Failed),
            event: Some(InvoiceCreated),
            binding: Some(second),
            ..any()
        },
        RunFilter { status: Some(RunStatus::Running), ..any() },
        RunFilter { retryable: true, binding: Some(second), ..any() },
        RunFilter { without_switched_off: true, ..any() },
        RunFilter { find: amount(200), ..any() },
        RunFilter { find: amount(200), status: Some(RunStatus::Failed), ..any() },
        RunFilter { find: amount(200), until: Some(middle), ..any() },
        RunFilter { find: amount(200), from: Some(middle), binding: Some(second), ..any() },
        RunFilter { find: several, ..any() },
        RunFilter { find: Some(Find { amount_within: Some((-99, 299)), ..Find::default() }), ..any() },
    ]
}

/// Each filter, in each order, gathered and walked to, page by page.
pub async fn every_filter_holds_whichever_way_leads_there(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (second, stranger) = history(&world).await;
    let runs = all(&world).await;
    for filter in filters(second, &runs) {
        for order in ORDERS {
            let mut expected: Vec<_> = runs.iter().filter(|run| fits(&filter, run)).collect();
            expected.sort_by(|one, other| compare(order, one, other));
            let expected: Vec<_> = expected.iter().map(|run| run.id).collect();
            for reach in REACHES {
                let request =
                    PageRequest { filter: filter.clone(), order, limit: 4, reach, ..PageRequest::default() };
                assert_eq!(gone_through(&world, &request).await, expected, "{filter:?} {order:?} {reach:?}");
            }
            let request = PageRequest {
                filter: filter.clone(),
                order,
                limit: 4,
                reach: SHORT,
                ..PageRequest::default()
            };
            assert_eq!(forth(&world, &request).await.0, expected, "{filter:?} {order:?}");
            let count = |up_to| world.store.count_matching(world.organisation, &filter, up_to);
            assert_eq!(count(1_000).await.unwrap(), i64::try_from(expected.len()).unwrap());
            assert!(count(2).await.unwrap() <= 2);
        }
        let theirs = PageRequest { filter: filter.clone(), limit: 100, ..PageRequest::default() };
        let theirs = world.store.page_runs(stranger, &theirs).await.unwrap().runs;
        assert!(theirs.iter().all(|run| runs.iter().all(|own| own.id != run.id)));
    }
}

/// Nothing is left out and nothing shown twice, whatever the list is sorted by.
pub async fn every_order_is_kept_back_and_forth(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    history(&world).await;
    let mut runs = all(&world).await;
    for order in ORDERS {
        runs.sort_by(|one, other| compare(order, one, other));
        let expected: Vec<_> = runs.iter().map(|run| run.id).collect();
        for limit in [3, 40] {
            let request = PageRequest { order, limit, ..PageRequest::default() };
            assert_eq!(gone_through(&world, &request).await, expected, "{order:?}");
        }
    }
}

/// A walk along which hardly anything matches stops, says so, and goes on where it stopped.
pub async fn a_search_that_finds_too_little_stops_and_goes_on(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    history(&world).await;
    let filter = RunFilter { at_least: Some(700), ..RunFilter::default() };
    let reach = Reach { few: 0, window: 5 };
    let request = PageRequest { filter: filter.clone(), limit: 3, reach, ..PageRequest::default() };
    let first = world.store.page_runs(world.organisation, &request).await.unwrap();
    assert!(first.stopped && first.next.is_some(), "{first:?}");
    let expected: Vec<_> =
        all(&world).await.iter().filter(|run| fits(&filter, run)).map(|run| run.id).collect();
    assert_eq!(gone_through(&world, &request).await, expected);
}

/// Not even where a search in it would stop, which is the id of a run.
pub async fn nothing_is_told_of_anothers_binding(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (_, stranger) = history(&world).await;
    let reach = Reach { few: 0, window: 2 };
    for status in [None, Some(RunStatus::Succeeded), Some(RunStatus::Failed)] {
        let filter = RunFilter { binding: Some(world.binding), status, ..RunFilter::default() };
        for order in ORDERS {
            let request =
                PageRequest { filter: filter.clone(), order, limit: 1, reach, ..PageRequest::default() };
            let own = world.store.page_runs(world.organisation, &request).await.unwrap();
            assert!(own.stopped || !own.runs.is_empty(), "there is something to tell");
            let theirs = world.store.page_runs(stranger, &request).await.unwrap();
            assert_eq!(theirs.runs, []);
            if let Some(next) = theirs.next {
                assert!(world.store.run(world.organisation, next).await.unwrap().is_none(), "{order:?}");
            }
        }
        assert_eq!(world.store.count_matching(stranger, &filter, 9).await.unwrap(), 0);
    }
}

/// A page that begins at a stranger's run is the page that begins at a run which never was, however it is sorted and whichever way it
/// is gone: else where it begins would tell the stranger's sum or number.
pub async fn a_strangers_run_is_as_unknown_as_none(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (second, stranger) = history(&world).await;
    let request = PageRequest { limit: 1_000, ..PageRequest::default() };
    let theirs = world.store.page_runs(stranger, &request).await.unwrap().runs;
    assert_eq!(theirs.len(), 40);
    let filters = [
        RunFilter::default(),
        RunFilter { binding: Some(second), ..RunFilter::default() },
        RunFilter { status: Some(RunStatus::Failed), ..RunFilter::default() },
        RunFilter { at_least: Some(0), ..RunFilter::default() },
    ];
    for run in theirs.iter().step_by(3) {
        // Of the same instant, and of none that is kept.
        let unknown = RunId(uuid::Uuid::from_u128(run.id.0.as_u128() ^ 1 << 40));
        for (filter, order) in filters.iter().flat_map(|filter| ORDERS.map(|order| (filter, order))) {
            for (reach, way) in
                REACHES.iter().flat_map(|reach| [Seek::After, Seek::Before].map(|way| (reach, way)))
            {
                let request = PageRequest {
                    filter: filter.clone(),
                    order,
                    limit: 1_000,
                    reach: *reach,
                    ..PageRequest::default()
                };
                let page = async |run| {
                    let request = PageRequest { seek: way(run), ..request.clone() };
                    let page = world.store.page_runs(world.organisation, &request).await.unwrap();
                    page.runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
                };
                assert_eq!(page(run.id).await, page(unknown).await, "{filter:?} {order:?} {reach:?}");
            }
        }
    }
}

/// As a page of causes asks for its examples.
pub async fn runs_are_read_by_their_ids(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (_, stranger) = history(&world).await;
    let runs = all(&world).await;
    let (one, other, gone) = (runs[5].id, runs[2].id, RunId(world.id()));
    let read = world.store.runs_by_id(world.organisation, &[one, gone, other]).await.unwrap();
    assert_eq!(read, [runs[5].clone(), runs[2].clone()]);
    assert_eq!(world.store.runs_by_id(stranger, &[one, other]).await.unwrap(), []);
    assert_eq!(world.store.runs_by_id(world.organisation, &[]).await.unwrap(), []);
}

/// The same mistake in several documents is one line, with their number and value.
pub async fn open_runs_are_grouped_by_cause(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let says =
        |message: &str| Outcome::Failed { code: Code::TotalsMismatch, message: Some(message.to_owned()) };
    let oldest =
        through(&world, world.binding, InvoiceCreated, 1, says("81.52 and 81.53"), pounds(8_152)).await;
    let newest = through(&world, world.binding, InvoiceCreated, 2, says("9 and 10"), pounds(900)).await;
    through(&world, world.binding, InvoiceCreated, 3, says("another thing"), pounds(5)).await;
    through(&world, world.binding, InvoiceCreated, 4, skipped(), pounds(5)).await;
    let groups = world.store.causes(world.organisation, 10).await.unwrap();
    assert_eq!(groups.iter().map(|group| group.runs).collect::<Vec<_>>(), [2, 1]);
    let expected = CauseGroup {
        binding_id: world.binding,
        status: RunStatus::Failed,
        code: Code::TotalsMismatch,
        cause: cause(Code::TotalsMismatch, Some("1 and 2")),
        currency: Some("GBP".to_owned()),
        runs: 2,
        value_minor: 9_052,
        oldest,
        newest,
    };
    assert_eq!(groups[0], expected);
    for reach in REACHES {
        let filter = RunFilter { cause: Some(expected.cause.clone()), ..RunFilter::default() };
        let request = PageRequest { filter, limit: 9, reach, ..PageRequest::default() };
        assert_eq!(gone_through(&world, &request).await, [newest, oldest]);
    }
    world.store.retry_run(world.organisation, newest, world.now(), None).await.unwrap();
    assert_eq!(world.store.causes(world.organisation, 10).await.unwrap()[0].runs, 1);
    assert_eq!(world.store.causes(world.organisation, 1).await.unwrap().len(), 1);
}

/// A failure whose document came through later needs nobody.
pub async fn a_later_success_resolves_what_failed_before(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let through = async |id, outcome| {
        through(&world, world.binding, CustomerUpserted, id, outcome, RunFacts::default()).await
    };
    let old = through(1, failed()).await;
    let other = through(2, failed()).await;
    let later = through(1, Outcome::Succeeded).await;
    assert_eq!(world.run(old).await.resolved_by, Some(later));
    assert_eq!(world.run(other).await.resolved_by, None);
    let open = RunFilter { open: true, ..RunFilter::default() };
    assert_eq!(world.store.count_matching(world.organisation, &open, 9).await.unwrap(), 1);
    let again = through(1, failed()).await;
    assert_eq!(world.run(again).await.resolved_by, None, "what fails after it is open again");
    world.store.retry_run(world.organisation, old, world.now(), None).await.unwrap();
    assert_eq!(world.run(old).await.resolved_by, None);
}

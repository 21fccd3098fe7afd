//! What people hold in their hands, looked for in the history.

use std::sync::Arc;

use domain::{
    environment::Environment,
    ids::RunId,
    run::{EventName::InvoiceCreated, RunStatus},
};

use super::{
    history::{REACHES, forth, gone_through, pounds, through},
    world::{World, failed},
};
use crate::{Counted, Find, Outcome, PageRequest, Reach, Run, RunFacts, RunFilter, Store};

/// By any number on a paper or a screen; never in another organisation.
pub async fn what_people_hold_in_their_hands_is_found(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let facts = RunFacts {
        sage_id: Some("b0e1".to_owned()),
        sage_reference: Some("SI-27".to_owned()),
        email_digest: domain::email::digest("ada@example.com"),
        ..pounds(8_152)
    };
    let wanted = through(&world, world.binding, InvoiceCreated, 7, Outcome::Succeeded, facts).await;
    through(&world, world.binding, InvoiceCreated, 8, Outcome::Succeeded, pounds(1)).await;
    let stranger = world.add_organisation("Second").await;
    let none = Find::default;
    for find in [
        Find { numbers: vec!["x".to_owned(), "000000007".to_owned()], ..none() },
        Find { numbers: vec!["SI-27".to_owned()], ..none() },
        Find { magento_id: Some(7), ..none() },
        Find { amount_minor: Some(8_152), ..none() },
        Find { email_digest: domain::email::digest("Ada@Example.com"), ..none() },
        Find { sage_id: Some("b0e1".to_owned()), ..none() },
        Find { sage_id: Some("request-7".to_owned()), ..none() },
        Find { run: Some(wanted), ..none() },
        Find { run: Some(wanted), magento_id: Some(7), amount_minor: Some(3), ..none() },
    ] {
        for reach in REACHES {
            let filter = RunFilter { find: Some(find.clone()), ..RunFilter::default() };
            let request = PageRequest { filter, limit: 9, reach, ..PageRequest::default() };
            assert_eq!(gone_through(&world, &request).await, [wanted], "{find:?}");
            assert_eq!(world.store.page_runs(stranger, &request).await.unwrap().runs, []);
        }
    }
    let filter = RunFilter { find: Some(none()), ..RunFilter::default() };
    let request = PageRequest { filter, limit: 9, ..PageRequest::default() };
    assert_eq!(gone_through(&world, &request).await, []);
}

/// By the beginning of a name or of its last word, whatever its accents; and in one currency.
pub async fn a_customer_is_found_by_the_beginning_of_the_name(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let named = |name: &str, currency: &str| RunFacts {
        customer: Some(name.to_owned()),
        currency: Some(currency.to_owned()),
        ..pounds(100)
    };
    let mut runs = Vec::new();
    for (number, (name, currency)) in
        (1..).zip([("Nora Quill", "GBP"), ("Zoë Müller", "EUR"), ("Quillon Ltd", "EUR"), ("Ada", "GBP")])
    {
        let facts = named(name, currency);
        runs.push(through(&world, world.binding, InvoiceCreated, number, Outcome::Succeeded, facts).await);
    }
    let stranger = world.add_organisation("Second").await;
    let any = RunFilter::default;
    let find = |name: &str| Some(Find { customer: Some(name.to_owned()), ..Find::default() });
    let cases = [
        (RunFilter { find: find("quill"), ..any() }, vec![runs[2], runs[0]]),
        (RunFilter { find: find("nora q"), ..any() }, vec![runs[0]]),
        (RunFilter { find: find("mull"), ..any() }, vec![runs[1]]),
        (RunFilter { find: find("uill"), ..any() }, vec![]),
        (RunFilter { currency: Some("EUR".to_owned()), ..any() }, vec![runs[2], runs[1]]),
        (RunFilter { find: find("quill"), currency: Some("GBP".to_owned()), ..any() }, vec![runs[0]]),
        (
            RunFilter { customer: Some("quill".to_owned()), status: Some(RunStatus::Succeeded), ..any() },
            vec![runs[2], runs[0]],
        ),
    ];
    for (filter, expected) in cases {
        for reach in REACHES {
            let request = PageRequest { filter: filter.clone(), limit: 9, reach, ..PageRequest::default() };
            assert_eq!(gone_through(&world, &request).await, expected, "{filter:?}");
            assert_eq!(world.store.page_runs(stranger, &request).await.unwrap().runs, []);
        }
        let counted = world.store.count_nearby(world.organisation, &filter, Reach::default()).await.unwrap();
        let expected = Counted { runs: i64::try_from(expected.len()).unwrap(), is_more: false };
        assert_eq!(counted, expected, "{filter:?}");
    }
}

/// However many there are, no more are counted than a page would look at.
pub async fn runs_are_counted_as_far_as_a_page_looks(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for number in 1..=9 {
        let outcome = if number % 3 == 0 { failed() } else { Outcome::Succeeded };
        world.run_through(InvoiceCreated, number, outcome).await;
    }
    let of = async |filter: &RunFilter, few, window| {
        let reach = Reach { few, window };
        let counted = world.store.count_nearby(world.organisation, filter, reach).await.unwrap();
        (counted.runs, counted.is_more)
    };
    let failed = RunFilter { status: Some(RunStatus::Failed), ..RunFilter::default() };
    assert!(of(&RunFilter::default(), 5, 5).await.1);
    assert_eq!(of(&RunFilter::default(), 20, 20).await, (9, false));
    assert_eq!(of(&failed, 5, 5).await, (3, false));
    assert!(of(&failed, 1, 2).await.1);
    let euros = RunFilter { currency: Some("EUR".to_owned()), ..RunFilter::default() };
    assert_eq!(of(&euros, 5, 5).await, (0, true), "none among those that were looked at, and perhaps beyond");
}

/// However often something is found, other conditions look at all of it, and it is gone through to its end.
pub async fn what_is_found_thousands_of_times_is_found_whole(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.run_through(InvoiceCreated, 1, failed()).await;
    let pattern = world.run(first).await;
    let copy = |number: i64| Run {
        id: RunId(world.id()),
        magento_id: number,
        status: if number < 3 { RunStatus::Failed } else { RunStatus::Succeeded },
        facts: pounds(100),
        ..pattern.clone()
    };
    let runs: Vec<Run> = (0..2_600).map(copy).collect();
    world.store.seed_for_bench(world.organisation, &runs).await.unwrap();
    let find = Some(Find { amount_minor: Some(100), ..Find::default() });
    let failed = RunFilter { find: find.clone(), status: Some(RunStatus::Failed), ..RunFilter::default() };
    let succeeded = RunFilter { status: Some(RunStatus::Succeeded), ..failed.clone() };
    let all = RunFilter { find, ..RunFilter::default() };
    for (filter, expected) in [(failed, 3), (succeeded, 2_597), (all, 2_600)] {
        let count = world.store.count_matching(world.organisation, &filter, 9_999).await.unwrap();
        let request = PageRequest { filter, limit: 900, ..PageRequest::default() };
        let (shown, _) = forth(&world, &request).await;
        assert_eq!((count, i64::try_from(shown.len()).unwrap()), (expected, expected), "{request:?}");
    }
}

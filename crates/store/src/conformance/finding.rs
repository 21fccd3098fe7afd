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
use crate::{Find, Outcome, PageRequest, Run, RunFacts, RunFilter, Store};

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

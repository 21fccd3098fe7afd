//! The boxes that each plan predicts are, in sum, those of the return that Sage would file: two computations that share nothing.

use std::collections::BTreeMap;

use domain::{Decimal, run::RunStatus};
use server::{
    demo::once::outcome,
    sandbox::{Options, Sandbox},
};
use store::PageRequest;

/// The boxes as the plans of what is in Sage predict them.
async fn predicted(sandbox: &Sandbox) -> BTreeMap<String, Decimal> {
    let store = &sandbox.process.engine.store;
    let request = PageRequest { limit: 100, ..PageRequest::default() };
    let mut sums = BTreeMap::new();
    for run in store.page_runs(sandbox.organisation, &request).await.unwrap().runs {
        if run.status != RunStatus::Succeeded {
            continue;
        }
        let plan = store.plan_of(sandbox.organisation, run.id).await.unwrap();
        for (name, amount) in
            plan.and_then(|kept| kept.plan.predicted).map(|one| one.boxes).unwrap_or_default()
        {
            *sums.entry(name).or_insert(Decimal::ZERO) += amount.parse::<Decimal>().unwrap();
        }
    }
    sums
}

/// The boxes of the return of the connected business.
async fn filed(sandbox: &Sandbox) -> BTreeMap<String, Decimal> {
    let business =
        sandbox.process.engine.store.binding(sandbox.binding.id).await.unwrap().unwrap().business.unwrap();
    let shown = sandbox.sage.get("/_sim/vat-return?from=2000-01-01&to=2099-12-31").await.unwrap();
    let boxes = shown["businesses"][business.id]["boxes"].as_object().unwrap();
    boxes.iter().map(|(name, amount)| (name.clone(), amount.as_str().unwrap().parse().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_predicted_boxes_are_those_of_the_return_that_sage_would_file() {
    let sandbox = Sandbox::set(Options::default()).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    let (_, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    let (predicted, filed) = (predicted(&sandbox).await, filed(&sandbox).await);
    for name in ["1", "6"] {
        assert_eq!(
            predicted[name].normalize(),
            filed[name].normalize(),
            "box {name}: {predicted:?} {filed:?}"
        );
        assert!(filed[name] > Decimal::ZERO, "something was sold: {filed:?}");
    }
    sandbox.stop().await;
}

//! Sage is down for minutes and for days: every document arrives, in order, without help, and the shop is not asked again and again.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

use std::env;

use chrono::TimeDelta;
use domain::{
    run::{EventName, RunStatus},
    settings::SafeMode,
};
use laboratory::{
    database::Database,
    family::{invoice, person},
    world::World,
};
use simulators::{
    magento::Documents,
    sage::{Kind, Rule},
};

/// How often a worker looks by itself while Sage is down: a wake-up costs nothing but time here.
const LOOK_EVERY: TimeDelta = TimeDelta::minutes(5);

/// What became of an outage.
struct Outcome {
    fetches: u64,
    in_order: bool,
    arrived: usize,
    runs: Vec<RunStatus>,
}

fn documents() -> i64 {
    env::var("OUTAGE_DOCUMENTS").ok().and_then(|number| number.parse().ok()).unwrap_or(60)
}

async fn outage(length: TimeDelta) -> Outcome {
    let database = Database::sqlite().await;
    let count = documents();
    let of_shop = (1..=count).map(|id| invoice(id, "open", &person(0, &format!("Customer{id}"))));
    let of_shop = Documents::from_values(of_shop.collect()).unwrap();
    let world = World::new(&database, of_shop, SafeMode::Never).await;
    let process = world.process(TimeDelta::zero()).await;
    for path in ["/v3.1/", "/token"] {
        let down = Rule { path: Some(path.to_owned()), ..Rule::times(u32::MAX).status(503).bare() };
        world.sage.faults().add(Kind::FailBefore, down);
    }
    for id in 1..=count {
        world.tell(EventName::InvoiceCreated, id).await;
    }
    let ends = world.clock.now() + length;
    while world.clock.now() < ends {
        world.work(&process).await;
        world.clock.pass(LOOK_EVERY.min(ends - world.clock.now()));
    }
    world.sage.faults().clear();
    let took = world.settle(&process).await;
    assert!(took < TimeDelta::hours(1), "it took {} minutes after Sage was back", took.num_minutes());
    let books = world.books();
    let invoices = books["sales_invoices"].as_array().unwrap();
    let numbers: Vec<&str> = invoices.iter().filter_map(|invoice| invoice["reference"].as_str()).collect();
    let outcome = Outcome {
        fetches: world.shop.running.fetches(),
        in_order: numbers.is_sorted(),
        arrived: numbers.len(),
        runs: world.runs().await.iter().map(|run| run.status).collect(),
    };
    world.end(&database).await;
    outcome
}

#[tokio::test]
async fn an_outage_of_minutes_or_days_costs_nothing_but_time() {
    let count = usize::try_from(documents()).unwrap();
    let (short, long) = (outage(TimeDelta::minutes(14)).await, outage(TimeDelta::days(7)).await);
    for (name, outcome) in [("14 minutes", &short), ("7 days", &long)] {
        println!("{name}: {} documents, {} fetches", outcome.arrived, outcome.fetches);
        assert_eq!(outcome.arrived, count, "{name}");
        assert!(outcome.in_order, "{name}: not in order");
        assert!(
            outcome.runs.iter().all(|status| *status == RunStatus::Succeeded),
            "{name}: {:?}",
            outcome.runs
        );
    }
    assert!(
        long.fetches <= short.fetches + 10,
        "the shop was asked {} times in 7 days, {} in 14 minutes",
        long.fetches,
        short.fetches
    );
}

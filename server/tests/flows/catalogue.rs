//! Customers and products, where the settings turn them on.

use domain::{
    code::Code,
    run::{EventName, RunStatus},
};
use serde_json::Value;
use server::{
    demo::once::outcome,
    sandbox::{Options, Sandbox},
};
use store::SettingsVersion;

async fn with_products() -> Sandbox {
    let sandbox = Sandbox::set(Options::default()).await.unwrap();
    let store = &sandbox.process.engine.store;
    let current = store.current_settings(sandbox.binding.id).await.unwrap().unwrap();
    let mut settings = current.settings.clone();
    let purchases = sandbox.reference.ledger_accounts.iter().find(|account| account.visible_in_expenses);
    settings.sync_products = true;
    settings.sync_stock = true;
    settings.default_purchase_ledger_account_id = purchases.map(|account| account.id.clone());
    let version = SettingsVersion { version: current.version + 1, settings, ..current };
    store.save_settings(sandbox.binding.id, &version, None).await.unwrap();
    sandbox
}

#[tokio::test(flavor = "multi_thread")]
async fn products_services_and_stock_reach_sage_once() {
    let sandbox = with_products().await;
    sandbox.send_all_events().await.unwrap();
    let (runs, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    let of = |id: i64| {
        runs.iter().find(|run| run.event == EventName::ProductUpserted && run.magento_id == id).unwrap()
    };
    // A mug with managed stock, a virtual gift wrapping; a configurable and bundles have no counterpart.
    for id in [1, 4] {
        assert_eq!(of(id).status, RunStatus::Succeeded, "{id}: {:?} {:?}", of(id).code, of(id).message);
    }
    for id in [7, 8, 9] {
        assert_eq!(of(id).code, Some(Code::ProductTypeNotSupported), "{id}");
    }
    let books = sandbox.books().await.unwrap();
    let count = |resource: &str| books[resource].as_array().map_or(0, Vec::len);
    let made = (count("stock_items"), count("services"), count("stock_movements"));
    assert_eq!(made, (1, 1, 1), "{books:#}");

    let stocked = quantity(&books).map(|text| domain::money::parse(&text).unwrap());
    assert_eq!(stocked, Some(domain::Decimal::from(465)), "what Magento has");

    // A repeat finds everything as it is.
    let store = &sandbox.process.engine.store;
    for id in [1, 4] {
        store.retry_run(sandbox.organisation, of(id).id, chrono::DateTime::UNIX_EPOCH, None).await.unwrap();
    }
    let (_, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    let again = sandbox.books().await.unwrap();
    assert_eq!(quantity(&again), quantity(&books));
    assert_eq!(again["stock_movements"].as_array().unwrap().len(), 1);
    assert_eq!(again["stock_items"].as_array().unwrap().len(), 1);
    sandbox.stop().await;
}

fn quantity(books: &Value) -> Option<String> {
    books["stock_items"][0]["quantity_in_stock"].as_str().map(str::to_owned)
}

//! What the module sees: chips, status, tile, disconnect.

use domain::{
    code::Code,
    environment::Environment,
    run::{ActionKind, BindingStatus},
};
use serde_json::{Value, json};
use server::{
    demo::once::outcome,
    environment::Machine,
    sandbox::{Options, Sandbox},
};

async fn played() -> Sandbox {
    let sandbox = Sandbox::set(Options::default()).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    outcome(&sandbox).await.unwrap();
    sandbox
}

/// Waits until the shop's grid shows a state for the document.
async fn chip(sandbox: &Sandbox, entity: &str, id: i64) -> Value {
    for _ in 0..200 {
        let rows = sandbox.magento.get("/_sim/sync-state").await.unwrap();
        let row = rows.as_array().unwrap().iter().find(|row| {
            row["entity_type"] == entity && row["magento_id"] == id && row["sync_status"] != "pending"
        });
        if let Some(row) = row {
            return row.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no chip for {entity} {id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn chips_show_what_became_of_each_document() {
    let sandbox = played().await;
    let synced = chip(&sandbox, "invoice", 1).await;
    assert_eq!(synced["sync_status"], "synced");
    assert!(synced["provider_reference"].as_str().unwrap().starts_with("SI-"), "{synced}");
    // The payment of nothing was skipped; the invoice's chip stays as it is.
    assert_eq!(chip(&sandbox, "invoice", 8).await["sync_status"], "synced");
    let product = chip(&sandbox, "product", 4).await;
    assert_eq!(
        (&product["sync_status"], &product["skip_reason"]),
        (&json!("skipped"), &json!("products_disabled"))
    );
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_tile_answer_the_module() {
    let sandbox = played().await;
    let shop = sandbox.shop().unwrap();
    let status = shop.status("invoice", 1).await.unwrap();
    assert_eq!(status.status, Some(200), "{}", status.body);
    let status: Value = serde_json::from_str(&status.body).unwrap();
    assert_eq!(status["status"], "synced");
    assert_eq!(shop.status("invoice", 999_999).await.unwrap().status, Some(404));
    assert_eq!(shop.status("planet", 1).await.unwrap().status, Some(400));

    let tile: Value = serde_json::from_str(&shop.tile().await.unwrap().body).unwrap();
    assert_eq!(tile["tenant"]["magento_connection_status"], "connected");
    assert_eq!(tile["binding"], json!({ "status": "active", "region": "GB" }));
    assert!(tile["sync"]["last_run_at"].is_string(), "{tile}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tile_tells_who_refuses() {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    let (store, id) = (&sandbox.process.engine.store, sandbox.binding.id);
    for (code, told) in [(Code::SageAuth, "connected"), (Code::MagentoAuth, "token_revoked")] {
        store.set_binding_status(id, BindingStatus::Active, Machine.now(), None).await.unwrap();
        store.note_refusal(id, code).await.unwrap();
        store.set_binding_status(id, BindingStatus::NeedsReauth, Machine.now(), None).await.unwrap();
        let tile: Value = serde_json::from_str(&sandbox.shop().unwrap().tile().await.unwrap().body).unwrap();
        assert_eq!(tile["tenant"]["magento_connection_status"], told, "{code:?}");
        assert_eq!(tile["binding"]["status"], "needs_reauth");
    }
    store.set_binding_status(id, BindingStatus::Active, Machine.now(), None).await.unwrap();
    let tile: Value = serde_json::from_str(&sandbox.shop().unwrap().tile().await.unwrap().body).unwrap();
    assert_eq!(tile["tenant"]["magento_connection_status"], "connected", "it is connected again");
    sandbox.process.engine.disconnect(&sandbox.binding, None).await.unwrap();
    let tile: Value = serde_json::from_str(&sandbox.shop().unwrap().tile().await.unwrap().body).unwrap();
    assert_eq!(tile["tenant"]["magento_connection_status"], "connected", "Magento refused nothing");
    assert_eq!(tile["binding"]["status"], "revoked");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_shop_is_revoked_and_its_history_stays() {
    let sandbox = played().await;
    let answer = sandbox.shop().unwrap().disconnect().await.unwrap();
    assert_eq!(answer.status, Some(204), "{}", answer.body);
    let store = &sandbox.process.engine.store;
    assert_eq!(store.binding(sandbox.binding.id).await.unwrap().unwrap().status, BindingStatus::Revoked);
    let deed = store
        .list_actions(sandbox.organisation, &store::ActionFilter::default(), None, 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!((deed.kind, deed.actor.name.as_str()), (ActionKind::Disconnected, "Magento"));
    assert!(store.credential(sandbox.binding.id, store::CredentialKind::SageTokens).await.unwrap().is_none());
    let request = store::PageRequest { limit: 5, ..store::PageRequest::default() };
    assert_eq!(store.page_runs(sandbox.organisation, &request).await.unwrap().runs.len(), 5);
    sandbox.stop().await;
}

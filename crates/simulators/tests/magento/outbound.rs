//! The bytes of what the module calls: events, tile, status, disconnect.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use simulators::magento::Running;

use crate::support::{
    Hands, Ledger, TENANT, answer, fixture, header, moment, pair, pair_as, request, send, shop,
    shop_of_the_samples,
};

const RUN: &str = "{\"sync_run_id\":\"d4a1a6de-f628-4fac-8929-0782dff4149f\"}";

fn enqueue_as_recorded(shop: &Running, hands: &Hands) {
    hands.set(moment("2026-11-24 02:39:20"));
    assert!(shop.enqueue("invoice.created", 51, None));
    assert!(shop.enqueue("invoice.paid", 51, None));
    hands.set(moment("2026-11-24 02:39:21"));
    assert!(shop.enqueue("creditmemo.created", 20, None));
    assert!(shop.enqueue("customer.upserted", 1, None));
    assert!(shop.enqueue("product.upserted", 1, None));
    hands.set(moment("2026-11-24 02:39:41"));
}

/// First line, header names in their spelling, header values and body; the token apart, Host and order aside.
fn compare(request: &str, sample: &str) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let (sample_head, sample_body) = sample.split_once("\r\n\r\n").unwrap();
    assert_eq!(head.lines().next(), sample_head.lines().next());
    assert_eq!(body, sample_body);
    let names = |head: &str| {
        let mut names: Vec<String> =
            head.lines().skip(1).map(|line| line.split_once(": ").unwrap().0.to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(head), names(sample_head));
    for name in ["accept", "content-type", "idempotency-key", "content-length"] {
        assert_eq!(header(head, name), header(sample_head, name), "{name}");
    }
}

/// Header and claims byte for byte but for times and id, and the signature under the samples' outbound key.
fn check_token(request: &str, minted_at: i64) -> String {
    let keys: Value = serde_json::from_str(&fixture("wire/token/keys-and-signer.json")).unwrap();
    let token = header(request, "authorization").unwrap().strip_prefix("Bearer ").unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = hex::decode(keys["outbound_key_hex"].as_str().unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(signed.as_bytes());
    mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let text = |part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let recorded = &keys["tokens"][0];
    assert_eq!(text(head), recorded["header"].as_str().unwrap());
    let parsed: Value = serde_json::from_str(&text(claims)).unwrap();
    let jti = parsed["jti"].as_str().unwrap();
    assert_eq!(uuid::Uuid::parse_str(jti).unwrap().get_version_num(), 4);
    let sample = recorded["payload"].as_str().unwrap();
    let expected = sample
        .replace("1795487746", &minted_at.to_string())
        .replace("1795487806", &(minted_at + 60).to_string())
        .replace("d306dbc9-147c-49db-9a07-eb683087381e", jti);
    assert_eq!(text(claims), expected);
    jti.to_owned()
}

#[tokio::test]
async fn each_event_goes_out_in_the_recorded_bytes_with_a_token_of_its_own() {
    let hands = Hands::at("2026-11-24 02:39:00");
    let mut ledger = Ledger::open(|_| answer(202, "Content-Type: application/json\r\n", RUN)).await;
    let shop = shop(shop_of_the_samples(), &hands).await;
    pair(&shop, &ledger.url).await;
    enqueue_as_recorded(&shop, &hands);
    assert_eq!(shop.run_cron().await, 5);
    let heard = ledger.heard();
    let samples = [
        "001-POST_webhooks_magento_TENANT_invoice.created",
        "002-POST_webhooks_magento_TENANT_invoice.paid",
        "003-POST_webhooks_magento_TENANT_creditmemo.created",
        "004-POST_webhooks_magento_TENANT_customer.upserted",
        "005-POST_webhooks_magento_TENANT_product.upserted",
    ];
    assert_eq!(heard.len(), samples.len());
    let mut ids = std::collections::BTreeSet::new();
    for (heard, sample) in heard.iter().zip(samples) {
        compare(heard, &fixture(&format!("wire/outbox/{sample}.request")));
        ids.insert(check_token(heard, hands.now().timestamp()));
    }
    assert_eq!(ids.len(), samples.len());
    assert_eq!(shop.run_cron().await, 0);
}

#[tokio::test]
async fn enqueue_all_keeps_the_order_of_the_modules_observers() {
    let hands = Hands::at("2026-11-24 02:39:20");
    let shop = shop(shop_of_the_samples(), &hands).await;
    assert_eq!(shop.enqueue_all(), 0, "nothing before the pairing");
    pair(&shop, "http://127.0.0.1:1").await;
    assert_eq!(shop.enqueue_all(), 5);
    let keys: Vec<String> = shop.outbox().into_iter().map(|row| row.idempotency_key).collect();
    let expected = [
        "invoice.created:51",
        "invoice.paid:51",
        "creditmemo.created:20",
        "customer.upserted:1",
        "product.upserted:1",
    ];
    assert_eq!(keys, expected);
    // The chips wait, as in the recorded table.
    let chips: Vec<(String, i64, String)> =
        shop.sync_state().into_iter().map(|row| (row.entity_type, row.magento_id, row.sync_status)).collect();
    let chip = |entity: &str, id| (entity.to_owned(), id, "pending".to_owned());
    assert_eq!(chips, [chip("invoice", 51), chip("creditmemo", 20), chip("customer", 1), chip("product", 1)]);
}

#[tokio::test]
async fn an_old_row_goes_to_the_new_tenant() {
    let hands = Hands::at("2026-11-24 02:39:20");
    let mut ledger = Ledger::open(|_| answer(202, "", RUN)).await;
    let shop = shop(shop_of_the_samples(), &hands).await;
    pair(&shop, &ledger.url).await;
    shop.enqueue("invoice.paid", 51, None);
    pair_as(&shop, &ledger.url, "0190f5a2-7c1e-7a3b-9d4e-ffffffffffff", "another key").await;
    assert_eq!(shop.run_cron().await, 1);
    compare(&ledger.next().await, &fixture("wire/outbox/090-old-row-posted-to-new-tenant.request"));
}

#[tokio::test]
async fn tile_status_and_disconnect_go_out_in_the_recorded_bytes() {
    let hands = Hands::at("2026-11-24 02:40:56");
    let tile = fixture("wire/client/001-GET_v1_tile_health.response");
    let body = tile.split_once("\r\n\r\n").unwrap().1.to_owned();
    let tile_body = body.clone();
    let mut ledger = Ledger::open(move |path| match path {
        "/v1/tile/health" => answer(200, "Content-Type: application/json\r\n", &tile_body),
        "/v1/tenant/disconnect" => answer(204, "", ""),
        _ => answer(200, "", "{\"status\":\"synced\"}"),
    })
    .await;
    let shop = shop(shop_of_the_samples(), &hands).await;
    pair(&shop, &ledger.url).await;
    let came = shop.tile().await.unwrap();
    assert_eq!((came.status, came.body), (Some(200), body));
    assert_eq!(shop.status("invoice", 51).await.unwrap().body, "{\"status\":\"synced\"}");
    let over_http = send(&shop, &request("GET", "/_sim/status?entity_type=invoice&entity_id=51", "")).await;
    assert_eq!(over_http.body, "{\"status\":200,\"body\":\"{\\\"status\\\":\\\"synced\\\"}\"}");
    let gone = send(&shop, &request("POST", "/_sim/disconnect", "")).await;
    assert_eq!(gone.body, "{\"status\":204,\"body\":\"\"}");
    let heard = ledger.heard();
    let status = "002-GET_v1_status_entity_type_invoice_entity_id_51";
    let samples = ["001-GET_v1_tile_health", status, status, "003-POST_v1_tenant_disconnect"];
    assert_eq!(heard.len(), samples.len());
    for (heard, sample) in heard.iter().zip(samples) {
        compare(heard, &fixture(&format!("wire/client/{sample}.request")));
        check_token(heard, hands.now().timestamp());
        assert!(header(heard, "user-agent").is_none());
    }
    assert!(!shop.is_paired());
    assert!(!shop.enqueue("invoice.created", 51, None), "nothing after a disconnect");
    assert_eq!(send(&shop, &request("POST", "/_sim/tile", "")).await.status, 409);
    assert!(heard[0].contains("127.0.0.1") && !heard[0].contains(TENANT));
}

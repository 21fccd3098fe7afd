//! What Ledger calls: pairing, tokens, documents, sync state.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::Value;
use simulators::magento::{Documents, InvalidResponse, Kind, SyncStateRow};

use crate::support::{Hands, RawAnswer, fixture, fixtures, pair, recorded, replay, request, send, shop};

const LEDGER: &str = "http://127.0.0.1:18999";
const NOON: &str = "2026-11-24 12:00:00";

#[tokio::test]
async fn every_recorded_pairing_call_gets_the_recorded_answer() {
    let hands = Hands::at("2026-11-24 02:30:00");
    let shop = shop(Documents::default(), &hands).await;
    let cases = recorded("wire/pair");
    assert_eq!(cases.len(), 29);
    for case in cases {
        let expected = RawAnswer::parse(&fixture(&format!("wire/pair/{case}.response")));
        let wanted = fixture(&format!("wire/pair/{case}.request"));
        // The recording's merchant made a code before each success, and before the two that came to nothing.
        let aged = match case.as_str() {
            "16-expired-1801s" => Some(1801),
            "17-age-1795s" => Some(1795),
            _ if expected.status == 200 || case.starts_with("18-") => Some(1),
            _ => None,
        };
        if let Some(age) = aged {
            hands.set(expected.date() - TimeDelta::seconds(age));
            let code = code_in(&wanted).trim().to_lowercase();
            let code = if case.starts_with("26-") { code.to_uppercase() } else { code };
            let body = format!("{{\"code\":\"{code}\"}}");
            let made = send(&shop, &request("POST", "/_sim/pairing-code", &body)).await;
            assert_eq!(made.status, 200, "{}", made.body);
        }
        replay(&shop, &hands, &format!("pair/{case}")).await;
    }
}

fn code_in(request: &str) -> String {
    let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let code = body.get("pairingCode").or_else(|| body.get("pairing_code")).unwrap();
    code.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_survives_wrong_fields_and_wrong_guesses() {
    let hands = Hands::at("2026-11-24 02:30:00");
    let shop = shop(Documents::default(), &hands).await;
    let code = shop.pairing_code();
    for case in ["01-wrong-code", "04-field-empty", "06-ledger-url-not-absolute", "07-body-not-json"] {
        replay(&shop, &hands, &format!("pair/{case}")).await;
    }
    assert_eq!(shop.pairing_code(), code);
    pair(&shop, LEDGER).await;
    assert!(shop.is_paired());
    assert_ne!(shop.pairing_code(), code);
}

#[tokio::test]
async fn every_recorded_token_meets_the_recorded_fate() {
    let hands = Hands::at("2026-11-24 02:35:00");
    let shop = shop(Documents::default(), &hands).await;
    pair(&shop, LEDGER).await;
    let cases: Vec<Value> = serde_json::from_str(&fixture("wire/token/cases.json")).unwrap();
    assert_eq!(cases.len(), 37);
    for case in cases {
        let name = case["case"].as_str().unwrap();
        replay(&shop, &hands, &format!("token/{name}")).await;
        let expected = RawAnswer::parse(&fixture(&format!("wire/token/{name}.response")));
        assert_eq!(u64::from(expected.status), case["status"].as_u64().unwrap(), "{name}");
        assert_eq!(expected.body, case["body"].as_str().unwrap(), "{name}");
    }
}

#[tokio::test]
async fn in_production_a_token_counts_over_https_only() {
    let hands = Hands::at("2026-11-24 02:41:00");
    let shop = shop(Documents::default(), &hands).await;
    pair(&shop, LEDGER).await;
    shop.faults().change(|faults| faults.https_required = true);
    for case in recorded("wire/token").iter().filter(|case| case.starts_with("production")) {
        replay(&shop, &hands, &format!("token/{case}")).await;
    }
}

#[tokio::test]
async fn before_the_pairing_and_after_a_disconnect_no_token_is_good() {
    let hands = Hands::at("2026-11-24 02:35:48");
    let shop = shop(Documents::default(), &hands).await;
    let good = fixture("wire/token/01-good.request");
    assert_eq!(send(&shop, &good).await.status, 401);
    pair(&shop, "http://127.0.0.1:1").await;
    shop.disconnect().await.unwrap();
    assert_eq!(send(&shop, &good).await.status, 401);
}

#[tokio::test]
async fn every_recorded_document_and_error_is_served_byte_for_byte() {
    let hands = Hands::at("2026-11-24 02:36:00");
    let documents = Documents::read(&fixtures("wire/entity")).unwrap();
    let shop = shop(documents, &hands).await;
    pair(&shop, LEDGER).await;
    let cases = recorded("wire/entity");
    assert_eq!(cases.len(), 23);
    for case in cases {
        replay(&shop, &hands, &format!("entity/{case}")).await;
        let body = fixture(&format!("wire/entity/{case}.body"));
        let response = RawAnswer::parse(&fixture(&format!("wire/entity/{case}.response")));
        assert_eq!(response.body, body, "{case}");
    }
}

#[tokio::test]
async fn every_recorded_callback_leaves_the_recorded_row() {
    let hands = Hands::at("2026-11-24 02:38:00");
    let shop = shop(Documents::default(), &hands).await;
    pair(&shop, LEDGER).await;
    let cases: Vec<Value> = serde_json::from_str(&fixture("wire/sync-state/cases.json")).unwrap();
    assert_eq!(cases.len(), 23);
    for case in cases {
        let name = case["case"].as_str().unwrap();
        replay(&shop, &hands, &format!("sync-state/{name}")).await;
        let sent = &case["request"];
        let field = |snake: &str, camel: &str| sent.get(snake).or_else(|| sent.get(camel)).unwrap().clone();
        let id = field("magento_entity_id", "magentoEntityId");
        let id: i64 = id.as_str().map_or_else(|| id.as_i64().unwrap(), |text| text.parse().unwrap());
        let (entity, provider) = (field("entity_type", "entityType"), field("provider", "provider"));
        let row = shop.sync_state().into_iter().find(|row| {
            row.entity_type == entity.as_str().unwrap()
                && row.magento_id == id
                && row.provider == provider.as_str().unwrap()
        });
        assert_eq!(row.map(|row| columns(&row)), row_in(case["row"].as_str().unwrap()), "{name}");
    }
}

/// The row in MySQL's table; its own number depends on what the recording did before.
fn row_in(table: &str) -> Option<BTreeMap<String, String>> {
    let lines: Vec<&str> = table.lines().filter(|line| line.starts_with('|')).collect();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let (names, values) = (cells(lines.first()?), cells(lines.get(1)?));
    Some(names.into_iter().zip(values).filter(|(name, _)| name != "entity_id").collect())
}

fn columns(row: &SyncStateRow) -> BTreeMap<String, String> {
    let value = serde_json::to_value(row).unwrap();
    let text = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let fields = value.as_object().unwrap().iter();
    fields.filter(|(name, _)| *name != "entity_id").map(|(name, value)| (name.clone(), text(value))).collect()
}

#[tokio::test]
async fn each_fault_shows_and_goes_away_again() {
    let hands = Hands::at("2026-11-24 02:36:13");
    let shop = shop(Documents::default(), &hands).await;
    pair(&shop, LEDGER).await;
    // No token is needed to see these.
    let ping = request("GET", "/rest/V1/byte8/ping", "");
    shop.faults().change(|faults| faults.down = true);
    assert_eq!(send(&shop, &ping).await.status, 503);
    shop.faults().clear();
    shop.faults().change(|faults| faults.garbage = Some(InvalidResponse::Html));
    let page = send(&shop, &ping).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=UTF-8")));
    shop.faults().change(|faults| faults.garbage = Some(InvalidResponse::Text));
    assert!(serde_json::from_str::<Value>(&send(&shop, &ping).await.body).is_err());
    shop.faults().clear();
    shop.faults().change(|faults| faults.route_missing = true);
    let gone = send(&shop, &ping).await;
    assert_eq!(
        (gone.status, gone.body.as_str()),
        (404, "{\"message\":\"Request does not match any route.\"}")
    );
    shop.faults().clear();
    assert_eq!(send(&shop, &ping).await.status, 401);
}

#[tokio::test]
async fn counted_faults_strike_as_often_as_they_were_told() {
    let hands = Hands::at("2026-11-24 02:35:48");
    let shop = shop(Documents::read(&fixtures("wire/entity")).unwrap(), &hands).await;
    pair(&shop, LEDGER).await;
    let good = fixture("wire/token/01-good.request");
    shop.faults().change(|faults| faults.unauthorized = 1);
    assert_eq!(send(&shop, &good).await.status, 401);
    // The refused call did not use the token up.
    assert_eq!(send(&shop, &good).await.status, 200);
    shop.faults().change(|faults| faults.not_found = 1);
    hands.set(RawAnswer::parse(&fixture("wire/entity/invoice-01.response")).date());
    assert_eq!(send(&shop, &fixture("wire/entity/invoice-01.request")).await.status, 404);
    replay(&shop, &hands, "entity/invoice-02").await;
}

#[tokio::test]
async fn a_refused_connection_is_closed_without_a_word() {
    use tokio::io::AsyncReadExt as _;
    let hands = Hands::at(NOON);
    let shop = shop(Documents::default(), &hands).await;
    shop.faults().change(|faults| faults.refused = 1);
    let address = shop.url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let mut answer = Vec::new();
    assert!(matches!(stream.read_to_end(&mut answer).await, Ok(0) | Err(_)));
    assert_eq!(send(&shop, &request("GET", "/rest/V1/byte8/ping", "")).await.status, 401);
}

#[tokio::test]
async fn faults_are_set_and_cleared_over_http_too() {
    let hands = Hands::at(NOON);
    let shop = shop(Documents::default(), &hands).await;
    let set = send(&shop, &request("POST", "/_sim/faults", "{\"unauthorized\":2}")).await;
    assert_eq!((set.status, shop.faults().get().unauthorized), (200, 2));
    send(&shop, &request("POST", "/_sim/faults", "{\"down\":true}")).await;
    assert_eq!((shop.faults().get().unauthorized, shop.faults().get().down), (2, true));
    let unknown = send(&shop, &request("POST", "/_sim/faults", "{\"up\":true}")).await;
    assert_eq!(unknown.status, 400);
    send(&shop, &request("DELETE", "/_sim/faults", "")).await;
    assert!(!shop.faults().get().down);
    assert_eq!(shop.documents().ids(Kind::Invoice), Vec::<u64>::new());
}

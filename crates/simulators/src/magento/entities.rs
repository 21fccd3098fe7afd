//! `GET /ping`, `/payment-methods` and the documents, with their errors (samples `entity/`).

use axum::http::StatusCode;
use chrono::{DateTime, Utc};

use super::answers::Answer;
use super::documents::Kind;
use super::shop::Shop;
use super::text::quoted;

/// The sample shop's list.
const PAYMENT_METHODS: &str = include_str!("payment-methods.json");

/// Liveness. Magento drops the keys of the module's answer: a flag, the tenant, the time.
pub(crate) fn ping(tenant_id: &str, now: DateTime<Utc>) -> Answer {
    let time = now.format("%Y-%m-%dT%H:%M:%S+00:00");
    Answer::ok(format!("[true,{},\"{time}\"]", quoted(tenant_id)))
}

/// What the shop's checkout knows.
pub(crate) fn payment_methods() -> Answer {
    Answer::ok(PAYMENT_METHODS.trim_end())
}

/// The kind behind a part of the path.
pub(crate) fn kind(segment: &str) -> Option<Kind> {
    Some(match segment {
        "invoice" => Kind::Invoice,
        "creditmemo" => Kind::CreditMemo,
        "payment" => Kind::Payment,
        "customer" => Kind::Customer,
        "product" => Kind::Product,
        _ => return None,
    })
}

/// One document, or the repository's own way of not having it.
pub(crate) fn entity(shop: &Shop, kind: Kind, id: &str) -> Answer {
    let Ok(number) = id.parse::<i64>() else { return Answer::wrong_type(id, "int") };
    let found = u64::try_from(number).ok().and_then(|id| shop.fetch(kind, id));
    found.map_or_else(|| missing(kind, number), Answer::ok)
}

/// Each of Magento's repositories has its own words, and only those of the sales module ask for an id.
pub(crate) fn missing(kind: Kind, id: i64) -> Answer {
    match kind {
        Kind::Invoice | Kind::CreditMemo | Kind::Payment if id == 0 => {
            Answer::error(StatusCode::BAD_REQUEST, "An ID is needed. Set the ID and try again.")
        }
        Kind::Invoice | Kind::CreditMemo | Kind::Payment => Answer::error(
            StatusCode::NOT_FOUND,
            "The entity that was requested doesn't exist. Verify the entity and try again.",
        ),
        Kind::Product => Answer::error(
            StatusCode::NOT_FOUND,
            "The product that was requested doesn't exist. Verify the product and try again.",
        ),
        Kind::Customer => Answer {
            status: StatusCode::NOT_FOUND,
            body: format!(
                "{{\"message\":\"No such entity with %fieldName = %fieldValue\",\"parameters\":{{\"fieldName\":\"customerId\",\"fieldValue\":{id}}}}}"
            ),
        },
    }
}

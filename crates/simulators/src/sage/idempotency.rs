//! `idempotency_id`: for seven days the same request gives the first answer again.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    errors::Refusal,
    handler::Reply,
    tables::{Business, Record, Remembered, text},
};

/// How long an answer is kept.
const KEPT_FOR: TimeDelta = TimeDelta::days(7);

/// The first answer to this very request, if its id was used before.
///
/// What Sage does with the same id and another body is an open point of its documentation. This is the strict
/// reading: a 422, so that a client that reuses ids carelessly is found out.
pub(super) fn recall(
    business: &Business,
    request: &str,
    body: &Record,
    now: DateTime<Utc>,
) -> Result<Option<Reply>, Refusal> {
    let kept = text(body, "idempotency_id").and_then(|id| business.remembered.get(id));
    let Some(kept) = kept.filter(|kept| now - kept.at < KEPT_FOR) else { return Ok(None) };
    if kept.request != request {
        return Err(Refusal::idempotency_mismatch());
    }
    if kept.body != *body {
        return Err(Refusal::invalid("idempotency_id", "was used before with a different body"));
    }
    Ok(Some(Reply { status: kept.status, body: kept.answer.clone() }))
}

/// Keeps the answer. Only answers of success come here: a request that was refused does not use up its id.
pub(super) fn remember(
    business: &mut Business,
    request: String,
    body: Record,
    reply: &Reply,
    now: DateTime<Utc>,
) {
    let Some(id) = text(&body, "idempotency_id").map(str::to_owned) else { return };
    let kept = Remembered { request, body, status: reply.status, answer: reply.body.clone(), at: now };
    business.remembered.insert(id, kept);
}

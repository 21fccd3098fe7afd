//! What Ledger made in Sage before, as Sage holds it now.

use chrono::{DateTime, Utc};
use domain::code::Code;
use sage::Connection;
use serde_json::Value;

use crate::{
    attempt::{
        audit_trail::{recorded, step},
        disposition::{AttemptError, Disposition},
        log::AttemptLog,
        work::Work,
    },
    connection::tokens::StoredTokens,
    posting::{create::not_shown, create_rules::not_shown_until},
};

/// An invoice as Sage holds it now; none when it is gone. One that was made a moment ago may only not be shown yet.
pub async fn invoice(
    work: &Work<'_>,
    log: &mut AttemptLog,
    sage_id: &str,
    made_at: Option<DateTime<Utc>>,
) -> Result<Option<Value>, AttemptError> {
    // Without `mark_as_sent` a plain read would flag the invoice as sent.
    let path = format!("/sales_invoices/{sage_id}?mark_as_sent=false");
    read(work, log, "original invoice", &path, made_at).await
}

/// Reads a record of Sage's; none when it is gone. One that was made a moment ago may only not be shown yet.
pub async fn read(
    work: &Work<'_>,
    log: &mut AttemptLog,
    name: &str,
    path: &str,
    made_at: Option<DateTime<Utc>>,
) -> Result<Option<Value>, AttemptError> {
    let tokens = StoredTokens::new(work.engine, work.binding.id);
    let sage = Connection::new(&work.engine.sage, &work.business.id, &tokens);
    let begun = work.engine.environment.now();
    let answered = sage.get(path, &[]).await;
    match recorded(log, step(name, "GET", path, begun), answered) {
        Ok(answer) => Ok(Some(answer.body)),
        Err(sage::Error::NotFound(_)) => match made_at.and_then(|made_at| not_shown_until(made_at, begun)) {
            Some(until) => Err(not_shown(until)),
            None => Ok(None),
        },
        Err(error) => Err(error.into()),
    }
}

/// What a document is set against is gone from Sage. Asked for a few times more before it fails: one answer may be a mistake.
pub fn gone(message: &str) -> AttemptError {
    let disposition = Disposition::Retry { after: None };
    AttemptError { disposition, ..AttemptError::new(Code::SageRecordGone, message) }
}

//! What Ledger made in Sage before, as Sage holds it now.

use sage::Connection;
use serde_json::Value;

use crate::{
    attempt::{
        audit_trail::{recorded, step},
        disposition::AttemptError,
        log::AttemptLog,
        work::Work,
    },
    connection::tokens::StoredTokens,
};

/// An invoice as Sage holds it now; none when it is gone.
pub async fn invoice(
    work: &Work<'_>,
    log: &mut AttemptLog,
    sage_id: &str,
) -> Result<Option<Value>, AttemptError> {
    // Without `mark_as_sent` a plain read would flag the invoice as sent.
    let path = format!("/sales_invoices/{sage_id}?mark_as_sent=false");
    read(work, log, "original invoice", &path).await
}

/// Reads a record of Sage's; none when it is gone.
pub async fn read(
    work: &Work<'_>,
    log: &mut AttemptLog,
    name: &str,
    path: &str,
) -> Result<Option<Value>, AttemptError> {
    let tokens = StoredTokens::new(work.engine, work.binding.id);
    let sage = Connection::new(&work.engine.sage, &work.business.id, &tokens);
    let begun = work.engine.outside.now();
    let answered = sage.get(path, &[]).await;
    match recorded(log, step(name, "GET", path, begun), answered) {
        Ok(answer) => Ok(Some(answer.body)),
        Err(sage::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

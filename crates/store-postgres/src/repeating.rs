//! Short transactions that clash are tried again.

use std::{future::Future, time::Duration};

use store::{Error, Result};

use crate::entities::{Failure, Tried};

impl Failure {
    /// Whether the transaction only clashed with another one, so that it can be repeated as it is.
    fn is_clash(&self) -> bool {
        let Self::Sqlx(sqlx::Error::Database(error)) = self else { return false };
        matches!(error.code().as_deref(), Some("40001" | "40P01"))
    }
}

/// How often a short transaction is tried when it clashes with others.
const TRIES: u32 = 5;

/// Runs a short transaction, again when it clashed with another.
pub(crate) async fn repeating<T, F, Fut>(mut transaction: F) -> Result<T>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Tried<T>> + Send,
{
    let mut tried = 1;
    loop {
        match transaction().await {
            Err(failure) if failure.is_clash() && tried < TRIES => {
                tracing::debug!(tried, "a transaction clashed with another");
                // Long enough to let the other one end, and different for each try.
                tokio::time::sleep(Duration::from_millis(u64::from(5 * tried * tried))).await;
                tried += 1;
            }
            result => return result.map_err(Error::from),
        }
    }
}

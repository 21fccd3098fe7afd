//! What is open, in groups of one cause.

use domain::{
    code::Code,
    ids::{BindingId, RunId},
    run::RunStatus,
};
use store::{CauseGroup, Result};
use store_sql::{Id, Lenient, Word};

use super::rows::Record;

/// A group, as it is counted.
#[derive(sqlx::FromRow)]
pub(crate) struct CauseRow {
    binding_id: Id<BindingId>,
    status: Word<RunStatus>,
    code: Lenient<Word<Code>>,
    cause: String,
    currency: Option<String>,
    runs: i64,
    value_minor: i64,
    oldest: Id<RunId>,
    newest: Id<RunId>,
}

impl Record for CauseRow {
    type Value = CauseGroup;
    const TABLE: &'static str = "runs";
    const KEY: &'static str = "newest";

    fn value(self) -> Result<CauseGroup> {
        Ok(CauseGroup {
            binding_id: self.binding_id.0,
            status: self.status.0,
            code: self.code.0.map_or(Code::UnreadableRecord, |code| code.0),
            cause: self.cause,
            currency: self.currency,
            runs: self.runs,
            value_minor: self.value_minor,
            oldest: self.oldest.0,
            newest: self.newest.0,
        })
    }
}

//! Runs as rows.

use chrono::NaiveDate;
use domain::{
    code::Code,
    ids::{BindingId, RunId},
    run::{EventName, RunStatus},
};
use sqlx::{Decode, Row as _, Type};
use store::{Error, Result, Run, RunFacts};
use store_sql::{Id, Instant, Word};

use super::rows::{Record, read};
use crate::db::{Db, Row};

/// A run's row, as `run_columns!` lists it.
#[derive(sqlx::FromRow)]
pub(crate) struct RunRow {
    id: Id<RunId>,
    binding_id: Id<BindingId>,
    event: Word<EventName>,
    magento_id: i64,
    status: Word<RunStatus>,
    code: Option<Word<Code>>,
    message: Option<String>,
    attempts: i32,
    next_at: Instant,
    settings_version: i64,
    increment_id: Option<String>,
    customer: Option<String>,
    currency: Option<String>,
    amount_minor: Option<i64>,
    tax_minor: Option<i64>,
    sage_amount_minor: Option<i64>,
    sage_tax_minor: Option<i64>,
    sage_id: Option<String>,
    sage_reference: Option<String>,
    email_digest: Option<String>,
    customer_id: Option<i64>,
    document_date: Option<Word<NaiveDate>>,
    website_id: i64,
    store_id: i64,
    occurred_at: Instant,
    created_at: Instant,
    updated_at: Instant,
    finished_at: Option<Instant>,
    started_at: Option<Instant>,
    resolved_by: Option<Id<RunId>>,
    trace_parent: Option<String>,
}

/// The columns of [`RunRow`], from `runs r`. Named one by one: a process that runs while the schema grows must not notice.
macro_rules! run_columns {
    () => {
        "r.id, r.binding_id, r.event, r.magento_id, r.status, r.code, r.message, r.attempts, r.next_at, r.settings_version,
         r.increment_id, r.customer, r.currency, r.amount_minor, r.tax_minor, r.sage_amount_minor, r.sage_tax_minor,
         r.sage_id, r.sage_reference, r.website_id, r.store_id, r.occurred_at, r.created_at, r.updated_at, r.finished_at,
         r.started_at, r.email_digest, r.customer_id, r.document_date, r.resolved_by, r.trace_parent"
    };
}
pub(crate) use run_columns;

impl Record for RunRow {
    type Value = Run;
    const TABLE: &'static str = "runs";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Run> {
        Ok(Run {
            id: self.id.0,
            binding_id: self.binding_id.0,
            event: self.event.0,
            magento_id: self.magento_id,
            status: self.status.0,
            code: self.code.map(|code| code.0),
            message: self.message,
            attempts: self.attempts,
            next_at: self.next_at.0,
            settings_version: self.settings_version,
            facts: RunFacts {
                increment_id: self.increment_id,
                customer: self.customer,
                currency: self.currency,
                amount_minor: self.amount_minor,
                tax_minor: self.tax_minor,
                sage_amount_minor: self.sage_amount_minor,
                sage_tax_minor: self.sage_tax_minor,
                sage_id: self.sage_id,
                sage_reference: self.sage_reference,
                email_digest: self.email_digest,
                customer_id: self.customer_id,
                document_date: self.document_date.map(|day| day.0),
            },
            website_id: self.website_id,
            store_id: self.store_id,
            occurred_at: self.occurred_at.0,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            finished_at: self.finished_at.map(|at| at.0),
            started_at: self.started_at.map(|at| at.0),
            resolved_by: self.resolved_by.map(|id| id.0),
            trace_parent: self.trace_parent,
        })
    }
}

/// A run as lists show it: what cannot be read of it is left out, and it says so.
pub(crate) fn shown(row: &Row) -> Result<Run> {
    match read::<RunRow>(row) {
        Err(error @ Error::Inconsistency { .. }) => stand_in(row, error),
        other => other,
    }
}

/// What can be read of a row, column by column. It must be known whose it is.
fn stand_in(row: &Row, problem: Error) -> Result<Run> {
    let (Some(Id(id)), Some(Id(binding))) = (column(row, "id"), column(row, "binding_id")) else {
        return Err(problem);
    };
    let bare = Run::unreadable(id, binding, &problem);
    let time = |name| column::<Instant>(row, name).map(|at| at.0);
    Ok(Run {
        event: column::<Word<EventName>>(row, "event").map_or(bare.event, |event| event.0),
        status: column::<Word<RunStatus>>(row, "status").map_or(bare.status, |status| status.0),
        magento_id: column(row, "magento_id").unwrap_or_default(),
        occurred_at: time("occurred_at").unwrap_or(bare.occurred_at),
        created_at: time("created_at").unwrap_or(bare.created_at),
        updated_at: time("updated_at").unwrap_or(bare.updated_at),
        finished_at: time("finished_at"),
        facts: RunFacts {
            increment_id: column(row, "increment_id"),
            customer: column(row, "customer"),
            currency: column(row, "currency"),
            amount_minor: column(row, "amount_minor"),
            sage_id: column(row, "sage_id"),
            sage_reference: column(row, "sage_reference"),
            ..RunFacts::default()
        },
        ..bare
    })
}

/// A value that is there and can be read.
fn column<'r, T: Decode<'r, Db> + Type<Db>>(row: &'r Row, name: &str) -> Option<T> {
    row.try_get(name).ok().flatten()
}

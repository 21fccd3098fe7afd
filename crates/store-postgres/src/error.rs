//! What Postgres says, in the store's words.

use std::{fmt, future::Future, str::FromStr, time::Duration};

use sqlx::{error::DatabaseError, postgres::PgQueryResult};
use store::{Error, Result};

/// A failure inside a transaction, while it can still be seen whether a repeat would help.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It has its final words.
    Store(Error),
    /// Postgres or the way to it.
    Sqlx(sqlx::Error),
}

/// A result within a transaction.
pub(crate) type Tried<T> = std::result::Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Sqlx(error) => translate(error),
        }
    }
}

impl Failure {
    /// Whether the transaction only clashed with another one, so that it can be repeated as it is.
    fn is_clash(&self) -> bool {
        let Self::Sqlx(sqlx::Error::Database(error)) = self else { return false };
        matches!(error.code().as_deref(), Some("40001" | "40P01"))
    }

    /// Whether it is one row that is at fault: a value that its column's type has no room for here, or a word that means nothing.
    pub(crate) const fn is_unreadable(&self) -> bool {
        matches!(
            self,
            Self::Store(Error::Inconsistency { .. }) | Self::Sqlx(sqlx::Error::ColumnDecode { .. })
        )
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

/// A failure outside a transaction of several statements.
pub(crate) fn translate(error: sqlx::Error) -> Error {
    if is_unavailable(&error) {
        return Error::Unavailable(Box::new(error));
    }
    if let sqlx::Error::Database(database) = &error {
        if database.is_unique_violation()
            && let Some(what) = taken(database.as_ref())
        {
            return Error::Conflict(what);
        }
        if database.is_foreign_key_violation()
            && let Some(what) = missing(database.as_ref())
        {
            return Error::NotFound(what);
        }
    }
    Error::Driver(Box::new(error))
}

/// Whether the same write may succeed later. SQLSTATE: 08 connections, 53 resources, 57 operators and time-outs, 58 the disk
/// below, 25006 a stand-by, 25P03 an idle transaction, 40 clashes, 55P03 a lock not had in time.
fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class))
                || matches!(&*code, "25006" | "25P03" | "40001" | "40P01" | "55P03")
        }),
        sqlx::Error::Migrate(migrate) => match migrate.as_ref() {
            sqlx::migrate::MigrateError::Execute(inner)
            | sqlx::migrate::MigrateError::ExecuteMigration(inner, _) => is_unavailable(inner),
            _ => false,
        },
        _ => false,
    }
}

/// What is unique by this constraint.
fn taken(error: &dyn DatabaseError) -> Option<&'static str> {
    Some(match error.constraint()? {
        "people_proved" | "members_person" => "the e-mail address",
        "organisations_pkey" => "the organisation's id",
        "members_pkey" => "the member's id",
        "sessions_pkey" | "sessions_id_key" => "the session",
        "invitations_pkey" | "invitations_token_hash_key" => "the invitation",
        "pending_sign_ins_pkey" => "the sign-in",
        "alert_channels_pkey" => "the channel",
        "alerts_pkey" => "the alert",
        "bindings_pkey" => "the binding's id",
        "bindings_business" => "the Sage business",
        "policy_versions_pkey" => "the policy version",
        "events_pkey" => "the event's id",
        "runs_pkey" => "the run's id",
        "attempts_pkey" => "the attempt's number",
        _ => return None,
    })
}

/// What must exist by this constraint.
fn missing(error: &dyn DatabaseError) -> Option<&'static str> {
    let constraint = error.constraint()?;
    Some(match constraint {
        "members_organisation_id_fkey"
        | "bindings_organisation_id_fkey"
        | "invitations_organisation_id_fkey" => "the organisation",
        "members_person_id_fkey" | "second_factors_person_id_fkey" | "recovery_codes_person_id_fkey" => {
            "the person"
        }
        _ if constraint.ends_with("_member_id_fkey") || constraint == "invitations_invited_by_fkey" => {
            "the member"
        }
        _ if constraint.ends_with("_binding_id_fkey") => "the binding",
        _ => return None,
    })
}

/// An error unless exactly this many rows were changed.
pub(crate) fn ensure_affected(result: &PgQueryResult, expected: u64) -> Result<()> {
    let actual = result.rows_affected();
    if actual == expected { Ok(()) } else { Err(Error::RowsAffected { expected, actual }) }
}

/// The error of a fence that no longer holds.
pub(crate) const fn lost() -> Error {
    Error::RowsAffected { expected: 1, actual: 0 }
}

/// Where a value was read, for the error when it cannot be understood.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The table.
    pub(crate) table: &'static str,
    /// The row's id.
    pub(crate) row: &'a dyn fmt::Display,
}

impl Place<'_> {
    /// An [`Error::Inconsistency`] at this place.
    pub(crate) fn inconsistent(
        self,
        column: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        Error::Inconsistency { table: self.table, column, row: self.row.to_string(), source: source.into() }
    }

    /// A word of a fixed set.
    pub(crate) fn word<T>(self, column: &'static str, word: &str) -> Result<T>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        word.parse().map_err(|error| self.inconsistent(column, error))
    }

    /// JSON of ours.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(self, column: &'static str, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| self.inconsistent(column, error))
    }
}

/// Text from outside as Postgres can keep it.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// The same for what may be missing.
pub(crate) fn clean_option(text: Option<&String>) -> Option<String> {
    text.map(|text| clean(text))
}

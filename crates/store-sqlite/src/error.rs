//! What SQLite says, in the store's words.

use sqlx::sqlite::SqliteQueryResult;
use store::{Error, Result};

/// Primary result codes after which a repeat may succeed: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
const PASSING: [u32; 6] = [5, 6, 8, 10, 13, 14];

/// A failure of SQLite's.
pub(crate) fn translate(error: sqlx::Error) -> Error {
    if is_passing(&error) {
        return Error::Unavailable(Box::new(error));
    }
    if let sqlx::Error::Database(database) = &error {
        if database.is_unique_violation() {
            return Error::Conflict(taken(database.message()));
        }
        if database.is_foreign_key_violation() {
            return Error::NotFound("what this belongs to");
        }
    }
    Error::Driver(Box::new(error))
}

/// The same where the only row that can be missing is known: SQLite does not name the foreign key that failed.
pub(crate) fn missing(what: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| match translate(error) {
        Error::NotFound(_) => Error::NotFound(what),
        other => other,
    }
}

fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        // Extended codes carry the primary one in their low byte.
        sqlx::Error::Database(database) => database
            .code()
            .and_then(|code| code.parse::<u32>().ok())
            .is_some_and(|code| PASSING.contains(&(code & 0xff))),
        sqlx::Error::Migrate(migrate) => match migrate.as_ref() {
            sqlx::migrate::MigrateError::Execute(inner)
            | sqlx::migrate::MigrateError::ExecuteMigration(inner, _) => is_passing(inner),
            _ => false,
        },
        _ => false,
    }
}

/// What is unique, by the columns that SQLite names (`UNIQUE constraint failed: people.email`).
fn taken(message: &str) -> &'static str {
    let columns = message.rsplit(": ").next().unwrap_or_default();
    match columns {
        "people.email" | "members.person_id, members.organisation_id" => "the e-mail address",
        "members.id" => "the member's id",
        "organisations.id" => "the organisation's id",
        "sessions.token_hash" | "sessions.id" => "the session",
        "invitations.id" | "invitations.token_hash" => "the invitation",
        "pending_sign_ins.token_hash" => "the sign-in",
        "alert_channels.id" => "the channel",
        "alerts.id" => "the alert",
        "bindings.id" => "the binding's id",
        "bindings.business_id" => "the Sage business",
        "policy_versions.binding_id, policy_versions.version" => "the policy version",
        "events.binding_id, events.id" => "the event's id",
        "runs.id" => "the run's id",
        "attempts.id" => "the attempt's id",
        _ => "a value that must be unique",
    }
}

/// An error unless exactly this many rows were changed.
pub(crate) fn ensure_affected(result: &SqliteQueryResult, expected: u64) -> Result<()> {
    let actual = result.rows_affected();
    if actual == expected { Ok(()) } else { Err(Error::RowsAffected { expected, actual }) }
}

/// The error of a fence or version that no longer holds.
pub(crate) const fn stale() -> Error {
    Error::RowsAffected { expected: 1, actual: 0 }
}

/// Whether it is one row that is at fault: a value of a kind that its column never has, or a word that means nothing.
pub(crate) fn is_unreadable(error: &Error) -> bool {
    match error {
        Error::Inconsistency { .. } => true,
        Error::Driver(source) => {
            matches!(source.downcast_ref(), Some(sqlx::Error::ColumnDecode { .. }))
        }
        _ => false,
    }
}

/// The same failure once more, for each of those whose writes shared a transaction.
pub(crate) fn again(error: &Error) -> Error {
    match error {
        Error::Unavailable(source) => Error::Unavailable(source.to_string().into()),
        other => Error::Driver(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_store_is_unavailable_and_a_wrong_statement_is_not() {
        assert!(matches!(translate(sqlx::Error::PoolClosed), Error::Unavailable(_)));
        assert!(matches!(translate(sqlx::Error::RowNotFound), Error::Driver(_)));
    }

    #[test]
    fn those_who_shared_a_transaction_hear_the_same() {
        let first = Error::Unavailable("disk full".into());
        assert_eq!(again(&first).to_string(), first.to_string());
    }
}

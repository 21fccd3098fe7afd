//! What SQLite says, in the store's words.

use store::Error;

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
        "settings_versions.binding_id, settings_versions.version" => "the settings version",
        "events.binding_id, events.id" => "the event's id",
        "runs.id" => "the run's id",
        "attempts.id" => "the attempt's id",
        _ => "a value that must be unique",
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

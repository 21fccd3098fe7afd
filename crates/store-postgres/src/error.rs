//! What Postgres says, in the store's words.

use sqlx::error::DatabaseError;
use store::Error;

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
        "settings_versions_pkey" => "the settings version",
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

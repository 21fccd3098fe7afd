//! A database of its own for a test, on the server that `scripts/with-postgres` starts.

use domain::environment::Environment;
use server::environment::Machine;
use sqlx::{Connection, Executor, PgConnection};
use url::Url;

/// A new, empty database; none where no server was started, which continuous integration does not let pass.
pub async fn database() -> Option<String> {
    let Ok(server) = std::env::var("LEDGER_TEST_POSTGRES_URL") else {
        assert!(std::env::var_os("CI").is_none(), "LEDGER_TEST_POSTGRES_URL is not set");
        eprintln!("Postgres was NOT tested: LEDGER_TEST_POSTGRES_URL is not set");
        return None;
    };
    let name = format!("flows_{}", Machine.uuid_v4().simple());
    let mut connection = PgConnection::connect(&server).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let mut url = Url::parse(&server).unwrap();
    url.set_path(&name);
    Some(url.to_string())
}

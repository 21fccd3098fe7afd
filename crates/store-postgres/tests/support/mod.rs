//! A database for each test, on the server that `LEDGER_TEST_POSTGRES_URL` names (`scripts/with-postgres` starts one).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must say where")]

use std::{io::Write as _, sync::Arc};

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use store::Store;
use store_postgres::PostgresStore;

const VARIABLE: &str = "LEDGER_TEST_POSTGRES_URL";

/// The server's URL. Without one nothing here can be tested: in CI that is a failure; elsewhere the whole test program says so
/// and ends, so that no list of passed tests claims the contrary.
fn server() -> String {
    if let Ok(url) = std::env::var(VARIABLE) {
        return url;
    }
    assert!(std::env::var_os("CI").is_none(), "{VARIABLE} is not set, and in CI Postgres must be tested");
    // Not eprintln!, which the test harness would keep to itself.
    let _ = writeln!(
        std::io::stderr(),
        "\nPostgres was NOT tested: {VARIABLE} is not set. Run the tests by `scripts/with-postgres cargo test ...`."
    );
    std::process::exit(0);
}

/// A database that is dropped with this value.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// A new and empty one.
    pub async fn create() -> Self {
        let database =
            Self { server: server(), name: format!("ledger_test_{}", uuid::Uuid::new_v4().simple()) };
        let mut server = PgConnection::connect(&database.server).await.unwrap();
        let create = format!("CREATE DATABASE {} TEMPLATE template0", database.name);
        sqlx::query(AssertSqlSafe(create)).execute(&mut server).await.unwrap();
        server.close().await.unwrap();
        database
    }

    /// Its URL.
    pub fn url(&self) -> String {
        let options: PgConnectOptions = self.server.parse().unwrap();
        options.database(&self.name).to_url_lossy().to_string()
    }

    /// A store on it, migrated.
    pub async fn store(&self) -> Arc<PostgresStore> {
        let store = PostgresStore::connect(&self.url()).await.unwrap();
        store.migrate().await.unwrap();
        Arc::new(store)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, drop) = (self.server.clone(), format!("DROP DATABASE {} WITH (FORCE)", self.name));
        // A runtime of its own: the test's may be ending, or not be there any more.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let mut server = PgConnection::connect(&server).await?;
                sqlx::query(AssertSqlSafe(drop)).execute(&mut server).await?;
                server.close().await
            })
        });
        if let Err(error) = dropped.join().unwrap() {
            let _ = writeln!(std::io::stderr(), "the database {} was left behind: {error}", self.name);
        }
    }
}

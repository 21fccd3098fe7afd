//! What a crash of the server would lose.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must say where")]

mod support;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use store::{Risk, Store as _};
use support::Database;

/// Sets what commits of the database wait for, and tells what the store finds.
async fn risks_with(database: &Database, setting: &str) -> Vec<Risk> {
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut connection).await.unwrap();
    let alter = format!("ALTER DATABASE {name} SET synchronous_commit = {setting}");
    sqlx::query(AssertSqlSafe(alter)).execute(&mut connection).await.unwrap();
    let store = database.store().await;
    let mut risks = store.risks().await.unwrap();
    store.close().await;
    // The server of the tests is quick, not safe.
    risks.retain(|risk| *risk != Risk::NoSync);
    risks
}

#[tokio::test]
async fn commits_wait_for_the_disk_whatever_the_database_says() {
    let database = Database::create().await;
    assert_eq!(risks_with(&database, "off").await, [Risk::OtherCommits], "never Ledger's own");
    assert_eq!(risks_with(&database, "local").await, []);
    assert_eq!(risks_with(&database, "on").await, []);
}

#[tokio::test]
async fn the_clock_is_the_servers() {
    let database = Database::create().await;
    let store = database.store().await;
    let first = store.clock().await.unwrap().unwrap();
    assert!(store.clock().await.unwrap().unwrap() >= first);
    store.close().await;
}

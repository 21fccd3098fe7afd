//! Rows that cannot be read are shown as such and hide no others.

mod support;

use std::sync::Arc;

use domain::{code::Code, run::EventName::InvoiceCreated};
use sqlx::{Connection as _, PgConnection};
use store::{History as _, Maintenance as _, PageRequest, Runs as _, conformance::World};
use store_postgres::PostgresStore;
use support::Database;

#[tokio::test]
async fn what_cannot_be_read_is_shown_as_such_and_hides_nothing_else() {
    let database = Database::create().await;
    let store = database.store().await;
    let world = World::new(Arc::<PostgresStore>::clone(&store)).await;
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    for (number, spoil, column) in [
        (1, "UPDATE runs SET status = 'dancing' WHERE id = $1", "status"),
        (2, "UPDATE runs SET code = 'no_such_code', status = 'failed' WHERE id = $1", "code"),
        (3, "UPDATE runs SET event = 'invoice.eaten' WHERE id = $1", "event"),
    ] {
        let sound = world.receive(InvoiceCreated, 2 * number).await;
        let id = world.receive(InvoiceCreated, 2 * number + 1).await;
        sqlx::query(spoil).bind(id.0).execute(&mut connection).await.unwrap();
        let run = store.run(world.organisation, id).await.unwrap().unwrap();
        assert_eq!(run.code, Some(Code::UnreadableRecord), "{column}");
        assert!(run.message.as_deref().unwrap().contains(column), "{column}: {:?}", run.message);
        let request = PageRequest { limit: 100, ..PageRequest::default() };
        let runs = store.page_runs(world.organisation, &request).await.unwrap().runs;
        assert!([sound, id].iter().all(|id| runs.iter().any(|run| run.id == *id)), "{column}");
        store.causes(world.organisation, 50).await.unwrap();
        let found = store.unreadable().await.unwrap();
        assert!(found.iter().any(|one| one.column == column && one.row == id.to_string()), "{found:?}");
    }
}

#[tokio::test]
async fn a_run_that_cannot_be_read_is_set_aside_and_the_next_one_taken() {
    let database = Database::create().await;
    let world = World::new(database.store().await).await;
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    world.receive(InvoiceCreated, 1).await;
    world.claim().await;
    world.pass(chrono::TimeDelta::minutes(2));
    world.receive(InvoiceCreated, 2).await;
    sqlx::query("UPDATE runs SET event = 'invoice.eaten'").execute(&mut connection).await.unwrap();
    let sound = world.receive(InvoiceCreated, 3).await;
    assert_eq!(world.claim().await.run.id, sound);
    let failed: Vec<(String, String)> = sqlx::query_as(
        "SELECT code, message FROM runs
         WHERE status = 'failed' AND finished_at IS NOT NULL AND attempt_id IS NULL AND lease_until IS NULL",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(failed.len(), 2, "{failed:?}");
    for (code, message) in failed {
        assert!(code == "internal" && message.contains("runs.event"), "{code}: {message}");
    }
    let lost: Vec<String> = sqlx::query_scalar("SELECT outcome FROM attempts WHERE ended_at IS NOT NULL")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(lost, ["lost"]);
}

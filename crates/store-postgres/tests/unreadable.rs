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

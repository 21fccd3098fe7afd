//! What must hold when the disk, another process or a caller does not behave.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    code::Code,
    environment::Environment,
    ids::BindingId,
    run::{BindingStatus, EventName::InvoiceCreated, RunStatus},
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use store::{
    Bindings, Error, Events, History, NewEvent, PageRequest, Received, Result, Store, conformance::World,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::SqliteStore;

async fn open(folder: &TempDir) -> Arc<SqliteStore> {
    let store = SqliteStore::open(&folder.path().join("ledger.sqlite")).await.unwrap();
    store.migrate().await.unwrap();
    Arc::new(store)
}

/// A store with a world in it.
async fn make() -> (Arc<SqliteStore>, World, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let world = World::new(Arc::clone(&store) as Arc<dyn Store>).await;
    (store, world, folder)
}

/// The connection of another process.
async fn stranger(folder: &TempDir) -> SqliteConnection {
    let file = SqliteConnectOptions::new().filename(folder.path().join("ledger.sqlite"));
    SqliteConnection::connect_with(&file).await.unwrap()
}

fn receive_all(store: &Arc<SqliteStore>, events: &[NewEvent]) -> Vec<JoinHandle<Result<Received>>> {
    let receive = |event: &NewEvent| {
        let (store, event) = (Arc::clone(store), event.clone());
        tokio::spawn(async move { store.receive(&event).await })
    };
    events.iter().map(receive).collect()
}

/// Receives these events in one transaction: they queue up while a writer holds the right to write.
async fn receive_together(store: &Arc<SqliteStore>, events: &[NewEvent]) -> Vec<Result<Received>> {
    let turn = store.writer.begin().await.unwrap();
    let waiting = receive_all(store, events);
    while store.group_commit.waiting() + 1 < events.len() {
        tokio::task::yield_now().await;
    }
    drop(turn);
    let mut results = Vec::new();
    for one in waiting {
        results.push(one.await.unwrap());
    }
    results
}

fn assert_unavailable(result: &Result<Received>) {
    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_is_unavailable_in_time_and_loses_nothing() {
    let (store, world, folder) = make().await;
    let mut other = stranger(&folder).await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let events = (0..20).map(|number| world.event(InvoiceCreated, number)).collect::<Vec<_>>();
    let begun = Instant::now();
    let waiting = receive_all(&store, &events);
    assert!(matches!(store.ready().await, Err(Error::Unavailable(_))));
    for refused in waiting {
        assert_unavailable(&refused.await.unwrap());
    }
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    lock.rollback().await.unwrap();
    store.ready().await.unwrap();
    for (event, received) in events.iter().zip(receive_all(&store, &events)) {
        assert_eq!(received.await.unwrap().unwrap(), Received::Queued(event.run_id));
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let (store, world, folder) = make().await;
    let id = world.receive(InvoiceCreated, 1).await;
    let before = world.run(id).await;
    store.close().await;
    assert_unavailable(&store.receive(&world.event(InvoiceCreated, 2)).await);
    store.close().await;
    let again = open(&folder).await;
    assert_eq!(store::Runs::run(&*again, world.organisation, id).await.unwrap(), Some(before));
    let twin = world.event(InvoiceCreated, 1);
    assert_eq!(again.receive(&twin).await.unwrap(), Received::Known(id));
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_loses_nothing() {
    let (store, world, _folder) = make().await;
    let kept = world.receive(InvoiceCreated, 1).await;
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(store.writer.pool()).await.unwrap();
    let limit = format!("PRAGMA max_page_count = {pages}");
    sqlx::query(sqlx::AssertSqlSafe(limit)).execute(store.writer.pool()).await.unwrap();
    let mut event = world.event(InvoiceCreated, 2);
    event.body = "x".repeat(100_000);
    let small = world.event(InvoiceCreated, 3);
    let mut refused = 0;
    for result in receive_together(&store, &[small.clone(), event.clone()]).await {
        assert_unavailable(&result);
        refused += 1;
    }
    assert_eq!(refused, 2, "they shared the transaction that was lost");
    assert_eq!(world.run(kept).await.status, RunStatus::Queued);
    for event in [&event, &small] {
        assert_eq!(store::Runs::run(&*store, world.organisation, event.run_id).await.unwrap(), None);
    }
    sqlx::query("PRAGMA max_page_count = 1000000").execute(store.writer.pool()).await.unwrap();
    for event in [event, small] {
        assert_eq!(store.receive(&event).await.unwrap(), Received::Queued(event.run_id));
    }
}

#[tokio::test]
async fn a_commit_that_fails_is_no_success_for_anybody() {
    let (store, world, _folder) = make().await;
    let mut writer = store.writer.pool().acquire().await.unwrap();
    writer.lock_handle().await.unwrap().set_commit_hook(|| false);
    drop(writer);
    let events = (0..5).map(|number| world.event(InvoiceCreated, number)).collect::<Vec<_>>();
    for result in receive_together(&store, &events).await {
        assert!(result.is_err(), "{result:?}");
    }
    let mut writer = store.writer.pool().acquire().await.unwrap();
    writer.lock_handle().await.unwrap().remove_commit_hook();
    drop(writer);
    for result in receive_together(&store, &events).await {
        assert!(matches!(result, Ok(Received::Queued(_))), "{result:?}");
    }
}

#[tokio::test]
async fn one_that_is_refused_does_not_spoil_those_beside_it() {
    let (store, world, _folder) = make().await;
    let homeless = world.event_of(BindingId(world.id()), InvoiceCreated, 1);
    let first = world.event(InvoiceCreated, 2);
    let same_id = NewEvent { token: None, ..world.event(InvoiceCreated, 3) };
    let same_id = NewEvent { run_id: first.run_id, ..same_id };
    let last = world.event(InvoiceCreated, 4);
    let results = receive_together(&store, &[homeless, first.clone(), same_id, last.clone()]).await;
    assert!(matches!(results[0], Err(Error::NotFound("the binding"))), "{results:?}");
    assert_eq!(results[1].as_ref().unwrap(), &Received::Queued(first.run_id));
    assert!(matches!(results[2], Err(Error::Conflict("the run's id"))), "{results:?}");
    assert_eq!(results[3].as_ref().unwrap(), &Received::Queued(last.run_id));
}

#[tokio::test]
async fn an_event_whose_caller_has_gone_is_written_all_the_same() {
    let (store, world, folder) = make().await;
    let turn = store.writer.begin().await.unwrap();
    let event = world.event(InvoiceCreated, 1);
    let caller = receive_all(&store, std::slice::from_ref(&event)).remove(0);
    tokio::task::yield_now().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    drop(turn);
    store.close().await;
    let reopened = open(&folder).await;
    assert!(store::Runs::run(&*reopened, world.organisation, event.run_id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_change_by_another_process_is_announced() {
    let (store, world, folder) = make().await;
    let mut changes = store.changes();
    let other = open(&folder).await;
    // The watch must have looked once before it can see a difference.
    let event = world.event(InvoiceCreated, 1);
    other.receive(&event).await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            let event = world.event(InvoiceCreated, world.now().timestamp_millis());
            other.receive(&event).await.unwrap();
            if tokio::time::timeout(Duration::from_millis(1500), changes.changed()).await.is_ok() {
                break;
            }
        }
    });
    heard.await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_is_shown_as_such_and_hides_nothing_else() {
    let (store, world, _folder) = make().await;
    let organisation = world.organisation;
    for (spoil, table, column) in [
        ("UPDATE runs SET status = 'dancing' WHERE id = ?1", "runs", "status"),
        ("UPDATE runs SET occurred_at = '+262142-01-01T00:00:00.000Z' WHERE id = ?1", "runs", "occurred_at"),
        ("UPDATE runs SET created_at = '-262143-01-01T00:00:00.000Z' WHERE id = ?1", "runs", "created_at"),
        ("UPDATE runs SET code = 'no_such_code', status = 'failed' WHERE id = ?1", "runs", "code"),
        ("UPDATE runs SET event = 'invoice.eaten' WHERE id = ?1", "runs", "event"),
        ("UPDATE runs SET attempts = 1099511627776 WHERE id = ?1", "runs", "attempts"),
    ] {
        let sound = world.receive(InvoiceCreated, world.now().timestamp_millis()).await;
        world.pass(chrono::TimeDelta::milliseconds(5));
        let id = world.receive(InvoiceCreated, world.now().timestamp_millis()).await;
        world.pass(chrono::TimeDelta::milliseconds(5));
        sqlx::query(spoil).bind(id.to_string()).execute(store.writer.pool()).await.unwrap();

        let run = store::Runs::run(&*store, organisation, id).await.unwrap().unwrap();
        assert_eq!(run.code, Some(Code::UnreadableRecord), "{column}");
        assert!(run.message.as_deref().unwrap().contains(column), "{column}: {:?}", run.message);
        assert!(run.facts.increment_id.is_some(), "{column}: what can be read is shown");
        let page = store.page_runs(organisation, &PageRequest { limit: 100, ..PageRequest::default() }).await;
        let runs = page.unwrap().runs;
        assert!([sound, id].iter().all(|id| runs.iter().any(|run| run.id == *id)), "{column}");
        store.causes(organisation, 50).await.unwrap();
        assert_eq!(store.runs_by_id(organisation, &[id, sound]).await.unwrap().len(), 2);
        let found = store::Maintenance::unreadable(&*store).await.unwrap();
        let named =
            found.iter().any(|one| (one.table, one.column, &one.row) == (table, column, &id.to_string()));
        assert!(named, "{column}: {found:?}");
    }
}

#[tokio::test]
async fn an_attempt_a_deed_or_a_shop_that_cannot_be_read_hides_no_other() {
    let (store, world, _folder) = make().await;
    let id = world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    world.finish(&claimed, store::Outcome::Succeeded).await;
    world.add_binding("business-2").await;
    for spoil in [
        "UPDATE attempts SET started_at = 'yesterday', code = 'no_such_code'",
        "UPDATE bindings SET status = 'dancing' WHERE id IN (SELECT max(id) FROM bindings)",
    ] {
        sqlx::query(spoil).execute(store.writer.pool()).await.unwrap();
    }
    let attempts = store::Attempts::attempts(&*store, world.organisation, id).await.unwrap();
    assert_eq!(attempts[0].code, Some(Code::UnreadableRecord));
    assert_eq!(Bindings::list_bindings(&*store, world.organisation).await.unwrap().len(), 1);
    assert!(store::Maintenance::unreadable(&*store).await.unwrap().len() >= 3);
}

#[tokio::test]
async fn a_run_that_cannot_be_read_is_set_aside_and_the_next_one_taken() {
    let (store, world, _folder) = make().await;
    for (number, spoil) in [
        (1, "UPDATE runs SET occurred_at = 'yesterday'"),
        (2, "UPDATE runs SET event = 'invoice.eaten' WHERE magento_id = 2"),
        (3, "UPDATE runs SET attempts = 1099511627776 WHERE magento_id = 3"),
    ] {
        world.receive(InvoiceCreated, number).await;
        if number == 1 {
            world.claim().await;
            world.pass(chrono::TimeDelta::minutes(2));
        }
        sqlx::query(spoil).execute(store.writer.pool()).await.unwrap();
    }
    let sound = world.receive(InvoiceCreated, 4).await;
    assert_eq!(world.claim().await.run.id, sound);
    let failed: Vec<(String, String)> = sqlx::query_as(
        "SELECT code, message FROM runs
          WHERE status = 'failed' AND finished_at IS NOT NULL AND lease_until IS NULL AND lease_business IS NULL ORDER BY id",
    )
    .fetch_all(store.writer.pool())
    .await
    .unwrap();
    assert_eq!(failed.len(), 3, "{failed:?}");
    for ((code, message), column) in failed.iter().zip(["occurred_at", "event", "attempts"]) {
        assert!(code == "internal" && message.contains(column), "{code}: {message}");
    }
    let lost: Vec<String> = sqlx::query_scalar("SELECT outcome FROM attempts WHERE ended_at IS NOT NULL")
        .fetch_all(store.writer.pool())
        .await
        .unwrap();
    assert_eq!(lost, ["lost"]);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_but_its_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let (_store, world, folder) = make().await;
    world.receive(InvoiceCreated, 1).await;
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_folder_that_is_missing_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let result = SqliteStore::open(&folder.path().join("missing").join("ledger.sqlite")).await;
    assert!(matches!(result.err(), Some(Error::Unavailable(_))));
}

/// What earlier versions let happen: the oldest that works keeps the business, and nothing of the others is lost.
#[tokio::test]
async fn shops_that_share_a_business_are_told_apart_by_the_migration() {
    let (store, world, _folder) = make().await;
    let mut bindings = vec![world.binding];
    for business in ["second", "third", "gone", "alone"] {
        bindings.push(world.add_binding(business).await);
    }
    for statement in [
        "DROP TABLE backfills",
        "DROP INDEX bindings_business",
        "UPDATE bindings SET status = 'revoked' WHERE business_id = 'gone'",
        "UPDATE bindings SET business_id = 'shared' WHERE business_id <> 'alone'",
        "UPDATE bindings SET status = 'paused' WHERE id = (SELECT id FROM bindings ORDER BY created_at, id LIMIT 1)",
        include_str!("../../../migrations/sqlite/0021_pairing.sql"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(store.writer.pool()).await.unwrap();
    }
    let mut states = Vec::new();
    for id in &bindings {
        let binding = Bindings::binding(&*store, *id).await.unwrap().unwrap();
        states.push((binding.status, binding.business.map(|business| business.id)));
    }
    let (shared, alone) = (Some("shared".to_owned()), Some("alone".to_owned()));
    let expected = [
        (BindingStatus::Pending, None),
        (BindingStatus::Active, shared.clone()),
        (BindingStatus::Pending, None),
        (BindingStatus::Revoked, shared),
        (BindingStatus::Active, alone),
    ];
    assert_eq!(states, expected);
    assert_eq!(store.refusal(bindings[2]).await.unwrap(), Some(Code::BusinessShared));
    store.close().await;
}

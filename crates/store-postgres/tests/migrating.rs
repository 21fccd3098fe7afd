//! Data of before a migration is there afterwards.

mod support;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{code::Code, run::BindingStatus};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, migrate::Migrator};
use store::{
    Bindings as _, Members as _, People as _, SavedViews as _, SecondFactors as _, Sessions as _,
    conformance::{World, renamed},
};
use store_postgres::PostgresStore;
use support::Database;

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Ada, with everything that a member may have, and Bob, who was removed.
const BEFORE: &[&str] = &[
    "INSERT INTO organisations VALUES ('00000000-0000-7000-8000-000000000001', 'Blue Mug Ltd', '2026-01-05T10:00:00Z')",
    "INSERT INTO members (id, organisation_id, email, name, role, password_hash, created_at, removed_at, former_email) VALUES
       ('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-000000000001', 'ada@shop.example', 'Ada', 'owner', 'hash',
        '2026-01-05T10:00:00Z', NULL, NULL),
       ('00000000-0000-7000-8000-00000000000b', '00000000-0000-7000-8000-000000000001', 'removed:b', 'Bob', 'viewer', 'hash',
        '2026-01-05T11:00:00Z', '2026-01-05T12:00:00Z', 'bob@shop.example')",
    "INSERT INTO sessions (token_hash, id, member_id, browser, created_at, last_seen_at, expires_at) VALUES
       ('token', '00000000-0000-7000-8000-0000000000aa', '00000000-0000-7000-8000-00000000000a', 'Firefox',
        '2026-01-05T10:00:00Z', '2026-01-05T10:00:00Z', '2027-01-05T10:00:00Z')",
    "INSERT INTO second_factors VALUES ('00000000-0000-7000-8000-00000000000a', 'sealed', '2026-01-05T10:00:00Z', 7, 3,
        '2026-01-05T10:00:00Z')",
    "INSERT INTO recovery_codes VALUES ('00000000-0000-7000-8000-00000000000a', 'code', NULL)",
    "INSERT INTO saved_views VALUES ('00000000-0000-7000-8000-00000000000a', 'mine', 'status=failed', '2026-01-05T10:00:00Z')",
];

#[tokio::test]
async fn members_become_people_and_keep_what_is_theirs() {
    let database = Database::create().await;
    let mut before = PgConnection::connect(&database.url()).await.unwrap();
    MIGRATOR.run_to(24, &mut before).await.unwrap();
    for statement in BEFORE.iter().copied() {
        sqlx::query(statement).execute(&mut before).await.unwrap();
    }
    before.close().await.unwrap();

    let store = database.store().await;
    let now: DateTime<Utc> = "2026-02-01T10:00:00Z".parse().unwrap();
    let ada = store.people_by_email("ada@shop.example", 9).await.unwrap().remove(0);
    assert_eq!((ada.id.0, ada.password_hash.as_str()), (ada.memberships[0].member.id.0, "hash"));
    assert!(ada.proved_at.is_some(), "it was unique, and counts as proved");
    let member = &ada.memberships[0].member;
    assert_eq!(store.signed_in("token", now).await.unwrap().unwrap().member, *member);
    let factor = store.second_factor(ada.id).await.unwrap().unwrap();
    assert_eq!((factor.envelope.as_str(), factor.version, factor.last_step), ("sealed", 3, 7));
    assert_eq!(store.recovery_codes_left(ada.id).await.unwrap(), 1);
    assert_eq!(store.saved_views(member.id).await.unwrap().len(), 1);
    assert_eq!(store.list_members(member.organisation_id).await.unwrap().len(), 1);
    assert!(store.people_by_email("bob@shop.example", 9).await.unwrap().is_empty());
    assert_eq!(store.erase_address("bob@shop.example").await.unwrap(), 1, "still known to have been there");
}

/// What earlier versions let happen: the oldest that works keeps the business, and nothing of the others is lost.
#[tokio::test]
async fn shops_that_share_a_business_are_told_apart_by_the_migration() {
    let database = Database::create().await;
    let store = database.store().await;
    let world = World::new(Arc::<PostgresStore>::clone(&store)).await;
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
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
        include_str!("../../../migrations/postgres/0021_pairing.sql"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    let mut states = Vec::new();
    for id in &bindings {
        let binding = store.binding(*id).await.unwrap().unwrap();
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
    let refusal = store.refusal(bindings[2]).await.unwrap();
    assert_eq!(refusal, Some(Code::BusinessShared));
}

#[tokio::test]
async fn what_was_called_otherwise_is_read_by_its_new_name() {
    let database = Database::create().await;
    let mut before = PgConnection::connect(&database.url()).await.unwrap();
    MIGRATOR.run_to(renamed::BEFORE, &mut before).await.unwrap();
    for statement in renamed::STATEMENTS.iter().map(ToString::to_string).chain(renamed::runs()) {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut before).await.unwrap();
    }
    before.close().await.unwrap();
    renamed::names_are_new(&*database.store().await).await;
}

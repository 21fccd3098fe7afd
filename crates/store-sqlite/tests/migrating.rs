//! Data of before a migration is there afterwards.

use chrono::{DateTime, Utc};
use sqlx::{
    AssertSqlSafe, Connection as _, SqliteConnection,
    migrate::{Migrate as _, Migrator},
    sqlite::SqliteConnectOptions,
};
use store::{
    Invitations as _, Members as _, People as _, SavedViews as _, SecondFactors as _, Sessions as _,
    Store as _, conformance::renamed,
};
use store_sqlite::SqliteStore;

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/sqlite");

const ADA: &str = "00000000-0000-7000-8000-00000000000a";
const BOB: &str = "00000000-0000-7000-8000-00000000000b";
const SHOP: &str = "00000000-0000-7000-8000-000000000001";

/// Ada, with everything that a member may have, and Bob, who was removed.
const BEFORE: &[&str] = &[
    "INSERT INTO organisations VALUES ('00000000-0000-7000-8000-000000000001', 'Blue Mug Ltd', '2026-01-05T10:00:00.000Z')",
    "INSERT INTO members (id, organisation_id, email, name, role, password_hash, created_at, removed_at, former_email) VALUES
       ('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-000000000001', 'ada@shop.example', 'Ada', 'owner', 'hash',
        '2026-01-05T10:00:00.000Z', NULL, NULL),
       ('00000000-0000-7000-8000-00000000000b', '00000000-0000-7000-8000-000000000001', 'removed:b', 'Bob', 'viewer', 'hash',
        '2026-01-05T11:00:00.000Z', '2026-01-05T12:00:00.000Z', 'bob@shop.example')",
    "INSERT INTO sessions (token_hash, id, member_id, browser, created_at, last_seen_at, expires_at) VALUES
       ('token', '00000000-0000-7000-8000-0000000000aa', '00000000-0000-7000-8000-00000000000a', 'Firefox',
        '2026-01-05T10:00:00.000Z', '2026-01-05T10:00:00.000Z', '2027-01-05T10:00:00.000Z')",
    "INSERT INTO second_factors VALUES ('00000000-0000-7000-8000-00000000000a', 'sealed', '2026-01-05T10:00:00.000Z', 7, 3,
        '2026-01-05T10:00:00.000Z')",
    "INSERT INTO recovery_codes VALUES ('00000000-0000-7000-8000-00000000000a', 'code', NULL)",
    "INSERT INTO saved_views VALUES ('00000000-0000-7000-8000-00000000000a', 'mine', 'status=failed', '2026-01-05T10:00:00.000Z')",
    "INSERT INTO invitations (id, organisation_id, email, role, invited_by, token_hash, created_at, expires_at) VALUES
       ('00000000-0000-7000-8000-0000000000ab', '00000000-0000-7000-8000-000000000001', 'eve@shop.example', 'viewer',
        '00000000-0000-7000-8000-00000000000a', 'invited', '2026-01-05T10:00:00.000Z', '2027-01-05T10:00:00.000Z')",
];

#[tokio::test]
async fn members_become_people_and_keep_what_is_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut before = SqliteConnection::connect_with(&options).await.unwrap();
    MIGRATOR.run_to(24, &mut before).await.unwrap();
    for statement in BEFORE.iter().copied() {
        sqlx::query(statement).execute(&mut before).await.unwrap();
    }
    before.close().await.unwrap();

    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate().await.unwrap();
    let now: DateTime<Utc> = "2026-02-01T10:00:00Z".parse().unwrap();
    let ada = store.people_by_email("ada@shop.example", 9).await.unwrap().remove(0);
    assert_eq!((ada.id.to_string(), ada.password_hash.as_str()), (ADA.to_owned(), "hash"));
    assert!(ada.proved_at.is_some(), "it was unique, and counts as proved");
    let member = &ada.memberships[0].member;
    assert_eq!(
        (member.id.to_string(), member.organisation_id.to_string()),
        (ADA.to_owned(), SHOP.to_owned())
    );
    let signed_in = store.signed_in("token", now).await.unwrap().unwrap();
    assert_eq!(signed_in.member, *member);
    let factor = store.second_factor(ada.id).await.unwrap().unwrap();
    assert_eq!((factor.envelope.as_str(), factor.version, factor.last_step), ("sealed", 3, 7));
    assert_eq!(store.recovery_codes_left(ada.id).await.unwrap(), 1);
    assert_eq!(
        store.saved_views(member.id).await.unwrap().len(),
        1,
        "they would go with the table of members"
    );
    assert_eq!(store.list_invitations(member.organisation_id, now).await.unwrap()[0].invited_by, member.id);
    assert_eq!(store.list_members(member.organisation_id).await.unwrap().len(), 1);
    assert!(store.people_by_email("bob@shop.example", 9).await.unwrap().is_empty(), "{BOB} was removed");
    assert_eq!(
        store.erase_address("bob@shop.example").await.unwrap(),
        1,
        "and is still known to have been there"
    );
    store.close().await;
    let mut after = SqliteConnection::connect_with(&options).await.unwrap();
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut after).await.unwrap();
    assert!(broken.is_empty());
    assert_eq!(
        after.list_applied_migrations("_sqlx_migrations").await.unwrap().len(),
        MIGRATOR.iter().count()
    );
}

#[tokio::test]
async fn what_was_called_otherwise_is_read_by_its_new_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut before = SqliteConnection::connect_with(&options).await.unwrap();
    MIGRATOR.run_to(renamed::BEFORE, &mut before).await.unwrap();
    for statement in renamed::STATEMENTS.iter().map(ToString::to_string).chain(renamed::runs()) {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut before).await.unwrap();
    }
    before.close().await.unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate().await.unwrap();
    renamed::names_are_new(&store).await;
}

//! Signing in and out, with a store of one account.
#![cfg(feature = "ssr")]
#![expect(clippy::unwrap_used, reason = "the fakes belong to the tests")]

use std::sync::{
    Mutex,
    atomic::{AtomicU8, Ordering},
};

use app::{
    error::{AppError, ErrorCode, FieldError},
    session,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    ids::{MemberId, OrganisationId},
    outside::Outside,
    run::Role,
};
use http::{HeaderMap, HeaderValue, header};
use store::{Member, Members, NewMember, Session, Sessions};

/// Bytes that differ with every call, at a moment that stands still.
#[derive(Default)]
struct Still(AtomicU8);

impl Outside for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

struct OneAccount {
    member: NewMember,
    sessions: Mutex<Vec<Session>>,
}

#[async_trait::async_trait]
impl Members for OneAccount {
    async fn create_member(&self, _: &NewMember) -> store::Result<()> {
        Err(store::Error::Conflict("the e-mail address"))
    }

    async fn member_by_email(&self, email: &str) -> store::Result<Option<NewMember>> {
        Ok((email == self.member.member.email).then(|| self.member.clone()))
    }
}

#[async_trait::async_trait]
impl Sessions for OneAccount {
    async fn create_session(&self, session: &Session) -> store::Result<()> {
        self.sessions.lock().unwrap().push(session.clone());
        Ok(())
    }

    async fn member_of_session(&self, _: &str, _: DateTime<Utc>) -> store::Result<Option<Member>> {
        Ok(None)
    }

    async fn end_session(&self, token_hash: &str) -> store::Result<()> {
        self.sessions.lock().unwrap().retain(|session| session.token_hash != token_hash);
        Ok(())
    }

    async fn purge_sessions(&self, _: DateTime<Utc>) -> store::Result<u64> {
        Ok(0)
    }
}

const EMAIL: &str = "ada@shop.example";
const PASSWORD: &str = "correct horse battery";

fn account() -> OneAccount {
    let member = Member {
        id: MemberId(Still::default().id()),
        organisation_id: OrganisationId(Still::default().id()),
        email: EMAIL.to_owned(),
        name: "Ada".to_owned(),
        role: Role::Owner,
        created_at: DateTime::UNIX_EPOCH,
    };
    let password_hash = session::hash_password(PASSWORD, &Still::default()).unwrap();
    OneAccount { member: NewMember { member, password_hash }, sessions: Mutex::default() }
}

async fn sign_in(store: &OneAccount, email: &str, password: &str) -> Result<String, AppError> {
    session::sign_in(store, &Still::default(), email, password.to_owned()).await
}

fn with_cookie(cookie: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())])
}

#[tokio::test]
async fn the_right_password_opens_a_session_of_two_weeks_whose_token_is_not_kept() {
    let store = account();
    let token = sign_in(&store, " Ada@Shop.example ", PASSWORD).await.unwrap();
    assert_eq!(token.len(), 64, "256 bits in hex");
    let kept = store.sessions.lock().unwrap().clone();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].token_hash, session::token_hash(&token));
    assert!(!format!("{kept:?}").contains(&token));
    assert_eq!(kept[0].expires_at - kept[0].created_at, TimeDelta::days(14));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_get_the_same_answer() {
    let store = account();
    let wrong = sign_in(&store, EMAIL, "guess").await.unwrap_err();
    let unknown = sign_in(&store, "bob@shop.example", "guess").await.unwrap_err();
    assert_eq!(wrong.code, ErrorCode::WrongCredentials);
    assert_eq!((wrong.code, wrong.fields), (unknown.code, unknown.fields));
    assert!(store.sessions.lock().unwrap().is_empty());
}

#[tokio::test]
async fn nothing_secret_is_echoed() {
    let error = sign_in(&account(), EMAIL, "guess-1234").await.unwrap_err();
    assert!(!serde_json::to_string(&error).unwrap().contains("guess-1234"));
    assert_eq!(error.typed("email"), Some(EMAIL));
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let error = sign_in(&account(), "", "").await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Invalid);
    assert_eq!(error.of_field("email"), Some(FieldError::Required));
    assert_eq!(error.of_field("password"), Some(FieldError::Required));
    let error = sign_in(&account(), "ada", "x").await.unwrap_err();
    assert_eq!(error.of_field("email"), Some(FieldError::InvalidFormat));
}

#[tokio::test]
async fn a_password_of_a_megabyte_is_refused_unhashed() {
    let error = sign_in(&account(), EMAIL, &"x".repeat(1 << 20)).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::WrongCredentials);
}

#[tokio::test]
async fn signing_out_ends_the_session_of_the_cookie() {
    let store = account();
    let token = sign_in(&store, EMAIL, PASSWORD).await.unwrap();
    session::sign_out(&store, &with_cookie("other=1")).await.unwrap();
    assert_eq!(store.sessions.lock().unwrap().len(), 1);
    session::sign_out(&store, &with_cookie(&format!("other=1; ledger_session={token}"))).await.unwrap();
    assert!(store.sessions.lock().unwrap().is_empty());
}

#[test]
fn the_cookie_is_out_of_reach_for_scripts_and_other_sites() {
    let cookie = session::cookie("abc", true);
    assert_eq!(cookie, "ledger_session=abc; HttpOnly; SameSite=Lax; Path=/; Max-Age=1209600; Secure");
    assert!(!session::cookie("abc", false).contains("Secure"));
    assert!(session::expired_cookie(false).contains("Max-Age=0"));
}

#[test]
fn a_cookie_that_is_no_token_is_none() {
    let token = "a".repeat(64);
    assert_eq!(session::token(&with_cookie(&format!("x=y; ledger_session={token}"))), Some(token.as_str()));
    assert_eq!(session::token(&with_cookie("ledger_session=short")), None);
    assert_eq!(session::token(&with_cookie("xledger_session=1")), None);
    assert_eq!(session::token(&HeaderMap::new()), None);
}

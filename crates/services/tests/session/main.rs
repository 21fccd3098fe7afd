//! Signing in and out, against a real store and with a time that is handed in.
#![expect(clippy::unwrap_used, reason = "the stage belongs to the tests")]

mod namesakes;
mod sign_in_page;

use chrono::TimeDelta;
use domain::{environment::Environment, ids::PersonId};
use http::{HeaderMap, HeaderValue, header};
use services::{
    client_info::Caller,
    cookies,
    device::Device,
    session::{self, Opened},
    tokens,
};
use store::{SecondFactors, Sessions};
use views::error::{ErrorCode, FieldError};

use sign_in_page::SignInPage;

const EMAIL: &str = "ada@shop.example";
const PASSWORD: &str = "correct horse battery";

async fn opened(sign_in_page: &SignInPage) -> String {
    match sign_in_page.sign_in(" Ada@Shop.example ", PASSWORD).await.unwrap() {
        Opened::Session(token) => token,
        Opened::CodeAsked(_) => unreachable!("there is no second factor"),
    }
}

fn with_cookie(cookie: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())])
}

#[tokio::test]
async fn the_right_password_opens_a_session_of_two_weeks_whose_token_is_not_kept() {
    let sign_in_page = SignInPage::set().await;
    let token = opened(&sign_in_page).await;
    assert_eq!(token.len(), 64, "256 bits in hex");
    let kept =
        sign_in_page.store.list_sessions(sign_in_page.member.person_id, sign_in_page.now()).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].token_hash, tokens::token_hash(&token));
    assert!(!format!("{kept:?}").contains(&token));
    assert_eq!(kept[0].expires_at - kept[0].created_at, TimeDelta::days(14));
    assert_eq!(kept[0].browser, "Firefox on Linux");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_get_the_same_answer() {
    let sign_in_page = SignInPage::set().await;
    let wrong = sign_in_page.refused(EMAIL, "guess").await;
    let unknown = sign_in_page.refused("bob@shop.example", "guess").await;
    assert_eq!(wrong.code, ErrorCode::WrongCredentials);
    assert_eq!((wrong.code, wrong.fields), (unknown.code, unknown.fields));
    assert!(
        sign_in_page
            .store
            .list_sessions(sign_in_page.member.person_id, sign_in_page.now())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn nothing_secret_is_echoed() {
    let error = SignInPage::set().await.refused(EMAIL, "guess-1234").await;
    assert!(!serde_json::to_string(&error).unwrap().contains("guess-1234"));
    assert_eq!(error.typed("email"), Some(EMAIL));
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let sign_in_page = SignInPage::set().await;
    let error = sign_in_page.refused("", "").await;
    assert_eq!(error.code, ErrorCode::Invalid);
    assert_eq!(error.of_field("email"), Some(FieldError::Required));
    assert_eq!(error.of_field("password"), Some(FieldError::Required));
    let error = sign_in_page.refused("ada", "x").await;
    assert_eq!(error.of_field("email"), Some(FieldError::InvalidFormat));
}

#[tokio::test]
async fn a_password_of_a_megabyte_is_refused_unhashed() {
    let error = SignInPage::set().await.refused(EMAIL, &"x".repeat(1 << 20)).await;
    assert_eq!(error.code, ErrorCode::WrongCredentials);
}

#[tokio::test]
async fn signing_out_ends_the_session_of_the_cookie() {
    let sign_in_page = SignInPage::set().await;
    let token = opened(&sign_in_page).await;
    session::sign_out(&sign_in_page.store, &with_cookie("other=1"), false).await.unwrap();
    assert!(sign_in_page.of_session(&token).await.is_some());
    session::sign_out(&sign_in_page.store, &with_cookie(&format!("other=1; ledger_session={token}")), false)
        .await
        .unwrap();
    assert!(sign_in_page.of_session(&token).await.is_none());
}

#[tokio::test]
async fn tries_are_limited_alike_for_known_and_unknown_accounts_and_soon_come_back() {
    let sign_in_page = SignInPage::set().await;
    for email in [EMAIL, "bob@shop.example"] {
        for _ in 0..10 {
            assert_eq!(
                sign_in_page.refused(email, "guess").await.code,
                ErrorCode::WrongCredentials,
                "{email}"
            );
        }
        // The right password is refused as well: else the limit would tell it.
        let limited = sign_in_page.refused(email, PASSWORD).await;
        assert_eq!((limited.code, limited.wait), (ErrorCode::TooManyTries, Some(30)), "{email}");
    }
    sign_in_page.pass(TimeDelta::seconds(30));
    opened(&sign_in_page).await;
    assert_eq!(sign_in_page.refused("bob@shop.example", PASSWORD).await.code, ErrorCode::WrongCredentials);
}

#[tokio::test]
async fn whoever_tries_the_accounts_of_others_keeps_nobody_out() {
    let sign_in_page = SignInPage::set().await;
    for number in 0..300 {
        let email = format!("{number}@shop.example");
        // Too long to be hashed, so that the test is quick.
        let refused = sign_in_page.try_from("198.51.100.7", &email, &"x".repeat(2_000)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::WrongCredentials);
    }
    // Behind a proxy that is not believed all people have the same address.
    sign_in_page.try_from("198.51.100.7", EMAIL, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_browser_that_signed_in_before_has_tries_of_its_own() {
    let sign_in_page = SignInPage::set().await;
    for client in 0..150 {
        let refused = sign_in_page.try_from(&format!("203.0.113.{client}"), EMAIL, &"x".repeat(2_000)).await;
        refused.unwrap_err();
    }
    assert_eq!(sign_in_page.refused(EMAIL, PASSWORD).await.code, ErrorCode::TooManyTries);
    let known = |person, key: &str| Caller {
        address: "203.0.113.1".parse().ok(),
        browser: "Firefox on Linux".to_owned(),
        frame: None,
        device: Some(Device { person, key: key.to_owned() }),
    };
    let try_by = async |caller: &Caller, password: &str| {
        session::sign_in(&sign_in_page.store, &sign_in_page, caller, EMAIL, password.to_owned()).await
    };
    let (hers, his) = (sign_in_page.member.person_id, PersonId(sign_in_page.id()));
    try_by(&known(hers, "hers"), PASSWORD).await.unwrap();
    let others = try_by(&known(his, "his"), PASSWORD).await.unwrap_err();
    assert_eq!(others.code, ErrorCode::TooManyTries, "a cookie of another account helps nobody");
    for _ in 0..10 {
        let wrong = try_by(&known(hers, "stolen"), &"x".repeat(2_000)).await.unwrap_err();
        assert_eq!(wrong.code, ErrorCode::WrongCredentials);
    }
    let limited = try_by(&known(hers, "stolen"), PASSWORD).await.unwrap_err();
    assert_eq!((limited.code, limited.wait), (ErrorCode::TooManyTries, Some(30)), "and is limited itself");
}

#[tokio::test]
async fn one_who_tries_for_ever_does_not_keep_the_member_out() {
    let sign_in_page = SignInPage::set().await;
    for _ in 0..60 {
        sign_in_page.pass(TimeDelta::seconds(10));
        // Too long to be hashed, so that the test is quick.
        sign_in_page.try_from("198.51.100.7", EMAIL, &"x".repeat(2_000)).await.unwrap_err();
    }
    assert_eq!(
        sign_in_page.try_from("198.51.100.7", EMAIL, PASSWORD).await.unwrap_err().code,
        ErrorCode::TooManyTries
    );
    opened(&sign_in_page).await;
}

#[tokio::test]
async fn many_clients_together_are_limited_at_one_account() {
    let sign_in_page = SignInPage::set().await;
    for client in 0..100 {
        let client = format!("198.51.100.{client}");
        let refused = sign_in_page.try_from(&client, EMAIL, &"x".repeat(2_000)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::WrongCredentials);
    }
    let limited = sign_in_page.try_from("198.51.100.77", EMAIL, PASSWORD).await.unwrap_err();
    assert_eq!((limited.code, limited.wait), (ErrorCode::TooManyTries, Some(6)));
}

#[tokio::test]
async fn who_knows_the_password_is_never_limited_by_using_it() {
    let sign_in_page = SignInPage::set().await;
    for _ in 0..11 {
        opened(&sign_in_page).await;
    }
}

#[tokio::test]
async fn a_second_factor_asks_for_a_code_that_is_good_once() {
    let sign_in_page = SignInPage::set().await;
    let (secret, _) = sign_in_page.with_second_factor().await;
    let waiting = sign_in_page.code_asked().await;
    assert!(sign_in_page.of_session(&waiting).await.is_none(), "what waits is no session");
    assert_eq!(
        sign_in_page.enter(&waiting, "").await.unwrap_err().of_field("code"),
        Some(FieldError::Required)
    );
    assert_eq!(sign_in_page.enter(&waiting, "000000").await.unwrap_err().code, ErrorCode::WrongCode);
    let code = sign_in_page.shown(&secret);
    let token = sign_in_page.enter(&waiting, &code).await.unwrap();
    assert_eq!(sign_in_page.of_session(&token).await.unwrap().member, sign_in_page.member);
    assert_eq!(sign_in_page.enter(&waiting, &code).await.unwrap_err().code, ErrorCode::SignInEnded);
    let again = sign_in_page.code_asked().await;
    assert_eq!(sign_in_page.enter(&again, &code).await.unwrap_err().code, ErrorCode::WrongCode, "replayed");
    sign_in_page.pass(TimeDelta::seconds(30));
    sign_in_page.enter(&again, &sign_in_page.shown(&secret)).await.unwrap();
}

#[tokio::test]
async fn a_recovery_code_stands_in_for_the_app_once() {
    let sign_in_page = SignInPage::set().await;
    let (_, codes) = sign_in_page.with_second_factor().await;
    let written = codes[3].to_lowercase().replace('-', " ");
    sign_in_page.enter(&sign_in_page.code_asked().await, &written).await.unwrap();
    let again = sign_in_page.code_asked().await;
    assert_eq!(sign_in_page.enter(&again, &written).await.unwrap_err().code, ErrorCode::WrongCode);
    sign_in_page.enter(&again, &codes[4]).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_waits_five_minutes_and_five_codes() {
    let sign_in_page = SignInPage::set().await;
    let (secret, _) = sign_in_page.with_second_factor().await;
    let waiting = sign_in_page.code_asked().await;
    sign_in_page.pass(TimeDelta::minutes(5));
    assert_eq!(
        sign_in_page.enter(&waiting, &sign_in_page.shown(&secret)).await.unwrap_err().code,
        ErrorCode::SignInEnded
    );
    let waiting = sign_in_page.code_asked().await;
    for _ in 0..5 {
        assert_eq!(sign_in_page.enter(&waiting, "000000").await.unwrap_err().code, ErrorCode::WrongCode);
    }
    assert_eq!(
        sign_in_page.enter(&waiting, &sign_in_page.shown(&secret)).await.unwrap_err().code,
        ErrorCode::SignInEnded
    );
    // Beginning again brings no more tries than the member has.
    let waiting = sign_in_page.code_asked().await;
    let limited = sign_in_page.enter(&waiting, &sign_in_page.shown(&secret)).await.unwrap_err();
    assert_eq!((limited.code, limited.wait), (ErrorCode::TooManyTries, Some(60)));
    sign_in_page.pass(TimeDelta::seconds(60));
    sign_in_page.enter(&waiting, &sign_in_page.shown(&secret)).await.unwrap();
}

#[tokio::test]
async fn a_secret_that_no_code_has_proved_asks_for_none() {
    let sign_in_page = SignInPage::set().await;
    sign_in_page
        .store
        .begin_second_factor(sign_in_page.member.person_id, "sealed", sign_in_page.now())
        .await
        .unwrap();
    opened(&sign_in_page).await;
}

#[test]
fn a_password_is_chosen_neither_short_nor_endless() {
    assert_eq!(session::wrong_with_chosen("twelve chars", &[]), None);
    assert_eq!(session::wrong_with_chosen("", &[]), Some(FieldError::Required));
    assert_eq!(session::wrong_with_chosen("eleven char", &[]), Some(FieldError::TooShort));
    assert_eq!(session::wrong_with_chosen(&"x".repeat(1_025), &[]), Some(FieldError::TooLong));
}

#[test]
fn the_cookie_is_out_of_reach_for_scripts_and_other_sites() {
    let cookie = cookies::cookie("abc", true);
    assert_eq!(cookie, "__Host-ledger_session=abc; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=1209600");
    assert!(!cookies::cookie("abc", false).contains("Secure"));
    assert!(cookies::expired_cookie(false).contains("Max-Age=0"));
    let waiting = cookies::pending_cookie("abc", true);
    assert_eq!(waiting, "__Host-ledger_sign_in=abc; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=300");
}

#[test]
fn a_cookie_that_is_no_token_is_none() {
    let token = "a".repeat(64);
    assert_eq!(
        cookies::token(&with_cookie(&format!("x=y; ledger_session={token}")), false),
        Some(token.as_str())
    );
    assert_eq!(cookies::token(&with_cookie("ledger_session=short"), false), None);
    assert_eq!(cookies::token(&with_cookie("xledger_session=1"), false), None);
    assert_eq!(cookies::token(&HeaderMap::new(), false), None);
    // Under https only what no other host can have planted counts.
    assert_eq!(cookies::token(&with_cookie(&format!("ledger_session={token}")), true), None);
    let own = with_cookie(&format!("ledger_session=x; __Host-ledger_session={token}"));
    assert_eq!(cookies::token(&own, true), Some(token.as_str()));
}

//! Several people with one address, and one person in several organisations.

use chrono::{DateTime, TimeDelta};
use domain::{
    environment::Environment,
    ids::{BindingId, MemberId, OrganisationId, PersonId},
    run::BindingStatus,
};
use services::{
    client_info::{Caller, Frame},
    device::Device,
    session::{self, Opened},
};
use store::{Binding, Bindings, Member, Members, NewMember, Organisation, Organisations, People, Sessions};
use views::error::ErrorCode;

use crate::{EMAIL, PASSWORD, SignInPage};

/// Adds somebody who typed Ada's address in an organisation of their own.
async fn namesake(sign_in_page: &SignInPage, number: u128, password: &str) -> OrganisationId {
    let id = OrganisationId(sign_in_page.id());
    let created_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::try_from(number).unwrap());
    let organisation = Organisation { id, name: format!("Organisation {number}"), created_at };
    sign_in_page.store.create_organisation(&organisation).await.unwrap();
    let member = Member {
        id: MemberId(sign_in_page.id()),
        person_id: PersonId(sign_in_page.id()),
        organisation_id: id,
        proved_at: None,
        created_at,
        ..sign_in_page.member.clone()
    };
    let password_hash = session::hash_password(password, sign_in_page).unwrap();
    sign_in_page.store.create_member(&NewMember { member, password_hash }, None).await.unwrap();
    id
}

#[tokio::test]
async fn each_of_those_with_one_address_signs_in_to_their_own() {
    let sign_in_page = SignInPage::set().await;
    let second = namesake(&sign_in_page, 2, "several good words").await;
    let third = namesake(&sign_in_page, 3, "yet other good words").await;
    namesake(&sign_in_page, 4, "who comes too late").await;
    for (password, organisation) in [
        (PASSWORD, sign_in_page.member.organisation_id),
        ("several good words", second),
        ("yet other good words", third),
    ] {
        let Opened::Session(token) = sign_in_page.sign_in(EMAIL, password).await.unwrap() else { panic!() };
        assert_eq!(sign_in_page.of_session(&token).await.unwrap().member.organisation_id, organisation);
    }
    // Who has proved the address, and those who came first: whoever comes later takes nobody's place.
    assert_eq!(sign_in_page.refused(EMAIL, "who comes too late").await.code, ErrorCode::WrongCredentials);
    assert_eq!(sign_in_page.refused("nobody@shop.example", PASSWORD).await.code, ErrorCode::WrongCredentials);
}

async fn shop(sign_in_page: &SignInPage, organisation_id: OrganisationId) -> BindingId {
    let (id, now) = (BindingId(sign_in_page.id()), sign_in_page.now());
    let binding = Binding {
        id,
        organisation_id,
        name: "Shop".to_owned(),
        magento_url: format!("https://{id}.example"),
        business: None,
        status: BindingStatus::Pending,
        created_at: now,
        status_changed_at: now,
        trusted_since: now,
    };
    sign_in_page.store.create_binding(&binding, None).await.unwrap();
    id
}

#[tokio::test]
async fn within_a_shops_admin_a_person_is_a_member_of_its_organisation() {
    let sign_in_page = SignInPage::set().await;
    let other = OrganisationId(sign_in_page.id());
    let organisation = Organisation { id: other, name: "Other".to_owned(), created_at: sign_in_page.now() };
    sign_in_page.store.create_organisation(&organisation).await.unwrap();
    let member = Member {
        id: MemberId(sign_in_page.id()),
        organisation_id: other,
        created_at: sign_in_page.now(),
        ..sign_in_page.member.clone()
    };
    sign_in_page
        .store
        .create_member(&NewMember { member, password_hash: String::new() }, None)
        .await
        .unwrap();
    let caller = |binding, organisation| Caller {
        address: None,
        browser: "Firefox on Linux".to_owned(),
        frame: Some(Frame { binding, organisation }),
        device: None,
    };
    for organisation in [sign_in_page.member.organisation_id, other] {
        let caller = caller(shop(&sign_in_page, organisation).await, organisation);
        let opened =
            session::sign_in(&sign_in_page.store, &sign_in_page, &caller, EMAIL, PASSWORD.to_owned()).await;
        let Opened::Session(token) = opened.unwrap() else { panic!() };
        let sessions = sign_in_page
            .store
            .list_sessions(sign_in_page.member.person_id, sign_in_page.now())
            .await
            .unwrap();
        let session =
            sessions.iter().find(|one| one.token_hash == services::tokens::token_hash(&token)).unwrap();
        let person = sign_in_page.store.person(sign_in_page.member.person_id).await.unwrap().unwrap();
        let stands = person.memberships.iter().find(|one| one.member.id == session.member_id).unwrap();
        assert_eq!(stands.member.organisation_id, organisation);
    }
    let nowhere = caller(BindingId(sign_in_page.id()), OrganisationId(sign_in_page.id()));
    let refused =
        session::sign_in(&sign_in_page.store, &sign_in_page, &nowhere, EMAIL, PASSWORD.to_owned()).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::WrongCredentials);
}

#[tokio::test]
async fn a_browser_of_one_namesake_has_no_tries_of_its_own_at_anothers_account() {
    let sign_in_page = SignInPage::set().await;
    let second = namesake(&sign_in_page, 2, "several good words").await;
    let squatter = sign_in_page.store.list_members(second).await.unwrap().remove(0).member.person_id;
    let by = async |key: String, password: &str| {
        let device = Some(Device { person: squatter, key });
        let address = "203.0.113.1".parse().ok();
        let caller = Caller { address, browser: "Firefox on Linux".to_owned(), frame: None, device };
        session::sign_in(&sign_in_page.store, &sign_in_page, &caller, EMAIL, password.to_owned()).await
    };
    // Each sign-in to their own account gives them another such browser; the tries at Ada's are counted all the same.
    for number in 0..10 {
        let wrong = by(format!("device {number}"), &"x".repeat(2_000)).await.unwrap_err();
        assert_eq!(wrong.code, ErrorCode::WrongCredentials);
    }
    assert_eq!(by("another".to_owned(), PASSWORD).await.unwrap_err().code, ErrorCode::TooManyTries);
    let own = by("another".to_owned(), "several good words").await.unwrap();
    assert!(matches!(own, Opened::Session(_)), "their own account is open to them");
    // Ada, from a browser that nobody has tried from, gets in.
    sign_in_page.sign_in(EMAIL, PASSWORD).await.unwrap();
}

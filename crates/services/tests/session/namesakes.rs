//! Several people with one address, and one person in several organisations.

use chrono::{DateTime, TimeDelta};
use domain::{
    ids::{BindingId, MemberId, OrganisationId, PersonId},
    outside::Outside,
    run::BindingStatus,
};
use services::{
    client_info::{Caller, Frame},
    device::Device,
    session::{self, Opened},
};
use store::{Binding, Bindings, Member, Members, NewMember, Organisation, Organisations, People, Sessions};
use views::error::ErrorCode;

use crate::{Desk, EMAIL, PASSWORD};

/// Adds somebody who typed Ada's address in an organisation of their own.
async fn namesake(desk: &Desk, number: u128, password: &str) -> OrganisationId {
    let id = OrganisationId(desk.id());
    let created_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::try_from(number).unwrap());
    let organisation = Organisation { id, name: format!("Organisation {number}"), created_at };
    desk.store.create_organisation(&organisation).await.unwrap();
    let member = Member {
        id: MemberId(desk.id()),
        person_id: PersonId(desk.id()),
        organisation_id: id,
        proved_at: None,
        created_at,
        ..desk.member.clone()
    };
    let password_hash = session::hash_password(password, desk).unwrap();
    desk.store.create_member(&NewMember { member, password_hash }, None).await.unwrap();
    id
}

#[tokio::test]
async fn each_of_those_with_one_address_signs_in_to_their_own() {
    let desk = Desk::set().await;
    let second = namesake(&desk, 2, "several good words").await;
    let third = namesake(&desk, 3, "yet other good words").await;
    namesake(&desk, 4, "who comes too late").await;
    for (password, organisation) in [
        (PASSWORD, desk.member.organisation_id),
        ("several good words", second),
        ("yet other good words", third),
    ] {
        let Opened::Session(token) = desk.sign_in(EMAIL, password).await.unwrap() else { panic!() };
        assert_eq!(desk.of_session(&token).await.unwrap().member.organisation_id, organisation);
    }
    // Who has proved the address, and those who came first: whoever comes later takes nobody's place.
    assert_eq!(desk.refused(EMAIL, "who comes too late").await.code, ErrorCode::WrongCredentials);
    assert_eq!(desk.refused("nobody@shop.example", PASSWORD).await.code, ErrorCode::WrongCredentials);
}

async fn shop(desk: &Desk, organisation_id: OrganisationId) -> BindingId {
    let (id, now) = (BindingId(desk.id()), desk.now());
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
    desk.store.create_binding(&binding, None).await.unwrap();
    id
}

#[tokio::test]
async fn within_a_shops_admin_a_person_is_a_member_of_its_organisation() {
    let desk = Desk::set().await;
    let other = OrganisationId(desk.id());
    let organisation = Organisation { id: other, name: "Other".to_owned(), created_at: desk.now() };
    desk.store.create_organisation(&organisation).await.unwrap();
    let member = Member {
        id: MemberId(desk.id()),
        organisation_id: other,
        created_at: desk.now(),
        ..desk.member.clone()
    };
    desk.store.create_member(&NewMember { member, password_hash: String::new() }, None).await.unwrap();
    let caller = |binding, organisation| Caller {
        address: None,
        browser: "Firefox on Linux".to_owned(),
        frame: Some(Frame { binding, organisation }),
        device: None,
    };
    for organisation in [desk.member.organisation_id, other] {
        let caller = caller(shop(&desk, organisation).await, organisation);
        let opened = session::sign_in(&desk.store, &desk, &caller, EMAIL, PASSWORD.to_owned()).await;
        let Opened::Session(token) = opened.unwrap() else { panic!() };
        let sessions = desk.store.list_sessions(desk.member.person_id, desk.now()).await.unwrap();
        let session =
            sessions.iter().find(|one| one.token_hash == services::tokens::token_hash(&token)).unwrap();
        let person = desk.store.person(desk.member.person_id).await.unwrap().unwrap();
        let stands = person.memberships.iter().find(|one| one.member.id == session.member_id).unwrap();
        assert_eq!(stands.member.organisation_id, organisation);
    }
    let nowhere = caller(BindingId(desk.id()), OrganisationId(desk.id()));
    let refused = session::sign_in(&desk.store, &desk, &nowhere, EMAIL, PASSWORD.to_owned()).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::WrongCredentials);
}

#[tokio::test]
async fn a_browser_of_one_namesake_has_no_tries_of_its_own_at_anothers_account() {
    let desk = Desk::set().await;
    let second = namesake(&desk, 2, "several good words").await;
    let squatter = desk.store.list_members(second).await.unwrap().remove(0).member.person_id;
    let by = async |key: String, password: &str| {
        let device = Some(Device { person: squatter, key });
        let address = "203.0.113.1".parse().ok();
        let caller = Caller { address, browser: "Firefox on Linux".to_owned(), frame: None, device };
        session::sign_in(&desk.store, &desk, &caller, EMAIL, password.to_owned()).await
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
    desk.sign_in(EMAIL, PASSWORD).await.unwrap();
}

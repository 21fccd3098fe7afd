//! Who did what: kept with the act, and read by owners alone.

use domain::{
    ids::ActionId,
    run::{ActionKind, Role},
};
use reqwest::StatusCode;
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use store::{Action, ActionFilter, Actor};
use uuid::Uuid;

use crate::{
    browser::{look, member, page, sign_in, submit},
    operating::json,
};

async fn kinds(sandbox: &Sandbox) -> Vec<ActionKind> {
    let any = ActionFilter::default();
    let actions =
        sandbox.process.engine.store.list_actions(sandbox.organisation, &any, None, 99).await.unwrap();
    actions.into_iter().rev().map(|action| action.kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_do_is_on_the_owners_page() {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    let owner = sign_in(&sandbox, EMAIL, PASSWORD).await;
    let bob = member(&sandbox, sandbox.organisation, "bob@shop.example", Role::Viewer).await.to_string();
    let binding = sandbox.binding.id.to_string();
    for (path, form) in [
        ("people/invite", vec![("email", "eve@shop.example"), ("role", "operator")]),
        ("people/role", vec![("member", bob.as_str()), ("role", "operator")]),
        ("bindings/pause", vec![("binding", &binding), ("pause", "true")]),
        ("bindings/refresh", vec![("binding", &binding)]),
        ("alerts/add-mail", vec![("email", EMAIL), ("mode", "at_once")]),
        ("account/end-others", vec![]),
    ] {
        let answer = submit(&sandbox, &owner, &format!("/api/{path}"), &form).await;
        let cookies = answer.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
        let refusals: Vec<_> = cookies.filter(|cookie| cookie.starts_with("ledger_refusal=")).collect();
        assert!(refusals.is_empty(), "{path}: {refusals:?}");
    }
    let done = kinds(&sandbox).await;
    let expected = [
        ActionKind::Invited,
        ActionKind::RoleChanged,
        ActionKind::Paused,
        ActionKind::ListsRefreshed,
        ActionKind::ChannelAdded,
    ];
    assert_eq!(done, expected, "what ends nothing is no act");

    let whole = page(&sandbox, &owner, "/dashboard/activity").await;
    for told in [
        "Invited someone",
        "eve@shop.example, operator",
        "bob@shop.example: viewer to operator",
        "Paused a shop",
        "Refreshed Sage",
        "Added a notification channel",
        "href=\"/dashboard/activity\"",
    ] {
        assert!(whole.contains(told), "{told} is missing in {whole}");
    }
    let roles = page(&sandbox, &owner, "/dashboard/activity?kind=role_changed").await;
    assert!(roles.contains("viewer to operator") && !roles.contains("eve@shop.example, operator"));
    let bobs = page(&sandbox, &owner, &format!("/dashboard/activity?person={bob}")).await;
    assert!(bobs.contains("No activity matches"), "{bobs}");
    let wrong = look(&sandbox, &owner, "/dashboard/activity?kind=nonsense").await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);

    // It names people and what they may do: owners alone read it.
    let bob = sign_in(&sandbox, "bob@shop.example", crate::browser::PASSWORD).await;
    let answer = look(&sandbox, &bob, "/dashboard/activity").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let text = answer.text().await.unwrap();
    assert!(!text.contains("viewer to operator") && !text.contains("href=\"/dashboard/activity\""), "{text}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_read_page_by_page_and_by_the_command_line() {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    let owner = sign_in(&sandbox, EMAIL, PASSWORD).await;
    assert!(page(&sandbox, &owner, "/dashboard/activity").await.contains("No activity yet"));
    for number in 0..51_u128 {
        let actor = Actor { member: None, name: "Magento".to_owned() };
        let action = Action::new(&Machine, sandbox.organisation, actor, ActionKind::Exported);
        // In order, also within one millisecond.
        let action = Action { id: ActionId(Uuid::from_u128(number + 1)), ..action };
        sandbox
            .process
            .engine
            .store
            .record_action(&action.saying(format!("number {number};")))
            .await
            .unwrap();
    }
    let first = page(&sandbox, &owner, "/dashboard/activity?kind=exported").await;
    assert!(first.contains("number 50;") && first.contains("number 1;") && !first.contains("number 0;"));
    let (_, older) = first.split_once("href=\"/dashboard/activity?kind=exported&amp;before=").unwrap();
    let older = format!("/dashboard/activity?kind=exported&before={}", older.split_once('"').unwrap().0);
    let second = page(&sandbox, &owner, &older).await;
    assert!(second.contains("number 0;") && !second.contains("number 1;"), "{second}");

    let config = sandbox.config().clone();
    tokio::task::spawn_blocking(move || {
        let listed = json(&config, 0, &["actions", "--kind", "exported", "--limit", "3"]);
        let details: Vec<_> = listed.as_array().unwrap().iter().map(|line| line["detail"].clone()).collect();
        assert_eq!(details, ["number 50;", "number 49;", "number 48;"]);
        let last = listed[2]["id"].as_str().unwrap();
        assert_eq!(
            json(&config, 0, &["actions", "--before", last, "--limit", "1"])[0]["detail"],
            "number 47;"
        );
        assert_eq!(json(&config, 0, &["actions", "--email", EMAIL]).as_array().unwrap().len(), 0);
    })
    .await
    .unwrap();
    sandbox.stop().await;
}

//! The overview: calm when all is well, what needs a person first when it is not, and the same numbers in picture and table.

use domain::{
    environment::Environment,
    ids::OrganisationId,
    run::{BindingStatus, Role},
};
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use store::Organisation;

use crate::browser::{self, member, page, sign_in};

async fn sandbox() -> Sandbox {
    Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_and_how_it_ended_is_told_in_picture_and_table() {
    let sandbox = sandbox().await;
    let cookie = sign_in(&sandbox, EMAIL, PASSWORD).await;
    let before = page(&sandbox, &cookie, "/dashboard").await;
    assert!(before.contains("Nothing needs attention."), "{before}");
    assert!(before.contains("No documents reached Sage in the last seven days."));
    sandbox.send_all_events().await.unwrap();
    let behind = page(&sandbox, &cookie, "/dashboard").await;
    assert!(behind.contains("unknown: no documents finished in the last hour"));
    sync::run_until_idle(&sandbox.process.engine).await;

    let days = page(&sandbox, &cookie, "/dashboard").await;
    assert!(
        days.contains("tax_undetermined") && days.contains("GBP 71.91"),
        "the held memo comes first: {days}"
    );
    assert!(days.contains("bar bar-succeeded") && days.contains("Show as a table"));
    assert!(days.contains("In Magento\u{2019}s outbox") && days.contains("99 % within"));
    assert_eq!(days.matches("scope=\"row\"").count(), 14 + 4, "fourteen days, three parts and their sum");
    let hours = page(&sandbox, &cookie, "/dashboard?span=day").await;
    assert!(hours.contains("Documents of the last 24 hours"));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_cannot_work_comes_first() {
    let sandbox = sandbox().await;
    let cookie = sign_in(&sandbox, EMAIL, PASSWORD).await;
    sandbox.send_all_events().await.unwrap();
    let (store, id) = (&sandbox.process.engine.store, sandbox.binding.id);
    store.set_binding_status(id, BindingStatus::NeedsReauth, Machine.now(), None).await.unwrap();
    let stopped = page(&sandbox, &cookie, "/dashboard").await;
    assert!(stopped.contains("binding_needs_reauth") && stopped.contains("Go to the shop"), "{stopped}");
    let still = stopped.matches("not moving: the shop is not working").count();
    assert_eq!(still, 2, "the shop and all shops together agree");
    store.set_binding_status(id, BindingStatus::Paused, Machine.now(), None).await.unwrap();
    let paused = page(&sandbox, &cookie, "/dashboard").await;
    assert!(paused.contains("binding_paused") && paused.contains(&format!("&amp;shop={id}")), "{paused}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_organisation_is_told_what_to_do_first() {
    let sandbox = sandbox().await;
    let id = OrganisationId(Machine.id());
    let organisation = Organisation { id, name: "New".to_owned(), created_at: Machine.now() };
    sandbox.process.engine.store.create_organisation(&organisation).await.unwrap();
    for (email, role, told) in [
        ("owner@new.example", Role::Owner, "href=\"/dashboard/connect-magento\""),
        ("viewer@new.example", Role::Viewer, "Ask an owner of your organisation to connect one."),
    ] {
        member(&sandbox, id, email, role).await;
        let cookie = sign_in(&sandbox, email, browser::PASSWORD).await;
        let text = page(&sandbox, &cookie, "/dashboard").await;
        assert!(text.contains("No shops connected yet") && text.contains(told), "{email}: {text}");
        assert!(!text.contains("Blue Mug"));
    }
    sandbox.stop().await;
}

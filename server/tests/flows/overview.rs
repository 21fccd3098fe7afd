//! The overview: calm when all is well, what needs a person first when it is not, and the same numbers in picture and table.

use domain::{
    ids::OrganisationId,
    outside::Outside,
    run::{BindingStatus, Role},
};
use server::{
    outside::Machine,
    stage::{EMAIL, Options, PASSWORD, Stage},
};
use store::Organisation;

use crate::browser::{self, member, page, sign_in};

async fn stage() -> Stage {
    Stage::set(Options { worker: false, ..Options::default() }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_and_how_it_ended_is_told_in_picture_and_table() {
    let stage = stage().await;
    let cookie = sign_in(&stage, EMAIL, PASSWORD).await;
    let before = page(&stage, &cookie, "/dashboard").await;
    assert!(before.contains("Nothing needs a person."), "{before}");
    assert!(before.contains("Nothing reached Sage within the last seven days."));
    stage.send_all_events().await.unwrap();
    let behind = page(&stage, &cookie, "/dashboard").await;
    assert!(behind.contains("not known: nothing ended within the last hour"));
    sync::run_until_idle(&stage.process.engine).await;

    let days = page(&stage, &cookie, "/dashboard").await;
    assert!(days.contains("unshown_tax") && days.contains("GBP 71.91"), "the held memo comes first: {days}");
    assert!(days.contains("bar bar-succeeded") && days.contains("The same as a table"));
    assert!(days.contains("In Magento\u{2019}s outbox") && days.contains("99 % within"));
    assert_eq!(days.matches("scope=\"row\"").count(), 14 + 4, "fourteen days, three parts and their sum");
    let hours = page(&stage, &cookie, "/dashboard?span=day").await;
    assert!(hours.contains("Documents of the last 24 hours"));
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_cannot_work_comes_first() {
    let stage = stage().await;
    let cookie = sign_in(&stage, EMAIL, PASSWORD).await;
    stage.send_all_events().await.unwrap();
    let (store, id) = (&stage.process.engine.store, stage.binding.id);
    store.set_binding_status(id, BindingStatus::NeedsReauth, Machine.now(), None).await.unwrap();
    let stopped = page(&stage, &cookie, "/dashboard").await;
    assert!(stopped.contains("binding_needs_reauth") && stopped.contains("Go to the shop"), "{stopped}");
    let still = stopped.matches("not moving: nothing of it can be worked now").count();
    assert_eq!(still, 2, "the shop and all shops together agree");
    store.set_binding_status(id, BindingStatus::Paused, Machine.now(), None).await.unwrap();
    let paused = page(&stage, &cookie, "/dashboard").await;
    assert!(paused.contains("binding_paused") && paused.contains(&format!("&amp;shop={id}")), "{paused}");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_organisation_is_told_what_to_do_first() {
    let stage = stage().await;
    let id = OrganisationId(Machine.id());
    let organisation = Organisation { id, name: "New".to_owned(), created_at: Machine.now() };
    stage.process.engine.store.create_organisation(&organisation).await.unwrap();
    for (email, role, told) in [
        ("owner@new.example", Role::Owner, "href=\"/dashboard/connect-magento\""),
        ("viewer@new.example", Role::Viewer, "An owner of your organisation connects the first one."),
    ] {
        member(&stage, id, email, role).await;
        let cookie = sign_in(&stage, email, browser::PASSWORD).await;
        let text = page(&stage, &cookie, "/dashboard").await;
        assert!(text.contains("No shop is connected yet") && text.contains(told), "{email}: {text}");
        assert!(!text.contains("Blue Mug"));
    }
    stage.stop().await;
}

//! The overview: calm when all is well, what needs a person first when it is not, and the same numbers in picture and table.

use domain::{
    environment::Environment,
    ids::OrganisationId,
    run::{BindingStatus, Role},
};
use serde_json::json;
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use store::Organisation;

use crate::browser::{self, member, page, sign_in};

async fn sandbox() -> Sandbox {
    Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap()
}

/// A memo of a customer who has bought as much, that names no invoice and whose tax nothing shows.
async fn hold_a_memo(sandbox: &Sandbox) {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let mut memo = read(include_str!("../../../fixtures/documents/creditmemo-2-unrounded.json"));
    let other = read(include_str!("../../../fixtures/documents/creditmemo-1a.json"));
    memo["customer"] = other["customer"].clone();
    memo["magento_id"] = 77.into();
    memo["increment_id"] = "000000077".into();
    let spoilt = json!({ "spoilt": [{ "path": "/77", "body": serde_json::to_vec(&memo).unwrap() }] });
    sandbox.magento.post("/_sim/faults", &spoilt).await.unwrap();
    let event = json!({ "event": "creditmemo.created", "id": 77 });
    sandbox.magento.post("/_sim/enqueue", &event).await.unwrap();
    sandbox.magento.post("/_sim/cron", &json!({})).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_and_how_it_ended_is_told_in_picture_and_table() {
    let sandbox = sandbox().await;
    let cookie = sign_in(&sandbox, EMAIL, PASSWORD).await;
    let before = page(&sandbox, &cookie, "/dashboard").await;
    assert!(before.contains("Nothing is posted to Sage yet."), "{before}");
    assert!(before.contains("No documents reached Sage in the last seven days."));
    sandbox.send_all_events().await.unwrap();
    let behind = page(&sandbox, &cookie, "/dashboard").await;
    assert!(behind.contains("unknown: no documents finished in the last hour"));
    hold_a_memo(&sandbox).await;
    sync::run_until_idle(&sandbox.process.engine).await;

    let days = page(&sandbox, &cookie, "/dashboard").await;
    assert!(
        days.contains("tax_undetermined") && days.contains("\u{a3}71.91"),
        "the held memo comes first: {days}"
    );
    assert!(days.contains("<rect") && days.contains("Show as a table"));
    assert!(days.contains("In Magento\u{2019}s outbox") && days.contains("99 % within"));
    assert_eq!(days.matches("scope=\"row\"").count(), 14 + 4, "fourteen days, three parts and their sum");
    let money = days.split("id=\"money\"").nth(1).unwrap().split("</section>").next().unwrap();
    for text in
        ["Posted today (UTC)", "Waiting", "Failed", "Oldest open", "at Sage\u{2019}s rates", "invoices, and"]
    {
        assert!(money.contains(text), "{text} is missing in {money}");
    }
    assert!(!before.contains("id=\"money\""), "nothing was posted yet");
    let export =
        page(&sandbox, &cookie, "/dashboard/sync/export.json?event=invoice.created&status=succeeded").await;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&export).unwrap();
    let is_day = |row: &serde_json::Value| row["document_date"].as_str().is_some_and(|day| day.len() == 10);
    assert!(!rows.is_empty() && rows.iter().all(is_day), "each invoice has its day: {export}");
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
async fn a_shop_that_posts_nothing_is_not_set_up_until_its_first_document_is_in_sage() {
    let sandbox =
        Sandbox::set(Options { worker: false, settings: false, ..Options::default() }).await.unwrap();
    let cookie = sign_in(&sandbox, EMAIL, PASSWORD).await;
    let shop = format!("/dashboard/bindings/{}", sandbox.binding.id);
    for path in ["/dashboard", "/dashboard/bindings", &shop] {
        let text = page(&sandbox, &cookie, path).await;
        assert!(text.contains("Not set up"), "{path}: {text}");
        let praise = ["Working", "No shops need attention", "Nothing needs attention", "Syncing."];
        assert!(!praise.iter().any(|praise| text.contains(praise)), "{path}: {text}");
    }
    let overview = page(&sandbox, &cookie, "/dashboard").await;
    assert!(overview.contains("Next: Save the settings.") && overview.contains("1 of 1"), "{overview}");
    assert!(page(&sandbox, &cookie, &shop).await.contains("Step 4 of 5"));
    let settings = page(&sandbox, &cookie, &format!("{shop}/settings")).await;
    assert!(
        settings.contains("Step 4 of 5") && settings.contains("Nothing is posted until you save"),
        "{settings}"
    );
    let sent = |id: &'static str| {
        let (sandbox, cookie, binding) = (&sandbox, &cookie, sandbox.binding.id.to_string());
        async move {
            let form = [("binding", binding.as_str()), ("invoice", id)];
            browser::location(&browser::submit(sandbox, cookie, "/api/bindings/test", &form).await)
        }
    };
    assert!(!sent("1").await.contains("/dashboard/sync"), "nothing could be posted yet");

    let id = sandbox.binding.id.to_string();
    browser::submit(&sandbox, &cookie, "/api/bindings/suggested", &[("binding", &id)]).await;
    let ready = page(&sandbox, &cookie, &shop).await;
    assert!(ready.contains("Step 5 of 5") && ready.contains("Invoice ID in Magento"), "{ready}");
    assert!(!sent("one").await.contains("/dashboard/sync"));
    let run = sent("1").await;
    assert!(run.starts_with("/dashboard/sync/"), "{run}");
    assert_eq!(sent("1").await, run, "an invoice has one run");
    sync::run_until_idle(&sandbox.process.engine).await;
    let posted = page(&sandbox, &cookie, &run).await;
    assert!(posted.contains("Succeeded"), "{posted}");
    let done = page(&sandbox, &cookie, &shop).await;
    assert!(done.contains("Working") && !done.contains("Not set up"), "{done}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_keeps_the_frame_and_leads_to_the_lists() {
    let sandbox = sandbox().await;
    let cookie = sign_in(&sandbox, EMAIL, PASSWORD).await;
    let stranger = "/dashboard/sync/0190b5a4-7c3e-7000-8000-000000000001";
    for path in [stranger, "/dashboard/nothing", "/dashboard/connect-sage"] {
        let answer = browser::look(&sandbox, &cookie, path).await;
        assert_eq!(answer.status(), 404, "{path}");
        let text = answer.text().await.unwrap();
        assert!(text.contains("class=\"top-nav\"") && text.contains("Sign out"), "{path}: {text}");
        let way = text.split("class=\"remedies\"").nth(1).unwrap_or_else(|| panic!("{path}: {text}"));
        assert!(way.contains("href=\"/dashboard/sync\"") && way.contains("All shops"), "{path}: {way}");
    }
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
        assert!(text.contains("Step 1 of 5"), "{email}: {text}");
        assert!(!text.contains("Blue Mug"));
    }
    sandbox.stop().await;
}

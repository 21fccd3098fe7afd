//! A shop that is paired and connected and has no settings yet: what it sends waits, and nothing reaches Sage.

use domain::{
    code::Code,
    run::{EventName, RunStatus},
};
use reqwest::header;
use server::{
    demo::once::outcome,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use store::{PageRequest, Run};

use crate::{browser, postgres};

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_without_settings_posts_nothing_until_they_are_confirmed() {
    confirmed_later(Options { settings: false, ..Options::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_without_settings_posts_nothing_on_postgres_either() {
    let Some(database_url) = postgres::database().await else { return };
    confirmed_later(Options { settings: false, database_url: Some(database_url), ..Options::default() })
        .await;
}

async fn confirmed_later(options: Options) {
    let sandbox = Sandbox::set(options).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    let waiting = all_waiting(&sandbox).await;
    assert_eq!(writes(&sandbox).await, Vec::<String>::new());

    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let id = sandbox.binding.id.to_string();
    let answer = browser::submit(&sandbox, &cookie, "/api/bindings/suggested", &[("binding", &id)]).await;
    let location = answer.headers()[header::LOCATION].to_str().unwrap();
    assert!(location.ends_with("flash=settings-taken"), "{location}");

    let (runs, problems) = outcome(&sandbox).await.unwrap();
    // Nobody has mapped Ireland's rate, which the suggestions cannot know of, and the refund of that sale waits for it; everything else
    // is as with settings from the start.
    let is_expected =
        |problem: &&String| problem.contains("23.00//IE") || problem.contains("creditmemo.created 4: ");
    let unexpected: Vec<_> = problems.iter().filter(|problem| !is_expected(problem)).collect();
    assert!(unexpected.is_empty(), "{problems:#?}");
    assert_eq!(runs.len(), waiting.len());
    let posted =
        |event| runs.iter().filter(|run| run.event == event && run.status == RunStatus::Succeeded).count();
    assert!(posted(EventName::InvoiceCreated) > 5 && posted(EventName::InvoicePaid) > 3, "{runs:#?}");
    sandbox.stop().await;
}

/// Waits until every run has been looked at and waits for the settings, those of payments too.
async fn all_waiting(sandbox: &Sandbox) -> Vec<Run> {
    for _ in 0..400 {
        let request = PageRequest { limit: 200, ..PageRequest::default() };
        let runs = sandbox.process.engine.store.page_runs(sandbox.organisation, &request).await.unwrap().runs;
        let waits = |run: &Run| run.status == RunStatus::Waiting && run.code == Some(Code::NeedsMapping);
        if !runs.is_empty() && runs.iter().all(waits) {
            return runs;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not every run waits for the settings");
}

/// What was written into Sage's books.
async fn writes(sandbox: &Sandbox) -> Vec<String> {
    let requests = sandbox.sage.get("/_sim/requests").await.unwrap();
    let text =
        |request: &serde_json::Value, name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let requests = requests.as_array().unwrap().iter();
    requests
        .filter(|request| request["method"] != "GET" && text(request, "path").starts_with("/v3.1"))
        .map(|request| format!("{} {}", text(request, "method"), text(request, "path")))
        .collect()
}

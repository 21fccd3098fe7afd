//! What is kept of a run: what was sent and answered, the Plan, and nothing of a person's.

use std::collections::BTreeSet;

use domain::{
    code::Code, environment::Environment, ids::OrganisationId, plan::Verdict, redact::STRUCK, run::Role,
};
use serde_json::{Value, json};
use server::{
    demo::once::outcome,
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use store::{Attempt, Organisation, PageRequest};

use crate::{browser, postgres};

/// What the bundled documents say of people.
fn people() -> BTreeSet<String> {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        const OF_PEOPLE: [&str; 7] =
            ["company", "email", "last_name", "phone", "postcode", "street", "telephone"];
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let texts =
                        member.as_array().map_or_else(|| vec![member], |items| items.iter().collect());
                    if OF_PEOPLE.contains(&key.as_str()) {
                        found.extend(texts.iter().filter_map(|text| text.as_str()).map(str::to_owned));
                    }
                    collect(member, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/documents")).unwrap() {
        collect(&serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap(), &mut found);
    }
    // Shorter ones are in other words.
    found.retain(|one| one.len() > 4);
    found
}

/// Every word of the trail, as it is kept.
fn words(attempts: &[Attempt]) -> String {
    let mut words = String::new();
    for attempt in attempts {
        words += attempt.message.as_deref().unwrap_or_default();
        for step in &attempt.steps {
            let kept = [step.request.as_deref(), step.answer.as_deref(), Some(step.summary.as_str())];
            words.extend(kept.into_iter().flatten());
        }
    }
    words
}

async fn play(options: Options, faults: Value) {
    let sandbox = Sandbox::set(options).await.unwrap();
    sandbox.sage.post("/_sim/faults", &faults).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    outcome(&sandbox).await.unwrap();
    let (store, people) = (&sandbox.process.engine.store, people());
    assert!(people.len() > 20, "{people:?}");
    let request = PageRequest { limit: 100, ..PageRequest::default() };
    let (mut plans, mut sent, mut largest) = (0, 0, 0);
    for run in store.page_runs(sandbox.organisation, &request).await.unwrap().runs {
        let attempts = store.attempts(sandbox.organisation, run.id).await.unwrap();
        let plan = store.plan_of(sandbox.organisation, run.id).await.unwrap();
        let mut kept = words(&attempts);
        if let Some(plan) = &plan {
            kept += &serde_json::to_string(&plan.plan).unwrap();
            assert_eq!(Some(plan.attempt_id), attempts.last().map(|attempt| attempt.id));
            plans += usize::from(plan.plan.verdict == Verdict::Post);
        }
        for one in &people {
            assert!(!kept.contains(one.as_str()), "{} keeps {one}: {kept}", run.event);
        }
        assert!(!kept.contains('@'), "{} keeps an e-mail address: {kept}", run.event);
        for step in attempts.iter().flat_map(|attempt| &attempt.steps) {
            let posts = step.target == "sage" && step.method == "POST" && !step.path.ends_with("/release");
            assert_eq!(
                step.request.is_some(),
                posts || step.method == "PUT" || step.name == "search",
                "{step:?}"
            );
            if step.status.is_some_and(|status| status < 300) && step.method != "DELETE" {
                assert!(step.answer.is_some(), "{step:?}");
            }
            for text in [&step.request, &step.answer].into_iter().flatten() {
                serde_json::from_str::<Value>(text).unwrap();
                largest = largest.max(text.len());
            }
            sent += usize::from(posts);
        }
    }
    assert!(plans > 10 && sent > 15 && largest > 500, "{plans} {sent} {largest}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_keeps_what_was_sent_and_answered_and_nobody() {
    play(Options::default(), json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_keeps_the_same_on_postgres() {
    let Some(url) = postgres::database().await else { return };
    play(Options { database_url: Some(url), ..Options::default() }, json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_and_refusals_are_kept_as_well_and_nobody_in_them() {
    let faults =
        json!({ "fail_after": [{ "times": 2, "method": "POST", "path": "/contacts" }], "cut_after": 2 });
    play(Options::default(), faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_struck_out_of_the_document_and_its_sums_stay() {
    let sandbox = Sandbox::set(Options::default()).await.unwrap();
    sandbox.shop().unwrap().enqueue("invoice.created", 1, None);
    sandbox.shop().unwrap().run_cron().await;
    let (runs, _) = outcome(&sandbox).await.unwrap();
    let attempts = sandbox.process.engine.store.attempts(sandbox.organisation, runs[0].id).await.unwrap();
    let fetched: Value = serde_json::from_str(attempts[0].steps[0].answer.as_deref().unwrap()).unwrap();
    assert_eq!(fetched["customer"]["email"], STRUCK);
    assert_eq!(fetched["billing_address"]["street"][0], STRUCK);
    assert_eq!(fetched["billing_address"]["country_id"], "GB");
    let document: Value =
        serde_json::from_str(include_str!("../../../fixtures/documents/invoice-1a.json")).unwrap();
    for (line, told) in document["lines"].as_array().unwrap().iter().zip(fetched["lines"].as_array().unwrap())
    {
        assert_eq!((&told["name"], &told["sku"]), (&line["name"], &line["sku"]));
        assert!(told["line_total"].is_string() || told["line_total"].is_number());
    }
    assert_eq!(fetched["increment_id"], document["increment_id"]);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_failed_run_is_for_its_organisation_and_its_button_for_who_may() {
    let sandbox = Sandbox::set(Options::default()).await.unwrap();
    let refusal =
        json!({ "fail_before": { "times": 9, "status": 422, "method": "POST", "path": "/contacts" } });
    sandbox.sage.post("/_sim/faults", &refusal).await.unwrap();
    sandbox.shop().unwrap().enqueue("invoice.created", 1, None);
    sandbox.shop().unwrap().run_cron().await;
    let (runs, _) = outcome(&sandbox).await.unwrap();
    assert_eq!(runs[0].code, Some(Code::SageValidation), "{:?}", runs[0]);
    let path = format!("/dashboard/sync/{}", runs[0].id);

    let owner = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let page = browser::page(&sandbox, &owner, &path).await;
    let said = [
        "sage_validation",
        "Fix the problem that Sage reports",
        "/api/runs/retry",
        "Attempt 1: Failed",
        "Create the customer\u{2019}s contact",
    ];
    for text in said {
        assert!(page.contains(text), "{text} is missing in {page}");
    }
    let form = [("run_id", runs[0].id.to_string()), ("return_to", path.clone())];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answer = browser::submit(&sandbox, &owner, "/api/runs/retry", &form).await;
    assert_eq!(browser::location(&answer), format!("{path}?flash=retried"));

    browser::member(&sandbox, sandbox.organisation, "looks@ledger.example", Role::Viewer).await;
    let viewer = browser::sign_in(&sandbox, "looks@ledger.example", browser::PASSWORD).await;
    let page = browser::page(&sandbox, &viewer, &path).await;
    assert!(page.contains("run-advice") && !page.contains("/api/runs/retry"), "{page}");

    let id = OrganisationId(Machine.id());
    let elsewhere = Organisation { id, name: "Elsewhere".to_owned(), created_at: Machine.now() };
    sandbox.process.engine.store.create_organisation(&elsewhere).await.unwrap();
    browser::member(&sandbox, id, "stranger@ledger.example", Role::Owner).await;
    let stranger = browser::sign_in(&sandbox, "stranger@ledger.example", browser::PASSWORD).await;
    let answer = browser::look(&sandbox, &stranger, &path).await;
    assert_eq!(answer.status().as_u16(), 404);
    assert!(!answer.text().await.unwrap().contains("000000001"));
    sandbox.stop().await;
}

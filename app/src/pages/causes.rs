//! `/dashboard/sync/causes`: what is open, grouped by what would fix it: fixed once, retried together.

use domain::run::RunStatus;
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

use crate::{
    components::{live::LiveSwitch, problem::or_problem, status_chip::StatusChip},
    context,
};
use services::history;
use views::{
    causes::{CauseView, CausesView},
    error::AppError,
    format::grouped,
    links::HISTORY,
};

/// The groups.
#[component]
pub fn CausesPage() -> impl IntoView {
    let answer = Resource::new(|| (), |()| load());
    view! {
        <Title text="Failures by cause \u{b7} Ledger" />
        <Transition>{move || answer.get().map(|answer| or_problem(answer, whole))}</Transition>
    }
    .into_any()
}

async fn load() -> Result<CausesView, AppError> {
    let work = async { history::causes(&context::services()?, &context::member().await?).await };
    context::answer(work).await
}

fn whole(view: CausesView) -> AnyView {
    let CausesView { groups, may_retry, version } = view;
    let list = if groups.is_empty() {
        Either::Left(view! {
            <div class="empty">
                <p class="empty-title">"Nothing needs attention"</p>
                <p>"No failed or waiting documents."</p>
                <a class="button" href=HISTORY>
                    "Go to sync runs"
                </a>
            </div>
        })
    } else {
        let items = groups.into_iter().map(|group| cause(group, may_retry)).collect_view();
        Either::Right(view! { <ul class="causes">{items}</ul> })
    };
    view! {
        <div class="page-head">
            <h1>"Failures by cause"</h1>
            <div class="page-tools">
                <LiveSwitch version />
            </div>
        </div>
        <p class="page-note">
            "Failed and waiting documents, grouped by cause. Fix the cause once, then retry them together."
        </p>
        <div id="causes" data-live data-hold="cause">
            {list}
        </div>
    }
    .into_any()
}

fn cause(group: CauseView, may_retry: bool) -> AnyView {
    let number = grouped(group.count.unsigned_abs());
    let what = if group.count == 1 { "1 document".to_owned() } else { format!("{number} documents") };
    let value = group.value.map(|value| format!(", {value}"));
    let retry = (may_retry && group.status == RunStatus::Failed)
        .then(|| view! { <a class="button" href=group.retry>{format!("Retry {what}\u{2026}")}</a> });
    let settings = group.settings.map(|href| {
        view! {
            <a class="button" href=href>
                "Open the setting"
            </a>
        }
    });
    let id = format!("cause-{}", group.id);
    view! {
        <li class="card cause" id=id>
            <div class="card-head">
                <h2>{group.sentence}</h2>
                <StatusChip status=group.status />
            </div>
            <p class="cause-count">
                <a href=group.href>{what}</a>
                {value}
                " \u{b7} "
                {group.shop}
            </p>
            <p>{group.action} " " <span class="code">{group.code}</span></p>
            {group.example.map(|example| view! { <p class="reason-message">{example}</p> })}
            <div class="form-end">{settings} {retry}</div>
        </li>
    }
    .into_any()
}

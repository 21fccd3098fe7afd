//! `/dashboard/bindings/{id}/settings/versions`, and `.../versions/{version}`: who changed what, when, and what was made under it.

use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::{
    api::settings::RestoreSettings,
    components::{
        changes::Changes,
        problem::or_problem,
        runs_table::RunsTable,
        time::{Time, Zone},
    },
    context,
};
use services::settings::{self, VersionView, VersionsView};
use views::{
    bindings,
    error::{AppError, ErrorCode},
    settings::{href, versions_href},
};

/// The versions, or one of them.
#[component]
pub fn VersionsPage() -> impl IntoView {
    let params = use_params_map().get_untracked();
    let id = params.get("id").unwrap_or_default();
    let one = params.get("version");
    let before = use_query_map().with_untracked(|map| map.get("before"));
    let is_one = one.is_some();
    // By a task of its own, as on the page of the settings.
    let answer = AsyncDerived::new(move || {
        let (id, one, before) = (id.clone(), one.clone(), before.clone());
        async move { context::answer(asked(&id, one.as_deref(), before.as_deref())).await }
    });
    view! {
        <Title text="Settings versions \u{b7} Ledger" />
        <Suspense>
            {move || {
                answer.get().map(|answer| or_problem(answer, |view| page(view, is_one)))
            }}
        </Suspense>
    }
    .into_any()
}

async fn asked(id: &str, one: Option<&str>, before: Option<&str>) -> Result<VersionsView, AppError> {
    let (services, member) = (context::services()?, context::member().await?);
    let number = |text: &str| text.parse().map_err(|_| AppError::new(ErrorCode::NotFound));
    match one {
        Some(version) => settings::version(&services, &member, id, number(version)?).await,
        None => settings::versions(&services, &member, id, before.map(number).transpose()?).await,
    }
}

fn page(view: VersionsView, is_one: bool) -> AnyView {
    let VersionsView { id, name, versions, current, older, may_set } = view;
    let nothing = versions.is_empty().then(|| {
        view! {
            <div class="empty">
                <p class="empty-title">"Nothing saved yet"</p>
                <p>"The first save creates version 1."</p>
            </div>
        }
    });
    let items = versions
        .into_iter()
        .map(|version| item(&id, version, may_set.then_some(current), is_one))
        .collect_view();
    let older = older.map(|before| {
        view! {
            <p>
                <a class="button" href=format!("{}?before={before}", versions_href(&id))>
                    "Older versions"
                </a>
            </p>
        }
    });
    let all = is_one.then(|| {
        view! {
            <a class="button" href=versions_href(&id)>
                "All versions"
            </a>
        }
    });
    view! {
        <div class="page-head">
            <h1>"Settings versions"</h1>
            <p class="mr-auto">
                <a href=bindings::href(&id)>{name}</a>
            </p>
            <div class="page-tools">
                {all} <a class="button" href=href(&id)>
                    "Settings"
                </a>
            </div>
        </div>
        {nothing}
        <ol class="grid gap-4" reversed>
            {items}
        </ol>
        {older}
    }
    .into_any()
}

fn item(id: &str, version: VersionView, replaces: Option<i64>, is_one: bool) -> AnyView {
    let VersionView { version: number, at, author, reason, changes, runs, newest, is_current } = version;
    let restore = replaces.filter(|_| !is_current).map(|replaces| {
        view! {
            <details class="confirm">
                <summary class="button list-none">{format!("Restore version {number}\u{2026}")}</summary>
                <form class="grid justify-items-start gap-2 pt-2" method="post" action=RestoreSettings::PATH>
                    <input type="hidden" name="binding" value=id.to_owned() />
                    <input type="hidden" name="version" value=number.to_string() />
                    <input type="hidden" name="replaces" value=replaces.to_string() />
                    <p class="field-hint">
                        "Documents are posted with these settings from now on. What is in Sage stays as it is."
                    </p>
                    <button class="button button-main" type="submit">
                        {format!("Restore version {number}")}
                    </button>
                </form>
            </details>
        }
    });
    let count = match runs {
        0 => "No runs with this version".to_owned(),
        1 => "1 run with this version".to_owned(),
        _ => format!("{runs} runs with this version"),
    };
    let runs = if is_one || runs == 0 {
        Either::Left(view! { <p class="card-line">{count}</p> })
    } else {
        Either::Right(view! {
            <p class="card-line">
                <a href=format!("{}/{number}", versions_href(id))>{count}</a>
            </p>
        })
    };
    let table = (is_one && !newest.is_empty()).then(|| view! { <RunsTable rows=newest /> });
    view! {
        <li class="card gap-2" value=number.to_string()>
            <div class="card-head">
                <h2>{format!("Version {number}")}</h2>
                {is_current.then(|| view! { <span class="chip" data-status="succeeded">"Current"</span> })}
            </div>
            <p class="card-line">{author} ", " <Time at /> " (" <Zone /> ")"</p>
            {reason.map(|reason| view! { <p class="border-l-2 border-line-strong pl-3">{reason}</p> })}
            <Changes changes nothing="No changes from the previous version." />
            {runs}
            {restore}
            {table}
        </li>
    }
    .into_any()
}

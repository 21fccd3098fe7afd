//! `/embed/{tenant_id}`: a shop's history within Magento's admin. To be read; what is to be done is done in Ledger, in a tab of its own.

use domain::run::{BindingStatus, RunStatus};
use leptos::{either::Either, prelude::*};
use leptos_meta::{Title, provide_meta_context};

use crate::components::{binding_chip::BindingChip, field::Field, problem::Problem, runs_table::RunsTable};
use views::{
    bindings::status_sentence,
    embed::{EmbedPart, EmbedView, HistoryView, list_href},
    error::AppError,
    runs::status_label,
};

/// The document around [`embed`]. Links lead out of the frame, to a tab of their own, unless they say otherwise.
pub fn shell(options: LeptosOptions, view: &EmbedView) -> impl IntoView + use<> {
    let head = view! { <base target="_blank" /> };
    crate::document::document(options, head.into_any(), embed(view))
}

/// What stands in the frame.
pub fn embed(view: &EmbedView) -> AnyView {
    provide_meta_context();
    let path = &view.path;
    let part = match &view.part {
        EmbedPart::SignIn(refused) => sign_in(path, refused.as_ref()),
        EmbedPart::Code(refused) => code(path, refused.as_ref()),
        EmbedPart::Forgotten => forgotten(path),
        EmbedPart::Problem(error) => view! {
            <h1>"Ledger"</h1>
            <Problem code=error.code wait=error.wait />
        }
        .into_any(),
        EmbedPart::History(view) => history(path, view),
    };
    view! {
        <Title text="Sync history \u{b7} Ledger" />
        <main id="main" class="grid grid-cols-1 gap-4 p-4">
            {part}
        </main>
    }
    .into_any()
}

fn sign_in(path: &str, refused: Option<&AppError>) -> AnyView {
    let wrong = |name| refused.and_then(|error| error.of_field(name));
    let email = refused.and_then(|error| error.typed("email")).unwrap_or_default().to_owned();
    let problem = refused.map(|error| view! { <Problem code=error.code wait=error.wait /> });
    view! {
        <h1>"Sign in to Ledger"</h1>
        <p>"Only members of this shop\u{2019}s organisation in Ledger can see its sync history."</p>
        {problem}
        <form class="form max-w-96" method="post" action=format!("{path}/sign-in") target="_self" novalidate>
            <Field
                name="email"
                label="E-mail address"
                kind="email"
                autocomplete="username"
                value=email
                error=wrong("email")
                autofocus=false
            />
            <Field
                name="password"
                label="Password"
                kind="password"
                autocomplete="current-password"
                error=wrong("password")
                autofocus=false
            />
            <button class="button button-main" type="submit">
                "Sign in"
            </button>
        </form>
        {open_in_ledger("/dashboard")}
    }
    .into_any()
}

fn code(path: &str, refused: Option<&AppError>) -> AnyView {
    let error = refused.and_then(|error| error.of_field("code"));
    let problem = refused.map(|error| view! { <Problem code=error.code wait=error.wait /> });
    view! {
        <h1>"Enter a code"</h1>
        {problem}
        <form class="form max-w-96" method="post" action=format!("{path}/code") target="_self" novalidate>
            <Field
                name="code"
                label="Code"
                kind="text"
                autocomplete="one-time-code"
                hint="Six digits from your authenticator app, or a recovery code."
                error=error
                autofocus=false
            />
            <button class="button button-main" type="submit">
                "Sign in"
            </button>
        </form>
        <p>
            <a href=format!("{path}?again=1") target="_self">
                "Start again"
            </a>
        </p>
    }
    .into_any()
}

fn forgotten(path: &str) -> AnyView {
    view! {
        <h1>"Your browser blocked the sign-in"</h1>
        <p>
            "It does not accept Ledger\u{2019}s cookies inside Magento. Allow them for this page, or open the history in Ledger."
        </p>
        <p class="row gap-x-3">
            <a class="button" href=path.to_owned() target="_self">
                "Try again"
            </a>
            {open_in_ledger("/dashboard")}
        </p>
    }
    .into_any()
}

fn open_in_ledger(href: &str) -> impl IntoView + use<> {
    view! {
        <a class="button justify-self-start" href=href.to_owned() target="_blank" rel="noopener">
            "Open Ledger in a new tab"
        </a>
    }
}

fn history(path: &str, view: &HistoryView) -> AnyView {
    let (name, status) = (view.name.clone(), view.status);
    let told = (status != BindingStatus::Active).then(|| view! { <p>{status_sentence(status)}</p> });
    let pills = std::iter::once(None).chain(RunStatus::ALL.iter().copied().map(Some));
    let pills = pills.map(|status| {
        view! {
            <a
                class="pill"
                href=list_href(path, status)
                target="_self"
                aria-current=(status == view.filter).then_some("true")
            >
                {status.map_or("All", status_label)}
            </a>
        }
    });
    view! {
        <div class="page-head">
            <h1>{name}</h1>
            <BindingChip state=view.state />
            <div class="page-tools">
                {open_in_ledger(&view.in_ledger)}
                <form method="post" action=format!("{path}/sign-out") target="_self">
                    <button class="button button-quiet" type="submit">
                        "Sign out"
                    </button>
                </form>
            </div>
        </div>
        {told}
        <nav class="pills" aria-label="Status">
            {pills.collect_view()}
        </nav>
        <div class="grid grid-cols-1 gap-4" id="runs" data-live>
            {runs(view)}
        </div>
    }
    .into_any()
}

fn runs(view: &HistoryView) -> impl IntoView + use<> {
    if view.rows.is_empty() {
        let why = match view.filter {
            Some(_) => "No runs with this status.",
            None => "This shop has not sent anything yet.",
        };
        return Either::Left(view! {
            <div class="empty">
                <p class="empty-title">"No sync runs"</p>
                <p>{why}</p>
            </div>
        });
    }
    let way = |href: &Option<String>, label: &'static str, rel: Option<&'static str>| {
        href.clone().map(|href| {
            view! {
                <a class="button" href=href rel=rel target="_self">
                    {label}
                </a>
            }
        })
    };
    let rows = view.rows.clone();
    Either::Right(view! {
        <div class="desk:panel desk:shadow-sheet">
            <RunsTable rows />
        </div>
        <nav class="flex flex-wrap gap-2" aria-label="Pages">
            {way(&view.newest, "Newest", None)}
            {way(&view.newer, "Newer", Some("prev"))}
            {way(&view.older, "Older", Some("next"))}
        </nav>
    })
}

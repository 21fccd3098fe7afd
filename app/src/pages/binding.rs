//! `/dashboard/bindings/{id}`: both sides of a binding, and what can be done with it.

use domain::run::BindingStatus;
use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::{
    api::bindings::{
        DisconnectBinding, PauseBinding, RefreshLists, TakeSuggestions, before_the_first_invoice, one_binding,
    },
    components::{
        binding_chip::BindingChip,
        field::OwnPassword,
        flash::{FlashLine, flash_unless},
        problem::{Problem, or_problem},
        setup_steps::setup_part,
        time::{Time, Zone, zoned},
    },
    pages::preflight,
    refusal::refusal_of,
};
use views::{
    bindings::{BackfillView, BindingView, RecoveryStep},
    error::AppError,
    format::Moment,
    links::HISTORY,
    preflight::PreflightView,
    settings,
};

/// A binding.
#[component]
pub fn BindingPage() -> impl IntoView {
    let (params, map) = (use_params_map(), use_query_map());
    let disconnecting = refusal_of::<DisconnectBinding>();
    let refused = disconnecting
        .clone()
        .or_else(refusal_of::<PauseBinding>)
        .or_else(refusal_of::<RefreshLists>)
        .or_else(refusal_of::<TakeSuggestions>);
    let problem = refused.map(|error| error.code);
    let flash = flash_unless(problem.is_some());
    let id = move || params.with(|params| params.get_str("id").unwrap_or_default().to_owned());
    let answer = Resource::new(id, one_binding);
    let ask = map.with_untracked(|map| map.get_str("check") == Some("1"));
    let ahead = Resource::new(id, move |id| before_the_first_invoice(id, ask));
    view! {
        <FlashLine flash />
        {problem.map(|code| view! { <Problem code /> })}
        <Transition>
            {move || {
                let disconnecting = disconnecting.clone();
                answer
                    .get()
                    .map(|answer| {
                        or_problem(
                            answer,
                            |binding| {
                                let ahead = ahead.get().map(|ahead| look_ahead(ahead, &binding.id, binding.setup.is_none()));
                                both_sides(&binding, ahead, disconnecting)
                            },
                        )
                    })
            }}
        </Transition>
    }
    .into_any()
}

/// What will fail; where that cannot be told, the page says so and goes on.
fn look_ahead(ahead: Result<PreflightView, AppError>, binding: &str, has_posted: bool) -> AnyView {
    or_problem(ahead, |view| preflight::health_check(&view, binding, has_posted))
}

fn both_sides(
    binding: &BindingView,
    ahead: Option<AnyView>,
    disconnecting: Option<AppError>,
) -> impl IntoView + use<> {
    let facts = [
        ("Shop".into_any(), Either::Left(binding.shop.clone())),
        (
            "Sage".into_any(),
            Either::Left(binding.business.clone().unwrap_or_else(|| "No business connected".to_owned())),
        ),
        (zoned("Last in Sage"), Either::Right(binding.last_sync.clone())),
        (zoned("Sage\u{2019}s lists updated"), Either::Right(binding.lists_fetched.clone())),
        ("Event limit".into_any(), Either::Left(binding.events.clone())),
        (zoned("Status since"), Either::Right(Some(binding.since.clone()))),
    ];
    let facts = facts.map(|(name, value)| {
        let value = match value {
            Either::Left(text) => Either::Left(text),
            Either::Right(moment) => Either::Right(when(moment)),
        };
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    });
    view! {
        <Title text=format!("{} \u{b7} Shops \u{b7} Ledger", binding.name) />
        <div class="page-head">
            <h1>{binding.name.clone()}</h1>
            <BindingChip state=binding.state />
        </div>
        <nav class="pills" aria-label="This shop">
            <a class="pill" href=format!("{HISTORY}?shop={}", binding.id)>
                "Runs"
            </a>
            <a class="pill" href=format!("{HISTORY}?shop={}&status=failed", binding.id)>
                "Failed runs"
            </a>
            <a class="pill" href=settings::versions_href(&binding.id)>
                "Settings versions"
            </a>
        </nav>
        <p>{binding.status_sentence()}</p>
        {binding.setup.as_ref().map(|setup| setup_part(setup, true))}
        <dl class="facts">{facts.collect_view()}</dl>
        {binding.backfill.as_ref().map(|search| backfill(search, binding.status))}
        {(!binding.suggestions.is_empty()).then(|| suggested(binding))}
        {ahead}
        {actions(binding, disconnecting)}
    }
}

/// What Ledger looks for, or has found, since the shop was paired again.
fn backfill(search: &BackfillView, status: BindingStatus) -> impl IntoView + use<> {
    let ended = search.ended_at.clone().map(|at| {
        view! {
            <p class="field-hint">"Ended "<Time at /> " (" <Zone /> ")"</p>
        }
    });
    view! {
        <section class="grid gap-3" aria-labelledby="backfill">
            <h2 id="backfill">"Documents missed while not paired"</h2>
            <p>{search.sentence(status)}</p>
            {ended}
        </section>
    }
}

/// What a person confirms before the first document is posted: which account and which rates are theirs.
fn suggested(binding: &BindingView) -> impl IntoView + use<> {
    let rows = binding.suggestions.clone().into_iter().map(|(name, value)| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    });
    let id = binding.id.clone();
    let confirm = binding.may_set.then(|| {
        view! {
            <form method="post" action=TakeSuggestions::PATH data-in-place>
                <input type="hidden" name="binding" value=id />
                <button class="button button-main" type="submit">
                    "Use these settings"
                </button>
            </form>
        }
    });
    view! {
        <section class="grid justify-items-start gap-3" aria-labelledby="suggested">
            <h2 id="suggested">"Settings to confirm"</h2>
            <p>
                "Suggested from Sage\u{2019}s lists. Nothing is posted until you confirm them. Check that the 0 % rate is the right one for what you sell."
            </p>
            <dl class="facts w-full">{rows.collect_view()}</dl>
            {confirm}
        </section>
    }
}

fn when(moment: Option<Moment>) -> impl IntoView {
    match moment {
        Some(at) => Either::Left(view! { <Time at /> }),
        None => Either::Right("never"),
    }
}

fn actions(binding: &BindingView, disconnecting: Option<AppError>) -> impl IntoView + use<> {
    let way_back = binding.way_back().filter(|_| binding.may_connect).map(|way| match way {
        RecoveryStep::ConnectSage => (binding.connect_href(), "Connect Sage"),
        RecoveryStep::ConnectSageAgain => (binding.connect_href(), "Connect Sage again"),
        RecoveryStep::PairAgain => (binding.pair_href.clone(), "Pair the shop again"),
    });
    let connected = matches!(binding.status, BindingStatus::Active | BindingStatus::Paused);
    let pausing = binding.status == BindingStatus::Active;
    let id = binding.id.clone();
    view! {
        <div class="row gap-x-3">
            {way_back
                .map(|(href, label)| {
                    view! {
                        <a class="button button-main" href=href>
                            {label}
                        </a>
                    }
                })}
            {(connected && binding.lists_fetched.is_some())
                .then(|| {
                    view! {
                        <a class="button" href=settings::href(&binding.id)>
                            "Settings"
                        </a>
                    }
                })}
            {(connected && binding.may_pause)
                .then(|| {
                    view! {
                        <form method="post" action=PauseBinding::PATH data-in-place>
                            <input type="hidden" name="binding" value=id.clone() />
                            <input type="hidden" name="pause" value=if pausing { "true" } else { "false" } />
                            <button class="button" type="submit">
                                {if pausing { "Pause" } else { "Resume" }}
                            </button>
                        </form>
                        <form method="post" action=RefreshLists::PATH data-in-place>
                            <input type="hidden" name="binding" value=id.clone() />
                            <button class="button" type="submit">
                                "Refresh Sage\u{2019}s lists"
                            </button>
                        </form>
                    }
                })}
        </div>
        {(binding.may_connect && binding.status != BindingStatus::Revoked)
            .then(|| disconnect(binding.id.clone(), disconnecting))}
    }
}

/// Asks for the password: what is disconnected stays so until somebody consents at Sage again.
fn disconnect(binding: String, refused: Option<AppError>) -> impl IntoView {
    let opened = refused.is_some();
    let error = refused.and_then(|error| error.of_field("password"));
    view! {
        <details class="danger" open=opened>
            <summary>"Disconnect"</summary>
            <form class="form" method="post" action=DisconnectBinding::PATH data-in-place novalidate>
                <p>
                    "This ends Ledger\u{2019}s access to Sage. Nothing in Sage or Magento is deleted, and the history is kept."
                </p>
                <input type="hidden" name="binding" value=binding />
                <OwnPassword name="password" error=error autofocus=opened />
                <button class="button" type="submit">
                    "Disconnect this shop"
                </button>
            </form>
        </details>
    }
}

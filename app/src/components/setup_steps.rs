//! The steps of a shop's first day: which are done, which comes next, and where it is done.

use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    api::bindings::SendTestDocument, components::field::Field, components::problem::Problem, context,
    refusal::refusal_of,
};
use services::bindings;
use views::{
    error::ErrorCode,
    setup::{SetupStepView, SetupView},
};

/// The steps of a shop at the top of a page of its first day; nothing once it is set up, and where that cannot be told.
#[component]
pub fn SetupSteps(
    /// The shop's id.
    binding: String,
) -> impl IntoView {
    // By a task of its own: see the page of the settings.
    let answer = AsyncDerived::new(move || {
        let binding = binding.clone();
        async move {
            let (services, member) = (context::services().ok()?, context::member().await.ok()?);
            bindings::setup_of(&services, &member, &binding).await.ok().flatten()
        }
    });
    view! { <Suspense>{move || answer.get().flatten().map(|view| setup_part(&view, false))}</Suspense> }
        .into_any()
}

/// The steps as a part of a page; `is_whole` says what to do next, and has the form that sends a test.
pub fn setup_part(view: &SetupView, is_whole: bool) -> AnyView {
    let title =
        view.shop.as_ref().map_or_else(|| "Set up a shop".to_owned(), |(name, _)| format!("Set up {name}"));
    view! {
        <section class="panel grid gap-2 border-l-3 border-l-hold px-4 py-3" id="setup" data-live aria-labelledby="setup-title">
            <div class="row items-baseline justify-between gap-y-1 wrap-anywhere">
                <h2 id="setup-title">{title}</h2>
                <p class="text-ink-dim">{view.place()}</p>
            </div>
            {setup_list(view, is_whole)}
        </section>
    }
    .into_any()
}

/// The steps alone.
pub fn setup_list(view: &SetupView, is_whole: bool) -> AnyView {
    let steps = view.steps.iter().map(|step| setup_step(step, is_whole, view.test.as_deref()));
    view! { <ol class="grid gap-1">{steps.collect_view()}</ol> }.into_any()
}

fn setup_step(view: &SetupStepView, is_whole: bool, test: Option<&str>) -> impl IntoView + use<> {
    let (mark, word) = match (view.is_done, view.is_next) {
        (true, _) => ("M2.5 8.5l3.5 3.5l7.5-8", "Done: "),
        (false, true) => ("M3 8h9M8.5 4l4 4l-4 4", "Next: "),
        (false, false) => ("M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11", ""),
    };
    let state = if view.is_done { "done" } else { "open" };
    let title = view.step.title();
    let title = match view.href.clone() {
        Some(href) => view! { <a href=href>{title}</a> }.into_any(),
        None => title.into_any(),
    };
    let hint = view.hint.clone().filter(|_| is_whole);
    let form = test.filter(|_| is_whole && view.is_next).map(|binding| send_test(binding.to_owned()));
    view! {
        <li class="group grid grid-cols-[1rem_minmax(0,1fr)] gap-3 text-ink-dim" data-state=state aria-current=view.is_next.then_some("step")>
            <svg class="icon mt-0.75 group-aria-[current]:stroke-[2.25] group-aria-[current]:text-hold group-data-[state=done]:stroke-[2.25] group-data-[state=done]:text-good" viewBox="0 0 16 16" aria-hidden="true">
                <path d=mark />
            </svg>
            <div>
                <p class="group-aria-[current]:font-strong group-aria-[current]:text-ink">
                    {(!word.is_empty()).then(|| view! { <span class="sr-only">{word}</span> })} {title}
                </p>
                {hint.map(|hint| view! { <p class="text-ink-dim">{hint}</p> })}
                {form}
            </div>
        </li>
    }
}

/// Sends an invoice that Magento has, by the id in the address of its page there.
fn send_test(binding: String) -> AnyView {
    let refused = refusal_of::<SendTestDocument>();
    let error = refused.as_ref().and_then(|error| error.of_field("invoice"));
    let typed = refused.as_ref().and_then(|error| error.typed("invoice")).unwrap_or_default().to_owned();
    let problem = refused.map(|error| error.code).filter(|code| *code != ErrorCode::Invalid);
    view! {
        <form class="form pt-3 pb-1 text-ink print:hidden" id="first-document" method="post" action=SendTestDocument::PATH novalidate>
            {problem.map(|code| view! { <Problem code /> })}
            <input type="hidden" name="binding" value=binding />
            <Field
                name="invoice"
                label="Invoice ID in Magento"
                kind="text"
                autocomplete="off"
                hint="The last number in the address of the invoice\u{2019}s page in Magento\u{2019}s admin, such as 42 in \u{2026}/invoice_id/42."
                value=typed
                error
                autofocus=error.is_some()
            />
            <button class="button button-main justify-self-start" type="submit">
                "Send this invoice"
            </button>
        </form>
    }
    .into_any()
}

//! The list's filters: links and a plain form, so that each view has an address.

use domain::run::{EventName, RunStatus};
use leptos::prelude::*;

use crate::{
    HOME,
    query::RunsQuery,
    screen::runs::{event_label, status_label},
};

/// Status as links, event as a form.
#[component]
pub fn Filters(
    /// What is asked for now.
    #[prop(into)]
    query: Signal<RunsQuery>,
) -> impl IntoView {
    view! {
        <div class="filters">
            <nav class="pills" aria-label="Status">
                <StatusLink query status=None />
                {RunStatus::ALL
                    .iter()
                    .map(|status| view! { <StatusLink query status=Some(*status) /> })
                    .collect_view()}
            </nav>
            // Without `autocomplete`, going back shows what the address says and not what was last chosen.
            <form class="filter-form" method="get" action=HOME autocomplete="off">
                {move || {
                    let status = query.get().status?;
                    Some(view! { <input type="hidden" name="status" value=status.as_str() /> })
                }}
                <label for="event">"Event"</label>
                <select id="event" name="event">
                    <EventOption query event=None />
                    {EventName::ALL
                        .iter()
                        .map(|event| view! { <EventOption query event=Some(*event) /> })
                        .collect_view()}
                </select>
                <button class="button" type="submit">
                    "Apply"
                </button>
            </form>
        </div>
    }
}

#[component]
fn StatusLink(query: Signal<RunsQuery>, status: Option<RunStatus>) -> impl IntoView {
    let href = move || query.get().with_status(status).href();
    let current = move || (query.get().status == status).then_some("true");
    view! {
        <a class="pill" href=href aria-current=current data-status=status.map(RunStatus::as_str)>
            {status.map_or("All", status_label)}
        </a>
    }
}

#[component]
fn EventOption(query: Signal<RunsQuery>, event: Option<EventName>) -> impl IntoView {
    let chosen = move || query.get().event == event;
    // The attribute is for the page as it is sent, the property for what a person chose and then went back from.
    view! {
        <option value=event.map_or("", EventName::as_str) selected=chosen prop:selected=chosen>
            {event.map_or("All events", event_label)}
        </option>
    }
}

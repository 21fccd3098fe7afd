//! Instants: in UTC from the server, and in the reader's own zone where there is a script (`islands::zone`).

use leptos::prelude::*;

use views::format::Moment;

/// An instant: the day and, dimmed, the time of day.
#[component]
pub fn Time(
    /// When.
    at: Moment,
) -> impl IntoView {
    view! {
        <time class="time whitespace-nowrap" datetime=at.iso>
            <span>{at.day}</span>
            " "
            <span class="text-ink-dim">{at.time}</span>
        </time>
    }
}

/// The zone of the times beside it.
#[component]
pub fn Zone() -> impl IntoView {
    view! { <span class="zone">"UTC"</span> }
}

/// A label of a time, with the zone behind it.
pub fn zoned(label: &'static str) -> AnyView {
    view! { {label} " (" <Zone /> ")" }.into_any()
}

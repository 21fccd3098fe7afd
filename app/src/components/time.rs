//! Instants, in UTC for everybody.

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
            <span class="time-day">{at.day}</span>
            " "
            <span class="text-ink-dim">{at.time}</span>
        </time>
    }
}

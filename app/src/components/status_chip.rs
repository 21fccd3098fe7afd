//! The status of a run: a word, a shape and a colour, so that none of them has to carry it alone.

use domain::run::RunStatus;
use leptos::prelude::*;

use views::runs::status_label;

/// A run's status.
#[component]
pub fn StatusChip(
    /// Which.
    status: RunStatus,
) -> impl IntoView {
    chip(status, status_label(status))
}

/// A word with the shape and colour of a run's status.
#[cfg(feature = "ssr")]
#[component]
pub fn StatusMark(
    /// Whose shape and colour.
    status: RunStatus,
    /// The word.
    label: &'static str,
) -> impl IntoView {
    chip(status, label)
}

fn chip(status: RunStatus, label: &'static str) -> impl IntoView {
    view! {
        <span class="chip" data-status=status.as_str()>
            <svg class="icon size-3 stroke-[2.25]" viewBox="0 0 16 16" aria-hidden="true">
                <path d=shape(status) />
            </svg>
            {label}
        </span>
    }
}

/// The outline of a status, drawn with one line in a square of 16.
const fn shape(status: RunStatus) -> &'static str {
    match status {
        // An empty circle.
        RunStatus::Queued => "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11",
        // A triangle that points onwards.
        RunStatus::Running => "M5 3l8 5l-8 5z",
        // Two bars.
        RunStatus::Waiting => "M5.5 3v10M10.5 3v10",
        // An arrow that goes round.
        RunStatus::Retrying => "M13 8a5 5 0 1 1-1.8-3.8M13 2.2v3h-3",
        // A tick.
        RunStatus::Succeeded => "M2.5 8.5l3.5 3.5l7.5-8",
        // An arrow that leaps over.
        RunStatus::SkippedByPolicy => "M2.5 11c1-6 9-6 10.5-.5M13.5 6.5v4.5H9",
        // A cross.
        RunStatus::Failed => "M3.5 3.5l9 9M12.5 3.5l-9 9",
    }
}

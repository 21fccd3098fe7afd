//! An error as people see it: what happened, what to do, and the code for those who are asked for help.

use leptos::prelude::*;

use crate::error::AppError;

/// An error.
#[component]
pub fn Problem(
    /// Which.
    error: AppError,
) -> impl IntoView {
    view! {
        <div class="problem" role="alert">
            <p class="problem-sentence">{error.code.sentence()}</p>
            <p>{error.code.action()}</p>
            <p class="code">{error.code.as_str()}</p>
        </div>
    }
}

//! An error as people see it: what happened, what to do, and the code for those who are asked for help.

use leptos::prelude::*;

use crate::error::ErrorCode;

/// An error.
#[component]
pub fn Problem(
    /// Which.
    code: ErrorCode,
) -> impl IntoView {
    view! {
        <div class="problem" role="alert">
            <p class="problem-sentence">{code.sentence()}</p>
            <p>{code.action()}</p>
            <p class="code">{code.as_str()}</p>
        </div>
    }
}

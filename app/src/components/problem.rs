//! An error as people see it: what happened, what to do, and the code for those who are asked for help.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use views::error::AppError;
use views::error::ErrorCode;

/// An error.
#[component]
pub fn Problem(
    /// Which.
    code: ErrorCode,
    /// After how many seconds it is worth trying again, where that is known.
    #[prop(optional_no_strip)]
    wait: Option<u32>,
) -> impl IntoView {
    let action = match wait {
        Some(1) => "Try again in a second.".to_owned(),
        Some(seconds) => format!("Try again in {seconds} seconds."),
        None => code.action().to_owned(),
    };
    view! {
        <div class="problem" role="alert">
            <p class="problem-sentence">{code.sentence()}</p>
            <p>{action}</p>
            <p class="code">{code.as_str()}</p>
        </div>
    }
}

/// What a page shows of an answer: the answer, or what went wrong instead.
#[cfg(feature = "ssr")]
pub fn or_problem<T, V: IntoView + 'static>(
    answer: Result<T, AppError>,
    show: impl FnOnce(T) -> V,
) -> AnyView {
    match answer {
        Ok(answer) => show(answer).into_any(),
        Err(error) => view! { <Problem code=error.code /> }.into_any(),
    }
}

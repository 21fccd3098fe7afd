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
        <div class="problem" role="alert" tabindex="-1">
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
        Err(error) => view! {
            <Problem code=error.code />
            {way_on(error.code)}
        }
        .into_any(),
    }
}

/// Where to go from an error that stands in place of a page, and what to name when asking for help.
#[cfg(feature = "ssr")]
fn way_on(code: ErrorCode) -> Option<AnyView> {
    if code == ErrorCode::NotFound {
        return Some(
            view! {
                <ul class="remedies">
                    <li>
                        <a class="button" href=views::links::HISTORY>
                            "All runs"
                        </a>
                    </li>
                    <li>
                        <a class="button" href="/dashboard/bindings">
                            "All shops"
                        </a>
                    </li>
                </ul>
            }
            .into_any(),
        );
    }
    if code.status() < 500 {
        return None;
    }
    let environment = crate::context::services().ok()?.environment;
    let reference = environment.id().simple().to_string();
    let moment = views::format::Moment::from(environment.now());
    // The log names it beside whatever failed: who is asked for help finds one by the other.
    tracing::error!(reference, code = code.as_str(), "a page shows an error instead of what was asked for");
    Some(
        view! {
            <p class="field-hint">
                {format!("Time: {}, {} UTC. Reference: ", moment.day, moment.time)} <span class="code">{reference}</span>
            </p>
            <p>
                <a class="button" href="">
                    "Try again"
                </a>
            </p>
        }
        .into_any(),
    )
}

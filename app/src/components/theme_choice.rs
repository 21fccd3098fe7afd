//! The colours: a plain form, which the browser answers by itself where it can.

use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    api::session::SetTheme,
    theme::{self, Theme},
};

/// Light, dark, or as the system says.
#[component]
pub fn ThemeChoice() -> impl IntoView {
    let current = theme::current();
    let option = move |choice: Theme| {
        view! {
            <button
                class="inline-flex h-7.5 w-8 cursor-pointer items-center justify-center rounded-[calc(var(--radius-control)-1px)] text-ink-dim hover:bg-sheet-dim hover:text-ink aria-pressed:chosen aria-pressed:bg-sheet-dim aria-pressed:text-ink aria-pressed:shadow-[inset_0_-2px_0_var(--color-accent)] max-sm:min-h-11 max-sm:w-11"
                type="submit"
                name="theme"
                value=choice.as_str()
                aria-pressed=(choice == current).to_string()
                title=choice.label()
            >
                <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
                    <path d=shape(choice) />
                </svg>
                <span class="sr-only">{choice.label()}</span>
            </button>
        }
    };
    view! {
        <form class="theme" method="post" action=SetTheme::PATH>
            <fieldset class="inline-flex rounded-control border border-line bg-sheet">
                <legend class="sr-only">"Colours"</legend>
                {Theme::ALL.map(option).collect_view()}
            </fieldset>
        </form>
    }
    .into_any()
}

const fn shape(theme: Theme) -> &'static str {
    match theme {
        // A screen on its foot.
        Theme::System => "M2 3h12v8H2zM8 11v2.5M5.5 13.5h5",
        // A sun.
        Theme::Light => {
            "M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9L13 13M13 3l-1.1 1.1M4.1 11.9L3 13"
        }
        // A moon.
        Theme::Dark => "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z",
    }
}

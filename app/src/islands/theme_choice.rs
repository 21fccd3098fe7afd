//! The colours, chosen without another page: what somebody has typed stays. Without the browser's help the form leads back to its page.

use leptos::{ev::SubmitEvent, prelude::*, server_fn::ServerFn, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::HtmlButtonElement;

use crate::{
    api::session::{SetTheme, set_theme},
    components::boxed,
    theme::Theme,
};

/// Light, dark, or as the system says.
#[island]
pub fn ThemeChoice(
    /// The word of what is chosen.
    current: String,
) -> impl IntoView {
    let current = RwSignal::new(current.parse::<Theme>().unwrap_or_default());
    let choose = move |event: SubmitEvent| {
        let button = event.submitter().and_then(|button| button.dyn_into::<HtmlButtonElement>().ok());
        let Some(choice) = button.and_then(|button| button.value().parse::<Theme>().ok()) else { return };
        event.prevent_default();
        current.set(choice);
        if let Some(root) = document().document_element() {
            // An attribute of a fixed name can always be set.
            drop(match choice.attribute() {
                Some(word) => root.set_attribute("data-theme", word),
                None => root.remove_attribute("data-theme"),
            });
        }
        spawn_local(async move {
            // Where it is not kept, the next page comes in the colours before.
            drop(set_theme(choice.as_str().to_owned()).await);
        });
    };
    let option = move |choice: Theme| {
        view! {
            <button
                type="submit"
                name="theme"
                value=choice.as_str()
                aria-pressed=boxed::text(move || (choice == current.get()).to_string())
                title=choice.label()
            >
                <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
                    <path d=shape(choice) />
                </svg>
                <span class="visually-hidden">{choice.label()}</span>
            </button>
        }
    };
    view! {
        <form class="theme" method="post" action=SetTheme::PATH on:submit=choose>
            <fieldset>
                <legend class="visually-hidden">"Colours"</legend>
                {Theme::ALL.map(option).collect_view()}
            </fieldset>
        </form>
    }
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

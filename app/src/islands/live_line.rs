//! Whether changes arrive by themselves.

use leptos::prelude::*;

use super::live::{self, Line};
use crate::components::erased;

/// Says how the live line stands, and lets a person stop it. Hidden until it wakes up: without it nothing arrives by itself.
#[island]
pub fn LiveLine() -> impl IntoView {
    let line = RwSignal::new(None::<Line>);
    Effect::new(move |_| {
        line.set(Some(live::live().line.get()));
    });
    let is_paused = move || line.get() == Some(Line::Paused);
    let word = erased::text(move || {
        match line.get() {
            None => "off",
            Some(Line::Open) => "open",
            Some(Line::Paused) => "paused",
            Some(Line::Connecting | Line::Lost(_)) => "connecting",
        }
        .to_owned()
    });
    let label = erased::text(move || match line.get() {
        None => String::new(),
        Some(Line::Connecting) => "Connecting".to_owned(),
        Some(Line::Open) => "Live".to_owned(),
        Some(Line::Paused) => "Paused".to_owned(),
        Some(Line::Lost(heard)) => format!("No connection. Figures as of {heard}."),
    });
    view! {
        <div class="live group note flex items-center gap-2" data-line=word hidden=erased::switch(move || line.get().is_none())>
            <span class="size-2 rounded-full border-2 border-idle group-data-[line=open]:border-good group-data-[line=open]:bg-good group-data-[line=paused]:rounded-none group-data-[line=paused]:border-x-2 group-data-[line=paused]:border-y-0 group-data-[line=paused]:border-hold" aria-hidden="true"></span>
            <span class="live-label" role="status">
                {label}
            </span>
            <button
                class="button button-quiet"
                type="button"
                aria-pressed=erased::text(move || is_paused().to_string())
                on:click=erased::on(move |_| live::pause(!is_paused()))
            >
                "Pause"
            </button>
        </div>
    }
}

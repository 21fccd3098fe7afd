//! The status of a binding: a word, a shape and a colour.

use domain::setup::ShopState;
use leptos::prelude::*;

/// How a binding stands.
#[component]
pub fn BindingChip(
    /// Which.
    state: ShopState,
) -> impl IntoView {
    // Colours and shapes are those of runs in the like state.
    let (like, shape) = match state {
        ShopState::NotSetUp => ("waiting", "M8 3v6M8 12v1"),
        ShopState::Pending => ("queued", "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11"),
        ShopState::Working => ("succeeded", "M2.5 8.5l3.5 3.5l7.5-8"),
        ShopState::Paused => ("waiting", "M5.5 3v10M10.5 3v10"),
        ShopState::NeedsReauth => ("failed", "M8 3v6M8 12v1"),
        ShopState::Revoked => ("skipped_by_policy", "M3.5 3.5l9 9M12.5 3.5l-9 9"),
    };
    view! {
        <span class="chip" data-status=like>
            <svg class="icon size-3 stroke-[2.25]" viewBox="0 0 16 16" aria-hidden="true">
                <path d=shape />
            </svg>
            {state.label()}
        </span>
    }
}

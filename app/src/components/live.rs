//! A page whose parts follow the server.

use leptos::prelude::*;

use crate::islands::{live_line::LiveLine, live_parts::LiveParts};

/// Shows whether changes arrive, and keeps the parts that are marked with `data-live` up to date.
#[component]
pub fn LiveSwitch(
    /// The store's change number when the page was read.
    version: u64,
) -> impl IntoView {
    view! {
        {view! { <LiveLine /> }.into_any()}
        {view! { <LiveParts version /> }.into_any()}
    }
}

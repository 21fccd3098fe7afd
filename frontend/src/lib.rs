//! The browser's entry point: wakes the islands of the page that the server rendered.

// Its islands are called by name only: without this line none of them would be linked.
use app as _;

/// Called by the script that the server's page loads.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}

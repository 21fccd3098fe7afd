//! The browser's entry point: wakes the islands of the page that the server rendered.

/// Called by the script that the server's page loads.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}

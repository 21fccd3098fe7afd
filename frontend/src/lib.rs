//! The browser's entry point: takes over the page that the server rendered.

/// Called by the script that the server's page loads.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    // The page of the settings is a plain one that is only watched.
    if !app::typing::watch() {
        leptos::mount::hydrate_body(app::App);
    }
}

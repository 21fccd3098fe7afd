//! A filter that chooses one of several, or any.

use leptos::prelude::*;

/// A labelled list; `any` is what it says while nothing is chosen, `options` are values with their texts.
pub fn choice(
    name: &'static str,
    label: &'static str,
    any: &'static str,
    options: Vec<(String, String)>,
    chosen: &str,
) -> AnyView {
    let options = options.into_iter().map(|(value, text)| {
        let selected = value == chosen;
        view! {
            <option value=value selected=selected>
                {text}
            </option>
        }
    });
    view! {
        <div class="filter-field">
            <label for=name>{label}</label>
            <select class="max-w-64 min-w-0" id=name name=name>
                <option value="">{any}</option>
                {options.collect_view()}
            </select>
        </div>
    }
    .into_any()
}

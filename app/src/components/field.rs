//! A field of a form: label, input, and what is wrong with it.

use leptos::prelude::*;

use crate::error::FieldError;

/// A field of one line.
#[component]
pub fn Field(
    /// Its name in the form, and its id.
    name: &'static str,
    /// What people read.
    label: &'static str,
    /// `text`, `email`, `password`.
    kind: &'static str,
    /// What the browser may fill in.
    autocomplete: &'static str,
    /// What it holds at first.
    #[prop(optional, into)]
    value: String,
    /// What is wrong with it.
    error: Option<FieldError>,
    /// Whether the page opens with the cursor in it.
    autofocus: bool,
) -> impl IntoView {
    let error_id = format!("{name}-error");
    let described_by = error.map(|_| error_id.clone());
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                id=name
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                autofocus=autofocus
                aria-invalid=error.map(|_| "true")
                aria-describedby=described_by
            />
            {error
                .map(|error| {
                    view! {
                        <p class="field-error" id=error_id>
                            {error.sentence()}
                        </p>
                    }
                })}
        </div>
    }
}

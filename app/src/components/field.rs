//! A field of a form: label, input, and what is wrong with it.

use leptos::prelude::*;

use views::error::FieldError;

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
    /// What helps to fill it in.
    #[prop(optional)]
    hint: &'static str,
    /// What is wrong with it.
    error: Option<FieldError>,
    /// Whether the page opens with the cursor in it.
    autofocus: bool,
) -> impl IntoView {
    let error_id = format!("{name}-error");
    let hint_id = format!("{name}-hint");
    let has_hint = !hint.is_empty();
    let described_by = [error.is_some().then_some(&error_id), has_hint.then_some(&hint_id)];
    let described_by = described_by.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    let described_by = (!described_by.is_empty()).then_some(described_by);
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
            {has_hint
                .then(|| {
                    view! {
                        <p class="field-hint" id=hint_id>
                            {hint}
                        </p>
                    }
                })}
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

/// A person's own password, asked once more.
#[cfg(feature = "ssr")]
#[component]
pub fn OwnPassword(
    /// Its name in the form, and its id.
    name: &'static str,
    /// What is wrong with it.
    error: Option<FieldError>,
    /// Whether the page opens with the cursor in it.
    autofocus: bool,
) -> impl IntoView {
    view! { <Field name label="Your password" kind="password" autocomplete="current-password" error autofocus /> }
}

//! What differs between two settings, as a table.

use domain::settings::Change;
use leptos::{either::Either, prelude::*};

/// The fields that differ, with what they were and what they are.
#[component]
pub fn Changes(
    /// The differences.
    changes: Vec<Change>,
    /// What is said when there are none.
    nothing: &'static str,
) -> impl IntoView {
    if changes.is_empty() {
        return Either::Left(view! { <p class="field-hint">{nothing}</p> });
    }
    let value = |text: String| if text.is_empty() { "\u{2013}".to_owned() } else { text };
    let rows = changes.into_iter().map(|change| {
        view! {
            <tr>
                <th scope="row">{change.label}</th>
                <td data-head="Before">{value(change.before)}</td>
                <td data-head="After">{value(change.after)}</td>
            </tr>
        }
    });
    Either::Right(view! {
        <table class="changes">
            <thead>
                <tr>
                    <th scope="col">"Field"</th>
                    <th scope="col">"Before"</th>
                    <th scope="col">"After"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    })
}

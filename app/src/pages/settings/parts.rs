//! What fields and rows of maps have in common.

use domain::settings::{FieldProblem, MISSING};
use leptos::{either::Either, prelude::*};
use views::settings::SettingsView;

/// The options of a choice; a word that is none of them stays what is chosen.
pub fn choices(options: &'static [(&'static str, &'static str)], typed: &str) -> AnyView {
    let unknown = options.iter().all(|(word, _)| *word != typed).then(|| typed.to_owned());
    let known = options.iter().map(|(word, said)| {
        view! {
            <option value=*word selected=*word == typed>
                {*said}
            </option>
        }
    });
    view! {
        {unknown
            .map(|word| {
                view! {
                    <option value=word.clone() selected=true>
                        {word.clone()}
                    </option>
                }
            })}
        {known.collect_view()}
    }
    .into_any()
}

/// Whether a path is the first that is wrong: there the cursor goes.
pub fn is_first(view: &SettingsView, path: &str) -> bool {
    view.may_focus() && view.problems.first().is_some_and(|(first, _)| first == path)
}

/// What is wrong with a field: always there, and empty while nothing is, so that what types into it is announced.
pub fn wrong(path: &str, id: &str, problem: Option<FieldProblem>) -> AnyView {
    view! {
        <p class="field-error" id=format!("{id}-error") data-code=problem.map(FieldProblem::as_str)>
            {problem.map(|problem| problem.sentence(path))}
        </p>
    }
    .into_any()
}

/// What a page says in place of a choice that Sage no longer has.
pub fn missing_option(id: &str, is_known: bool) -> impl IntoView + use<> {
    if is_known || id.is_empty() {
        return Either::Left(());
    }
    let (value, text) = (id.to_owned(), format!("{MISSING}{id}"));
    Either::Right(view! {
        <option value=value selected=true>
            {text}
        </option>
    })
}

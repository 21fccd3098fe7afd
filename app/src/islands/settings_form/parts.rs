//! What fields and rows of maps have in common.

use domain::settings::{FieldProblem, MISSING};
use leptos::prelude::*;

/// Whether a text names what Sage no longer has.
pub fn is_missing(text: RwSignal<String>) -> Signal<bool> {
    Signal::derive(move || text.with(|text| text.starts_with(MISSING)))
}

/// The options of a choice; a word that is none of them stays what is chosen.
pub fn choices(options: &'static [(&'static str, &'static str)], typed: &str) -> AnyView {
    let unknown = options.iter().all(|(word, _)| *word != typed).then(|| typed.to_owned());
    let option = |word: String, said: String| {
        let selected = word == typed;
        view! {
            <option value=word selected=selected>
                {said}
            </option>
        }
    };
    let unknown =
        unknown.map(|word| option(word.clone(), if word.is_empty() { "Choose".to_owned() } else { word }));
    let known = options.iter().map(|(word, said)| option((*word).to_owned(), (*said).to_owned()));
    unknown.into_iter().chain(known).collect_view().into_any()
}

/// What is wrong with a field: always there, and empty while nothing is, so that what comes is announced.
pub fn wrong(id: &str, problem: Signal<Option<(FieldProblem, String)>>) -> AnyView {
    let code = Signal::derive(move || problem.get().map(|(problem, _)| problem.as_str()));
    let sentence = Signal::derive(move || {
        problem.get().map(|(problem, path)| problem.sentence(&path)).unwrap_or_default().to_owned()
    });
    view! {
        <p class="field-error" id=format!("{id}-error") data-code=code>
            {sentence}
        </p>
    }
    .into_any()
}

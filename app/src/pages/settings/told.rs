//! What the page says above its cards.

use domain::settings::{Change, cards};
use leptos::prelude::*;

use crate::components::{changes::Changes, problem::Problem, time::Time};
use views::{
    error::ErrorCode,
    settings::{Crossing, SettingsNotice, SettingsView},
};

/// What happened, and where something is wrong.
pub fn told(view: &SettingsView) -> AnyView {
    let said = match &view.told {
        SettingsNotice::Nothing => ().into_any(),
        SettingsNotice::Refreshed => {
            status("Sage\u{2019}s lists are up to date. Your changes are still here, but not saved yet.")
        }
        SettingsNotice::Imported(changes) => imported(changes),
        SettingsNotice::Wrong => view! { <Problem code=ErrorCode::SettingsWrong /> }.into_any(),
        SettingsNotice::NotExported(error) => view! { <Problem code=error.code /> }.into_any(),
        SettingsNotice::Problem(code) => view! { <Problem code=*code /> }.into_any(),
        SettingsNotice::Crossed(crossing) => crossed(crossing),
    };
    let first_time = (view.version == 0).then(|| {
        status("Suggested from Sage\u{2019}s lists. Nothing is posted until you save them. Check that the 0 % rate is the right one for what you sell.")
    });
    view! { {said} {first_time} {summary(view)} }.into_any()
}

fn status(sentence: &'static str) -> AnyView {
    view! {
        <p class="flash" role="status">
            {sentence}
        </p>
    }
    .into_any()
}

/// The fields that are wrong, each a way to its place.
fn summary(view: &SettingsView) -> impl IntoView + use<> {
    let items = view.problems.iter().map(|(path, problem)| {
        let field = cards::field_of(path);
        let entry = field.and_then(|field| path.strip_prefix(field.path)).unwrap_or_default();
        let name = format!("{}{}", field.map_or("", |field| field.label), entry.replacen('.', ": ", 1));
        let place = field.map_or("settings", |field| field.path);
        view! {
            <li>
                <a href=format!("#{place}")>
                    {name}
                </a>
                ": "
                {problem.sentence(path)}
            </li>
        }
    });
    let items = items.collect_view();
    (!view.problems.is_empty()).then(|| {
        view! {
            <section class="wrong-list" aria-labelledby="wrong-title">
                <h2 id="wrong-title">"Fix these fields"</h2>
                <ul>{items}</ul>
            </section>
        }
    })
}

/// A file stands in the form: what it would change about the settings in force.
fn imported(changes: &[Change]) -> AnyView {
    let changes = changes.to_vec();
    view! {
        {status("The file\u{2019}s settings are filled in, but not saved yet. Check them, then save.")}
        <section class="crossing" aria-label="Changes from the file">
            <h3>"Changes to save"</h3>
            <Changes changes nothing="No changes: the file matches the current settings." />
        </section>
    }
    .into_any()
}

/// Somebody else was quicker: what they changed, and what saving once more would change about it.
fn crossed(crossing: &Crossing) -> AnyView {
    let author = crossing.author.clone().unwrap_or_else(|| "Someone".to_owned());
    let at = crossing.at.clone().map(|at| view! { " on " <Time at /> " (UTC)" });
    let part = |title: &'static str, changes: &[Change], nothing: &'static str| {
        let changes = changes.to_vec();
        view! {
            <h3>{title}</h3>
            <Changes changes nothing />
        }
    };
    view! {
        <Problem code=ErrorCode::SettingsChanged />
        <section class="crossing" aria-label="Differences">
            <p>
                {author} " saved version " {crossing.version} {at} ", after you opened this page."
            </p>
            {part("Their changes", &crossing.theirs, "No visible changes.")}
            {part("Changes if you save now", &crossing.mine, "No changes: your form matches it.")}
        </section>
    }
    .into_any()
}

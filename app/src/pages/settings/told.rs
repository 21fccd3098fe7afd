//! What the page says above its form, when it comes from the server.

use domain::settings::Change;
use leptos::prelude::*;

use crate::components::{changes::Changes, problem::Problem};
use views::settings::{SettingsNotice, SettingsView};

/// What happened.
pub fn told(view: &SettingsView) -> AnyView {
    let said = match &view.told {
        // The form itself says these.
        SettingsNotice::Nothing | SettingsNotice::Wrong | SettingsNotice::Crossed => ().into_any(),
        SettingsNotice::Refreshed => {
            status("Sage\u{2019}s lists are up to date. Your changes are still here, but not saved yet.")
        }
        SettingsNotice::Imported(changes) => imported(changes),
        SettingsNotice::NotExported(code) | SettingsNotice::Problem(code) => {
            view! { <Problem code=*code /> }.into_any()
        }
    };
    let first_time = (view.version == 0).then(|| {
        status("Suggested from Sage\u{2019}s lists. Nothing is posted until you save them. Check that the 0% rate is the right one for what you sell.")
    });
    view! { {said} {first_time} }.into_any()
}

fn status(sentence: &'static str) -> AnyView {
    view! {
        <p class="flash" role="status">
            {sentence}
        </p>
    }
    .into_any()
}

/// A file stands in the form: what it would change about the settings in force.
fn imported(changes: &[Change]) -> AnyView {
    let changes = changes.to_vec();
    view! {
        {status("The file\u{2019}s settings are filled in, but not saved yet. Check them, then save.")}
        <section class="panel grid gap-2 border-hold p-4" aria-label="Changes from the file">
            <h2>"Changes to save"</h2>
            <Changes changes nothing="No changes: the file matches the current settings." />
        </section>
    }
    .into_any()
}

//! What stands beside the form: the short lists for browsers without JavaScript, and the file.

use leptos::prelude::*;

use crate::components::field::OwnPassword;
use views::{
    error::{ErrorCode, FieldError},
    settings::{SettingsNotice, SettingsView, file_href},
};

/// What a field can be, for browsers without JavaScript. The options have no text: Firefox would show that instead.
pub fn short_lists(view: &SettingsView) -> impl IntoView + use<> {
    let list = |(name, texts): &(&'static str, Vec<String>)| {
        let options = texts.iter().map(|text| view! { <option value=text.clone()></option> }).collect_view();
        view! { <datalist id=format!("{name}-short")>{options}</datalist> }
    };
    let lists = view.short_lists.iter().map(list).collect_view();
    view! { <noscript>{lists}</noscript> }
}

/// Taking the settings along as a file, and bringing one in.
pub fn file(view: &SettingsView) -> impl IntoView + use<> {
    let refused = match &view.told {
        SettingsNotice::NotExported(_) => Some(FieldError::Refused),
        _ => None,
    };
    let import_failed = matches!(view.told, SettingsNotice::Problem(ErrorCode::SettingsFile));
    let action = file_href(&view.state.id);
    let import = view.state.may_set.then(|| {
        view! {
            <form class="form" method="post" action=action.clone() enctype="multipart/form-data">
                <h3>"Import settings"</h3>
                <p>"The file\u{2019}s settings fill in the form above. Nothing changes until you save."</p>
                <input type="hidden" name="do" value="import" />
                <div class="field">
                    <label for="file">"File"</label>
                    <input class="w-full py-2 text-note" id="file" name="file" type="file" accept="application/json,.json" required />
                </div>
                <button class="button justify-self-start" type="submit">
                    "Fill in from file"
                </button>
            </form>
            <form class="form" method="post" action=action novalidate>
                <h3>"Export settings"</h3>
                <p>"The saved settings as a file. It contains IDs and names from Sage, but no secrets."</p>
                <input type="hidden" name="do" value="export" />
                <OwnPassword name="password" error=refused autofocus=refused.is_some() />
                <button class="button justify-self-start" type="submit">
                    "Export"
                </button>
            </form>
        }
    });
    view! {
        <details class="panel px-4 py-4 desk:px-6" open=refused.is_some() || import_failed>
            <summary>"Import and export"</summary>
            <div class="mt-4 grid grid-cols-[repeat(auto-fill,minmax(min(100%,20rem),1fr))] items-start gap-6">{import}</div>
        </details>
    }
}

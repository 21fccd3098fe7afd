//! What stands beside the cards: how fresh the lists are, saving, the file.

use leptos::prelude::*;

use crate::components::{field::OwnPassword, time::Time};
use views::{
    error::ErrorCode,
    settings::{SettingsNotice, SettingsView},
};

/// How fresh the lists are, and the button that fetches them again. What is typed stays.
pub fn freshness(view: &SettingsView) -> impl IntoView + use<> {
    let at = view.fetched.clone();
    let refresh = view.may_set.then(|| {
        view! {
            <button class="button" type="submit" name="do" value="refresh" formnovalidate>
                "Refresh"
            </button>
        }
    });
    let stale = view.is_stale.then(|| {
        view! { <p class="field-hint">"Sage is not responding, so these lists are more than a day old."</p> }
    });
    view! {
        <div class="freshness">
            <p>"Sage\u{2019}s lists: updated " <span class="freshness-age">{view.age.clone()}</span></p>
            <p class="visually-hidden">
                <Time at />
                " UTC"
            </p>
            {stale}
            {refresh}
        </div>
    }
}

/// Why, Save, Revert.
pub fn save_bar(view: &SettingsView) -> impl IntoView + use<> {
    view! {
        <div class="save-bar">
            <div class="field save-why">
                <label for="reason">"Reason (optional)"</label>
                <input id="reason" name="reason" maxlength="200" value=view.reason.clone() />
            </div>
            <div class="save-buttons">
                <p class="save-state" data-state aria-hidden="true"></p>
                <a class="button" href=view.href() data-revert>
                    "Revert"
                </a>
                <button class="button button-main" type="submit" name="do" value="save">
                    "Save"
                </button>
            </div>
        </div>
    }
}

/// Taking the settings along as a file, and bringing one in.
pub fn file(view: &SettingsView) -> impl IntoView + use<> {
    let refused = match &view.told {
        SettingsNotice::NotExported(error) => Some(error.of_field("password")),
        _ => None,
    };
    let import_failed = matches!(view.told, SettingsNotice::Problem(ErrorCode::SettingsFile));
    let action = view.href();
    let import = view.may_set.then(|| {
        view! {
            <form class="form" method="post" action=action.clone() enctype="multipart/form-data">
                <h3>"Import settings"</h3>
                <p>"The file\u{2019}s settings fill in the form above. Nothing changes until you save."</p>
                <input type="hidden" name="do" value="import" />
                <div class="field">
                    <label for="file">"File"</label>
                    <input id="file" name="file" type="file" accept="application/json,.json" required />
                </div>
                <button class="button" type="submit">
                    "Fill in from file"
                </button>
            </form>
            <form class="form" method="post" action=action novalidate>
                <h3>"Export settings"</h3>
                <p>"The saved settings as a file. It contains IDs and names from Sage, but no secrets."</p>
                <input type="hidden" name="do" value="export" />
                <OwnPassword name="password" error=refused.flatten() autofocus=refused.is_some() />
                <button class="button" type="submit">
                    "Export"
                </button>
            </form>
        }
    });
    view! {
        <details class="settings-file" open=refused.is_some() || import_failed>
            <summary>"Import and export"</summary>
            <div class="settings-file-forms">{import}</div>
        </details>
    }
}

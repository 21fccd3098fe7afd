//! What was typed outlives its page as long as its tab lives: an expired session, a stopped server, another theme.

use domain::settings::form::Form;
use leptos::prelude::*;
use views::settings::Pairs;
use web_sys::Storage;

use super::model::Model;

/// Where a draft of this tab is kept: for one member and one binding.
#[derive(Clone)]
pub struct Draft {
    key: String,
}

impl Draft {
    /// The place of a member's draft of a binding's settings.
    pub fn of(member: &str, binding: &str) -> Self {
        Self { key: format!("ledger-settings/{member}/{binding}") }
    }

    /// Keeps the form.
    pub fn keep(&self, model: Model) {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(model.sent().pairs);
        if let Some(storage) = storage() {
            // A browser that keeps nothing keeps no draft.
            drop(storage.set_item(&self.key, &text.finish()));
        }
    }

    /// Forgets it.
    pub fn forget(&self) {
        if let Some(storage) = storage() {
            drop(storage.remove_item(&self.key));
        }
    }

    /// What was kept.
    pub fn kept(&self) -> Option<Form> {
        let text = storage()?.get_item(&self.key).ok()??;
        let pairs: Pairs = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        Some(Form::from(pairs))
    }
}

fn storage() -> Option<Storage> {
    window().session_storage().ok()?
}

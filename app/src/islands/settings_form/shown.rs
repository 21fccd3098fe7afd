//! What the form shows besides its fields.

use domain::settings::cards;
use leptos::prelude::*;
use views::{error::ErrorCode, settings::FormState};

/// What does not change while the page is open.
#[derive(Clone, Copy)]
pub struct Shown {
    marked: StoredValue<Option<String>>,
    methods_problem: Option<ErrorCode>,
}

impl Shown {
    /// Of a form.
    pub fn of(state: &FormState) -> Self {
        Self {
            marked: StoredValue::new(state.fix.as_ref().map(|fix| fix.place.clone())),
            methods_problem: state.methods_problem,
        }
    }

    /// Whether somebody came to fix this.
    pub fn is_marked(self, path: &str) -> bool {
        self.marked.with_value(|marked| marked.as_deref() == Some(path))
    }

    /// Why the shop's payment methods are not known.
    pub const fn methods_problem(self) -> Option<ErrorCode> {
        self.methods_problem
    }
}

/// What people call the place of a problem: a field, or an entry of a map.
pub fn name_of(path: &str) -> String {
    let Some(field) = cards::field_of(path) else {
        let card = cards::CARDS.iter().find(|card| card.id == path);
        return card.map_or("Reason", |card| card.title).to_owned();
    };
    let entry = path.strip_prefix(field.path).unwrap_or_default();
    format!("{}{}", field.label, entry.replacen('.', ": ", 1))
}

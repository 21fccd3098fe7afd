//! The rows of a map: an entry each, and some empty ones for browsers without JavaScript.

use domain::settings::{
    cards::{Field, Kind},
    form::Form,
    tax_key,
};
use leptos::prelude::*;
use views::settings::{FormState, PaymentMethod};

use super::browser;

/// How many empty rows a map shows to begin with, where there is no JavaScript.
pub const SPARE_ROWS: usize = 3;

/// When a row of a map is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Always.
    Always,
    /// Only without JavaScript, where rows cannot be added at once.
    WithoutScript,
    /// Only after unfolding what the shop has switched off.
    Unfolded,
}

/// A row of a map.
#[derive(Clone, Copy)]
pub struct Row {
    /// Tells it from others of its map.
    pub number: usize,
    /// A payment method, a percentage or a product type.
    pub key: RwSignal<String>,
    /// A tax rate's class.
    pub class: RwSignal<String>,
    /// A tax rate's country.
    pub country: RwSignal<String>,
    /// What it is mapped to.
    pub value: RwSignal<String>,
    /// What people call the key, where it cannot be changed.
    pub label: StoredValue<Option<String>>,
    /// When it is seen.
    pub seen: Seen,
}

impl Row {
    /// A row of a key.
    pub fn new(number: usize, key: &str, value: &str, label: Option<String>, seen: Seen) -> Self {
        let [key, class, country] = if label.is_none() { tax_key::parts(key) } else { [key, "", ""] };
        Self {
            number,
            key: RwSignal::new(key.to_owned()),
            class: RwSignal::new(class.to_owned()),
            country: RwSignal::new(country.to_owned()),
            value: RwSignal::new(value.to_owned()),
            label: StoredValue::new(label),
            seen,
        }
    }

    /// Its key, as the form says it.
    pub fn whole_key(self) -> String {
        tax_key::joined(&self.key.get(), &self.class.get(), &self.country.get())
    }

    /// Whether nothing stands in it.
    pub fn is_empty(self) -> bool {
        [self.key, self.class, self.country, self.value]
            .iter()
            .all(|text| text.with(|text| text.trim().is_empty()))
    }
}

impl Row {
    /// Says something else, where it does not say so yet.
    pub fn write(self, key: &str, value: &str) {
        let set = |text: RwSignal<String>, wanted: &str| {
            if text.with_untracked(|text| text != wanted) {
                text.set(wanted.to_owned());
            }
        };
        set(self.value, value);
        if self.label.with_value(Option::is_none) {
            let parts = tax_key::parts(key);
            for (text, part) in [self.key, self.class, self.country].into_iter().zip(parts) {
                set(text, part);
            }
        }
    }
}

/// The rows of a field.
pub fn rows(state: &FormState, form: &Form, field: &'static Field) -> Vec<Row> {
    let filled = form.rows(field.path).into_iter().filter(|row| !row.key.is_empty() || !row.value.is_empty());
    let mut filled: Vec<(String, String)> =
        filled.map(|row| (row.key.to_owned(), row.value.to_owned())).collect();
    let mut rows = Vec::new();
    let mut push = |key: &str, value: &str, label: Option<String>, seen| {
        let id = format!("{}.{}", field.path, rows.len());
        let value = browser::typed(&format!("{id}-value"), value);
        rows.push(Row::new(rows.len(), key, &value, label, seen));
    };
    if matches!(field.kind, Kind::PaymentMethods) {
        for method in &state.methods {
            let found = filled.iter().position(|(key, _)| *key == method.code);
            let value = found.map(|place| filled.remove(place).1).unwrap_or_default();
            let is_folded = !method.is_active && value.is_empty();
            let seen = if is_folded { Seen::Unfolded } else { Seen::Always };
            push(&method.code, &value, Some(method_label(method)), seen);
        }
    }
    for (key, value) in filled {
        push(&key, &value, None, Seen::Always);
    }
    // Those that somebody without JavaScript has asked for are seen in any case.
    let asked_for = state.rows.saturating_sub(SPARE_ROWS);
    let spare = if matches!(field.kind, Kind::TaxRates) { SPARE_ROWS } else { 1 };
    for _ in 0..spare {
        push("", "", None, if asked_for > 0 { Seen::Always } else { Seen::WithoutScript });
    }
    for _ in 0..asked_for {
        push("", "", None, Seen::Always);
    }
    for row in &rows {
        row.take_typed(field.path);
    }
    rows
}

impl Row {
    /// What was typed into it before the browser woke up.
    fn take_typed(self, path: &str) {
        let parts = [(self.key, "key"), (self.class, "class"), (self.country, "country")];
        for (text, part) in parts.into_iter().filter(|_| self.label.with_value(Option::is_none)) {
            let given = text.get_untracked();
            let typed = browser::typed(&format!("{path}.{}-{part}", self.number), &given);
            if typed != given {
                text.set(typed);
            }
        }
    }
}

fn method_label(method: &PaymentMethod) -> String {
    let label = if method.label.is_empty() { &method.code } else { &method.label };
    format!("{label} ({})", method.code)
}

//! What differs between two versions of the settings, field by field, in the words of the page.

use super::{
    Lists, Settings,
    cards::{self, Field, Kind},
    form::Form,
};

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its path, down to the entry of a map.
    pub path: String,
    /// What people call it: `Tax rates: 20.00`.
    pub label: String,
    /// What it was; empty for nothing.
    pub before: String,
    /// What it is now; empty for nothing.
    pub after: String,
}

/// The fields in which two settings differ, in the order of the cards.
pub fn differences(before: &Settings, after: &Settings, lists: &Lists) -> Vec<Change> {
    let (old, new) = (Form::of(before, lists), Form::of(after, lists));
    let mut changes = Vec::new();
    for field in cards::fields() {
        match field.kind {
            Kind::PaymentMethods | Kind::TaxRates | Kind::ProductTypes => {
                changes.extend(of_map(field, &old, &new));
            }
            _ => {
                let said = |form: &Form| said(field, form.get(field.path).unwrap_or_default());
                let (before, after) = (said(&old), said(&new));
                if before != after {
                    changes.push(Change {
                        path: field.path.to_owned(),
                        label: field.label.to_owned(),
                        before,
                        after,
                    });
                }
            }
        }
    }
    changes
}

fn of_map(field: &Field, old: &Form, new: &Form) -> Vec<Change> {
    let (old, new) = (old.rows(field.path), new.rows(field.path));
    let mut keys: Vec<&str> = old.iter().chain(&new).map(|row| row.key).collect();
    keys.sort_unstable();
    keys.dedup();
    let change = |key: &&str| {
        let value = |rows: &[super::form::Row<'_>]| {
            let row = rows.iter().find(|row| row.key == *key);
            row.map(|row| said(field, row.value)).unwrap_or_default()
        };
        let (before, after) = (value(&old), value(&new));
        (before != after).then(|| Change {
            path: format!("{}.{key}", field.path),
            label: format!("{}: {key}", field.label),
            before,
            after,
        })
    };
    keys.iter().filter_map(change).collect()
}

/// A value of the form as a person says it.
pub(super) fn said(field: &Field, value: &str) -> String {
    let word = |options: &[(&str, &str)]| {
        let found = options.iter().find(|(word, _)| *word == value);
        found.map_or(value, |(_, said)| *said).to_owned()
    };
    match field.kind {
        Kind::Switch(_) => if value == "true" { "Yes" } else { "No" }.to_owned(),
        Kind::OneOf { options, .. } => word(options),
        Kind::ProductTypes => word(cards::GOODS_OR_SERVICES),
        Kind::Moment(_) => value.replace('T', " "),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Settings {
        serde_json::from_str(include_str!("../../../../fixtures/demo/settings.json")).unwrap()
    }

    #[test]
    fn each_change_is_told_in_the_words_of_the_page() {
        let lists = Lists::of(
            &serde_json::from_str(include_str!("../../../../fixtures/demo/reference.json")).unwrap(),
        );
        let mut other = good();
        other.record_refunds = false;
        other.default_bank_account_id = None;
        other.sync_since = Some("2026-03-01T09:05:00Z".parse().unwrap());
        other.tax_rate_map.remove("5.00");
        other.tax_rate_map.insert("0.00".to_owned(), "GB_EXEMPT".to_owned());
        other.payment_method_map.insert("free".to_owned(), None);
        let changes = differences(&good(), &other, &lists);
        let told: Vec<_> = changes
            .iter()
            .map(|change| (change.label.as_str(), change.before.as_str(), change.after.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("Sync documents from (UTC)", "", "2026-03-01 09:05"),
                ("Default bank account", "Current (1200)", ""),
                ("Payment methods: free", "", "Leave unpaid"),
                ("Record refunds", "Yes", "No"),
                ("Tax rates: 0.00", "Zero Rated 0.00%", "Exempt 0.00%"),
                ("Tax rates: 5.00", "Lower 5.00%", ""),
            ]
        );
        assert_eq!(differences(&good(), &good(), &lists), []);
    }
}

//! The seven cards: what a field of the settings is, and how it is filled in. [`CARDS`] names all of them; the page, the form and the
//! differences between two versions all read that table.

mod table;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{List, Settings};

pub use table::{CARDS, GOODS_OR_SERVICES};

/// A card.
#[derive(Debug)]
pub struct Card {
    /// Its name in an address.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its fields, in order.
    pub fields: &'static [Field],
}

/// A field.
#[derive(Debug)]
pub struct Field {
    /// Its path, as problems name it: `consolidation.enabled`.
    pub path: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What helps to fill it in.
    pub hint: &'static str,
    /// How it is filled in.
    pub kind: Kind,
}

type Of<T> = fn(&mut Settings) -> &mut T;

/// How a field is filled in, and where it is kept.
#[derive(Debug)]
pub enum Kind {
    /// Yes or no.
    Switch(Of<bool>),
    /// One of some words.
    OneOf {
        /// Each word with what people read.
        options: &'static [(&'static str, &'static str)],
        /// The word that is set.
        get: fn(&Settings) -> &str,
        /// Sets a word; `false` when it is none of them.
        set: fn(&mut Settings, &str) -> bool,
    },
    /// An entry of a list, or none.
    Pick(List, Of<Option<String>>),
    /// A text, or none.
    Text(Of<Option<String>>),
    /// An e-mail address, or none.
    Email(Of<Option<String>>),
    /// A time zone, or the business's own.
    Zone(Of<Option<String>>),
    /// A text that has a default.
    Words(Of<String>),
    /// Magento's ids, separated by commas.
    Ids(Of<Vec<i64>>),
    /// A moment in UTC, to the minute, or none.
    Moment(Of<Option<DateTime<Utc>>>),
    /// An amount in the base currency.
    Amount(Of<Decimal>),
    /// Payment methods with their bank accounts.
    PaymentMethods,
    /// Percentages with their tax rates.
    TaxRates,
    /// Product types with `GOODS` or `SERVICES`.
    ProductTypes,
}

/// All fields, card by card.
pub fn fields() -> impl Iterator<Item = &'static Field> {
    CARDS.iter().flat_map(|card| card.fields)
}

/// The field that a problem's path belongs to: `tax_rate_map.20.00` is one of the tax rates.
pub fn field_of(path: &str) -> Option<&'static Field> {
    fields().find(|field| is_of(path, field))
}

/// Whether a problem's path belongs to a field.
pub fn is_of(path: &str, field: &Field) -> bool {
    path.strip_prefix(field.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The paths of serialised settings, with the fields of the consolidation one by one.
    fn paths() -> BTreeSet<String> {
        let value = serde_json::to_value(Settings::default()).unwrap();
        let inner = value["consolidation"].as_object().unwrap().keys();
        let inner: Vec<_> = inner.map(|key| format!("consolidation.{key}")).collect();
        let outer = value.as_object().unwrap().keys().filter(|key| *key != "consolidation").cloned();
        outer.chain(inner).collect()
    }

    #[test]
    fn every_setting_is_on_one_card() {
        let on_cards: Vec<_> = fields().map(|field| field.path.to_owned()).collect();
        assert_eq!(on_cards.len(), paths().len());
        assert_eq!(on_cards.into_iter().collect::<BTreeSet<_>>(), paths());
        assert_eq!(CARDS.len(), 7);
    }

    #[test]
    fn a_problem_within_a_map_belongs_to_its_field() {
        assert_eq!(field_of("tax_rate_map.20.00").unwrap().label, "Tax rates");
        assert_eq!(field_of("sync_stock").unwrap().label, "Sync stock levels");
        assert!(field_of("sync").is_none());
    }
}

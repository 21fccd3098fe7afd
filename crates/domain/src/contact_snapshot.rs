//! What Magento told of a customer when a contact was written: it is remembered beside the contact, so that later news are found.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What Magento told of a customer when a contact of theirs was written: fingerprints, because it is kept for good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactSnapshot {
    /// By the contact's fields, such as `main_contact_person.email`.
    pub fields: BTreeMap<String, String>,
    /// When the customer was changed last; none where Magento does not say.
    pub as_of: Option<DateTime<Utc>>,
}

impl ContactSnapshot {
    /// What holds once this is written over what was told before: a field that is not told stays as it was.
    #[must_use]
    pub fn over(&self, before: Option<&Self>) -> Self {
        let mut fields = before.map(|before| before.fields.clone()).unwrap_or_default();
        fields.extend(self.fields.clone());
        Self { fields, as_of: self.as_of.or_else(|| before?.as_of) }
    }

    /// The fields that are told differently from before, all where nothing is known; none where this is older or of unknown age.
    /// An equal age may be news: an address alone changes without it.
    pub fn changes_since(&self, before: Option<&Self>) -> Vec<&str> {
        let Some(before) = before else { return self.fields.keys().map(String::as_str).collect() };
        if self.as_of < before.as_of {
            return Vec::new();
        }
        let differs = |(field, print): &(&String, &String)| before.fields.get(*field) != Some(*print);
        self.fields.iter().filter(differs).map(|(field, _)| field.as_str()).collect()
    }
}

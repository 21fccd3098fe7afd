//! The part of Sage's lists that a browser knows: what the fields name, and what was looked up.

use domain::settings::{Choices, List};
use views::settings::Entry;

/// The list of time zones.
pub const ZONES: &str = "time-zones";

/// The entries that were seen so far.
pub struct Known<'a> {
    /// The entries.
    pub entries: &'a [Entry],
    /// Whether the business is registered for tax.
    pub is_registered: bool,
}

impl Choices for Known<'_> {
    fn has(&self, list: List, id: &str) -> bool {
        self.entries.iter().any(|entry| entry.list == list.as_str() && entry.id == id)
    }

    fn find(&self, list: List, typed: &str) -> Option<String> {
        let entries = || self.entries.iter().filter(|entry| entry.list == list.as_str());
        // Ids win over texts, texts over numbers, as on the server.
        let by_id = entries().find(|entry| entry.id == typed);
        let by_text = || entries().find(|entry| entry.text.eq_ignore_ascii_case(typed));
        let by_number =
            || entries().find(|entry| entry.number.is_some_and(|number| number.to_string() == typed));
        by_id.or_else(by_text).or_else(by_number).map(|entry| entry.id.clone())
    }

    fn is_registered_for_tax(&self) -> bool {
        self.is_registered
    }

    fn is_time_zone(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.list == ZONES && entry.id == name)
    }
}

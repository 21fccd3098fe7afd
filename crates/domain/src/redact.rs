//! What is kept of a document in the audit trail: ids, sums, dates, states, articles. What belongs to a person is struck out before
//! anything is stored.
//!
//! Two nets, one behind the other. A text stays only where its key is known to hold nothing of a person's ([`keys`]); whatever is
//! new in Magento's or Sage's bodies is struck out until somebody has looked at it. And what was struck out once is struck out in
//! every text after it as well, wherever it stands: in what Sage displays, in its messages, in the Plan.

mod keys;
mod short;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::plan::{Adopt, Plan};

pub use short::{LARGEST, shortened};

/// Stands where something was struck out.
pub const STRUCK: &str = "\u{2022}\u{2022}\u{2022}";

/// What begins the customer's own number in the notes of a document.
const PURCHASE_ORDER: &str = "Purchase Order: ";

/// Shorter texts are not looked for elsewhere: they would be found in words of every kind.
const SHORTEST: usize = 4;

/// The most choices of a Plan that are kept; an invoice of a thousand lines has a choice a line.
const MOST_RULES: usize = 300;

/// Strikes out what belongs to people, and remembers it for what comes after.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    struck: BTreeSet<String>,
}

impl Redactor {
    /// Remembers what is to be struck out, so that it is found in what comes after.
    pub fn learn(&mut self, value: &Value) {
        let mut names = Vec::new();
        walk(Place::START, value, &mut |place, text| {
            if let Some(text) = text.as_str().filter(|_| keys::tells_who(place.name, place.is_person)) {
                names.push(text.to_owned());
            }
            Value::Null
        });
        names.extend(names_together(value));
        for name in &names {
            self.remember(name.trim());
        }
    }

    /// The value without what belongs to people. Learns from it first. Keys, lists and their lengths stay as they are.
    #[must_use]
    pub fn value(&mut self, value: &Value) -> Value {
        self.learn(value);
        walk(Place::START, value, &mut |place, value| self.struck(place, value))
    }

    /// The same as text, no longer than [`LARGEST`]; nothing for nothing.
    #[must_use]
    pub fn kept(&mut self, value: &Value) -> Option<String> {
        if value.is_null() {
            return None;
        }
        let redacted = self.value(value);
        Some(shortened(redacted, LARGEST).to_string())
    }

    /// The text without what is known to belong to people, and without anything that looks like an e-mail address.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // The longest first: a name may hold another.
        let mut struck: Vec<&String> = self.struck.iter().collect();
        struck.sort_by_key(|word| std::cmp::Reverse(word.len()));
        for word in struck {
            text = without(&text, word);
        }
        if text.contains('@') {
            text.split_inclusive(char::is_whitespace).map(no_address).collect()
        } else {
            text
        }
    }

    /// The Plan without what belongs to people, its bodies no longer than [`LARGEST`].
    #[must_use]
    pub fn plan(&mut self, plan: &Plan) -> Plan {
        for call in &plan.calls {
            self.learn(&call.body);
        }
        let mut plan = plan.clone();
        for call in &mut plan.calls {
            call.body = shortened(self.value(&call.body), LARGEST);
            if let Some(Adopt::Contact { email: Some(email), .. }) = &mut call.adopt {
                STRUCK.clone_into(email);
            }
        }
        let left_out = plan.rules.len().saturating_sub(MOST_RULES);
        plan.rules.truncate(MOST_RULES);
        for rule in &mut plan.rules {
            for text in [&mut rule.subject, &mut rule.chosen, &mut rule.input] {
                *text = self.text(text);
            }
        }
        plan.message = plan.message.map(|message| self.text(&message));
        plan.notes = plan.notes.iter().map(|note| self.text(note)).collect();
        if left_out > 0 {
            plan.notes.push(format!("{left_out} more choices were made and are not kept."));
        }
        plan
    }

    fn remember(&mut self, text: &str) {
        if text.chars().count() >= SHORTEST && !text.contains(STRUCK) {
            self.struck.insert(text.to_owned());
        }
    }

    /// A value of a member: struck out, or without what is known to belong to people.
    fn struck(&self, place: Place<'_>, value: &Value) -> Value {
        match value {
            Value::Number(_) if keys::is_private(place.name) => Value::from(STRUCK),
            Value::String(_) if !place.stays() => Value::from(STRUCK),
            Value::String(text) if place.name == "notes" => {
                Value::from(self.text(&without_order_number(text)))
            }
            Value::String(text) => Value::from(self.text(text)),
            other => other.clone(),
        }
    }
}

/// Where a text or a number stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The key of the object around it, or of the list that the object is in.
    object: &'a str,
    /// Whether that object tells of a person.
    is_person: bool,
    /// Whether it tells of what is sold.
    is_article: bool,
    /// Its own key, or that of its list; empty for a bare text.
    name: &'a str,
}

impl<'a> Place<'a> {
    /// Where a body begins.
    const START: Place<'static> = Place { object: "", is_person: false, is_article: false, name: "" };

    /// What stands under a key of an object that stands here.
    fn within(self, members: &Map<String, Value>, name: &'a str) -> Self {
        let is_person =
            keys::is_about_people(self.name) || members.keys().any(|key| keys::shows_a_person(key));
        Self { object: self.name, is_person, is_article: members.contains_key("sku"), name }
    }

    fn stays(self) -> bool {
        keys::stays(self.name, self.object, self.is_person, self.is_article)
    }
}

/// The value with each text, number, truth and nothing in it replaced.
fn walk<'a>(
    place: Place<'a>,
    value: &'a Value,
    replace: &mut impl FnMut(Place<'_>, &Value) -> Value,
) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), walk(place.within(members, name), member, replace)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| walk(place, item, replace)).collect(),
        other => replace(place, other),
    }
}

/// Given name and family name, as others put them together.
fn names_together(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let part = |key: &str| members.get(key).and_then(Value::as_str).map(str::trim);
            let own =
                part("first_name").zip(part("last_name")).map(|(first, last)| format!("{first} {last}"));
            own.into_iter().chain(members.values().flat_map(names_together)).collect()
        }
        Value::Array(items) => items.iter().flat_map(names_together).collect(),
        _ => Vec::new(),
    }
}

/// The notes without the number that the customer gave.
fn without_order_number(notes: &str) -> String {
    match notes.split_once(PURCHASE_ORDER) {
        Some((before, _)) => format!("{before}{PURCHASE_ORDER}{STRUCK}"),
        None => notes.to_owned(),
    }
}

/// The text with each whole `word` in it struck out: `Lee` is not in `Leeds`.
fn without(text: &str, word: &str) -> String {
    let mut left = text;
    let mut done = String::with_capacity(text.len());
    while let Some(at) = left.find(word) {
        let (before, rest) = left.split_at(at);
        let after = &rest[word.len()..];
        let joins = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let last = before.chars().next_back().or_else(|| done.chars().next_back());
        done.push_str(before);
        done.push_str(if joins(last) || joins(after.chars().next()) { word } else { STRUCK });
        left = after;
    }
    done.push_str(left);
    done
}

/// A word with the space behind it, struck out where it looks like an e-mail address.
fn no_address(word: &str) -> String {
    let bare = word.trim_end();
    let looks_like =
        bare.split_once('@').is_some_and(|(before, after)| !before.is_empty() && after.len() > 2);
    if looks_like { format!("{STRUCK}{}", &word[bare.len()..]) } else { word.to_owned() }
}

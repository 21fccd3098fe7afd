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
mod words;

use serde_json::{Map, Value};

use crate::plan::{Adopt, Plan};

use short::LONGEST_TEXT;
use words::PrivateWords;

pub use short::{LARGEST, shortened};
pub use words::STRUCK;

/// What begins the customer's own number in the notes of a document.
const PURCHASE_ORDER: &str = "Purchase Order: ";

/// The most choices of a Plan that are kept; an invoice of a thousand lines has a choice a line.
const MOST_RULES: usize = 300;

/// A larger value loses the ends of its lists before it is looked at, in bytes.
const WORTH_CUTTING_FIRST: usize = 8 * LARGEST;

/// Whether what stands under a key of a document belongs to nobody.
pub fn is_public(key: &str) -> bool {
    keys::stays(key, "", false, false)
}

/// Strikes out what belongs to people, and remembers it for what comes after.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    words: PrivateWords,
}

impl Redactor {
    /// Remembers what is to be struck out, so that it is found in what comes after.
    pub fn learn(&mut self, value: &Value) {
        let mut names = Vec::new();
        walk(RedactPlace::START, value, usize::MAX, &mut |place, text| {
            if let Some(text) = text.as_str().filter(|_| keys::tells_who(place.name, place.is_person)) {
                names.push(text.to_owned());
            }
            Value::Null
        });
        names_together(value, &mut names);
        for name in &names {
            self.words.insert(name.trim());
        }
    }

    /// The value without what belongs to people. Learns from it first. Keys, lists and their lengths stay as they are.
    #[must_use]
    pub fn value(&mut self, value: &Value) -> Value {
        self.learn(value);
        self.whole(value)
    }

    /// The same as text, no longer than [`LARGEST`]; nothing for nothing.
    #[must_use]
    pub fn kept(&mut self, value: &Value) -> Option<String> {
        if value.is_null() {
            return None;
        }
        self.learn(value);
        Some(self.short(value).to_string())
    }

    /// The same where the value is no larger than `limit`, in bytes; a larger one is not looked at, and only its size is kept.
    #[must_use]
    pub fn kept_within(&mut self, value: &Value, limit: usize) -> Option<String> {
        let size = short::size(value);
        if size > limit { Some(short::too_many(size).to_string()) } else { self.kept(value) }
    }

    /// What is kept of a value that was learnt. Of a large one only what can survive the cut is looked at.
    fn short(&self, value: &Value) -> Value {
        let size = short::size(value);
        if size <= WORTH_CUTTING_FIRST {
            return shortened(self.whole(value), LARGEST);
        }
        let Some(entries) = short::entries_that_may_fit(value, LARGEST) else {
            return short::too_many(size);
        };
        let start = walk(RedactPlace::START, value, entries, &mut |place, value| {
            self.struck(place, value, LONGEST_TEXT + 1)
        });
        short::cut_as(&start, value, LARGEST)
    }

    fn whole(&self, value: &Value) -> Value {
        walk(RedactPlace::START, value, usize::MAX, &mut |place, value| self.struck(place, value, usize::MAX))
    }

    /// The text without what is known to belong to people, and without anything that looks like an e-mail address.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.words.struck_from(text, usize::MAX)
    }

    /// The Plan without what belongs to people, its bodies no longer than [`LARGEST`].
    #[must_use]
    pub fn plan(&mut self, plan: &Plan) -> Plan {
        for call in &plan.calls {
            self.learn(&call.body);
        }
        let mut plan = plan.clone();
        for call in &mut plan.calls {
            call.body = self.short(&call.body);
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

    /// A value of a member: struck out, or the beginning of it without what is known to belong to people.
    fn struck(&self, place: RedactPlace<'_>, value: &Value, characters: usize) -> Value {
        match value {
            Value::Number(_) if keys::is_private(place.name) => Value::from(STRUCK),
            Value::String(_) if !place.stays() => Value::from(STRUCK),
            Value::String(text) if place.name == "notes" => {
                Value::from(self.words.struck_from(&without_order_number(text), characters))
            }
            Value::String(text) => Value::from(self.words.struck_from(text, characters)),
            other => other.clone(),
        }
    }
}

/// Where a text or a number stands.
#[derive(Clone, Copy)]
struct RedactPlace<'a> {
    /// The key of the object around it, or of the list that the object is in.
    object: &'a str,
    /// Whether that object tells of a person.
    is_person: bool,
    /// Whether it tells of what is sold.
    is_article: bool,
    /// Its own key, or that of its list; empty for a bare text.
    name: &'a str,
}

impl RedactPlace<'_> {
    /// Where a body begins.
    const START: RedactPlace<'static> =
        RedactPlace { object: "", is_person: false, is_article: false, name: "" };

    /// What stands in an object that stands here, under a key that is not known yet.
    fn within(self, members: &Map<String, Value>) -> Self {
        let is_person =
            keys::is_about_people(self.name) || members.keys().any(|key| keys::shows_a_person(key));
        Self { object: self.name, is_person, is_article: members.contains_key("sku"), name: "" }
    }

    fn stays(self) -> bool {
        keys::stays(self.name, self.object, self.is_person, self.is_article)
    }
}

/// The value with each text, number, truth and nothing in it replaced, and no more than so many entries of each list.
fn walk<'a>(
    place: RedactPlace<'a>,
    value: &'a Value,
    entries: usize,
    replace: &mut impl FnMut(RedactPlace<'_>, &Value) -> Value,
) -> Value {
    match value {
        Value::Object(members) => {
            let within = place.within(members);
            let member = |(name, member): (&'a String, &'a Value)| {
                (name.clone(), walk(RedactPlace { name, ..within }, member, entries, replace))
            };
            members.iter().map(member).collect()
        }
        Value::Array(items) => {
            items.iter().take(entries).map(|item| walk(place, item, entries, replace)).collect()
        }
        other => replace(place, other),
    }
}

/// Given name and family name, as others put them together.
fn names_together(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            let part = |key: &str| members.get(key).and_then(Value::as_str).map(str::trim);
            names.extend(
                part("first_name").zip(part("last_name")).map(|(first, last)| format!("{first} {last}")),
            );
            members.values().for_each(|member| names_together(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| names_together(item, names)),
        _ => {}
    }
}

/// The notes without the number that the customer gave.
fn without_order_number(notes: &str) -> String {
    match notes.split_once(PURCHASE_ORDER) {
        Some((before, _)) => format!("{before}{PURCHASE_ORDER}{STRUCK}"),
        None => notes.to_owned(),
    }
}

//! What stands in the form of the settings: a signal for each field, and a row of signals for each entry of a map.

use domain::settings::{
    FieldProblem, Problems, Settings, TaxKey,
    cards::{self, Kind},
    form::{Form, in_order},
};
use leptos::{prelude::*, task::spawn_local};
use views::settings::{Entry, FormState, Pairs};

use super::{
    browser,
    known::Known,
    rows::{Row, Seen, rows},
};
use crate::api::settings::{Sent, check_settings};

/// By the path of its field.
type Named<T> = (&'static str, T);

/// The form.
#[derive(Clone, Copy)]
pub struct Model {
    fields: StoredValue<Vec<Named<RwSignal<String>>>>,
    maps: StoredValue<Vec<Named<RwSignal<Vec<Row>>>>>,
    binding: StoredValue<String>,
    is_registered: bool,
    /// Why the settings are changed.
    pub reason: RwSignal<String>,
    /// The version that the form stands upon.
    pub replaces: RwSignal<i64>,
    /// What is saved.
    pub saved: RwSignal<Form>,
    /// What is wrong, as far as it is shown.
    pub problems: RwSignal<Problems>,
    /// The entries of Sage's lists that were seen so far.
    pub known: RwSignal<Vec<Entry>>,
    /// What is read out.
    pub said: RwSignal<String>,
}

impl Model {
    /// The form as the server has rendered it; in the browser with what was typed until now.
    pub fn new(state: &FormState) -> Self {
        let form = Form::from(state.pairs.clone());
        let (mut fields, mut maps) = (Vec::new(), Vec::new());
        for field in cards::fields() {
            if is_map(&field.kind) {
                maps.push((field.path, RwSignal::new(rows(state, &form, field))));
            } else {
                let given = form.get(field.path).unwrap_or_default();
                fields.push((field.path, RwSignal::new(browser::typed(field.path, given))));
            }
        }
        Self {
            fields: StoredValue::new(fields),
            maps: StoredValue::new(maps),
            binding: StoredValue::new(state.id.clone()),
            is_registered: state.is_registered,
            reason: RwSignal::new(browser::typed("reason", &state.reason)),
            replaces: RwSignal::new(state.replaces),
            saved: RwSignal::new(Form::from(state.saved.clone())),
            problems: RwSignal::new(state.problems.clone()),
            known: RwSignal::new(state.known.clone()),
            said: RwSignal::new(String::new()),
        }
    }

    /// The binding's id.
    pub fn binding(self) -> String {
        self.binding.get_value()
    }

    /// What stands in a field.
    pub fn text(self, path: &str) -> RwSignal<String> {
        let found = self
            .fields
            .with_value(|fields| fields.iter().find(|(own, _)| *own == path).map(|(_, text)| *text));
        found.unwrap_or_default()
    }

    /// The rows of a map.
    pub fn rows(self, path: &str) -> RwSignal<Vec<Row>> {
        let found =
            self.maps.with_value(|maps| maps.iter().find(|(own, _)| *own == path).map(|(_, rows)| *rows));
        found.unwrap_or_default()
    }

    /// The names and values, as a browser would send them.
    pub fn pairs(self) -> Pairs {
        let mut pairs = Pairs::new();
        for field in cards::fields() {
            if !is_map(&field.kind) {
                pairs.push((field.path.to_owned(), self.text(field.path).get()));
                continue;
            }
            let mut push = |part: &str, text: String| pairs.push((format!("{}.{part}", field.path), text));
            // Without any row the form would say nothing of the map.
            push("key", String::new());
            push("value", String::new());
            for row in self.rows(field.path).get() {
                push("key", if row.is_empty() { String::new() } else { row.whole_key() });
                push("value", row.value.get());
            }
        }
        pairs
    }

    /// What is sent to the server.
    pub fn sent(self) -> Sent {
        let mut pairs = untrack(|| self.pairs());
        pairs.push(("replaces".to_owned(), self.replaces.get_untracked().to_string()));
        pairs.push(("reason".to_owned(), self.reason.get_untracked()));
        Sent { binding: self.binding(), pairs }
    }

    /// Whether a field is not as it was saved.
    pub fn is_changed(self, path: &str) -> bool {
        let text = self.text(path);
        self.saved.with(|saved| text.with(|text| saved.get(path).unwrap_or_default() != text.trim()))
    }

    /// Whether a row is not as it was saved.
    pub fn is_row_changed(self, path: &str, row: Row) -> bool {
        let (key, value) = (row.whole_key(), row.value.get());
        self.saved.with(|saved| {
            let rows = saved.rows(path);
            let was = rows.iter().find(|own| own.key == key).map(|own| own.value).unwrap_or_default();
            was != value.trim()
                || (was.is_empty() && !key.is_empty() && row.label.with_value(Option::is_none))
        })
    }

    /// How many fields and entries are not as they were saved.
    pub fn changes(self) -> usize {
        let form = Form::from(self.pairs());
        self.saved.with(|saved| {
            let of_field = |field: &cards::Field| {
                if is_map(&field.kind) {
                    differing_rows(&form, saved, field.path)
                } else {
                    usize::from(form.get(field.path).map(str::trim) != saved.get(field.path).map(str::trim))
                }
            };
            cards::fields().map(of_field).sum()
        })
    }

    /// What is wrong at a path, as far as it is shown.
    pub fn problem(self, path: &str) -> Option<FieldProblem> {
        self.problems
            .with(|problems| problems.iter().find(|(own, _)| own == path).map(|(_, problem)| *problem))
    }

    /// Withdraws what is wrong at a path: somebody is at it.
    pub fn withdraw(self, path: &str) {
        if self.problems.with_untracked(|problems| problems.iter().any(|(own, _)| own == path)) {
            self.problems.update(|problems| problems.retain(|(own, _)| own != path));
        }
    }

    /// What the rules say of the form, as far as the lists are known here.
    pub fn found(self) -> Problems {
        let form = Form::from(untrack(|| self.pairs()));
        let known = Known { entries: &self.known.read_untracked(), is_registered: self.is_registered };
        form.read(&Settings::default(), &known).1
    }

    /// Somebody has left a field: what is wrong with it is shown, and nothing that is right by now.
    pub fn left(self, path: &str) {
        let found = self.found();
        let own: Problems = found.iter().filter(|(own, _)| own == path).cloned().collect();
        let is_open = own.iter().any(|(path, problem)| is_for_the_server(path, *problem));
        if !is_open {
            self.read_out(&own);
        }
        self.problems.update(|problems| {
            problems.retain(|problem| problem.0 != path && found.contains(problem));
            if !is_open {
                problems.extend(own);
            }
            *problems = in_order(std::mem::take(problems));
        });
        if is_open {
            self.ask(path.to_owned());
        }
    }

    /// The focus has moved on: what is wrong is read out, because nobody sees it coming.
    fn read_out(self, problems: &Problems) {
        if let Some((path, problem)) = problems.first() {
            self.said.set(problem.sentence(path).to_owned());
        }
    }

    /// The server knows the whole lists: it has the last word on a name that is not known here.
    fn ask(self, path: String) {
        let sent = self.sent();
        spawn_local(async move {
            let Ok(answer) = check_settings(sent.clone()).await else { return };
            self.learn(answer.known);
            if sent == self.sent() {
                self.withdraw(&path);
                let own: Problems = answer.problems.into_iter().filter(|(own, _)| *own == path).collect();
                self.read_out(&own);
                self.problems.update(|problems| {
                    problems.extend(own);
                    *problems = in_order(std::mem::take(problems));
                });
            }
        });
    }

    /// Remembers entries of the lists.
    pub fn learn(self, entries: Vec<Entry>) {
        self.known.update(|known| {
            for entry in entries.into_iter().filter(|entry| !entry.id.is_empty()) {
                if !known.iter().any(|own| own.list == entry.list && own.id == entry.id) {
                    known.push(entry);
                }
            }
        });
    }

    /// Fills in a form; what was typed since `sent` was sent stays.
    pub fn fill(self, form: &Form, sent: Option<&Form>) {
        let now = Form::from(untrack(|| self.pairs()));
        for field in cards::fields() {
            if is_map(&field.kind) {
                if sent.is_none_or(|sent| sent.rows(field.path) == now.rows(field.path)) {
                    self.fill_rows(field.path, form);
                }
            } else if let Some(wanted) = form.get(field.path) {
                let is_free = sent.is_none_or(|sent| sent.get(field.path) == now.get(field.path));
                if is_free && now.get(field.path) != Some(wanted) {
                    self.text(field.path).set(wanted.to_owned());
                }
            }
        }
    }

    /// Rows keep their places; what is new comes last.
    fn fill_rows(self, path: &str, form: &Form) {
        let mut wanted: Vec<(String, String)> = Vec::new();
        for row in form.rows(path) {
            if !(row.key.is_empty() && row.value.is_empty()) {
                wanted.push((row.key.to_owned(), row.value.to_owned()));
            }
        }
        let mut rows = self.rows(path).get_untracked();
        rows.retain(|row| {
            let key = untrack(|| row.whole_key());
            let place = wanted.iter().position(|(wanted, _)| canonical(wanted) == canonical(&key));
            let found = place.map(|place| wanted.remove(place));
            let is_kept =
                found.is_some() || row.label.with_value(Option::is_some) || row.seen != Seen::Always;
            let (key, value) = found.unwrap_or_default();
            row.write(&key, &value);
            is_kept
        });
        let next = rows.iter().map(|row| row.number + 1).max().unwrap_or_default();
        let new = wanted.iter().enumerate();
        rows.extend(new.map(|(place, (key, value))| Row::new(next + place, key, value, None, Seen::Always)));
        self.rows(path).set(rows);
    }

    /// Whether another row has the same key.
    pub fn has_twin(self, path: &str, row: Row) -> bool {
        let key = |row: Row| canonical(&untrack(|| row.whole_key()));
        let own = key(row);
        let rows = self.rows(path).get_untracked();
        !own.is_empty() && rows.into_iter().any(|other| other.number != row.number && key(other) == own)
    }

    /// Adds an empty row, and tells its number.
    pub fn add_row(self, path: &str) -> usize {
        let rows = self.rows(path);
        let number =
            rows.with_untracked(|rows| rows.iter().map(|row| row.number + 1).max().unwrap_or_default());
        rows.update(|rows| rows.push(Row::new(number, "", "", None, Seen::Always)));
        number
    }
}

/// Whether a field has rows.
pub const fn is_map(kind: &Kind) -> bool {
    matches!(kind, Kind::PaymentMethods | Kind::TaxRates | Kind::ProductTypes)
}

/// Whether only the server can tell that this is wrong: most entries of the lists are not known here.
pub fn is_for_the_server(path: &str, problem: FieldProblem) -> bool {
    let kind = cards::field_of(path).map(|field| &field.kind);
    problem == FieldProblem::NotInReference
        || (problem == FieldProblem::InvalidFormat && matches!(kind, Some(Kind::Zone(_))))
}

/// A key in one way of writing, where it is a percentage.
fn canonical(key: &str) -> String {
    key.parse::<TaxKey>().map_or_else(|_| key.to_owned(), |key| key.to_string())
}

fn differing_rows(form: &Form, saved: &Form, path: &str) -> usize {
    let (now, was) = (form.rows(path), saved.rows(path));
    let filled = now.iter().filter(|row| !row.value.is_empty());
    let new = filled.clone().filter(|row| !was.contains(row)).count();
    let gone = was.iter().filter(|row| !row.value.is_empty() && filled.clone().all(|own| own.key != row.key));
    new + gone.count()
}

impl Model {
    /// The id of the input that a path is about.
    pub fn place_of(self, path: &str) -> String {
        let Some(field) = cards::field_of(path).filter(|field| is_map(&field.kind)) else {
            return path.to_owned();
        };
        let rows = self.rows(field.path).get_untracked();
        let key = path.strip_prefix(field.path).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
        let row = rows.into_iter().find(|row| untrack(|| !row.is_empty() && row.whole_key() == key));
        let Some(row) = row else { return field.path.to_owned() };
        let part = if row.label.with_value(Option::is_some) { "value" } else { "key" };
        format!("{}.{}-{part}", field.path, row.number)
    }

    /// Sets what a path is about: a field, or the entry of a map.
    pub fn set(self, path: &str, text: &str) {
        let Some(field) = cards::field_of(path).filter(|field| is_map(&field.kind)) else {
            self.text(path).set(text.to_owned());
            return;
        };
        let key = path.strip_prefix(field.path).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
        let rows = self.rows(field.path);
        let row = rows.get_untracked().into_iter().find(|row| untrack(|| row.whole_key() == key));
        match row {
            Some(row) => row.value.set(text.to_owned()),
            None if text.is_empty() => {}
            None => {
                let number = self.add_row(field.path);
                let new = rows.get_untracked().into_iter().find(|row| row.number == number);
                if let Some(row) = new {
                    row.write(key, text);
                }
            }
        }
    }
}

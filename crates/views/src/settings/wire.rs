//! How the form of the settings travels to the browser and back: rows of words. One shape for all of it, because what serde derives for
//! each type by itself is a third of the browser's bundle.

use domain::settings::{Asked, FieldProblem, Problems};

use super::{
    Crossed, Entry, FixView, FormState, Found, ListsAge, Pairs, PaymentMethod, Rows, SettingsChecked,
    SettingsError, SettingsSaved,
};
use crate::{error::ErrorCode, format::Moment};

/// Writes rows.
#[derive(Default)]
struct Writer(Rows);

impl Writer {
    fn row<const N: usize>(&mut self, kind: &str, words: [String; N]) {
        self.0.push(std::iter::once(kind.to_owned()).chain(words).collect());
    }

    fn word(&mut self, kind: &str, word: &impl ToString) {
        self.row(kind, [word.to_string()]);
    }

    fn maybe(&mut self, kind: &str, word: Option<impl ToString>) {
        if let Some(word) = word {
            self.word(kind, &word);
        }
    }

    fn pairs(&mut self, kind: &str, pairs: Pairs) {
        for (name, value) in pairs {
            self.row(kind, [name, value]);
        }
    }

    fn problems(&mut self, problems: Problems) {
        for (path, problem) in problems {
            self.row("problem", [path, problem.as_str().to_owned()]);
        }
    }

    fn known(&mut self, known: Vec<Entry>) {
        for Entry { list, id, text, number, note } in known {
            let number = number.map(|number| number.to_string()).unwrap_or_default();
            self.row("known", [list, id, text, number, note]);
        }
    }

    fn lists(&mut self, lists: ListsAge) {
        let ListsAge { fetched: Moment { iso, day, time }, age, is_stale } = lists;
        self.row("lists", [iso, day, time, age, is_stale.to_string()]);
    }

    fn crossed(&mut self, crossed: Option<Crossed>) {
        let Some(Crossed { version, author, saved, pairs, asked, known }) = crossed else { return };
        self.word("crossed", &version);
        self.maybe("author", author);
        self.pairs("theirs", saved);
        self.pairs("both", pairs);
        self.known(known);
        for Asked { path, label, theirs, theirs_typed, mine } in asked {
            self.row("asked", [path, label, theirs, theirs_typed, mine]);
        }
    }
}

/// Reads rows.
struct Reader(Rows);

impl Reader {
    fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a [String]> {
        self.0
            .iter()
            .filter_map(move |row| row.split_first().filter(|(own, _)| *own == kind).map(|(_, rest)| rest))
    }

    fn maybe(&self, kind: &str) -> Option<String> {
        self.all(kind).next()?.first().cloned()
    }

    fn text(&self, kind: &str) -> String {
        self.maybe(kind).unwrap_or_default()
    }

    fn number(&self, kind: &str) -> i64 {
        self.maybe(kind).and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    fn is(&self, kind: &str) -> bool {
        self.maybe(kind).is_some_and(|word| word == "true")
    }

    fn code(&self, kind: &str) -> Option<ErrorCode> {
        self.maybe(kind)?.parse().ok()
    }

    fn pairs(&self, kind: &str) -> Pairs {
        self.all(kind).map(|row| (at(row, 0), at(row, 1))).collect()
    }

    fn problems(&self) -> Problems {
        let problem = |row: &[String]| Some((at(row, 0), FieldProblem::of(row.get(1)?)?));
        self.all("problem").filter_map(problem).collect()
    }

    fn known(&self) -> Vec<Entry> {
        let entry = |row: &[String]| Entry {
            list: at(row, 0),
            id: at(row, 1),
            text: at(row, 2),
            number: at(row, 3).parse().ok(),
            note: at(row, 4),
        };
        self.all("known").map(entry).collect()
    }

    fn lists(&self) -> ListsAge {
        let row = self.all("lists").next().unwrap_or_default();
        let fetched = Moment { iso: at(row, 0), day: at(row, 1), time: at(row, 2) };
        ListsAge { fetched, age: at(row, 3), is_stale: at(row, 4) == "true" }
    }

    fn crossed(&self) -> Option<Crossed> {
        self.maybe("crossed")?;
        let asked = |row: &[String]| Asked {
            path: at(row, 0),
            label: at(row, 1),
            theirs: at(row, 2),
            theirs_typed: at(row, 3),
            mine: at(row, 4),
        };
        Some(Crossed {
            version: self.number("crossed"),
            author: self.maybe("author"),
            saved: self.pairs("theirs"),
            pairs: self.pairs("both"),
            asked: self.all("asked").map(asked).collect(),
            known: self.known(),
        })
    }
}

fn at(row: &[String], place: usize) -> String {
    row.get(place).cloned().unwrap_or_default()
}

impl From<FormState> for Rows {
    fn from(state: FormState) -> Self {
        let mut rows = Writer::default();
        rows.word("id", &state.id);
        rows.word("member", &state.member);
        rows.word("replaces", &state.replaces);
        rows.word("reason", &state.reason);
        rows.word("rows", &state.rows);
        rows.word("is_refused", &state.is_refused);
        rows.word("is_registered", &state.is_registered);
        rows.word("may_set", &state.may_set);
        rows.pairs("pair", state.pairs);
        rows.pairs("saved", state.saved);
        rows.problems(state.problems);
        rows.known(state.known);
        rows.lists(state.lists);
        rows.maybe("methods_problem", state.methods_problem.map(ErrorCode::as_str));
        for PaymentMethod { code, label, is_active } in state.methods {
            rows.row("method", [code, label, is_active.to_string()]);
        }
        if let Some(FixView { cause, sentence, documents, value, href, retry, place }) = state.fix {
            rows.row("fix", [cause, sentence, documents, href, place]);
            rows.maybe("fix_value", value);
            rows.maybe("fix_retry", retry);
        }
        rows.crossed(state.crossed);
        rows.0
    }
}

impl From<Rows> for FormState {
    fn from(rows: Rows) -> Self {
        let rows = Reader(rows);
        let method = |row: &[String]| PaymentMethod {
            code: at(row, 0),
            label: at(row, 1),
            is_active: at(row, 2) == "true",
        };
        let fix = |row: &[String]| FixView {
            cause: at(row, 0),
            sentence: at(row, 1),
            documents: at(row, 2),
            href: at(row, 3),
            place: at(row, 4),
            value: rows.maybe("fix_value"),
            retry: rows.maybe("fix_retry"),
        };
        Self {
            id: rows.text("id"),
            member: rows.text("member"),
            replaces: rows.number("replaces"),
            reason: rows.text("reason"),
            rows: usize::try_from(rows.number("rows")).unwrap_or_default(),
            is_refused: rows.is("is_refused"),
            is_registered: rows.is("is_registered"),
            may_set: rows.is("may_set"),
            pairs: rows.pairs("pair"),
            saved: rows.pairs("saved"),
            problems: rows.problems(),
            known: rows.known(),
            lists: rows.lists(),
            methods_problem: rows.code("methods_problem"),
            methods: rows.all("method").map(method).collect(),
            fix: rows.all("fix").next().map(fix),
            crossed: rows.crossed(),
        }
    }
}

impl From<SettingsSaved> for Rows {
    fn from(saved: SettingsSaved) -> Self {
        let mut rows = Writer::default();
        rows.word("version", &saved.version);
        rows.word("sentence", &saved.sentence);
        rows.pairs("saved", saved.saved);
        rows.known(saved.known);
        rows.maybe("undo", saved.undo);
        rows.0
    }
}

impl From<Rows> for SettingsSaved {
    fn from(rows: Rows) -> Self {
        let rows = Reader(rows);
        Self {
            version: rows.number("version"),
            sentence: rows.text("sentence"),
            saved: rows.pairs("saved"),
            known: rows.known(),
            undo: rows.maybe("undo").and_then(|version| version.parse().ok()),
        }
    }
}

impl From<SettingsChecked> for Rows {
    fn from(checked: SettingsChecked) -> Self {
        let mut rows = Writer::default();
        rows.problems(checked.problems);
        rows.known(checked.known);
        rows.lists(checked.lists);
        rows.0
    }
}

impl From<Rows> for SettingsChecked {
    fn from(rows: Rows) -> Self {
        let rows = Reader(rows);
        Self { problems: rows.problems(), known: rows.known(), lists: rows.lists() }
    }
}

impl From<SettingsError> for Rows {
    fn from(error: SettingsError) -> Self {
        let mut rows = Writer::default();
        rows.word("code", &error.code.as_str());
        rows.problems(error.problems);
        rows.crossed(error.crossed.map(|crossed| *crossed));
        rows.0
    }
}

impl From<Rows> for SettingsError {
    fn from(rows: Rows) -> Self {
        let rows = Reader(rows);
        Self {
            code: rows.code("code").unwrap_or(ErrorCode::Internal),
            problems: rows.problems(),
            crossed: rows.crossed().map(Box::new),
        }
    }
}

impl From<Found> for Rows {
    fn from(found: Found) -> Self {
        let mut rows = Writer::default();
        rows.known(found.0);
        rows.0
    }
}

impl From<Rows> for Found {
    fn from(rows: Rows) -> Self {
        Self(Reader(rows).known())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_arrives() {
        let word = |text: &str| text.to_owned();
        let entry =
            Entry { list: word("a"), id: word("b"), text: word("c"), number: Some(4), note: word("d") };
        let crossed = Crossed {
            version: 3,
            author: None,
            saved: vec![(word("x"), word("1"))],
            pairs: vec![(word("x"), word("2"))],
            asked: vec![Asked {
                path: word("x"),
                label: word("X"),
                theirs: word("one"),
                theirs_typed: word("1"),
                mine: word("two"),
            }],
            known: vec![entry.clone()],
        };
        let error = SettingsError {
            code: ErrorCode::SettingsChanged,
            problems: vec![(word("x"), FieldProblem::TooLong)],
            crossed: Some(Box::new(crossed.clone())),
        };
        let back = SettingsError::from(Rows::from(error));
        assert_eq!((back.code, back.problems.len()), (ErrorCode::SettingsChanged, 1));
        assert_eq!(back.crossed.as_deref(), Some(&crossed));
        let saved = SettingsSaved {
            version: 4,
            sentence: word("done"),
            saved: vec![(word("x"), word(""))],
            known: vec![entry],
            undo: Some(3),
        };
        assert_eq!(SettingsSaved::from(Rows::from(saved.clone())), saved);
    }
}

//! The catalogue holds what the program says, nothing else, in the words of docs/writing.md.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

/// Words with what to write in their place.
fn avoided_words() -> Vec<(String, String)> {
    let list: BTreeMap<String, String> = toml::from_str(include_str!("../avoided.toml")).unwrap();
    assert!(list.len() > 10, "the list is elsewhere");
    list.into_iter().collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn messages() -> BTreeMap<String, String> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/messages.toml")).unwrap();
    let mut all = BTreeMap::new();
    let mut open: Vec<(String, Table)> = vec![(String::new(), toml::from_str(&text).unwrap())];
    while let Some((path, table)) = open.pop() {
        for (name, value) in table {
            let key = if path.is_empty() { name } else { format!("{path}.{name}") };
            match value {
                Value::Table(inner) => open.push((key, inner)),
                value => drop(all.insert(key, value.as_str().unwrap().to_owned())),
            }
        }
    }
    all
}

/// Every source file of the workspace.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("app/src"), root().join("server/src"), root().join("frontend/src")];
    folders
        .extend(fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path().join("src")));
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// What a source file says: the keys in it, a `*` where a table puts the word of each of its rows.
fn keys_in(text: &str) -> impl Iterator<Item = String> {
    text.split("message!(").skip(1).map(|rest| {
        let end = rest.find([',', ')']).unwrap_or(rest.len());
        let parts =
            rest[..end].split('.').map(|part| if part.trim().starts_with('$') { "*" } else { part.trim() });
        parts.collect::<Vec<_>>().join(".")
    })
}

fn is_used(key: &str, patterns: &[(Vec<String>, usize)], sources: &[(PathBuf, String)]) -> bool {
    patterns.iter().any(|(pattern, source)| {
        let words: Vec<&str> = key.split('.').collect();
        let matches = pattern.len() == words.len()
            && pattern.iter().zip(&words).all(|(part, word)| part == "*" || part == word);
        // The rows of a table name their words in the same file.
        let rows = pattern.iter().zip(&words).filter(|(part, _)| *part == "*");
        matches && rows.into_iter().all(|(_, word)| is_row(&sources[*source].1, word))
    })
}

/// Whether a table has a row of this word: it is followed by what else the row says, or ends it.
fn is_row(source: &str, word: &str) -> bool {
    [",", ".", ")"].iter().any(|end| source.contains(&format!("{word}{end}")))
}

#[test]
fn every_message_is_used() {
    let (messages, sources) = (messages(), sources());
    let patterns: Vec<(Vec<String>, usize)> = sources
        .iter()
        .enumerate()
        .flat_map(|(index, (_, text))| keys_in(text).map(move |key| (key, index)))
        .map(|(key, index)| (key.split('.').map(str::to_owned).collect(), index))
        .collect();
    let quoted = |key: &str| messages.values().any(|text| text.contains(&format!("{{{key}}}")));
    let unused: Vec<&String> =
        messages.keys().filter(|key| !is_used(key, &patterns, &sources) && !quoted(key)).collect();
    assert!(unused.is_empty(), "nobody says: {unused:#?}");
}

#[test]
fn no_message_is_empty_or_has_stray_blanks() {
    for (key, text) in messages() {
        // What is fine asks for nothing.
        let may_be_empty = key.starts_with("findings.") && key.ends_with(".action");
        assert!(
            (may_be_empty || !text.is_empty()) && text.trim() == text && !text.contains("  "),
            "{key}: {text:?}"
        );
    }
}

#[test]
fn sentences_and_actions_end_with_a_full_stop() {
    for (key, text) in messages() {
        if !text.is_empty() && (key.ends_with(".sentence") || key.ends_with(".action")) {
            assert!(text.ends_with('.') || text.ends_with(':'), "{key}: {text:?}");
        }
    }
}

/// The texts that say a word of the list, with what to write in its place.
fn avoided(texts: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
    let (words, mut found) = (avoided_words(), Vec::new());
    for (place, text) in texts {
        for (word, instead) in &words {
            if text.contains(word.as_str()) {
                found.push(format!("{place} says {word:?}, better {instead}: {text}"));
            }
        }
    }
    found
}

#[test]
fn messages_avoid_the_listed_words() {
    let found = avoided(messages());
    assert!(found.is_empty(), "{found:#?}");
}

/// What stands in quotes in a source file, without its comments and its tests.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n").replace("\\\"", "");
    code.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn pages_avoid_the_listed_words() {
    let of_pages = |path: &Path| path.starts_with(root().join("app/src/pages"));
    let of_components = |path: &Path| path.starts_with(root().join("app/src/components"));
    let pages: Vec<_> =
        sources().into_iter().filter(|(path, _)| of_pages(path) || of_components(path)).collect();
    assert!(pages.len() > 20, "the pages are elsewhere");
    let texts = pages.into_iter().flat_map(|(path, source)| {
        literals(&source).into_iter().map(move |text| (path.display().to_string(), text))
    });
    let found = avoided(texts);
    assert!(found.is_empty(), "{found:#?}");
}

/// The prose of a document: without code, comments, and the mark of a picture.
fn prose(line: &str) -> String {
    let is_code = line.starts_with("    ") || line.starts_with("<!--");
    let spans = if is_code { "" } else { line }.split('`').step_by(2);
    spans.collect::<Vec<_>>().join("").replace("![", "[")
}

#[test]
fn documents_avoid_the_listed_words() {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let lines = pages.chain([root().join("README.md")]).flat_map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().map(prose).collect();
        lines.into_iter().map(move |line| (path.display().to_string(), line))
    });
    let found = avoided(lines);
    assert!(found.is_empty(), "{found:#?}");
}

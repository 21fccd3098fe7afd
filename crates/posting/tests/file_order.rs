//! The files of this crate form a tree: none uses one above it, so that a document's way through them leads downwards only.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must say where")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The folders from the top down; a file beside them is beneath them all.
const FOLDERS: [&str; 7] =
    ["documents", "catalogue", "credit_note", "amounts", "tax_return", "terms", "contact"];

/// The files of the crate without its root, its tests and what tests are made of, by module path, such as `amounts::sums`.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let root = folders[0].clone();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().with_extension("");
            let module = name.to_str().unwrap().replace('/', "::");
            if !["lib", "fixtures"].contains(&module.as_str()) && !module.starts_with("tests") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                files.insert(module, code.lines().filter(|line| !line.trim().starts_with("//")).collect());
            }
        }
    }
    files
}

/// The paths of a tree of imports (`a::{b, c::D}`).
fn paths(tree: &str, before: &str, found: &mut Vec<String>) {
    let Some((stem, rest)) = tree.split_once('{') else {
        found.push(format!("{before}{}", tree.trim()));
        return;
    };
    let (before, inner) = (format!("{before}{}", stem.trim()), rest.rsplit_once('}').unwrap().0);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[start..at].trim().is_empty() {
                    paths(&inner[start..at], &before, found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The files that a file uses.
fn used(module: &str, code: &str, files: &BTreeMap<String, String>) -> BTreeSet<String> {
    assert!(!code.contains("super::"), "{module} uses `super`, which this test does not follow");
    let mut all = Vec::new();
    for part in code.split("crate::").skip(1) {
        let is_tree =
            part.starts_with('{') || part.split("::").next().is_some_and(|name| !name.contains(' '));
        let end = if is_tree { part.find([';', '(']).unwrap_or(part.len()) } else { part.len() };
        paths(&part[..end], "", &mut all);
    }
    let file_of = |path: &String| {
        let parts: Vec<&str> = path.split("::").collect();
        let found = (1..=parts.len()).rev().map(|count| parts[..count].join("::"));
        found.into_iter().find(|name| files.contains_key(name)).unwrap_or_else(|| {
            panic!("{module} uses `crate::{path}`, which is in no file beneath the crate's root")
        })
    };
    all.iter().map(file_of).filter(|other| other != module).collect()
}

/// A circle that begins and ends at a file, if there is one.
fn circle<'a>(
    file: &'a str,
    uses: &'a BTreeMap<String, BTreeSet<String>>,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<String> {
    if let Some(at) = way.iter().position(|other| *other == file) {
        return Some([&way[at..], &[file]].concat().join(" -> "));
    }
    if !done.insert(file) {
        return None;
    }
    way.push(file);
    let found = uses[file].iter().find_map(|other| circle(other, uses, way, done));
    way.pop();
    found
}

#[test]
fn no_file_uses_one_above_it() {
    let files = files();
    let uses: BTreeMap<String, BTreeSet<String>> =
        files.iter().map(|(module, code)| (module.clone(), used(module, code, &files))).collect();
    assert!(uses.values().map(BTreeSet::len).sum::<usize>() > 100, "the imports are not read: {uses:#?}");
    let mut done = BTreeSet::new();
    let circles: Vec<String> =
        uses.keys().filter_map(|file| circle(file, &uses, &mut Vec::new(), &mut done)).collect();
    assert!(circles.is_empty(), "files that use each other: {circles:#?}");
    let place = |module: &str| {
        let folder = module.split("::").next().unwrap();
        FOLDERS.iter().position(|other| *other == folder).unwrap_or(FOLDERS.len())
    };
    for (file, others) in &uses {
        for other in others {
            assert!(place(file) <= place(other), "{file} uses {other}, whose folder is above its own");
        }
    }
}

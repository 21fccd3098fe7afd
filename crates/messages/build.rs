//! Writes the macro `message!` from `messages.toml`: an arm for each message.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

use toml::{Table, Value};

/// What is in the catalogue, by its dotted key.
type Catalogue = BTreeMap<String, String>;

const FILE: &str = "messages.toml";

fn main() {
    println!("cargo::rerun-if-changed={FILE}");
    if let Err(problem) = write() {
        println!("cargo::error={FILE}: {problem}");
    }
}

fn write() -> Result<(), String> {
    let text = fs::read_to_string(FILE).map_err(|error| error.to_string())?;
    let table: Table = toml::from_str(&text).map_err(|error| error.to_string())?;
    let mut catalogue = Catalogue::new();
    collect("", &table, &mut catalogue)?;
    let out = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    fs::write(Path::new(&out).join("message.rs"), macro_of(&catalogue)?).map_err(|error| error.to_string())
}

fn collect(path: &str, table: &Table, into: &mut Catalogue) -> Result<(), String> {
    for (name, value) in table {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Value::Table(inner) => collect(&key, inner, into)?,
            Value::String(text) => drop(into.insert(key, text.clone())),
            _ => return Err(format!("{key} is neither a text nor a section")),
        }
    }
    Ok(())
}

fn macro_of(catalogue: &Catalogue) -> Result<String, String> {
    let mut arms = String::new();
    for key in catalogue.keys() {
        let text = resolved(key, catalogue)?;
        // Without figures it is a constant, also where constants are needed.
        let arm = if text.contains(['{', '}']) {
            format!("    ({key}, $($figures:tt)+) => {{ $crate::alloc::format!({text:?}, $($figures)+) }};")
        } else {
            format!("    ({key}) => {{ {text:?} }};")
        };
        let _infallible = writeln!(arms, "{arm}");
    }
    Ok(format!(
        "/// A message of the catalogue, `messages.toml`, by its key: a `&'static str`, or a `String` where it has figures,\n\
         /// which are handed in by name: `message!(payment.below_zero, amount = amount)`.\n\
         #[macro_export]\nmacro_rules! message {{\n{arms}    ($($key:tt)*) => {{\n        \
         ::core::compile_error!(::core::concat!(\"crates/messages/messages.toml has no message `\", ::core::stringify!($($key)*), \
         \"`, or it has other figures\"))\n    }};\n}}\n"
    ))
}

/// A message with what it quotes: `{section.key}` stands for another message, `{name}` for a figure.
fn resolved(key: &str, catalogue: &Catalogue) -> Result<String, String> {
    let mut text = catalogue.get(key).cloned().ok_or_else(|| format!("there is no message `{key}`"))?;
    while let Some((start, end)) = quoted(&text) {
        let other = &text[start + 1..end];
        let quoted =
            catalogue.get(other).ok_or_else(|| format!("{key} quotes `{other}`, which there is not"))?;
        if quoted.contains('{') {
            return Err(format!("{key} quotes `{other}`, which is not a plain text"));
        }
        text = format!("{}{quoted}{}", &text[..start], &text[end + 1..]);
    }
    Ok(text)
}

/// Where the first name with a dot stands in braces.
fn quoted(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(start) = text[from..].find('{').map(|at| from + at) {
        let end = start + text[start..].find('}')?;
        if text[start..end].contains('.') {
            return Some((start, end));
        }
        from = end;
    }
    None
}

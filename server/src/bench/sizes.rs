//! What a browser loads for a page, compressed with brotli as the server sends it.

use std::{collections::BTreeMap, fs, path::Path, time::SystemTime};

use super::Line;

/// The files of the site's folder that a page needs: those of every page, and what pages with much to do fetch besides.
pub fn of(folder: &Path) -> Vec<Line> {
    let (Some(style), Some(common)) =
        (newest(folder, "ledger.", ".css.br"), newest(folder, "ledger.", ".wasm.br"))
    else {
        return vec![("wasm and CSS".to_owned(), "not built: `make build` first".to_owned())];
    };
    let mut lines = vec![
        ("style sheet, brotli".to_owned(), kilobytes(style.1)),
        ("wasm of every page, brotli".to_owned(), kilobytes(common.1)),
    ];
    let manifest = newest(folder, "__wasm_split_manifest.", ".json");
    let manifest = manifest.and_then(|(name, _)| fs::read(folder.join(name)).ok());
    let islands =
        manifest.and_then(|text| serde_json::from_slice::<BTreeMap<String, Vec<String>>>(&text).ok());
    for (island, files) in islands.unwrap_or_default() {
        let own =
            |file: &String| fs::metadata(folder.join(format!("{file}.wasm.br"))).map_or(0, |file| file.len());
        let page = island.split("_loader").next().unwrap_or(&island).replace('_', " ");
        let bytes = common.1 + files.iter().map(own).sum::<u64>();
        lines.push((format!("wasm of the page of {}, brotli", page.trim()), kilobytes(bytes)));
    }
    lines
}

/// The newest file of a kind, with its size: the names carry a hash, so older ones may lie beside it.
fn newest(folder: &Path, start: &str, end: &str) -> Option<(String, u64)> {
    let files = fs::read_dir(folder).ok()?.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let about = entry.metadata().ok()?;
        let is_one = name.starts_with(start) && name.ends_with(end);
        is_one.then(|| (about.modified().unwrap_or(SystemTime::UNIX_EPOCH), (name, about.len())))
    });
    files.max().map(|(_, file)| file)
}

fn kilobytes(bytes: u64) -> String {
    format!("{} kB", bytes / 1000)
}

//! A QR code, drawn as one path.

use std::fmt::Write;

use leptos::prelude::*;
use qrcode::{Color, QrCode};

/// Modules of quiet around the code (ISO/IEC 18004 asks for four).
const QUIET: usize = 4;

/// A picture of a text to scan; nothing where the text is too long for one. `label` is what people are told who do not see it.
pub fn scan(text: &str, label: &'static str) -> impl IntoView + use<> {
    let code = QrCode::new(text.as_bytes()).ok()?;
    let size = code.width() + 2 * QUIET;
    let drawn = path(&code);
    Some(view! {
        <svg class="w-full max-w-56 rounded-control fill-[#000000]" viewBox=format!("0 0 {size} {size}") role="img" aria-label=label>
            <rect class="fill-[#ffffff]" width=size height=size />
            <path d=drawn />
        </svg>
    })
}

fn path(code: &QrCode) -> String {
    let width = code.width();
    let mut path = String::new();
    for (index, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            // Writing into a text does not fail.
            let _ = write!(path, "M{} {}h1v1h-1z", index % width + QUIET, index / width + QUIET);
        }
    }
    path
}

//! What follows signals, in boxes. The compiler writes the machinery of a reactive attribute or child out for each closure's type, so
//! in the browser's bundle a box is a tenth of what it holds.

use leptos::prelude::*;

/// A child that follows signals.
pub type LiveView = Box<dyn FnMut() -> AnyView + Send>;
/// A text that follows signals.
pub type LiveText = Box<dyn FnMut() -> String + Send>;
/// An attribute that follows signals, and is not there at times.
pub type LiveAttribute = Box<dyn FnMut() -> Option<String> + Send>;
/// A switch of an element that follows signals, such as `hidden`.
pub type LiveSwitch = Box<dyn FnMut() -> bool + Send>;

/// A child that follows signals.
pub fn view(mut made: impl FnMut() -> AnyView + Send + 'static) -> LiveView {
    Box::new(move || made())
}

/// A text that follows signals.
pub fn text(mut made: impl FnMut() -> String + Send + 'static) -> LiveText {
    Box::new(move || made())
}

/// An attribute that follows signals.
pub fn attribute(mut made: impl FnMut() -> Option<String> + Send + 'static) -> LiveAttribute {
    Box::new(move || made())
}

/// An attribute that is there, with the value `true`, while something holds.
pub fn flag(mut holds: impl FnMut() -> bool + Send + 'static) -> LiveAttribute {
    Box::new(move || holds().then(|| "true".to_owned()))
}

/// A switch that follows signals.
pub fn switch(mut holds: impl FnMut() -> bool + Send + 'static) -> LiveSwitch {
    Box::new(move || holds())
}

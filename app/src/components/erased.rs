//! Closures of few types. Each type of closure that a view is made of is a kilobyte or two of the browser's bundle; of these there is
//! one for each use.

use leptos::prelude::*;

/// A part of a view that changes.
pub fn dynamic(view: impl FnMut() -> AnyView + Send + 'static) -> AnyView {
    let view: Box<dyn FnMut() -> AnyView + Send> = Box::new(view);
    view.into_any()
}

/// An attribute that says `true`, or is not there.
pub fn flag(is: impl Fn() -> bool + Send + Sync + 'static) -> Signal<Option<&'static str>> {
    Signal::derive(move || is().then_some("true"))
}

/// An attribute that changes, and is not there at times.
pub fn attribute(value: impl Fn() -> Option<String> + Send + Sync + 'static) -> Signal<Option<String>> {
    Signal::derive(value)
}

/// A switch of an element, such as `hidden`.
pub fn switch(is: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    Signal::derive(is)
}

/// A text that changes.
pub fn text(text: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(text)
}

/// What stands in a field.
pub fn follow(value: RwSignal<String>) -> Signal<String> {
    value.into()
}

/// What is done when something happens.
pub fn on<E: 'static>(heard: impl FnMut(E) + 'static) -> Box<dyn FnMut(E)> {
    Box::new(heard)
}

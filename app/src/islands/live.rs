//! The live line of a document: one stream of server-sent events, however many islands listen. The server says that something of the
//! organisation has changed; each island asks for its own part again.

use std::cell::RefCell;

use leptos::prelude::*;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{EventSource, MessageEvent};

/// After so long without a connection people are told.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// A stream that the server has refused is tried again after so long; one that broke the browser takes up by itself.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// How the line stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// Nothing was heard yet.
    #[default]
    Connecting,
    /// Changes arrive.
    Open,
    /// Somebody has stopped it.
    Paused,
    /// There has been none for a while: what is shown is as of this time.
    Lost(String),
}

/// What islands listen to.
#[derive(Clone, Debug)]
pub struct Live {
    /// The newest change that the server has named.
    pub version: ArcRwSignal<Option<u64>>,
    /// How the line stands.
    pub line: ArcRwSignal<Line>,
}

struct Stream {
    live: Live,
    source: Option<EventSource>,
    /// When something was heard last, in the reader's own time.
    heard: String,
}

thread_local! {
    static STREAM: RefCell<Option<Stream>> = const { RefCell::new(None) };
}

/// The document's line, begun by whoever asks first. To be called in the browser only.
pub fn live() -> Live {
    let begun = STREAM.with_borrow(|stream| stream.as_ref().map(|stream| stream.live.clone()));
    begun.unwrap_or_else(begin)
}

fn begin() -> Live {
    let live = Live { version: ArcRwSignal::new(None), line: ArcRwSignal::default() };
    STREAM.set(Some(Stream { live: live.clone(), source: None, heard: now() }));
    let seen = Closure::<dyn FnMut()>::new(connect);
    // For as long as the document lives.
    drop(
        document().add_event_listener_with_callback("visibilitychange", seen.into_js_value().unchecked_ref()),
    );
    connect();
    live
}

/// Stops the line, or takes it up again.
pub fn pause(paused: bool) {
    live().line.set(if paused { Line::Paused } else { Line::Connecting });
    connect();
}

/// Opens the line where it should be open: not in a hidden tab, and not while somebody has stopped it.
fn connect() {
    let live = live();
    STREAM.with_borrow_mut(|stream| {
        let Some(stream) = stream else { return };
        if let Some(source) = stream.source.take() {
            source.close();
        }
        if live.line.get_untracked() != Line::Paused && !document().hidden() {
            stream.source = open(&live);
        }
    });
    set_timeout(watch, PATIENCE);
}

fn open(live: &Live) -> Option<EventSource> {
    let source = EventSource::new("/live").ok()?;
    let opened = live.clone();
    let heard = Closure::<dyn FnMut()>::new(move || hear(&opened, None));
    source.set_onopen(Some(heard.into_js_value().unchecked_ref()));
    let told = live.clone();
    let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        hear(&told, event.data().as_string().and_then(|version| version.parse().ok()));
    });
    source.set_onmessage(Some(heard.into_js_value().unchecked_ref()));
    let (lost, own) = (live.clone(), source.clone());
    let broke = Closure::<dyn FnMut()>::new(move || {
        if lost.line.get_untracked() == Line::Open {
            lost.line.set(Line::Connecting);
        }
        if own.ready_state() == EventSource::CLOSED {
            set_timeout(connect, AGAIN);
        } else {
            set_timeout(watch, PATIENCE);
        }
    });
    source.set_onerror(Some(broke.into_js_value().unchecked_ref()));
    Some(source)
}

fn hear(live: &Live, version: Option<u64>) {
    STREAM.with_borrow_mut(|stream| {
        if let Some(stream) = stream {
            stream.heard = now();
        }
    });
    if live.line.get_untracked() != Line::Open {
        live.line.set(Line::Open);
    }
    if version.is_some() && live.version.get_untracked() != version {
        live.version.set(version);
    }
}

/// Says that the line is lost, if it still is not there.
fn watch() {
    let Live { line, .. } = live();
    if line.get_untracked() == Line::Connecting && !document().hidden() {
        let heard = STREAM.with_borrow(|stream| stream.as_ref().map(|stream| stream.heard.clone()));
        line.set(Line::Lost(heard.unwrap_or_default()));
    }
}

/// The time of day, as the reader's own clock and habit say it.
fn now() -> String {
    let options = js_sys::Object::new();
    for part in ["hour", "minute"] {
        // A plain object takes any property.
        drop(js_sys::Reflect::set(&options, &part.into(), &"2-digit".into()));
    }
    js_sys::Date::new_0().to_locale_time_string_with_options("default", &options).into()
}

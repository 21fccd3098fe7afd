//! The live line: the server says that something has changed, and the page fetches what it shows.

use leptos::prelude::*;

/// How the live line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser's line gets anywhere"))]
enum Line {
    /// Not begun: the page as it is sent, and for ever without JavaScript.
    Off,
    /// Connecting, for the first time or again.
    Connecting,
    /// Changes arrive.
    Open,
    /// A person stopped it.
    Paused,
}

impl Line {
    const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Paused => "paused",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Off => "",
            Self::Connecting => "Connecting",
            Self::Open => "Live",
            Self::Paused => "Paused",
        }
    }
}

/// Shows whether changes arrive by themselves, and lets a person stop that. Appears when the browser has taken over the page.
#[component]
pub fn LiveSwitch(
    /// Called with the number of each change; with none when changes may have been missed.
    #[prop(into)]
    on_change: Callback<(Option<u64>,)>,
) -> impl IntoView {
    let line = RwSignal::new(Line::Off);
    let paused = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    browser::follow(line, paused, on_change);
    #[cfg(not(feature = "hydrate"))]
    let _ = on_change;

    let paused_word = move || if paused.get() { "true" } else { "false" };
    view! {
        <div class="live" data-line=move || line.get().word() hidden=move || line.get() == Line::Off>
            <span class="live-dot" aria-hidden="true"></span>
            <span class="live-label" role="status">
                {move || line.get().label()}
            </span>
            <button
                class="button button-quiet"
                type="button"
                aria-pressed=paused_word
                on:click=move |_| paused.update(|paused| *paused = !*paused)
            >
                "Pause"
            </button>
        </div>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::time::Duration;

    use leptos::{ev, prelude::*, reactive::owner::LocalStorage};
    use wasm_bindgen::{JsCast, closure::Closure};
    use web_sys::{Event, EventSource, MessageEvent};

    use super::Line;

    /// Where the server says what changes.
    const ADDRESS: &str = "/live";

    /// How long to wait when the server refused the line; a line that breaks is mended by the browser itself.
    const PATIENCE: Duration = Duration::from_secs(5);

    type Handler<E> = Closure<dyn FnMut(E)>;

    /// An open line; it closes when this is dropped.
    struct Source {
        source: EventSource,
        /// The browser calls these for as long as the line lives.
        _handlers: (Handler<MessageEvent>, [Handler<Event>; 2]),
    }

    impl Drop for Source {
        fn drop(&mut self) {
            self.source.set_onmessage(None);
            self.source.set_onopen(None);
            self.source.set_onerror(None);
            self.source.close();
        }
    }

    /// Keeps the line open while the page can be seen and is not paused.
    pub(super) fn follow(line: RwSignal<Line>, paused: RwSignal<bool>, on_change: Callback<(Option<u64>,)>) {
        let source: StoredValue<Option<Source>, LocalStorage> = StoredValue::new_local(None);
        // A page that nobody sees holds no line: browsers allow few of them to one server.
        let seen = RwSignal::new(!document().hidden());
        let tries = RwSignal::new(0_u32);
        let watch = window_event_listener(ev::visibilitychange, move |_| seen.set(!document().hidden()));
        on_cleanup(move || watch.remove());
        Effect::new(move |_| {
            tries.track();
            source.set_value(None);
            if paused.get() {
                line.set(Line::Paused);
            } else if seen.get() {
                line.set(Line::Connecting);
                source.set_value(open(line, tries, on_change));
            }
        });
    }

    fn open(
        line: RwSignal<Line>,
        tries: RwSignal<u32>,
        on_change: Callback<(Option<u64>,)>,
    ) -> Option<Source> {
        let source = EventSource::new(ADDRESS).ok()?;
        let changed = Handler::<MessageEvent>::new(move |event: MessageEvent| {
            on_change.run((event.data().as_string().and_then(|data| data.parse().ok()),));
        });
        // The first line of a page opens right after it was rendered; a later one may have missed changes, and the number
        // that the server sends first tells.
        let opened = Handler::<Event>::new(move |_| line.set(Line::Open));
        let failed = Handler::<Event>::new({
            let source = source.clone();
            move |_| {
                line.set(Line::Connecting);
                if source.ready_state() == EventSource::CLOSED {
                    set_timeout(move || _ = tries.try_update(|tries| *tries += 1), PATIENCE);
                }
            }
        });
        source.set_onmessage(Some(changed.as_ref().unchecked_ref()));
        source.set_onopen(Some(opened.as_ref().unchecked_ref()));
        source.set_onerror(Some(failed.as_ref().unchecked_ref()));
        Some(Source { source, _handlers: (changed, [opened, failed]) })
    }
}

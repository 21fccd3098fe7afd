//! What every page does in the browser, whatever it shows.

use leptos::{leptos_dom::helpers::WindowListenerHandle, prelude::*};

use super::{copy, desk_keys, forms, zone};

/// Listens for as long as the page is open.
#[island]
pub fn Desk() -> impl IntoView {
    Effect::new(move |_| {
        let heard = [
            window_event_listener(leptos::ev::keydown, |event| desk_keys::pressed(&event)),
            window_event_listener(leptos::ev::click, |event| copy::clicked(&event)),
            window_event_listener(leptos::ev::input, |event| desk_keys::typed(&event)),
            window_event_listener(leptos::ev::submit, |event| {
                desk_keys::submitted(&event);
                forms::submitted(&event);
            }),
        ];
        on_cleanup(move || heard.into_iter().for_each(WindowListenerHandle::remove));
        zone::follow();
    });
}

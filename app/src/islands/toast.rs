//! What is said once after something was done in place: one line for the whole document, whichever island speaks.

use std::{cell::Cell, time::Duration};

use leptos::prelude::*;

use crate::components::erased;

/// So long a sentence stays, unless somebody rests on it.
pub const STAYS: Duration = Duration::from_secs(8);

/// What is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toast {
    /// The sentence.
    pub text: String,
    /// Whether it is good news.
    pub is_good: bool,
    /// What it leads to: a label and an address.
    pub link: Option<(String, String)>,
}

thread_local! {
    static TOAST: ArcRwSignal<Option<Toast>> = ArcRwSignal::new(None);
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

/// Says something.
pub fn say(toast: Toast) {
    let said = COUNT.with(|count| {
        count.set(count.get() + 1);
        count.get()
    });
    TOAST.with(|own| own.set(Some(toast)));
    set_timeout(move || fade(said), STAYS);
}

/// Takes away what was said, if nothing was said since.
fn fade(said: u32) {
    let is_newest = COUNT.with(|count| count.get() == said);
    let is_held =
        document().query_selector(".toast:is(:hover, :focus-within)").is_ok_and(|found| found.is_some());
    if is_newest && is_held {
        set_timeout(move || fade(said), STAYS);
    } else if is_newest {
        TOAST.with(|own| own.set(None));
    }
}

/// The line. A live region that is always there: screen readers announce what changes within one.
#[island]
pub fn Toasts() -> impl IntoView {
    let toast = RwSignal::new(None::<Toast>);
    Effect::new(move |_| toast.set(TOAST.with(ArcRwSignal::get)));
    let close = move |_| TOAST.with(|own| own.set(None));
    view! {
        <div class="toasts fixed right-4 bottom-4 z-3 max-w-[min(28rem,calc(100vw-2rem))]" role="status">
            {erased::dynamic(move || {
                toast
                    .get()
                    .map(|Toast { text, is_good, link }| {
                        view! {
                            <div class="toast panel flex items-center gap-3 border-l-4 border-line-strong border-l-good px-4 py-2 shadow-raised data-[tone=bad]:border-l-bad" data-tone=if is_good { "good" } else { "bad" }>
                                <p>{text}</p>
                                {link
                                    .map(|(label, href)| {
                                        // The way to the sign-in leaves this page where it is.
                                        let target = href.starts_with("/sign-in").then_some("_blank");
                                        view! { <a href=href target=target>{label}</a> }
                                    })}
                                <button class="button button-quiet" type="button" aria-label="Dismiss" on:click=erased::on(close)>
                                    "\u{d7}"
                                </button>
                            </div>
                        }
                    })
                    .into_any()
            })}
        </div>
    }
}

//! What stands beside the cards: the ways to them, how fresh the lists are, and the bar that saves.

use domain::settings::cards::{self, Card};
use leptos::{prelude::*, server_fn::ServerFn};
use views::settings::{FormState, href};

use super::{Page, Said, model::Model, notices::RETRY_FORM};
use crate::{
    api::settings::RefreshLists,
    components::{
        erased::{dynamic, flag, follow, on, text},
        time::{Time, Zone},
    },
    islands::focus,
};

/// The way to a card; marked where something in it is wrong.
pub fn nav_item(model: Model, card: &'static Card) -> AnyView {
    let is_wrong = move || {
        let is_of = |path: &str| card.fields.iter().any(|field| cards::is_of(path, field));
        model.problems.with(|problems| problems.iter().any(|(path, _)| is_of(path)))
    };
    view! {
        <li>
            <a
                class="block rounded-3xl border border-line px-3 py-2 text-ink-dim no-underline hover:border-accent hover:text-ink data-wrong:border-bad data-wrong:text-bad data-wrong:after:content-['_•'] desk:rounded-none desk:border-0 desk:border-l-2 desk:py-1"
                href=format!("#{}", card.id) data-wrong=flag(is_wrong)>
                {card.title}
                <span class="sr-only">{text(move || if is_wrong() { " (to correct)" } else { "" }.to_owned())}</span>
            </a>
        </li>
    }
    .into_any()
}

/// How fresh the lists are, and the button that fetches them again. What is typed stays.
pub fn freshness(page: &Page, may_set: bool) -> AnyView {
    let page = *page;
    let refresh = may_set.then(|| {
        view! {
            <button
                class="button"
                type="submit"
                name="do"
                value="refresh"
                formaction=RefreshLists::PATH
                formnovalidate
                aria-busy=flag(move || page.is_busy.get())
            >
                "Refresh"
            </button>
        }
    });
    view! {
        <div class="note grid justify-items-start gap-2">
            <p>
                "Sage\u{2019}s lists: updated "
                <span class="freshness-age">{text(move || page.lists.with(|lists| lists.age.clone()))}</span>
            </p>
            <p class="sr-only">
                {dynamic(move || view! { <Time at=page.lists.with(|lists| lists.fetched.clone()) /> }.into_any())}
                " "
                <Zone />
            </p>
            <p class="field-hint">{text(move || stale(&page).to_owned())}</p>
            {refresh}
        </div>
    }
    .into_any()
}

fn stale(page: &Page) -> &'static str {
    let page = *page;
    if page.lists.with(|lists| lists.is_stale) {
        "Sage is not responding, so these lists are more than a day old."
    } else {
        ""
    }
}

/// What has changed, what is wrong, why, Revert, Save; and above it what was done.
pub fn save_bar(page: &Page, state: &FormState) -> AnyView {
    let page = *page;
    let reason = page.model.reason;
    let state_word = move || match page.changes.get() {
        _ if !page.is_awake.get() => String::new(),
        _ if page.is_busy.get() => "Saving".to_owned(),
        0 => String::new(),
        1 => "1 unsaved change".to_owned(),
        many => format!("{many} unsaved changes"),
    };
    let revert = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        page.revert();
    };
    view! {
        <div class="save-bar panel sticky bottom-0 z-4 col-span-full grid gap-2 px-3 py-2 shadow-bar sm:px-4 desk:px-6">
            <div class="empty:hidden" role="status">
                {dynamic(move || page.said.get().map_or_else(|| ().into_any(), |said| done(&page, said)))}
            </div>
            <div class="row">
                <p class="text-note font-medium text-hold" data-state>
                    {text(state_word)}
                </p>
                {dynamic(move || to_correct(&page))}
                <details class="flex-[1_1_14rem] max-sm:order-1 max-sm:basis-full" open=!state.reason.is_empty()>
                    <summary class="note min-h-6">"Add a reason"</summary>
                    <div class="field max-w-120">
                        <label for="reason">"Reason (optional)"</label>
                        <input
                            id="reason"
                            name="reason"
                            maxlength="200"
                            value=state.reason.clone()
                            prop:value=follow(reason)
                            on:input=on(move |event| reason.set(event_target_value(&event)))
                        />
                    </div>
                </details>
                <div class="save-buttons ml-auto flex items-center gap-3">
                    <a class="button min-h-10" href=href(&state.id) data-revert on:click=on(revert)>
                        "Revert"
                    </a>
                    <button
                        class="button button-main min-h-10"
                        type="submit"
                        name="do"
                        value="save"
                        aria-busy=flag(move || page.is_busy.get())
                    >
                        "Save"
                    </button>
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// How many fields are wrong; leads to the next of them.
fn to_correct(page: &Page) -> AnyView {
    let page = *page;
    let count = page.model.problems.with(Vec::len);
    if count == 0 || !page.is_awake.get() {
        return ().into_any();
    }
    let next = move |_| {
        let problems = page.model.problems.get_untracked();
        let places: Vec<String> = problems.iter().map(|(path, _)| page.model.place_of(path)).collect();
        let last = page.last_place.get_value();
        let after =
            places.iter().position(|place| *place == last).map_or(0, |place| (place + 1) % places.len());
        if let Some(place) = places.get(after) {
            page.last_place.set_value(place.clone());
            focus::soon_by_id(place);
        }
    };
    view! {
        <button class="min-h-6 cursor-pointer text-note font-medium text-bad underline" type="button" on:click=on(next)>
            {format!("{count} to correct")}
        </button>
    }
    .into_any()
}

/// What was done, and what can be done now.
fn done(page: &Page, said: Said) -> AnyView {
    let page = *page;
    let Said { sentence, undo, is_saved } = said;
    let undo = undo.map(|version| {
        view! {
            <button class="button" type="button" on:click=on(move |_| page.undo(version))>
                "Undo"
            </button>
        }
    });
    let retry = page.retry.get_value().filter(|_| is_saved).map(|documents| {
        view! {
            <button class="button" type="submit" form=RETRY_FORM>
                {format!("Retry {documents}")}
            </button>
        }
    });
    view! {
        <p class="row gap-x-3 font-medium">
            <span>{sentence}</span>
            {undo}
            {retry}
        </p>
    }
    .into_any()
}

//! The filters that have fields of their own.

use domain::{code::Code, run::EventName};
use leptos::prelude::*;
use views::{history::HistoryFrame, links::HISTORY, runs::event_label};

use crate::components::choice::choice;

/// The parts of the address that are fields of the form.
const FIELDS: [&str; 7] = ["event", "shop", "code", "from", "until", "min", "max"];

/// The form; `shops` are id and name of the organisation's shops.
pub fn filter_form(frame: &HistoryFrame, shops: &[(String, String)]) -> AnyView {
    let value = |name: &str| frame.value(name);
    let kept = frame.parts.iter().filter(|(name, _)| !FIELDS.contains(&name.as_str())).cloned();
    let kept = kept.map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    let events = EventName::ALL.iter().map(|event| (event.to_string(), event_label(*event).to_owned()));
    let mut codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    codes.sort();
    let codes = codes.into_iter().map(|code| (code.clone(), code.replace('_', " ")));
    let is_open = FIELDS[1..].iter().any(|name| !frame.value(name).is_empty());
    let shop = (shops.len() > 1 || !value("shop").is_empty())
        .then(|| choice("shop", "Shop", "All shops", shops.to_vec(), &value("shop")));
    view! {
        <form class="filter-form desk:contents" method="get" action=HISTORY autocomplete="off">
            {kept.collect_view()}
            // One row with the search: the list says itself what it chooses from.
            <div class="[&_label]:sr-only">{choice("event", "Event", "All events", events.collect(), &value("event"))}</div>
            <details class="open:basis-full" open=is_open>
                <summary class="min-h-8 px-2 py-1 text-note font-medium text-accent">"More filters"</summary>
                <div class="flex flex-wrap gap-3 py-2">
                    {shop} {choice("code", "Reason", "All reasons", codes.collect(), &value("code"))}
                    {input("from", "Received from (UTC)", "date", value("from"))}
                    {input("until", "until (UTC)", "date", value("until"))}
                    {input("min", "Amount from", "text", value("min"))} {input("max", "to", "text", value("max"))}
                </div>
            </details>
            <button class="button" type="submit">
                "Apply"
            </button>
        </form>
    }
    .into_any()
}

fn input(name: &'static str, label: &'static str, kind: &'static str, value: String) -> AnyView {
    view! {
        <div class="filter-field">
            <label for=name>{label}</label>
            <input
                class="max-w-64 text-body"
                id=name
                name=name
                type=kind
                value=value
                inputmode=(kind == "text").then_some("decimal")
            />
        </div>
    }
    .into_any()
}

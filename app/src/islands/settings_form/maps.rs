//! The fields that are maps: a row for each entry.

use domain::settings::{
    FieldProblem, List,
    cards::{CARDS, Field, GOODS_OR_SERVICES, Kind},
};
use leptos::{prelude::*, server_fn::ServerFn};
use wasm_bindgen::JsCast;
use web_sys::{FocusEvent, Node};

use super::{
    model::Model,
    parts::{choices, is_missing, wrong},
    rows::{Row, Seen},
    shown::Shown,
};
use crate::{
    api::settings::CheckSettings,
    components::{
        combobox::{Combobox, Source, Watched},
        erased::{flag, follow, on, text},
        problem::Problem,
    },
    islands::focus,
};

/// The rows of a map.
const MAP: &str = "grid w-full max-w-176 gap-2";

/// What a map says of itself.
struct Words {
    heads: &'static [&'static str],
    add: &'static str,
}

const fn words(kind: &Kind) -> Words {
    match kind {
        Kind::TaxRates => Words {
            heads: &["Percentage", "Tax class", "Country", "Sage\u{2019}s rate"],
            add: "Add a tax rate",
        },
        Kind::PaymentMethods => {
            Words { heads: &["Payment method", "Bank account"], add: "Add a payment method" }
        }
        _ => Words { heads: &["Product type", "Type"], add: "Add a product type" },
    }
}

/// A map with its rows.
pub fn map(model: Model, shown: Shown, field: &'static Field) -> AnyView {
    let (path, rows) = (field.path, model.rows(field.path));
    let Words { heads, add } = words(&field.kind);
    let list = move |is_folded: bool| {
        let seen = move || {
            let rows = rows.get().into_iter();
            rows.filter(|row| (row.seen == Seen::Unfolded) == is_folded).collect::<Vec<_>>()
        };
        view! {
            <For each=seen key=|row| row.number let(row)>
                {line(model, field, row)}
            </For>
        }
    };
    let folded = rows.with_untracked(|rows| rows.iter().filter(|row| row.seen == Seen::Unfolded).count());
    let folded = (folded > 0).then(|| {
        view! {
            <details class="w-full">
                <summary class="note">{format!("Turned off in the shop ({folded})")}</summary>
                <ul class=format!("{MAP} mt-2")>{list(true)}</ul>
            </details>
        }
    });
    let problem = shown.methods_problem().filter(|_| matches!(field.kind, Kind::PaymentMethods)).map(|code| {
        view! {
            <p class="field-hint">"The shop\u{2019}s payment methods cannot be loaded right now. Existing mappings are kept."</p>
            <Problem code />
        }
    });
    view! {
        <div
            class="field field-map col-span-full justify-items-start"
            role="group"
            aria-labelledby=format!("{path}-label")
            data-map=path
            data-columns=heads.len().to_string()
            data-marked=shown.is_marked(path).then_some("true")
        >
            <p class=label_class(field) id=format!("{path}-label")>
                {field.label}
            </p>
            <p class="field-hint">{field.hint}</p>
            <ul class=MAP id=path tabindex="-1">
                <li class="map-row text-small text-ink-dim max-sm:hidden" aria-hidden="true">
                    {heads.iter().map(|head| view! { <span>{*head}</span> }).collect_view()}
                </li>
                {list(false)}
            </ul>
            {folded}
            {problem}
            <button
                class="button mt-1"
                type="submit"
                id=format!("{path}-add")
                name="more"
                value=path
                formaction=CheckSettings::PATH
                formnovalidate
            >
                {add}
            </button>
        </div>
    }
    .into_any()
}

/// A map that has the name of its card need not show it again.
fn label_class(field: &Field) -> &'static str {
    if CARDS.iter().any(|card| card.title == field.label) { "sr-only" } else { "field-label" }
}

/// Where a row's problem is found.
fn problem_path(path: &str, row: Row) -> String {
    format!("{path}.{}", row.whole_key())
}

fn line(model: Model, field: &'static Field, row: Row) -> AnyView {
    let (path, number) = (field.path, row.number);
    let id = format!("{path}.{number}");
    let problem = Signal::derive(move || {
        let own = problem_path(path, row);
        // An empty row has the path of a row without a key: only one that holds something is wrong.
        let is_empty = own.ends_with('.') && row.value.with(String::is_empty);
        model.problem(&own).filter(|_| !is_empty).map(|problem| (problem, own))
    });
    let line_id = StoredValue::new(format!("{id}-row"));
    let error_id = format!("{id}-error");
    let cells = match field.kind {
        Kind::TaxRates => tax_rate(model, field, row, problem, &error_id),
        Kind::PaymentMethods => payment_method(model, field, row, problem, &error_id),
        _ => product_type(model, field, row, problem, &error_id),
    };
    view! {
        <li
            class=if row.seen == Seen::WithoutScript { "map-row scripted:hidden" } else { "map-row" }
            id=line_id.get_value()
            data-row=id.clone()
            data-changed=flag(move || model.is_row_changed(path, row))
            data-wrong=flag(move || problem.get().is_some())
            on:focusout=on(move |event| left(model, path, row, &event))
        >
            {cells}
            {row.label.with_value(Option::is_none).then(|| remove(model, field, row))}
            {wrong(&id, problem)}
        </li>
    }
    .into_any()
}

/// The row is looked at once the focus is somewhere else: it is filled in from left to right.
fn left(model: Model, path: &'static str, row: Row, event: &FocusEvent) {
    let within = event.current_target().and_then(|line| line.dyn_into::<Node>().ok());
    let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
    if within.is_some_and(|line| line.contains(to.as_ref())) {
        return;
    }
    model.left(&untrack(|| problem_path(path, row)));
    tell_twin(model, path, row);
}

/// A key that is there already is told at once, whatever else is missing.
fn tell_twin(model: Model, path: &'static str, row: Row) {
    if model.has_twin(path, row) {
        let own = untrack(|| problem_path(path, row));
        model.withdraw(&own);
        model.problems.update(|problems| problems.push((own, FieldProblem::Conflict)));
    }
}

/// Somebody types into a row: what is wrong with it is withdrawn, but a key that is there already is told at once.
fn typed(model: Model, path: &'static str, row: Row, change: impl FnOnce()) {
    model.withdraw(&untrack(|| problem_path(path, row)));
    change();
    tell_twin(model, path, row);
}

/// A part of a row's key.
struct Cell {
    part: &'static str,
    label: &'static str,
    example: &'static str,
    text: RwSignal<String>,
}

fn key_input(model: Model, field: &'static Field, row: Row, cell: Cell, error_id: &str) -> AnyView {
    let (path, Cell { part, label, example, text }) = (field.path, cell);
    let name = if part == "key" && matches!(field.kind, Kind::TaxRates) { "percentage" } else { part };
    view! {
        <input
            id=format!("{path}.{}-{part}", row.number)
            name=format!("{path}.{name}")
            value=text.get_untracked()
            prop:value=follow(text)
            aria-label=label
            aria-describedby=error_id.to_owned()
            aria-invalid=flag(move || {
                let own = problem_path(path, row);
                !own.ends_with('.') && model.problem(&own).is_some()
            })
            inputmode=(name == "percentage").then_some("decimal")
            placeholder=example
            spellcheck="false"
            autocapitalize="none"
            on:input=on(move |event| typed(model, path, row, || text.set(event_target_value(&event))))
        />
    }
    .into_any()
}

/// A cell that chooses from a list.
fn picker(
    model: Model,
    field: &'static Field,
    row: Row,
    (part, list, label, placeholder): (&'static str, &'static str, String, Signal<String>),
    problem: Signal<Option<(FieldProblem, String)>>,
    error_id: &str,
) -> AnyView {
    let path = field.path;
    let value = if part == "country" { row.country } else { row.value };
    let watched = Watched {
        typed: Callback::new(move |()| typed(model, path, row, || {})),
        // The row looks at itself when it is left.
        left: Callback::new(|()| {}),
        found: Callback::new(move |found| model.learn(found)),
        said: model.said,
    };
    view! {
        <Combobox
            id=format!("{path}.{}-{part}", row.number)
            name=format!("{path}.{part}")
            value
            source=Source { binding: model.binding(), list }
            label=Some(label)
            described_by=error_id.to_owned()
            is_wrong=Signal::derive(move || problem.get().is_some())
            is_missing=is_missing(value)
            placeholder
            watched
        />
    }
    .into_any()
}

fn tax_rate(
    model: Model,
    field: &'static Field,
    row: Row,
    problem: Signal<Option<(FieldProblem, String)>>,
    error_id: &str,
) -> AnyView {
    let percentage = Cell { part: "key", label: "Percentage", example: "20", text: row.key };
    let class = Cell { part: "class", label: "Tax class", example: "Any", text: row.class };
    let any = Signal::stored("Any".to_owned());
    let choose = Signal::stored("Choose a tax rate".to_owned());
    let country = ("country", "countries", "Country".to_owned(), any);
    let rate = ("value", List::TaxRates.as_str(), "Tax rate".to_owned(), choose);
    view! {
        {key_input(model, field, row, percentage, error_id)}
        {key_input(model, field, row, class, error_id)}
        {picker(model, field, row, country, problem, error_id)}
        {picker(model, field, row, rate, problem, error_id)}
    }
    .into_any()
}

fn payment_method(
    model: Model,
    field: &'static Field,
    row: Row,
    problem: Signal<Option<(FieldProblem, String)>>,
    error_id: &str,
) -> AnyView {
    let label = row.label.get_value();
    let method = label.clone().unwrap_or_else(|| {
        let key = row.key.get_untracked();
        if key.is_empty() { "another method".to_owned() } else { key }
    });
    let bank = model.text("default_bank_account_id");
    let placeholder = Signal::derive(move || {
        bank.with(|bank| if bank.is_empty() { "None: invoices stay unpaid".to_owned() } else { bank.clone() })
    });
    let value = ("value", "method-accounts", format!("Bank account of {method}"), placeholder);
    let key = if let Some(label) = label {
        view! {
            <span class="wrap-anywhere">{label}</span>
            <input type="hidden" name=format!("{}.key", field.path) value=row.key.get_untracked() />
        }
        .into_any()
    } else {
        let label = "Code of another method";
        key_input(model, field, row, Cell { part: "key", label, example: label, text: row.key }, error_id)
    };
    view! {
        {key}
        {picker(model, field, row, value, problem, error_id)}
    }
    .into_any()
}

fn product_type(
    model: Model,
    field: &'static Field,
    row: Row,
    problem: Signal<Option<(FieldProblem, String)>>,
    error_id: &str,
) -> AnyView {
    let path = field.path;
    let key = Cell { part: "key", label: "Product type", example: "Code of a product type", text: row.key };
    let label = move || {
        row.key.with(|key| format!("Type of {}", if key.is_empty() { "another product type" } else { key }))
    };
    view! {
        {key_input(model, field, row, key, error_id)}
        <select
            id=format!("{path}.{}-value", row.number)
            name=format!("{path}.value")
            prop:value=follow(row.value)
            aria-label=text(label)
            aria-describedby=error_id.to_owned()
            aria-invalid=flag(move || problem.get().is_some())
            on:change=on(move |event| typed(model, path, row, || row.value.set(event_target_value(&event))))
        >
            {choices(GOODS_OR_SERVICES, &row.value.get_untracked())}
        </select>
    }
    .into_any()
}

/// Takes a row away; without JavaScript it is emptied instead.
fn remove(model: Model, field: &'static Field, row: Row) -> impl IntoView {
    let path = field.path;
    let label = move || {
        let key = row.whole_key();
        if key.is_empty() { "Remove the empty row".to_owned() } else { format!("Remove {key}") }
    };
    let gone = move || {
        model.withdraw(&untrack(|| problem_path(path, row)));
        model.rows(path).update(|rows| rows.retain(|other| other.number != row.number));
        focus::soon_by_id(&format!("{path}-add"));
    };
    view! {
        <button class="map-remove min-h-8 min-w-8 cursor-pointer rounded-box border border-transparent text-ink-dim hover:border-line-strong hover:text-bad unscripted:hidden" type="button" aria-label=text(label) on:click=on(move |_| gone())>
            <span aria-hidden="true">"\u{d7}"</span>
        </button>
    }
}

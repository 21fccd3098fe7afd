//! A field of the settings, by its kind.

use domain::settings::cards::{Field, Kind};
use leptos::prelude::*;

use super::{
    known::ZONES,
    maps,
    model::Model,
    parts::{choices, is_missing, wrong},
    shown::Shown,
};
use crate::components::{
    combobox::{Combobox, Source, Watched},
    erased::{flag, follow, on},
};

/// A field with its label, what helps to fill it in, and what is wrong with it.
pub fn field(model: Model, shown: Shown, field: &'static Field) -> AnyView {
    let path = field.path;
    let input = match field.kind {
        Kind::PaymentMethods | Kind::TaxRates | Kind::ProductTypes => return maps::map(model, shown, field),
        Kind::Switch(_) => return switch(model, shown, field),
        Kind::OneOf { options, .. } => select(model, field, options),
        Kind::Pick(list, _) => picker(model, field, list.as_str()),
        Kind::Zone(_) => picker(model, field, ZONES),
        Kind::Email(_) => text(model, field, "email"),
        // Settings that were saved with a time keep it.
        Kind::Moment(_) if model.text(path).with_untracked(|at| at.contains('T')) => {
            text(model, field, "datetime-local")
        }
        Kind::Moment(_) => text(model, field, "date"),
        Kind::Text(_) | Kind::Words(_) | Kind::Ids(_) | Kind::Amount(_) => text(model, field, "text"),
    };
    view! {
        <div
            class="field"
            data-path=path
            data-needs=needs(path)
            data-changed=flag(move || model.is_changed(path))
            data-wrong=flag(move || model.problem(path).is_some())
            data-marked=shown.is_marked(path).then_some("true")
        >
            <label for=path>{field.label}</label>
            {input}
            {hint(field)}
            {wrong(path, Signal::derive(move || model.problem(path).map(|problem| (problem, path.to_owned()))))}
        </div>
    }
    .into_any()
}

/// The switch without which a field means nothing: it is shown while that is on, or while it is wrong.
fn needs(path: &str) -> Option<&'static str> {
    match path {
        "sync_stock" | "default_purchase_ledger_account_id" => Some("sync_products"),
        "consolidation.enabled" => None,
        _ => path.starts_with("consolidation.").then_some("consolidation.enabled"),
    }
}

/// What describes a field, by id.
fn described(field: &Field) -> String {
    if field.hint.is_empty() {
        format!("{}-error", field.path)
    } else {
        format!("{0}-error {0}-hint", field.path)
    }
}

fn is_wrong(model: Model, field: &'static Field) -> Signal<bool> {
    Signal::derive(move || model.problem(field.path).is_some())
}

fn picker(model: Model, field: &'static Field, list: &'static str) -> AnyView {
    let value = model.text(field.path);
    let watched = Watched {
        typed: Callback::new(move |()| model.withdraw(field.path)),
        left: Callback::new(move |()| model.left(field.path)),
        found: Callback::new(move |found| model.learn(found)),
        said: model.said,
    };
    view! {
        <Combobox
            id=field.path.to_owned()
            name=field.path.to_owned()
            value
            source=Source { binding: model.binding(), list }
            label=None
            described_by=described(field)
            is_wrong=is_wrong(model, field)
            is_missing=is_missing(value)
            placeholder=placeholder(model, field.path)
            watched
        />
    }
    .into_any()
}

/// What an empty field stands for.
fn placeholder(model: Model, path: &'static str) -> Signal<String> {
    let sales = model.text("default_ledger_account_id");
    let as_sales = move || {
        sales.with(|sales| if sales.is_empty() { "The sales account".to_owned() } else { sales.clone() })
    };
    match path {
        "default_tax_rate_id" => Signal::stored("Choose a tax rate".to_owned()),
        "default_bank_account_id" => Signal::stored("None: invoices stay unpaid".to_owned()),
        "foreign_tax_ledger_account_id" => Signal::stored("None: such documents are refused".to_owned()),
        "document_time_zone" => Signal::stored("The business\u{2019}s own".to_owned()),
        "default_ledger_account_id" | "default_purchase_ledger_account_id" => {
            Signal::stored("Choose an account".to_owned())
        }
        "shipping_ledger_account_id" => {
            Signal::derive(move || format!("Sage\u{2019}s carriage account, or {}", as_sales()))
        }
        _ => Signal::derive(as_sales),
    }
}

fn text(model: Model, field: &'static Field, kind: &'static str) -> AnyView {
    let (path, value) = (field.path, model.text(field.path));
    let mode = matches!(field.kind, Kind::Amount(_)).then_some("decimal");
    let wrong = is_wrong(model, field);
    view! {
        <input
            id=path
            name=path
            type=kind
            inputmode=mode
            spellcheck="false"
            autocapitalize="none"
            value=value.get_untracked()
            prop:value=follow(value)
            aria-invalid=flag(move || wrong.get())
            aria-describedby=described(field)
            on:input=on(move |event| {
                model.withdraw(path);
                value.set(event_target_value(&event));
            })
            on:blur=on(move |_| model.left(path))
        />
    }
    .into_any()
}

fn select(model: Model, field: &'static Field, options: &'static [(&'static str, &'static str)]) -> AnyView {
    let (path, value) = (field.path, model.text(field.path));
    let wrong = is_wrong(model, field);
    view! {
        <select
            id=path
            name=path
            prop:value=follow(value)
            aria-invalid=flag(move || wrong.get())
            aria-describedby=described(field)
            on:change=on(move |event| {
                value.set(event_target_value(&event));
                model.left(path);
            })
        >
            {choices(options, &value.get_untracked())}
        </select>
    }
    .into_any()
}

/// A box to tick. What comes before it says "off": a box that is not ticked sends nothing.
fn switch(model: Model, shown: Shown, field: &'static Field) -> AnyView {
    let (path, value) = (field.path, model.text(field.path));
    let wrong_signal = is_wrong(model, field);
    let is_on = move || value.with(|value| value == "true");
    view! {
        <div
            class="field tick"
            data-path=path
            data-needs=needs(path)
            data-changed=flag(move || model.is_changed(path))
            data-wrong=flag(move || wrong_signal.get())
            data-marked=shown.is_marked(path).then_some("true")
        >
            <input type="hidden" name=path value="false" />
            <input
                id=path
                name=path
                type="checkbox"
                value="true"
                checked=untrack(is_on)
                prop:checked=Signal::derive(is_on)
                aria-invalid=flag(move || wrong_signal.get())
                aria-describedby=described(field)
                on:change=on(move |event| switched(model, path, event_target_checked(&event)))
            />
            <label for=path>{field.label}</label>
            {hint(field)}
            {wrong(path, Signal::derive(move || model.problem(path).map(|problem| (problem, path.to_owned()))))}
        </div>
    }
    .into_any()
}

fn switched(model: Model, path: &'static str, is_on: bool) {
    model.text(path).set(is_on.to_string());
    if path == "sync_products" && !is_on {
        // Stock without products is wrong, and its switch is out of sight now.
        model.text("sync_stock").set("false".to_owned());
    }
    model.left(path);
}

fn hint(field: &'static Field) -> impl IntoView {
    (!field.hint.is_empty()).then(|| {
        view! {
            <p class="field-hint" id=format!("{}-hint", field.path)>
                {field.hint}
            </p>
        }
    })
}

//! A field of the settings, by its kind.

use domain::settings::{
    List, MISSING,
    cards::{Field, Kind},
};
use leptos::prelude::*;
use views::settings::SettingsView;

use super::{
    map,
    parts::{choices, is_first, wrong},
};

/// A field with its label, what helps to fill it in, and what is wrong with it.
pub fn field(view: &SettingsView, field: &'static Field) -> AnyView {
    let typed = view.form.get(field.path).unwrap_or_default().to_owned();
    let problem = view.problem(field.path);
    let input = match field.kind {
        Kind::PaymentMethods => return map::payment_methods(view, field),
        Kind::TaxRates => return map::tax_rates(view, field),
        Kind::ProductTypes => return map::product_types(view, field),
        Kind::Switch(_) => return switch(view, field, &typed),
        Kind::OneOf { options, .. } => select(view, field, options, &typed),
        Kind::Pick(list, _) => text(view, field, "text", Some(list.as_str()), typed),
        Kind::Zone(_) => text(view, field, "text", Some(ZONES), typed),
        Kind::Email(_) => text(view, field, "email", None, typed),
        Kind::Moment(_) => text(view, field, "datetime-local", None, typed),
        Kind::Text(_) | Kind::Words(_) | Kind::Ids(_) | Kind::Amount(_) => {
            text(view, field, "text", None, typed)
        }
    };
    view! {
        <div class="field" data-path=field.path>
            <label for=field.path>{field.label}</label>
            {input}
            {hint(field)}
            {wrong(field.path, field.path, problem)}
        </div>
    }
    .into_any()
}

const ZONES: &str = "time-zones";

fn text(
    view: &SettingsView,
    field: &'static Field,
    kind: &'static str,
    list: Option<&'static str>,
    typed: String,
) -> AnyView {
    let missing = typed.starts_with(MISSING);
    let mode = matches!(field.kind, Kind::Amount(_)).then_some("decimal");
    view! {
        <input
            id=field.path
            name=field.path
            type=kind
            value=typed
            list=list
            inputmode=mode
            spellcheck="false"
            autocapitalize="none"
            data-missing=missing.then_some("true")
            autofocus=is_first(view, field.path)
            aria-invalid=view.problem(field.path).map(|_| "true")
            aria-describedby=described(field)
        />
    }
    .into_any()
}

fn select(
    view: &SettingsView,
    field: &'static Field,
    options: &'static [(&'static str, &'static str)],
    typed: &str,
) -> AnyView {
    view! {
        <select
            id=field.path
            name=field.path
            autofocus=is_first(view, field.path)
            aria-invalid=view.problem(field.path).map(|_| "true")
            aria-describedby=described(field)
        >
            {choices(options, typed)}
        </select>
    }
    .into_any()
}

/// A box to tick. What comes before it says "off": a box that is not ticked sends nothing.
fn switch(view: &SettingsView, field: &'static Field, typed: &str) -> AnyView {
    view! {
        <div class="field field-switch" data-path=field.path>
            <input type="hidden" name=field.path value="false" />
            <input
                id=field.path
                name=field.path
                type="checkbox"
                value="true"
                checked=typed == "true"
                autofocus=is_first(view, field.path)
                aria-invalid=view.problem(field.path).map(|_| "true")
                aria-describedby=described(field)
            />
            <label for=field.path>{field.label}</label>
            {hint(field)}
            {wrong(field.path, field.path, view.problem(field.path))}
        </div>
    }
    .into_any()
}

fn described(field: &Field) -> String {
    if field.hint.is_empty() {
        format!("{}-error", field.path)
    } else {
        format!("{0}-error {0}-hint", field.path)
    }
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

/// The lists that pickers search, once for all of them.
pub fn lists(view: &SettingsView) -> AnyView {
    let lists = List::ALL.map(|list| {
        let entries = view.lists.entries(list).iter().map(|choice| {
            view! {
                <option value=choice.text.clone() data-id=choice.id.clone() data-number=choice.number>
                    {choice.id.clone()}
                </option>
            }
        });
        view! { <datalist id=list.as_str()>{entries.collect_view()}</datalist> }
    });
    let zones = domain::settings::time_zones().map(|zone| view! { <option value=zone></option> });
    view! {
        {lists.collect_view()}
        <datalist id=ZONES>{zones.collect_view()}</datalist>
    }
    .into_any()
}

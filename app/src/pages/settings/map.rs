//! The fields that are maps: a row for each entry, and some empty ones to fill in.

use domain::settings::{
    Choices, List, MISSING,
    cards::{Field, GOODS_OR_SERVICES},
    form::UNPAID,
};
use leptos::prelude::*;

use super::parts::{choices, is_first, missing_option, wrong};
use crate::components::problem::Problem;
use views::settings::SettingsView;

/// A row: what stands on the left and on the right of it, and where its problem is shown.
struct MapRow {
    path: String,
    id: String,
    key: String,
    value: String,
}

fn rows(view: &SettingsView, field: &Field) -> Vec<MapRow> {
    let rows = view.form.rows(field.path);
    let filled = rows.into_iter().filter(|row| !row.key.is_empty() || !row.value.is_empty());
    filled
        .enumerate()
        .map(|(place, row)| MapRow {
            path: format!("{}.{}", field.path, row.key),
            id: format!("{}.{place}", field.path),
            key: row.key.to_owned(),
            value: row.value.to_owned(),
        })
        .collect()
}

/// Some rows to fill in, numbered on from those that are there.
fn empty(view: &SettingsView, field: &Field, from: usize) -> impl Iterator<Item = MapRow> {
    let path = field.path;
    (from..from + view.rows).map(move |place| MapRow {
        path: format!("{path}."),
        id: format!("{path}.{place}"),
        key: String::new(),
        value: String::new(),
    })
}

/// Payment methods: those of the shop as it is now, those that are mapped, and empty ones for any other.
pub fn payment_methods(view: &SettingsView, field: &'static Field) -> AnyView {
    let typed = rows(view, field);
    let value_of = |code: &str| {
        typed.iter().find(|row| row.key == code).map(|row| row.value.clone()).unwrap_or_default()
    };
    let shop = view.methods.methods.iter().map(|method| {
        let label = if method.label.is_empty() { method.code.clone() } else { method.label.clone() };
        (method.code.clone(), format!("{label} ({})", method.code))
    });
    let known: Vec<(String, String)> = shop.collect();
    let others = typed.iter().filter(|row| known.iter().all(|(code, _)| *code != row.key));
    let others: Vec<_> = others.map(|row| (row.key.clone(), row.value.clone())).collect();
    let mut place = 0;
    let mut numbered = |key: String, value: String| {
        let row = MapRow {
            path: format!("{}.{key}", field.path),
            id: format!("{}.{place}", field.path),
            key,
            value,
        };
        place += 1;
        row
    };
    // What is switched off and not mapped is seldom wanted: it stands folded away.
    let (mut lines, mut folded) = (Vec::new(), Vec::new());
    for (method, (code, label)) in view.methods.methods.iter().zip(known) {
        let value = value_of(&code);
        let place = if method.is_active || !value.is_empty() { &mut lines } else { &mut folded };
        place.push(method_row(view, field, &numbered(code, value), Some(label)));
    }
    for (code, value) in others {
        lines.push(method_row(view, field, &numbered(code, value), None));
    }
    lines.push(method_row(view, field, &numbered(String::new(), String::new()), None));
    let folded = (!folded.is_empty()).then(|| {
        view! {
            <details class="map-folded">
                <summary>{format!("Turned off in the shop ({})", folded.len())}</summary>
                <ul class="map">{folded}</ul>
            </details>
        }
    });
    let problem = view.methods.problem.map(|code| {
        view! {
            <p class="field-hint">"The shop\u{2019}s payment methods cannot be loaded right now. Existing mappings are kept."</p>
            <Problem code />
        }
    });
    group(field, ("Payment method", "Bank account"), view! { {folded} {problem} }.into_any(), lines)
}

fn method_row(view: &SettingsView, field: &'static Field, row: &MapRow, label: Option<String>) -> AnyView {
    let banks = view.lists.entries(List::BankAccounts);
    let options = banks.iter().map(|bank| {
        view! {
            <option value=bank.id.clone() selected=bank.id == row.value>
                {bank.text.clone()}
            </option>
        }
    });
    let other = Some(row.key.as_str()).filter(|key| !key.is_empty());
    let known = row.value == UNPAID || view.lists.has(List::BankAccounts, &row.value);
    let value = view! {
        <select
            id=format!("{}-value", row.id)
            name=format!("{}.value", field.path)
            aria-label=format!("Bank account of {}", label.as_deref().or(other).unwrap_or("another method"))
            aria-describedby=format!("{}-error", row.id)
            aria-invalid=view.problem(&row.path).map(|_| "true")
            autofocus=is_first(view, &row.path)
        >
            <option value="">"The default bank account"</option>
            <option value=UNPAID selected=row.value == UNPAID>
                "None: leave unpaid"
            </option>
            {options.collect_view()}
            {missing_option(&row.value, known)}
        </select>
    };
    let key = match label {
        Some(label) => view! {
            <span class="map-key">{label}</span>
            <input type="hidden" name=format!("{}.key", field.path) value=row.key.clone() />
        }
        .into_any(),
        None => key_input(field, row, "Code of another method", ""),
    };
    line(view, row, key, value.into_any())
}

/// Tax rates by percentage.
pub fn tax_rates(view: &SettingsView, field: &'static Field) -> AnyView {
    let filled = rows(view, field);
    let from = filled.len();
    let all = filled.into_iter().chain(empty(view, field, from));
    let lines = all.map(|row| {
        let key = key_input(field, &row, "Percentage", "20 or 20/Reduced/IE");
        let value = view! {
            <input
                id=format!("{}-value", row.id)
                name=format!("{}.value", field.path)
                list=List::TaxRates.as_str()
                value=row.value.clone()
                aria-label="Tax rate"
                aria-describedby=format!("{}-error", row.id)
                aria-invalid=view.problem(&row.path).map(|_| "true")
                data-missing=row.value.starts_with(MISSING).then_some("true")
                autofocus=is_first(view, &row.path)
                spellcheck="false"
            />
        };
        line(view, &row, key, value.into_any())
    });
    let lines = lines.collect();
    group(field, ("Percentage", "Sage\u{2019}s rate"), more(), lines)
}

/// What each product type is.
pub fn product_types(view: &SettingsView, field: &'static Field) -> AnyView {
    let lines = rows(view, field).into_iter().map(|row| {
        let key = view! {
            <span class="map-key">{row.key.clone()}</span>
            <input type="hidden" name=format!("{}.key", field.path) value=row.key.clone() />
        };
        let value = view! {
            <select
                id=format!("{}-value", row.id)
                name=format!("{}.value", field.path)
                aria-label=format!("Type of {}", row.key)
                aria-describedby=format!("{}-error", row.id)
                aria-invalid=view.problem(&row.path).map(|_| "true")
                autofocus=is_first(view, &row.path)
            >
                {choices(GOODS_OR_SERVICES, &row.value)}
            </select>
        };
        line(view, &row, key.into_any(), value.into_any())
    });
    let lines = lines.collect();
    group(field, ("Product type", "Type"), ().into_any(), lines)
}

fn key_input(field: &'static Field, row: &MapRow, label: &'static str, example: &'static str) -> AnyView {
    view! {
        <input
            id=format!("{}-key", row.id)
            name=format!("{}.key", field.path)
            value=row.key.clone()
            aria-label=label
            aria-describedby=format!("{}-error", row.id)
            placeholder=example
            spellcheck="false"
            autocapitalize="none"
        />
    }
    .into_any()
}

fn line(view: &SettingsView, row: &MapRow, key: AnyView, value: AnyView) -> AnyView {
    view! {
        <li class="map-row" data-row=row.id.clone()>
            {key}
            {value}
            {wrong(&row.path, &row.id, view.problem(&row.path))}
        </li>
    }
    .into_any()
}

fn more() -> AnyView {
    view! {
        <button class="button" type="submit" name="do" value="more" formnovalidate>
            "More rows"
        </button>
    }
    .into_any()
}

fn group(
    field: &'static Field,
    heads: (&'static str, &'static str),
    below: AnyView,
    lines: Vec<AnyView>,
) -> AnyView {
    view! {
        <div class="field field-map" role="group" aria-labelledby=format!("{}-label", field.path) data-map=field.path>
            <p class="field-label" id=format!("{}-label", field.path)>
                {field.label}
            </p>
            <p class="field-hint">{field.hint}</p>
            <ul class="map" id=field.path tabindex="-1">
                <li class="map-row map-heads" aria-hidden="true">
                    <span>{heads.0}</span>
                    <span>{heads.1}</span>
                </li>
                {lines}
            </ul>
            {below}
        </div>
    }
    .into_any()
}

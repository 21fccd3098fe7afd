//! The settings as a form: what a page shows of them, and what it sends. A form names fields by their paths; what it leaves out stays
//! as it was. Maps come as rows, `tax_rate_map.key` and `tax_rate_map.value` by turns.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    Choices, FieldProblem, List, Lists, MISSING, Problems, Settings,
    cards::{self, Field, Kind},
    tax_key,
};
use crate::money;

/// What a payment method is mapped to so that its invoices stay unpaid.
pub const UNPAID: &str = "unpaid";

/// What people read for [`UNPAID`], and may type for it.
pub const LEAVE_UNPAID: &str = "Leave unpaid";

/// A form: names and values, in the page's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

/// A row of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// What stands on the left: a method, a percentage, a product type.
    pub key: &'a str,
    /// What it is mapped to.
    pub value: &'a str,
}

impl From<Vec<(String, String)>> for Form {
    /// A tax rate's percentage, class and country become one key; whoever sends the key itself is understood as well.
    fn from(pairs: Vec<(String, String)>) -> Self {
        const PARTS: [&str; 3] = ["tax_rate_map.percentage", "tax_rate_map.class", "tax_rate_map.country"];
        let mut form = Self(Vec::with_capacity(pairs.len()));
        let mut parts: [String; 3] = Default::default();
        for (name, value) in pairs {
            let Some(place) = PARTS.iter().position(|part| *part == name) else {
                form.push(&name, value);
                continue;
            };
            if let Some(part) = parts.get_mut(place) {
                *part = value;
            }
            if place == 2 {
                let [percentage, class, country] = std::mem::take(&mut parts);
                form.push("tax_rate_map.key", tax_key::joined(&percentage, &class, &country));
            }
        }
        form
    }
}

impl Form {
    /// What a page shows of settings.
    pub fn of(settings: &Settings, lists: &Lists) -> Self {
        let mut form = Self::default();
        for field in cards::fields() {
            match field.kind {
                Kind::PaymentMethods => {
                    for (method, bank) in &settings.payment_method_map {
                        let bank = bank.as_deref().map(|id| lists.text(List::BankAccounts, id));
                        form.push_row(field.path, method, bank.as_deref().unwrap_or(LEAVE_UNPAID));
                    }
                }
                Kind::TaxRates => {
                    for (key, id) in &settings.tax_rate_map {
                        form.push_row(field.path, key, &lists.text(List::TaxRates, id));
                    }
                }
                Kind::ProductTypes => {
                    for (product, word) in &settings.product_type_eu_goods_map {
                        form.push_row(field.path, product, word);
                    }
                }
                _ => form.push(field.path, shown(field, settings, lists)),
            }
        }
        form
    }

    fn push(&mut self, name: &str, value: String) {
        self.0.push((name.to_owned(), value));
    }

    fn push_row(&mut self, path: &str, key: &str, value: &str) {
        self.push(&format!("{path}.key"), key.to_owned());
        self.push(&format!("{path}.value"), value.to_owned());
    }

    /// The names and values, a tax rate's key in one.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The value of a name; the last one, so that a switch's box wins over what says that it is off.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The rows of a map, trimmed.
    pub fn rows(&self, path: &str) -> Vec<Row<'_>> {
        let of = |part: &str| {
            let name = format!("{path}.{part}");
            let values = self.0.iter().filter(move |(own, _)| *own == name);
            values.map(|(_, value)| value.trim()).collect::<Vec<_>>()
        };
        of("key").into_iter().zip(of("value")).map(|(key, value)| Row { key, value }).collect()
    }

    /// Reads the settings that the form makes of others, and everything that is wrong with them, in the order of the cards.
    pub fn read(&self, base: &Settings, choices: &dyn Choices) -> (Settings, Problems) {
        let (mut settings, mut problems) = (base.clone(), Problems::new());
        for field in cards::fields() {
            match field.kind {
                // Which value belongs to which key nobody could tell.
                Kind::PaymentMethods | Kind::TaxRates | Kind::ProductTypes if self.is_uneven(field.path) => {
                    problems.push((field.path.to_owned(), FieldProblem::InvalidFormat));
                }
                Kind::PaymentMethods => self.methods(field.path, &mut settings, choices, &mut problems),
                Kind::TaxRates => self.rates(field.path, &mut settings, choices, &mut problems),
                Kind::ProductTypes => self.products(field.path, &mut settings, &mut problems),
                _ => {
                    let typed = self.get(field.path).map(str::trim);
                    if let Some(Err(problem)) = typed.map(|typed| set(field, &mut settings, typed, choices)) {
                        problems.push((field.path.to_owned(), problem));
                    }
                }
            }
        }
        for (path, problem) in settings.check_against(choices) {
            if problems.iter().all(|(known, _)| *known != path) {
                problems.push((path, problem));
            }
        }
        (settings, in_order(problems))
    }

    /// Whether a map has more keys than values, or fewer.
    fn is_uneven(&self, path: &str) -> bool {
        let count = |part: &str| {
            let name = format!("{path}.{part}");
            self.0.iter().filter(|(own, _)| *own == name).count()
        };
        count("key") != count("value")
    }

    fn has_rows(&self, path: &str) -> bool {
        self.get(&format!("{path}.key")).is_some()
    }

    fn methods(&self, path: &str, settings: &mut Settings, choices: &dyn Choices, problems: &mut Problems) {
        if !self.has_rows(path) {
            return;
        }
        let mut map = BTreeMap::new();
        for Row { key, value } in self.rows(path) {
            let known = map.contains_key(key);
            match (key, value) {
                // Not mapped: the default bank account.
                (_, "") => {}
                ("", _) => problems.push((format!("{path}."), FieldProblem::Required)),
                _ if known => problems.push((format!("{path}.{key}"), FieldProblem::Conflict)),
                (_, UNPAID | LEAVE_UNPAID) => drop(map.insert(key.to_owned(), None)),
                _ => drop(map.insert(key.to_owned(), Some(named(List::BankAccounts, value, choices)))),
            }
        }
        settings.payment_method_map = map;
    }

    fn rates(&self, path: &str, settings: &mut Settings, choices: &dyn Choices, problems: &mut Problems) {
        if !self.has_rows(path) {
            return;
        }
        let mut map = BTreeMap::new();
        for Row { key, value } in self.rows(path) {
            match (key, value) {
                ("", "") => {}
                ("", _) | (_, "") => problems.push((format!("{path}.{key}"), FieldProblem::Required)),
                _ if map.contains_key(key) => {
                    problems.push((format!("{path}.{key}"), FieldProblem::Conflict));
                }
                _ => drop(map.insert(key.to_owned(), named(List::TaxRates, value, choices))),
            }
        }
        settings.tax_rate_map = map;
    }

    fn products(&self, path: &str, settings: &mut Settings, problems: &mut Problems) {
        if !self.has_rows(path) {
            return;
        }
        let mut map = BTreeMap::new();
        for Row { key, value } in self.rows(path) {
            if key.is_empty() && value.is_empty() {
                continue;
            }
            if key.is_empty() {
                problems.push((format!("{path}."), FieldProblem::Required));
            } else if map.contains_key(key) {
                problems.push((format!("{path}.{key}"), FieldProblem::Conflict));
            } else {
                map.insert(key.to_owned(), value.to_owned());
            }
        }
        settings.product_type_eu_goods_map = map;
    }
}

/// Problems in the order of the cards. Field by field, because a sort is a tenth of what the browser's part weighs.
pub fn in_order(mut problems: Problems) -> Problems {
    let mut ordered = Problems::with_capacity(problems.len());
    for field in cards::fields() {
        let (of_field, others) = problems.into_iter().partition(|(path, _)| cards::is_of(path, field));
        ordered.extend::<Problems>(of_field);
        problems = others;
    }
    ordered
}

/// The id that a person named. What cannot be found is kept as it was typed: the rules find no such id.
fn named(list: List, typed: &str, choices: &dyn Choices) -> String {
    let typed = typed.strip_prefix(MISSING).unwrap_or(typed);
    choices.find(list, typed).unwrap_or_else(|| typed.to_owned())
}

/// What a field shows, but for maps.
fn shown(field: &Field, settings: &Settings, lists: &Lists) -> String {
    let mut settings = settings.clone();
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    match field.kind {
        Kind::Switch(of) => of(&mut settings).to_string(),
        Kind::OneOf { get, .. } => get(&settings).to_owned(),
        Kind::Pick(list, of) => of(&mut settings).as_ref().map(|id| lists.text(list, id)).unwrap_or_default(),
        Kind::Text(of) | Kind::Email(of) | Kind::Zone(of) => optional(of(&mut settings)),
        Kind::Words(of) => of(&mut settings).clone(),
        Kind::Ids(of) => of(&mut settings).iter().map(i64::to_string).collect::<Vec<_>>().join(", "),
        Kind::Moment(of) => {
            // A day alone is its first minute.
            let shown = of(&mut settings).map(|at| at.format("%Y-%m-%dT%H:%M").to_string());
            shown.map(|at| at.strip_suffix("T00:00").map(str::to_owned).unwrap_or(at)).unwrap_or_default()
        }
        Kind::Amount(of) => of(&mut settings).normalize().to_string(),
        Kind::PaymentMethods | Kind::TaxRates | Kind::ProductTypes => String::new(),
    }
}

/// Sets a field to what was typed, but for maps.
fn set(
    field: &Field,
    settings: &mut Settings,
    typed: &str,
    choices: &dyn Choices,
) -> Result<(), FieldProblem> {
    let optional = || Some(typed.to_owned()).filter(|typed| !typed.is_empty());
    match field.kind {
        Kind::Switch(of) => *of(settings) = typed.parse().map_err(|_| FieldProblem::InvalidFormat)?,
        Kind::OneOf { set, .. } => {
            if !set(settings, typed) {
                return Err(FieldProblem::InvalidFormat);
            }
        }
        Kind::Pick(list, of) => *of(settings) = optional().map(|typed| named(list, &typed, choices)),
        Kind::Text(of) | Kind::Email(of) | Kind::Zone(of) => *of(settings) = optional(),
        Kind::Words(of) => typed.clone_into(of(settings)),
        Kind::Ids(of) => *of(settings) = ids(typed).ok_or(FieldProblem::InvalidFormat)?,
        Kind::Moment(of) => *of(settings) = optional().map(|typed| moment(&typed)).transpose()?,
        Kind::Amount(of) => *of(settings) = amount(typed)?,
        Kind::PaymentMethods | Kind::TaxRates | Kind::ProductTypes => {}
    }
    Ok(())
}

fn ids(typed: &str) -> Option<Vec<i64>> {
    let parts = typed.split([',', ';', ' ']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().ok()).collect()
}

/// `2026-03-01T09:05`, as a browser's field for date and time sends it; a day alone is its first minute.
fn moment(typed: &str) -> Result<DateTime<Utc>, FieldProblem> {
    let (day, time) = typed.split_once(['T', ' ']).unwrap_or((typed, "00:00"));
    let numbers = |text: &str, between: char| -> Option<Vec<u32>> {
        text.split(between).map(|part| part.parse().ok()).collect()
    };
    let (day, time) = (numbers(day, '-'), numbers(time, ':'));
    let (Some([year, month, day]), Some([hour, minute, ..])) = (day.as_deref(), time.as_deref()) else {
        return Err(FieldProblem::InvalidFormat);
    };
    let year = i32::try_from(*year).ok().filter(|year| (1970..10_000).contains(year));
    let day = year.and_then(|year| NaiveDate::from_ymd_opt(year, *month, *day));
    let at = day.and_then(|day| day.and_hms_opt(*hour, *minute, 0)).ok_or(FieldProblem::OutOfRange)?;
    Ok(at.and_utc())
}

fn amount(typed: &str) -> Result<rust_decimal::Decimal, FieldProblem> {
    if typed.is_empty() {
        return Ok(rust_decimal::Decimal::ZERO);
    }
    match money::typed_hundredths(typed) {
        Some((hundredths, true)) => Ok(money::from_minor(hundredths)),
        _ => Err(FieldProblem::InvalidFormat),
    }
}

#[cfg(test)]
mod tests;

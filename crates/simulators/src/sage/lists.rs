//! Lists: filters, order, pages and what of each item is shown.

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Value, json};

use super::{
    errors::Refusal,
    tables::{Record, Row, id_in, text},
};

/// The query of a request.
#[derive(Debug, Default, Clone)]
pub(super) struct Query {
    /// In the order they were sent.
    pairs: Vec<(String, String)>,
    /// `search` in lower case.
    wanted: Option<String>,
}

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let mut query = Self { pairs: pairs.into_owned().collect(), wanted: None };
        query.wanted = query.get("search").map(str::to_lowercase);
        query
    }

    /// The value of a parameter; empty counts as none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(key, value)| key == name && !value.is_empty());
        pair.map(|(_, value)| value.as_str())
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.get(name).and_then(|value| value.parse().ok())
    }

    fn moment(&self, name: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        // A plus sign that was not escaped arrives as a space, and is no time.
        let moment = DateTime::parse_from_rfc3339(value)
            .map_err(|_| Refusal::invalid(name, "is not a time (YYYY-MM-DDThh:mm:ss+hh:mm)"))?;
        Ok(Some(moment.to_utc()))
    }

    /// Whether the column `key` of a row's object equals what the parameter asks for, when it asks.
    pub(super) fn same_id(&self, parameter: &str, row: &Row, key: &str) -> bool {
        self.get(parameter).is_none_or(|id| id_in(&row.body, key) == Some(id))
    }

    /// `search` is a loose match: anywhere in the text, in any case.
    pub(super) fn searched(&self, row: &Row) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| row.haystack.contains(wanted.as_str()))
    }

    /// `from_date` and `to_date`, both inclusive.
    pub(super) fn dated(&self, row: &Row) -> bool {
        let date = text(&row.body, "date").unwrap_or_default();
        self.get("from_date").is_none_or(|from| date >= from)
            && self.get("to_date").is_none_or(|to| date <= to)
    }
}

/// The key of the page size in the envelope: `/businesses` spells it another way.
pub(super) enum Envelope {
    Usual,
    Businesses,
}

/// Lists without `updated_or_created_since` (swagger).
const UNDATED: [&str; 4] = ["stock_movements", "payment_methods", "currencies", "exchange_rates"];

/// Applies the times and the order, then cuts the page.
pub(super) fn list<'a>(
    resource: &str,
    rows: impl Iterator<Item = &'a Row>,
    query: &Query,
) -> Result<Value, Refusal> {
    let since = query.moment("updated_or_created_since")?.filter(|_| !UNDATED.contains(&resource));
    let deleted_since = query.moment("deleted_since")?;
    let mut rows: Vec<&Row> = rows
        .filter(|row| match (row.deleted, deleted_since) {
            (None, None) => true,
            (Some(deleted), Some(since)) => deleted > since,
            _ => false,
        })
        // The wire has whole seconds, and the bound is inclusive.
        .filter(|row| since.is_none_or(|since| row.updated.trunc_subsecs(0) >= since))
        .collect();
    sort(&mut rows, query);
    Ok(page(resource, &rows, query, &Envelope::Usual))
}

fn sort(rows: &mut [&Row], query: &Query) {
    let Some(sort) = query.get("sort") else { return };
    let (key, direction) = sort.split_once(':').unwrap_or((sort, "asc"));
    match key {
        "created_at" => rows.sort_by_key(|row| row.created),
        "updated_at" => rows.sort_by_key(|row| row.updated),
        "date" | "due_date" => rows.sort_by(|a, b| text(&a.body, key).cmp(&text(&b.body, key))),
        _ => return,
    }
    if direction == "desc" {
        rows.reverse();
    }
}

/// One page in Sage's envelope. A page past the end is the last page again.
pub(super) fn page(resource: &str, rows: &[&Row], query: &Query, envelope: &Envelope) -> Value {
    let size = query.number("items_per_page").unwrap_or(20).clamp(1, 200);
    let last = rows.len().div_ceil(size).max(1);
    let page = query.number("page").unwrap_or(1).clamp(1, last);
    let items: Vec<Value> =
        rows.iter().skip((page - 1) * size).take(size).map(|row| project(resource, row, query)).collect();
    let path = |page: usize| turn(resource, query, page, size);
    let size_key = match envelope {
        Envelope::Usual => "$itemsPerPage",
        Envelope::Businesses => "$items_per_page",
    };
    json!({
        "$total": rows.len(),
        "$page": page,
        "$next": (page < last).then(|| path(page + 1)),
        "$back": (page > 1).then(|| path(page - 1)),
        size_key: size,
        "$items": items,
    })
}

/// The relative path of another page, with the rest of the query kept.
fn turn(resource: &str, query: &Query, page: usize, size: usize) -> String {
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("page", &page.to_string()).append_pair("items_per_page", &size.to_string());
    let rest = query.pairs.iter().filter(|(key, _)| key != "page" && key != "items_per_page");
    for (key, value) in rest {
        pairs.append_pair(key, value);
    }
    format!("/{resource}?{}", pairs.finish())
}

/// Only id, name and path, unless `attributes` asks for more.
fn project(resource: &str, row: &Row, query: &Query) -> Value {
    let attributes = query.get("attributes").unwrap_or_default();
    let mut shown: Record = if attributes == "all" {
        row.body.clone()
    } else {
        let wanted = |key: &str| {
            matches!(key, "id" | "displayed_as" | "$path")
                || attributes.split(',').any(|attribute| attribute.trim() == key)
        };
        row.body
            .iter()
            .filter(|(key, _)| wanted(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    if resource == "contacts" {
        flatten_inner_objects(&mut shown, query.get("nested_attributes").unwrap_or_default());
    }
    if !query.is_true("show_payments_allocations") {
        shown.remove("payments_allocations");
    }
    Value::Object(shown)
}

/// A contact's inner objects show only their base in lists, until `nested_attributes` asks for more.
fn flatten_inner_objects(contact: &mut Record, nested: &str) {
    if nested == "all" {
        return;
    }
    for key in ["main_address", "delivery_address", "main_contact_person"] {
        if let Some(Value::Object(inner)) = contact.get_mut(key) {
            inner.retain(|key, _| {
                matches!(key.as_str(), "id" | "displayed_as" | "$path")
                    || nested.split(',').any(|attribute| attribute.trim() == key)
            });
        }
    }
}

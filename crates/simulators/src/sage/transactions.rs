//! The feed over all postings: `/transactions`.

use serde_json::{Value, json};

use super::{
    contacts,
    errors::Refusal,
    handler::Ctx,
    lists::Query,
    tables::{Record, Row, base, id_in, text},
};

/// Posts the document, and returns the transaction as the document shows it.
pub(super) fn record(ctx: &mut Ctx<'_>, kind: &str, resource: &str, origin: &str) -> Result<Value, Refusal> {
    let id = ctx.ids.next();
    let row = ctx.business.row(resource, origin)?;
    let mut body = base("transactions", &id, text(&row.body, "displayed_as").unwrap_or_default());
    contacts::extend(&mut body, of_document(row));
    let fields = json!({
        "deleted": false,
        "transaction_type": ctx.business.row("transaction_types", kind)?.base(),
        "origin": row.base(),
        "number_of_attachments": "0",
    });
    contacts::extend(&mut body, fields);
    let row = Row::new(body, Record::new(), ctx.now);
    let link = row.base();
    ctx.business.table_mut("transactions").insert(row);
    Ok(link)
}

fn of_document(row: &Row) -> Value {
    let shown = |key: &str| row.body.get(key).cloned().unwrap_or_default();
    json!({
        "date": shown("date"),
        "reference": shown("reference"),
        "total": shown("base_currency_total_amount"),
        "total_in_transaction_currency": shown("total_amount"),
        "contact": shown("contact"),
    })
}

/// The document changed, so its transaction did.
pub(super) fn refresh(ctx: &mut Ctx<'_>, resource: &str, origin: &str) {
    let Ok(fields) = ctx.business.row(resource, origin).map(of_document) else { return };
    change(ctx, origin, |body| contacts::extend(body, fields.clone()));
}

/// The document was voided or removed: the transaction stays, marked.
pub(super) fn delete(ctx: &mut Ctx<'_>, origin: &str) {
    change(ctx, origin, |body| {
        body.insert("deleted".to_owned(), true.into());
    });
}

/// The filters of the list (swagger).
pub(super) fn matches(row: &Row, query: &Query) -> bool {
    query.same_id("transaction_type_id", row, "transaction_type") && query.dated(row)
}

fn change(ctx: &mut Ctx<'_>, origin: &str, change: impl Fn(&mut Record)) {
    let of_origin = |row: &&Row| id_in(&row.body, "origin") == Some(origin);
    let id = ctx.business.table("transactions").all().rev().find(of_origin).map(|row| row.id().to_owned());
    let now = ctx.now;
    if let Some(row) = id.and_then(|id| ctx.business.row_mut("transactions", &id)) {
        change(&mut row.body);
        row.touch(now);
    }
}

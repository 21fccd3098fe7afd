//! Stock: movements change it, invoices take it, and it is never negative.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    contacts,
    errors::Refusal,
    handler::{Ctx, Reply},
    lists::Query,
    money,
    tables::{Business, Record, Row, base, day, id_in, text},
};

/// `POST /stock_movements`: a negative quantity goes out.
pub(super) fn create(ctx: &mut Ctx<'_>, request: Record) -> Result<Reply, Refusal> {
    let id = ctx.ids.next();
    let (item, quantity) = check(ctx.business, &request)?;
    let body = show(ctx, &id, &item, quantity, &request)?;
    shift(ctx, &item, quantity, &request)?;
    let row = Row::new(body, request, ctx.now);
    let body = row.body.clone();
    insert(ctx, row);
    Ok(Reply::created(body))
}

/// `PUT /stock_movements/{id}`: the difference moves.
pub(super) fn update(ctx: &mut Ctx<'_>, id: &str, request: Record) -> Result<Reply, Refusal> {
    let row = ctx.business.row("stock_movements", id)?;
    let before = money::field(&row.body, "quantity").unwrap_or_default();
    let old_item = id_in(&row.body, "stock_item").unwrap_or_default().to_owned();
    let merged = contacts::merge(row.request.clone(), request);
    let (item, quantity) = check(ctx.business, &merged)?;
    if item != old_item {
        return Err(Refusal::invalid("stock_item_id", "cannot be changed"));
    }
    let body = show(ctx, id, &item, quantity, &merged)?;
    shift(ctx, &item, quantity - before, &merged)?;
    let now = ctx.now;
    let row = ctx.business.row_mut("stock_movements", id).ok_or_else(Refusal::not_found)?;
    row.body.extend(body);
    row.request = merged;
    row.touch(now);
    Ok(Reply::ok(Value::Object(row.body.clone())))
}

/// `DELETE /stock_movements/{id}`.
pub(super) fn delete(ctx: &mut Ctx<'_>, id: &str) -> Result<Reply, Refusal> {
    let row = ctx.business.row("stock_movements", id)?;
    let quantity = money::field(&row.body, "quantity").unwrap_or_default();
    let item = id_in(&row.body, "stock_item").unwrap_or_default().to_owned();
    shift(ctx, &item, -quantity, &Record::new())?;
    let now = ctx.now;
    if let Some(row) = ctx.business.row_mut("stock_movements", id) {
        row.delete(now);
    }
    Ok(Reply::empty())
}

/// The filters of the list (swagger).
pub(super) fn matches(row: &Row, query: &Query) -> bool {
    query.searched(row) && query.same_id("stock_item_id", row, "stock_item") && query.dated(row)
}

/// Whether there is enough for these lines together.
pub(super) fn suffices(business: &Business, lines: &[(String, Decimal)]) -> bool {
    lines.iter().all(|(item, _)| {
        let wanted: Decimal = lines.iter().filter(|line| line.0 == *item).map(|line| line.1).sum();
        wanted <= held(business, item)
    })
}

/// An invoice makes its own "Goods Out", under its own number.
pub(super) fn take(ctx: &mut Ctx<'_>, invoice: &str, number: &str, lines: &[(String, Decimal)]) {
    for (item, quantity) in lines {
        let id = ctx.ids.next();
        let mut request = Record::new();
        request.insert("details".to_owned(), "Goods Out".into());
        request.insert("reference".to_owned(), number.into());
        request.insert("invoice".to_owned(), invoice.into());
        request.insert("date".to_owned(), ctx.now.date_naive().to_string().into());
        let Ok(body) = show(ctx, &id, item, -quantity, &request) else { continue };
        if shift(ctx, item, -quantity, &request).is_ok() {
            let row = Row::new(body, request, ctx.now);
            insert(ctx, row);
        }
    }
}

/// A voided invoice gives its stock back.
pub(super) fn give_back(ctx: &mut Ctx<'_>, invoice: &str) {
    let of_invoice = |row: &&Row| text(&row.request, "invoice") == Some(invoice);
    let movements = ctx.business.table("stock_movements").living().filter(of_invoice);
    let movements: Vec<String> = movements.map(|row| row.id().to_owned()).collect();
    for id in movements {
        // Putting stock back is never refused.
        let _ = delete(ctx, &id);
    }
}

/// Whether an invoice has moved stock.
pub(super) fn is_moved_by(business: &Business, invoice: &str) -> bool {
    business.table("stock_movements").living().any(|row| text(&row.request, "invoice") == Some(invoice))
}

fn check(business: &Business, request: &Record) -> Result<(String, Decimal), Refusal> {
    let item = text(request, "stock_item_id").ok_or_else(|| Refusal::required("stock_item_id"))?;
    business.row("stock_items", item)?;
    day(request, "date").ok_or_else(|| Refusal::required("date"))?;
    let quantity = money::field(request, "quantity").unwrap_or_default();
    if quantity.is_zero() {
        return Err(Refusal::invalid("quantity", "must not be 0"));
    }
    Ok((item.to_owned(), quantity))
}

fn held(business: &Business, item: &str) -> Decimal {
    let row = business.row("stock_items", item).ok();
    row.and_then(|row| money::field(&row.body, "quantity_in_stock")).unwrap_or_default()
}

fn shift(ctx: &mut Ctx<'_>, item: &str, quantity: Decimal, movement: &Record) -> Result<(), Refusal> {
    let left = held(ctx.business, item) + quantity;
    if left < Decimal::ZERO {
        return Err(Refusal::invalid("quantity", "would make the stock negative"));
    }
    let now = ctx.now;
    let row = ctx.business.row_mut("stock_items", item).ok_or_else(Refusal::not_found)?;
    row.body.insert("quantity_in_stock".to_owned(), money::wire(left));
    if quantity > Decimal::ZERO && movement.contains_key("cost_price") {
        row.body.insert("last_cost_price".to_owned(), money::wire(money::amount(movement, "cost_price")));
    }
    row.touch(now);
    Ok(())
}

fn show(ctx: &Ctx<'_>, id: &str, item: &str, quantity: Decimal, request: &Record) -> Result<Record, Refusal> {
    let details = text(request, "details").unwrap_or_default();
    let mut body = base("stock_movements", id, details);
    let fields = json!({
        "stock_item": ctx.business.row("stock_items", item)?.base(),
        "date": request.get("date"),
        "quantity": money::text(quantity),
        "cost_price": money::wire(money::amount(request, "cost_price")),
        "details": details,
        "reference": request.get("reference"),
        "movement_number": request.get("movement_number"),
        "links": ctx.links("stock_movements", id),
    });
    contacts::extend(&mut body, fields);
    Ok(body)
}

fn insert(ctx: &mut Ctx<'_>, mut row: Row) {
    row.haystack = text(&row.body, "details").unwrap_or_default().to_lowercase();
    ctx.business.table_mut("stock_movements").insert(row);
}

//! Products, services and stock items.

use serde_json::{Value, json};

use super::{
    contacts,
    errors::Refusal,
    handler::{Ctx, Reply},
    lines,
    lists::Query,
    money, reference,
    tables::{Business, Record, Row, base, id_in, records, text},
};

/// `POST`.
pub(super) fn create(ctx: &mut Ctx<'_>, resource: &str, request: Record) -> Result<Reply, Refusal> {
    let id = ctx.ids.next();
    let mut body = build(ctx, resource, &id, &request)?;
    if resource == "stock_items" {
        // Whether `quantity_in_stock` counts on create is open; here only movements change stock, as the guide has it.
        body.insert("quantity_in_stock".to_owned(), "0.0".into());
    }
    let mut row = Row::new(body, request, ctx.now);
    row.haystack = haystack(&row.body);
    let body = row.body.clone();
    ctx.business.table_mut(resource).insert(row);
    Ok(Reply::created(body))
}

/// `PUT`.
pub(super) fn update(ctx: &mut Ctx<'_>, resource: &str, id: &str, request: Record) -> Result<Reply, Refusal> {
    let merged = contacts::merge(ctx.business.row(resource, id)?.request.clone(), request);
    let body = build(ctx, resource, id, &merged)?;
    let now = ctx.now;
    let row = ctx.business.row_mut(resource, id).ok_or_else(Refusal::not_found)?;
    row.body.extend(body);
    row.haystack = haystack(&row.body);
    row.request = merged;
    row.touch(now);
    Ok(Reply::ok(Value::Object(row.body.clone())))
}

/// `DELETE`: not while a document or a movement uses it.
pub(super) fn delete(ctx: &mut Ctx<'_>, resource: &str, id: &str) -> Result<Reply, Refusal> {
    ctx.business.row(resource, id)?;
    if is_used(ctx.business, id) {
        return Err(Refusal::invalid("base", "It cannot be deleted as it has been used; make it inactive."));
    }
    let now = ctx.now;
    if let Some(row) = ctx.business.row_mut(resource, id) {
        row.delete(now);
    }
    Ok(Reply::empty())
}

/// The filters of the lists (swagger).
pub(super) fn matches(row: &Row, query: &Query) -> bool {
    let active = row.body.get("active") == Some(&Value::Bool(true));
    let empty = money::amount(&row.body, "quantity_in_stock").is_zero();
    query.searched(row)
        && query.get("active").is_none_or(|wanted| (wanted == "true") == active)
        && query.get("out_of_stock").is_none_or(|wanted| (wanted == "true") == empty)
}

fn build(ctx: &mut Ctx<'_>, resource: &str, id: &str, request: &Record) -> Result<Record, Refusal> {
    let business = &*ctx.business;
    let description = text(request, "description").ok_or_else(|| Refusal::required("description"))?;
    let sales = lines::account(business, request, "sales_ledger_account_id", "visible_in_sales")?;
    let purchase = lines::account(business, request, "purchase_ledger_account_id", "visible_in_expenses")?;
    let mut body = base(resource, id, &shown(request, description));
    let fields = json!({
        "description": description,
        "sales_ledger_account": sales,
        "purchase_ledger_account": purchase,
        "sales_tax_rate": business.link(request, "sales_tax_rate_id", "tax_rates")?,
        "purchase_tax_rate": business.link(request, "purchase_tax_rate_id", "tax_rates")?,
        "usual_supplier": business.link(request, "usual_supplier_id", "contacts")?,
        "cost_price": money::wire(money::amount(request, "cost_price")),
        "active": request.get("active") != Some(&Value::Bool(false)),
        "deletable": true,
        "deactivatable": true,
        "used_on_recurring_invoice": false,
    });
    contacts::extend(&mut body, fields);
    for key in ["item_code", "notes", "source_guid", "purchase_description", "location", "barcode"] {
        if let Some(value) = request.get(key) {
            body.insert(key.to_owned(), value.clone());
        }
    }
    let (key, prices) = prices(ctx, resource, request);
    body.insert(key.to_owned(), prices);
    Ok(body)
}

fn shown(request: &Record, description: &str) -> String {
    text(request, "item_code")
        .map_or_else(|| description.to_owned(), |code| format!("{description} ({code})"))
}

/// `sales_prices[]` of goods, `sales_rates[]` of services.
fn prices(ctx: &mut Ctx<'_>, resource: &str, request: &Record) -> (&'static str, Value) {
    let (list, name, price, includes, kind, kinds) = match resource {
        "services" => (
            "sales_rates",
            "rate_name",
            "rate",
            "rate_includes_tax",
            "service_rate_type",
            "service_rate_types",
        ),
        _ => (
            "sales_prices",
            "price_name",
            "price",
            "price_includes_tax",
            "product_sales_price_type",
            "product_sales_price_types",
        ),
    };
    let first = if resource == "services" { "RATE" } else { "SALES_PRICE" };
    let entry = |entry: &Record| {
        let wanted = text(entry, &format!("{kind}_id")).unwrap_or(first);
        json!({
            "id": ctx.ids.next(),
            "displayed_as": text(entry, name).unwrap_or("Sales Price"),
            name: text(entry, name).unwrap_or("Sales Price"),
            price: money::wire(money::amount(entry, price)),
            includes: entry.get(includes) == Some(&Value::Bool(true)),
            kind: reference::word(kinds, wanted),
        })
    };
    (list, records(request, list).map(entry).collect())
}

fn haystack(body: &Record) -> String {
    let part = |key: &str| text(body, key).unwrap_or_default();
    format!("{}\n{}", part("item_code"), part("description")).to_lowercase()
}

fn is_used(business: &Business, id: &str) -> bool {
    let on_line = |row: &Row| {
        let lines = records(&row.body, "invoice_lines").chain(records(&row.body, "credit_note_lines"));
        lines.into_iter().any(|line| id_in(line, "product") == Some(id) || id_in(line, "service") == Some(id))
    };
    let moved = |row: &Row| id_in(&row.body, "stock_item") == Some(id);
    ["sales_invoices", "sales_credit_notes"]
        .iter()
        .any(|resource| business.table(resource).living().any(on_line))
        || business.table("stock_movements").living().any(moved)
}

//! What each method on each resource does.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    allocations, artefacts, catalogue, contacts,
    credit_notes::CREDIT_NOTE,
    errors::Refusal,
    handler::{Ctx, Reply},
    idempotency,
    invoices::INVOICE,
    lists::{self, Query},
    money, payments, plans, reference, schema,
    schema::Purpose,
    settings, stock,
    tables::{Business, Record, Row},
    tax_rules, transactions,
};

/// Resources that can be written, with the key of their wrapper.
const WRITABLE: [(&str, &str); 9] = [
    ("contacts", "contact"),
    ("sales_invoices", "sales_invoice"),
    ("sales_credit_notes", "sales_credit_note"),
    ("contact_payments", "contact_payment"),
    ("contact_allocations", "contact_allocation"),
    ("products", "product"),
    ("services", "service"),
    ("stock_items", "stock_item"),
    ("stock_movements", "stock_movement"),
];

/// Resources that can only be read.
const READABLE: [&str; 23] = [
    "tax_rates",
    "ledger_accounts",
    "bank_accounts",
    "payment_methods",
    "currencies",
    "exchange_rates",
    "eu_goods_services_types",
    "eu_sales_descriptions",
    "contact_types",
    "contact_person_types",
    "address_types",
    "countries",
    "country_groups",
    "address_regions",
    "tax_types",
    "tax_schemes",
    "transaction_types",
    "transactions",
    "artefact_statuses",
    "ledger_account_types",
    "bank_account_types",
    "catalog_item_types",
    "product_sales_price_types",
];

/// Serves one request to a business.
pub(super) fn serve(ctx: &mut Ctx<'_>, method: &str, path: &[&str], body: &[u8]) -> Result<Reply, Refusal> {
    let resource = path.first().copied().unwrap_or_default();
    let wrapper = WRITABLE.iter().find(|(name, _)| *name == resource).map(|(_, wrapper)| *wrapper);
    plans::check(ctx.business, method, path)?;
    match (method, path, wrapper) {
        (_, ["financial_settings" | "business_settings" | "invoice_settings"], _) => match method {
            "GET" => settings::show(ctx.business, resource),
            _ => Err(Refusal::method_not_allowed()),
        },
        ("GET", ["tax_determinations"], _) => determinations(ctx),
        ("GET", ["service_rate_types"], _) => list(ctx, "service_rate_types"),
        ("GET", [_], _) if wrapper.is_some() || READABLE.contains(&resource) => list(ctx, resource),
        ("GET", [_, id], _) if wrapper.is_some() || READABLE.contains(&resource) => show(ctx, resource, id),
        ("POST", [_], Some(wrapper)) | ("PUT", [_, _], Some(wrapper)) => write(ctx, path, wrapper, body),
        ("DELETE", [_, id], Some(_)) => delete(ctx, resource, id),
        ("POST", ["sales_invoices", id, "release"], _) => artefacts::release(ctx, &INVOICE, id),
        ("POST", ["sales_credit_notes", id, "release"], _) => artefacts::release(ctx, &CREDIT_NOTE, id),
        (_, [_] | [_, _], _) if wrapper.is_some() || READABLE.contains(&resource) => {
            Err(Refusal::method_not_allowed())
        }
        _ => Err(Refusal::not_found()),
    }
}

fn list(ctx: &Ctx<'_>, resource: &str) -> Result<Reply, Refusal> {
    let matches: fn(&Row, &Query) -> bool = match resource {
        "contacts" => contacts::matches,
        "sales_invoices" | "sales_credit_notes" => artefacts::matches,
        "contact_payments" => payments::matches,
        "contact_allocations" => allocations::matches,
        "products" | "services" | "stock_items" => catalogue::matches,
        "stock_movements" => stock::matches,
        "transactions" => transactions::matches,
        _ => |_, _| true,
    };
    let kept = |row: &&Row| matches(row, ctx.query) && reference::matches(resource, row, ctx.query);
    let rows = ctx.business.table(resource).all();
    let page = if resource == "products" {
        // The list of products shows stock items, too.
        let rows = rows.chain(ctx.business.table("stock_items").all());
        lists::list(resource, rows.filter(kept), ctx.query)?
    } else if resource == "exchange_rates" {
        let rates: Vec<Row> = rows.map(|row| exchange_rate(ctx, row)).collect();
        let mut page = lists::list(resource, rates.iter(), ctx.query)?;
        for item in page["$items"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            item.remove("id");
        }
        page
    } else if resource == "contacts" && ctx.query.is_true("show_balance") {
        let rows: Vec<Row> = rows.filter(kept).map(|row| with_balance(ctx, row)).collect();
        lists::list(resource, rows.iter(), ctx.query)?
    } else {
        lists::list(resource, rows.filter(kept), ctx.query)?
    };
    Ok(Reply::ok(page))
}

fn show(ctx: &mut Ctx<'_>, resource: &str, id: &str) -> Result<Reply, Refusal> {
    match resource {
        "sales_invoices" => return artefacts::show(ctx, &INVOICE, id),
        "sales_credit_notes" => return artefacts::show(ctx, &CREDIT_NOTE, id),
        _ => {}
    }
    let row = match ctx.business.row(resource, id) {
        Err(_) if resource == "products" => ctx.business.row("stock_items", id)?,
        row => row?,
    };
    if resource == "exchange_rates" {
        let mut row = exchange_rate(ctx, row);
        row.body.remove("id");
        return Ok(Reply::ok(Value::Object(row.body)));
    }
    if resource == "contacts" && ctx.query.is_true("show_balance") {
        return Ok(Reply::ok(Value::Object(with_balance(ctx, row).body)));
    }
    Ok(Reply::ok(Value::Object(row.body.clone())))
}

fn with_balance(ctx: &Ctx<'_>, contact: &Row) -> Row {
    contact.clone().with(json!({"balance": balance(ctx.business, contact.id())}))
}

/// A rate of the list; turned round by the fault `rates_inverted`.
fn exchange_rate(ctx: &Ctx<'_>, row: &Row) -> Row {
    let mut row = row.clone();
    if ctx.faults.rates_inverted() {
        let (rate, inverse) = (row.body.remove("rate"), row.body.remove("inverse_rate"));
        row.body.insert("rate".to_owned(), inverse.unwrap_or_default());
        row.body.insert("inverse_rate".to_owned(), rate.unwrap_or_default());
    }
    row
}

/// `GET /tax_determinations`: the rates that a contact may be charged.
fn determinations(ctx: &Ctx<'_>) -> Result<Reply, Refusal> {
    if !matches!(ctx.query.get("usage"), Some("sales" | "purchases")) {
        return Err(Refusal::required("usage"));
    }
    let contact = ctx.query.get("contact_id").map(|id| ctx.business.row("contacts", id)).transpose()?;
    let rates = tax_rules::determined(ctx.business, contact);
    Ok(Reply::ok(lists::list("tax_rates", rates, ctx.query)?))
}

/// POST and PUT: fields checked, then looked up by idempotency id, then done.
fn write(ctx: &mut Ctx<'_>, path: &[&str], wrapper: &str, body: &[u8]) -> Result<Reply, Refusal> {
    let purpose = if path.len() == 1 { Purpose::Create } else { Purpose::Update };
    let request = schema::unwrap(body, wrapper, purpose)?;
    let place = format!("{} {}", if purpose == Purpose::Create { "POST" } else { "PUT" }, path.join("/"));
    if let Some(reply) = idempotency::recall(ctx.business, &place, &request, ctx.now)? {
        return Ok(reply);
    }
    let kept = request.clone();
    let mut record = request;
    record.remove("idempotency_id");
    let reply = match path {
        [resource] => create(ctx, resource, record)?,
        [resource, id] => update(ctx, resource, id, record)?,
        _ => return Err(Refusal::not_found()),
    };
    idempotency::remember(ctx.business, place, kept, &reply, ctx.now);
    Ok(reply)
}

fn create(ctx: &mut Ctx<'_>, resource: &str, request: Record) -> Result<Reply, Refusal> {
    match resource {
        "contacts" => contacts::create(ctx, request),
        "sales_invoices" => artefacts::create(ctx, &INVOICE, request),
        "sales_credit_notes" => artefacts::create(ctx, &CREDIT_NOTE, request),
        "contact_payments" => payments::create(ctx, request),
        "contact_allocations" => allocations::create(ctx, request),
        "stock_movements" => stock::create(ctx, request),
        _ => catalogue::create(ctx, resource, request),
    }
}

fn update(ctx: &mut Ctx<'_>, resource: &str, id: &str, request: Record) -> Result<Reply, Refusal> {
    match resource {
        "contacts" => contacts::update(ctx, id, request),
        "sales_invoices" => artefacts::update(ctx, &INVOICE, id, request),
        "sales_credit_notes" => artefacts::update(ctx, &CREDIT_NOTE, id, request),
        "contact_payments" => payments::update(ctx, id, request),
        "contact_allocations" => allocations::update(ctx, id, request),
        "stock_movements" => stock::update(ctx, id, request),
        _ => catalogue::update(ctx, resource, id, request),
    }
}

fn delete(ctx: &mut Ctx<'_>, resource: &str, id: &str) -> Result<Reply, Refusal> {
    match resource {
        "contacts" => contacts::delete(ctx, id),
        "sales_invoices" => artefacts::void(ctx, &INVOICE, id),
        "sales_credit_notes" => artefacts::void(ctx, &CREDIT_NOTE, id),
        "contact_payments" => payments::delete(ctx, id),
        "contact_allocations" => allocations::delete(ctx, id),
        "stock_movements" => stock::delete(ctx, id),
        _ => catalogue::delete(ctx, resource, id),
    }
}

/// Balances of contacts are worked out when they are shown: invoices less credit notes and money on account.
pub(super) fn balance(business: &Business, contact: &str) -> Value {
    let open = |resource: &str| -> Decimal {
        let rows = business.table(resource).living();
        let own = rows.filter(|row| super::tables::id_in(&row.body, "contact") == Some(contact));
        own.filter(|row| artefacts::status(row) != "DRAFT")
            .map(|row| money::amount(&row.body, "outstanding_amount"))
            .sum()
    };
    money::wire(open("sales_invoices") - open("sales_credit_notes") - open("payments_on_account"))
}

//! Contact allocations: invoices against credit notes and payments on account, adding up to nothing.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    artefacts, contacts,
    errors::Refusal,
    handler::{Ctx, Reply},
    lists::Query,
    money, payments, settlements,
    tables::{Business, Record, Row, Settlement, base, day, records, text},
    transactions,
};

/// `POST /contact_allocations`.
pub(super) fn create(ctx: &mut Ctx<'_>, request: Record) -> Result<Reply, Refusal> {
    let id = ctx.ids.next();
    let (body, shares) = build(ctx, &id, &request)?;
    ctx.business.table_mut("contact_allocations").insert(Row::new(body, request, ctx.now));
    let transaction = transactions::record(ctx, "CUSTOMER_ALLOCATION", "contact_allocations", &id)?;
    if let Some(row) = ctx.business.row_mut("contact_allocations", &id) {
        row.body.insert("transaction".to_owned(), transaction);
    }
    settle(ctx, &id, shares);
    Ok(Reply::created(ctx.business.row("contact_allocations", &id)?.body.clone()))
}

/// `PUT /contact_allocations/{id}`.
pub(super) fn update(ctx: &mut Ctx<'_>, id: &str, request: Record) -> Result<Reply, Refusal> {
    let merged = contacts::merge(ctx.business.row("contact_allocations", id)?.request.clone(), request);
    let before = ctx.business.settlements.clone();
    settlements::free(ctx, id);
    let (body, shares) = match build(ctx, id, &merged) {
        Ok(built) => built,
        Err(refusal) => {
            payments::restore(ctx, before);
            return Err(refusal);
        }
    };
    let now = ctx.now;
    if let Some(row) = ctx.business.row_mut("contact_allocations", id) {
        row.body.extend(body);
        row.request = merged;
        row.touch(now);
    }
    transactions::refresh(ctx, "contact_allocations", id);
    settle(ctx, id, shares);
    Ok(Reply::ok(Value::Object(ctx.business.row("contact_allocations", id)?.body.clone())))
}

/// `DELETE /contact_allocations/{id}`: everything is outstanding again.
pub(super) fn delete(ctx: &mut Ctx<'_>, id: &str) -> Result<Reply, Refusal> {
    ctx.business.row("contact_allocations", id)?;
    settlements::free(ctx, id);
    let now = ctx.now;
    if let Some(row) = ctx.business.row_mut("contact_allocations", id) {
        row.delete(now);
    }
    transactions::delete(ctx, id);
    Ok(Reply::empty())
}

/// The filters of the list (swagger).
pub(super) fn matches(row: &Row, query: &Query) -> bool {
    query.same_id("contact_id", row, "contact")
        && query.same_id("transaction_type_id", row, "transaction_type")
}

fn build(ctx: &mut Ctx<'_>, id: &str, request: &Record) -> Result<(Record, Vec<(String, Decimal)>), Refusal> {
    if text(request, "transaction_type_id") != Some("CUSTOMER_ALLOCATION") {
        return Err(Refusal::invalid("transaction_type_id", "is not a type of customer allocation"));
    }
    let contact_id = text(request, "contact_id").ok_or_else(|| Refusal::required("contact_id"))?;
    let contact = contacts::customer(ctx.business, contact_id)?.base();
    let date = day(request, "date").unwrap_or_else(|| ctx.now.date_naive());
    artefacts::check_date(ctx.business, date, "date")?;
    let shares = shares(ctx.business, contact_id, request)?;
    let mut shown = Vec::new();
    for entry in records(request, "allocated_artefacts") {
        let mut named = settlements::named(ctx.business, entry, money::amount(entry, "amount"))?;
        named["id"] = ctx.ids.next().into();
        shown.push(named);
    }
    let mut body = base("contact_allocations", id, "Customer Allocation");
    let fields = json!({
        "transaction_type": ctx.business.row("transaction_types", "CUSTOMER_ALLOCATION")?.base(),
        "contact": contact,
        "date": date.to_string(),
        "allocated_artefacts": shown,
        "links": ctx.links("contact_allocations", id),
    });
    contacts::extend(&mut body, fields);
    Ok((body, shares))
}

/// Invoices are positive, credit notes and payments on account negative, and together they are nothing.
fn shares(business: &Business, contact: &str, request: &Record) -> Result<Vec<(String, Decimal)>, Refusal> {
    let mut shares: Vec<(String, Decimal)> = Vec::new();
    let mut sum = Decimal::ZERO;
    for entry in records(request, "allocated_artefacts") {
        let artefact =
            text(entry, "artefact_id").ok_or_else(|| Refusal::required("allocated_artefacts.artefact_id"))?;
        let amount = money::amount(entry, "amount");
        sum += amount;
        let same = shares.iter().filter(|share| share.0 == artefact);
        let before: Decimal = same.map(|share| share.1).sum();
        let resource = settlements::check(business, contact, artefact, before + amount.abs())?;
        if (resource == "sales_invoices") != (amount > Decimal::ZERO) {
            let message = "invoices must be positive, credit notes and payments on account negative";
            return Err(Refusal::invalid("allocated_artefacts.amount", message));
        }
        shares.push((artefact.to_owned(), amount.abs()));
    }
    if shares.is_empty() {
        return Err(Refusal::required("allocated_artefacts"));
    }
    if !sum.is_zero() {
        return Err(Refusal::invalid("allocated_artefacts", "the amounts must add up to 0"));
    }
    Ok(shares)
}

fn settle(ctx: &mut Ctx<'_>, id: &str, shares: Vec<(String, Decimal)>) {
    for (artefact, amount) in shares {
        let settlement = Settlement {
            resource: "contact_allocations",
            by: id.to_owned(),
            amount,
            discount: Decimal::ZERO,
        };
        settlements::settle(ctx, &artefact, settlement);
    }
}

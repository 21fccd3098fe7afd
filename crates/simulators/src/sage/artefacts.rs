//! Sales invoices and credit notes: create, update, release, void.

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    contacts,
    errors::Refusal,
    faults,
    handler::{Ctx, Reply},
    lines::{Reader, Sums},
    lists::Query,
    money, settlements, stock,
    tables::{Business, Record, Row, base, day, id_in, records, text},
    tax_rules::TaxRules,
    transactions,
};

/// One of the two sorts of sales document.
pub(super) struct Sort {
    pub(super) resource: &'static str,
    pub(super) lines: &'static str,
    pub(super) number: &'static str,
    pub(super) own_prefix: &'static str,
    pub(super) prefix_setting: &'static str,
    pub(super) draft_number: &'static str,
    pub(super) transaction_type: &'static str,
    pub(super) takes_stock: bool,
}

/// A document worked out, not yet kept.
struct Built {
    body: Record,
    haystack: String,
    stock: Vec<(String, Decimal)>,
}

/// `POST /sales_invoices`, `/sales_credit_notes`.
pub(super) fn create(ctx: &mut Ctx<'_>, sort: &Sort, request: Record) -> Result<Reply, Refusal> {
    let id = ctx.ids.next();
    let status = text(&request, "status_id").unwrap_or("UNPAID").to_owned();
    if !["UNPAID", "DRAFT", "PRO_FORMA"].contains(&status.as_str()) {
        return Err(Refusal::invalid("status_id", "must be UNPAID, DRAFT or PRO_FORMA"));
    }
    let mut built = build(ctx, sort, &id, &request)?;
    check_stock(ctx, sort, &built, &status)?;
    spoil(ctx, sort, &mut built.body);
    built.body.insert("status".to_owned(), ctx.business.row("artefact_statuses", &status)?.base());
    built.body.insert("sent".to_owned(), (request.get("sent") == Some(&Value::Bool(true))).into());
    let mut row = Row::new(built.body, request, ctx.now);
    row.haystack = built.haystack;
    ctx.business.table_mut(sort.resource).insert(row);
    if status == "UNPAID" {
        post(ctx, sort, &id, &built.stock)?;
    } else {
        name(ctx, sort, &id, sort.draft_number);
    }
    settlements::refresh(ctx, &id);
    Ok(Reply::created(ctx.business.row(sort.resource, &id)?.body.clone()))
}

/// `PUT`: the change is merged into the first request and everything is worked out afresh. Lines replace the old ones.
pub(super) fn update(ctx: &mut Ctx<'_>, sort: &Sort, id: &str, request: Record) -> Result<Reply, Refusal> {
    let row = ctx.business.row(sort.resource, id)?;
    check_editable(ctx.business, row, "edited")?;
    let status = status(row).to_owned();
    if text(&request, "status_id").is_some_and(|wanted| wanted != status) {
        return Err(Refusal::invalid("status_id", "cannot be changed by an update"));
    }
    if sort.takes_stock && status == "UNPAID" && stock::is_moved_by(ctx.business, id) {
        return Err(Refusal::invalid("base", "An invoice that moved stock cannot be edited; void it."));
    }
    let merged = contacts::merge(row.request.clone(), request);
    let built = build(ctx, sort, id, &merged)?;
    let now = ctx.now;
    let row = ctx.business.row_mut(sort.resource, id).ok_or_else(Refusal::not_found)?;
    // Number and transaction stay as they are.
    let kept: Vec<_> =
        ["displayed_as", sort.number, "transaction"].map(|key| (key, row.body.get(key).cloned())).into();
    row.body.extend(built.body);
    row.body.extend(kept.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    row.haystack = built.haystack;
    row.request = merged;
    row.touch(now);
    transactions::refresh(ctx, sort.resource, id);
    settlements::refresh(ctx, id);
    Ok(Reply::ok(Value::Object(ctx.business.row(sort.resource, id)?.body.clone())))
}

/// `POST /{id}/release`: a draft becomes unpaid, gets its number and is posted.
pub(super) fn release(ctx: &mut Ctx<'_>, sort: &Sort, id: &str) -> Result<Reply, Refusal> {
    let row = ctx.business.row(sort.resource, id)?;
    if !["DRAFT", "PRO_FORMA"].contains(&status(row)) {
        return Err(Refusal::invalid("status_id", "Only drafts can be released."));
    }
    let request = row.request.clone();
    let built = build(ctx, sort, id, &request)?;
    check_stock(ctx, sort, &built, "UNPAID")?;
    let unpaid = ctx.business.row("artefact_statuses", "UNPAID")?.base();
    let now = ctx.now;
    if let Some(row) = ctx.business.row_mut(sort.resource, id) {
        row.body.insert("status".to_owned(), unpaid);
        row.touch(now);
    }
    post(ctx, sort, id, &built.stock)?;
    settlements::refresh(ctx, id);
    Ok(Reply::created(ctx.business.row(sort.resource, id)?.body.clone()))
}

/// `DELETE /{id}?void_reason=`: a draft goes away; anything else stays as void, once nothing is allocated to it.
pub(super) fn void(ctx: &mut Ctx<'_>, sort: &Sort, id: &str) -> Result<Reply, Refusal> {
    let row = ctx.business.row(sort.resource, id)?;
    check_editable(ctx.business, row, "voided")?;
    let draft = status(row) == "DRAFT";
    let reason = ctx.query.get("void_reason").map(str::to_owned);
    if reason.is_none() && !draft {
        return Err(Refusal::required("void_reason"));
    }
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > 200) {
        return Err(Refusal::invalid("void_reason", "is too long (maximum is 200 characters)"));
    }
    let void = ctx.business.row("artefact_statuses", "VOID")?.base();
    let now = ctx.now;
    let row = ctx.business.row_mut(sort.resource, id).ok_or_else(Refusal::not_found)?;
    row.body.insert("status".to_owned(), void);
    row.body.insert("void_reason".to_owned(), reason.into());
    row.touch(now);
    if draft {
        row.delete(now);
    }
    let body = row.body.clone();
    stock::give_back(ctx, id);
    transactions::delete(ctx, id);
    settlements::refresh(ctx, id);
    let body = ctx.business.row(sort.resource, id).map_or(body, |row| row.body.clone());
    Ok(Reply::ok(Value::Object(body)))
}

/// `GET /{id}`: marks it as sent unless told not to, as Sage does.
pub(super) fn show(ctx: &mut Ctx<'_>, sort: &Sort, id: &str) -> Result<Reply, Refusal> {
    ctx.business.row(sort.resource, id)?;
    let now = ctx.now;
    let row = ctx.business.row_mut(sort.resource, id).ok_or_else(Refusal::not_found)?;
    if ctx.query.get("mark_as_sent") != Some("false") && row.body.get("sent") != Some(&Value::Bool(true)) {
        row.body.insert("sent".to_owned(), true.into());
        row.touch(now);
    }
    let mut body = row.body.clone();
    if ctx.query.is_true("show_payments_allocations") {
        body.insert("payments_allocations".to_owned(), settlements::show(ctx.business, id));
    }
    Ok(Reply::ok(Value::Object(body)))
}

/// The filters of the list (swagger).
pub(super) fn matches(row: &Row, query: &Query) -> bool {
    query.searched(row)
        && query.same_id("contact_id", row, "contact")
        && query.same_id("status_id", row, "status")
        && query.dated(row)
}

/// The id of a document's status.
pub(super) fn status(row: &Row) -> &str {
    id_in(&row.body, "status").unwrap_or_default()
}

fn check_editable(business: &Business, row: &Row, verb: &str) -> Result<(), Refusal> {
    if status(row) == "VOID" {
        return Err(Refusal::invalid("base", format!("A void document cannot be {verb}.")));
    }
    if row.body.get("tax_reconciled") == Some(&Value::Bool(true)) {
        return Err(Refusal::invalid(
            "base",
            format!("It is part of a filed tax return and cannot be {verb}."),
        ));
    }
    if business.settlements.get(row.id()).is_some_and(|settled| !settled.is_empty()) {
        let message = format!("It cannot be {verb} as it has payments or allocations; remove them first.");
        return Err(Refusal::invalid("base", message));
    }
    Ok(())
}

fn check_stock(ctx: &Ctx<'_>, sort: &Sort, built: &Built, status: &str) -> Result<(), Refusal> {
    if sort.takes_stock && status == "UNPAID" && !stock::suffices(ctx.business, &built.stock) {
        let message = "You cannot fulfil this invoice as you do not have enough stock.";
        return Err(Refusal::invalid("base", message));
    }
    Ok(())
}

/// The fault `wrong_totals`: net and total are a penny too high, in the books as in the answer.
fn spoil(ctx: &Ctx<'_>, sort: &Sort, body: &mut Record) {
    let path = format!("/v3.1/{}", sort.resource);
    if ctx.faults.take(faults::Kind::WrongTotals, "POST", &path).is_none() {
        return;
    }
    for key in ["net_amount", "total_amount", "outstanding_amount"] {
        let off = money::amount(body, key) + Decimal::new(1, 2);
        body.insert(key.to_owned(), money::wire(off));
    }
}

/// Gives the number, the transaction and the stock movements.
fn post(ctx: &mut Ctx<'_>, sort: &Sort, id: &str, stock: &[(String, Decimal)]) -> Result<(), Refusal> {
    let number = next_number(ctx, sort, id);
    name(ctx, sort, id, &number);
    let transaction = transactions::record(ctx, sort.transaction_type, sort.resource, id)?;
    if let Some(row) = ctx.business.row_mut(sort.resource, id) {
        row.body.insert("transaction".to_owned(), transaction);
    }
    if sort.takes_stock {
        stock::take(ctx, id, &number, stock);
    }
    Ok(())
}

fn next_number(ctx: &mut Ctx<'_>, sort: &Sort, id: &str) -> String {
    let business = &mut *ctx.business;
    let request = business.row(sort.resource, id).map(|row| row.request.clone()).unwrap_or_default();
    let setting = business.setting("invoice_settings", sort.prefix_setting).as_str().unwrap_or_default();
    let prefix = text(&request, sort.own_prefix).unwrap_or(setting).to_owned();
    if let Some(own) = text(&request, sort.number) {
        return format!("{prefix}{own}");
    }
    let next = if sort.takes_stock { &mut business.next_invoice } else { &mut business.next_credit_note };
    *next += 1;
    format!("{prefix}{}", *next - 1)
}

fn name(ctx: &mut Ctx<'_>, sort: &Sort, id: &str, number: &str) {
    if let Some(row) = ctx.business.row_mut(sort.resource, id) {
        row.body.insert("displayed_as".to_owned(), number.into());
        row.body.insert(sort.number.to_owned(), number.into());
    }
}

fn build(ctx: &mut Ctx<'_>, sort: &Sort, id: &str, request: &Record) -> Result<Built, Refusal> {
    let contact_id = text(request, "contact_id").ok_or_else(|| Refusal::required("contact_id"))?;
    let contact = contacts::customer(ctx.business, contact_id)?.clone();
    let date = day(request, "date").ok_or_else(|| Refusal::required("date"))?;
    check_date(ctx.business, date, "date")?;
    let currency = currency(ctx.business, &contact, request)?;
    let (rate, told) = exchange_rate(ctx, request, &currency)?;
    let rules = TaxRules::new(ctx.business, &contact, request)?;
    let mut reader =
        Reader { business: ctx.business, ids: ctx.ids, rules, rate, path: sort.lines, sums: Sums::default() };
    let mut lines = Vec::new();
    let mut stock = Vec::new();
    for line in records(request, sort.lines) {
        let line = reader.line(line)?;
        lines.push(line.body);
        stock.extend(line.stock);
    }
    let shipping = reader.shipping(request)?;
    if reader.sums.total() < Decimal::ZERO {
        return Err(Refusal::invalid("total_amount", "must be greater than or equal to 0"));
    }
    let mut body = base(sort.resource, id, sort.draft_number);
    contacts::extend(&mut body, shipping);
    contacts::extend(&mut body, sums(&reader));
    body.insert(sort.lines.to_owned(), lines.into());
    header(ctx, &mut body, &contact, request)?;
    contacts::extend(
        &mut body,
        json!({
            "currency": ctx.business.row("currencies", &currency)?.base(),
            "exchange_rate": money::text(told),
            "inverse_exchange_rate": money::text((Decimal::ONE / told).round_dp(10)),
            "due_date": due_date(ctx.business, &contact, request, date),
            "transaction_type": ctx.business.row("transaction_types", sort.transaction_type)?.base(),
            "links": ctx.links(sort.resource, id),
        }),
    );
    let haystack = [text(&body, "reference"), text(&body, "contact_name")].map(Option::unwrap_or_default);
    let haystack = haystack.join("\n").to_lowercase();
    Ok(Built { body, haystack, stock })
}

fn sums(reader: &Reader<'_>) -> Value {
    let sums = &reader.sums;
    json!({
        "net_amount": money::text(sums.net),
        "tax_amount": money::text(sums.tax),
        "total_amount": money::text(sums.total()),
        "total_quantity": money::text(sums.quantity),
        "total_discount_amount": money::text(sums.discount),
        "tax_analysis": sums.analysis(),
        "base_currency_net_amount": reader.base(sums.net),
        "base_currency_tax_amount": reader.base(sums.tax),
        "base_currency_total_amount": reader.base(sums.total()),
        "base_currency_total_discount_amount": reader.base(sums.discount),
    })
}

fn header(ctx: &Ctx<'_>, body: &mut Record, contact: &Row, request: &Record) -> Result<(), Refusal> {
    let of_contact = |key: &str| contact.body.get(key).cloned().unwrap_or_default();
    let told =
        |key: &str, else_from: &str| request.get(key).cloned().unwrap_or_else(|| of_contact(else_from));
    let fields = json!({
        "contact": contact.base(),
        "contact_name": told("contact_name", "name"),
        "contact_reference": told("contact_reference", "reference"),
        "main_address": address(ctx.business, request, contact, &["main_address"])?,
        // Without a delivery address Sage copies the billing address.
        "delivery_address": address(ctx.business, request, contact, &["delivery_address", "main_address"])?,
        "editable": true,
        "vat_reverse_charge": request.get("vat_reverse_charge") == Some(&Value::Bool(true)),
        "tax_address_region": ctx.business.link(request, "tax_address_region_id", "address_regions")?,
        "tax_calculation_method": "invoice",
        "tax_reconciled": false,
        "migrated": false,
        "transaction": null,
        "void_reason": null,
    });
    contacts::extend(body, fields);
    for key in ["date", "reference", "notes", "terms_and_conditions", "original_invoice_date"] {
        if key != "original_invoice_date" || request.contains_key(key) {
            body.insert(key.to_owned(), request.get(key).cloned().unwrap_or_default());
        }
    }
    Ok(())
}

/// The first of these addresses that the request has, else the contact's main address.
fn address(business: &Business, request: &Record, contact: &Row, keys: &[&str]) -> Result<Value, Refusal> {
    for key in keys {
        if let Some(Value::Object(address)) = request.get(*key) {
            contacts::check_address(business, address, key)?;
            return Ok(Value::Object(contacts::show_address(business, address)?));
        }
    }
    Ok(contact.body.get("main_address").cloned().unwrap_or_default())
}

/// Not before the books begin, and not in a year that is locked. Sage's words for a locked year are not known.
pub(super) fn check_date(business: &Business, date: NaiveDate, source: &str) -> Result<(), Refusal> {
    let bound = |key: &str| {
        let value = business.setting("financial_settings", key).as_str();
        value.and_then(|value| value.parse::<NaiveDate>().ok())
    };
    if bound("accounts_start_date").is_some_and(|start| date < start) {
        return Err(Refusal::invalid(source, "cannot be before the accounts start date"));
    }
    if bound("year_end_lockdown_date").is_some_and(|locked| date <= locked) {
        return Err(Refusal::invalid(source, "cannot be before the year end lockdown date"));
    }
    Ok(())
}

/// A contact has one currency, and its documents bear it.
pub(super) fn currency(business: &Business, contact: &Row, request: &Record) -> Result<String, Refusal> {
    let own = id_in(&contact.body, "currency").unwrap_or(business.base_currency);
    let currency = text(request, "currency_id").unwrap_or(own);
    business.row("currencies", currency)?;
    contacts::check_currency(business, currency)?;
    if currency != own {
        return Err(Refusal::invalid("currency_id", "must be the same as the currency of the contact"));
    }
    Ok(currency.to_owned())
}

/// The rate in base units for one foreign unit, and the rate as it is told. The two differ when rates are turned round.
fn exchange_rate(ctx: &Ctx<'_>, request: &Record, currency: &str) -> Result<(Decimal, Decimal), Refusal> {
    if currency == ctx.business.base_currency {
        return Ok((Decimal::ONE, Decimal::ONE));
    }
    let inverted = ctx.faults.rates_inverted();
    let turn = |rate: Decimal| (Decimal::ONE / rate).round_dp(10);
    let sent = match (money::field(request, "exchange_rate"), money::field(request, "inverse_exchange_rate"))
    {
        (Some(rate), _) => Some(("exchange_rate", rate)),
        (None, Some(inverse)) => Some(("inverse_exchange_rate", inverse)),
        (None, None) => None,
    };
    let Some((source, rate)) = sent else {
        let rate = ctx.business.rate_of(currency);
        return Ok((rate, if inverted { turn(rate) } else { rate }));
    };
    // Below a millionth a rate is no rate, and turning it round would leave the range of decimals.
    if rate < Decimal::new(1, 6) {
        return Err(Refusal::invalid(source, "must be greater than 0"));
    }
    let told = if source == "exchange_rate" { rate } else { turn(rate) };
    Ok((if inverted { turn(told) } else { told }, told))
}

/// The date sent, else the date plus the credit days of the contact, else of the settings.
fn due_date(business: &Business, contact: &Row, request: &Record, date: NaiveDate) -> Value {
    if let Some(due) = text(request, "due_date") {
        return due.into();
    }
    let days = contact.body.get("credit_days").and_then(Value::as_u64);
    let days = days.or_else(|| business.setting("invoice_settings", "customer_credit_days").as_u64());
    date.checked_add_days(Days::new(days.unwrap_or_default())).unwrap_or(date).to_string().into()
}

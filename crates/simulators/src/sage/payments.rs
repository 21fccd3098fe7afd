//! Contact payments: receipts that pay invoices, refunds that pay back credit notes, the rest on account.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    artefacts, contacts,
    errors::Refusal,
    handler::{Ctx, Reply},
    lists::Query,
    money, settlements,
    tables::{Business, Plan, Record, Row, Settlement, base, day, id_in, records, text},
    transactions,
};

/// One entry of `allocated_artefacts`, checked.
struct Share {
    artefact: String,
    amount: Decimal,
    discount: Decimal,
}

/// `POST /contact_payments`.
pub(super) fn create(ctx: &mut Ctx<'_>, request: Record) -> Result<Reply, Refusal> {
    let id = ctx.ids.next();
    let body = build(ctx, &id, &request)?;
    let shares = shares(ctx.business, &request)?;
    let row = Row::new(body, request, ctx.now);
    let (kind, shown) = (id_in(&row.body, "transaction_type").unwrap_or_default().to_owned(), id.clone());
    ctx.business.table_mut("contact_payments").insert(row);
    let transaction = transactions::record(ctx, &kind, "contact_payments", &shown)?;
    if let Some(row) = ctx.business.row_mut("contact_payments", &id) {
        row.body.insert("transaction".to_owned(), transaction);
    }
    settle(ctx, &id, shares);
    Ok(Reply::created(ctx.business.row("contact_payments", &id)?.body.clone()))
}

/// `PUT /contact_payments/{id}`: frees what it settled and settles afresh; `allocated_artefacts: []` only frees.
pub(super) fn update(ctx: &mut Ctx<'_>, id: &str, request: Record) -> Result<Reply, Refusal> {
    let row = ctx.business.row("contact_payments", id)?;
    let old = row.body.clone();
    let merged = contacts::merge(row.request.clone(), request);
    check_on_account_is_free(ctx.business, &old)?;
    let before = ctx.business.settlements.clone();
    settlements::free(ctx, id);
    let worked_out = build(ctx, id, &merged).and_then(|body| Ok((body, shares(ctx.business, &merged)?)));
    let (body, shares) = match worked_out {
        Ok(worked_out) => worked_out,
        Err(refusal) => {
            restore(ctx, before);
            return Err(refusal);
        }
    };
    remove_on_account(ctx, &old);
    let now = ctx.now;
    if let Some(row) = ctx.business.row_mut("contact_payments", id) {
        row.body.extend(body);
        row.request = merged;
        row.touch(now);
    }
    transactions::refresh(ctx, "contact_payments", id);
    settle(ctx, id, shares);
    Ok(Reply::ok(Value::Object(ctx.business.row("contact_payments", id)?.body.clone())))
}

/// `DELETE /contact_payments/{id}`.
pub(super) fn delete(ctx: &mut Ctx<'_>, id: &str) -> Result<Reply, Refusal> {
    let body = ctx.business.row("contact_payments", id)?.body.clone();
    check_on_account_is_free(ctx.business, &body)?;
    settlements::free(ctx, id);
    remove_on_account(ctx, &body);
    let now = ctx.now;
    if let Some(row) = ctx.business.row_mut("contact_payments", id) {
        row.delete(now);
    }
    transactions::delete(ctx, id);
    Ok(Reply::empty())
}

/// The filters of the list (swagger); there is no search by reference.
pub(super) fn matches(row: &Row, query: &Query) -> bool {
    query.same_id("contact_id", row, "contact")
        && query.same_id("bank_account_id", row, "bank_account")
        && query.same_id("transaction_type_id", row, "transaction_type")
        && query.dated(row)
}

/// Puts back settlements after an update that was refused.
pub(super) fn restore(ctx: &mut Ctx<'_>, before: std::collections::HashMap<String, Vec<Settlement>>) {
    let artefacts: Vec<String> = before.keys().cloned().collect();
    ctx.business.settlements = before;
    for artefact in artefacts {
        settlements::refresh(ctx, &artefact);
    }
}

fn build(ctx: &Ctx<'_>, id: &str, request: &Record) -> Result<Record, Refusal> {
    let business = &*ctx.business;
    let kind = kind(business, request)?;
    let contact_id = text(request, "contact_id").ok_or_else(|| Refusal::required("contact_id"))?;
    let contact = match kind {
        "CUSTOMER_RECEIPT" | "CUSTOMER_REFUND" => contacts::customer(business, contact_id)?,
        _ => business.row("contacts", contact_id)?,
    };
    let date = day(request, "date").ok_or_else(|| Refusal::required("date"))?;
    artefacts::check_date(business, date, "date")?;
    let total = money::amount(request, "total_amount");
    if total <= Decimal::ZERO {
        return Err(Refusal::invalid("total_amount", "must be greater than 0"));
    }
    let bank = bank(business, request)?;
    let method = match text(request, "payment_method_id") {
        Some(_) => business.link(request, "payment_method_id", "payment_methods")?,
        None => bank.body.get("default_payment_method").cloned().unwrap_or_default(),
    };
    let currency = artefacts::currency(business, contact, request)?;
    let rate = rate(ctx, request, &currency)?;
    let kind_link = business.row("transaction_types", kind)?.base();
    let name = text(request, "reference").or_else(|| kind_link["displayed_as"].as_str()).unwrap_or(kind);
    let mut body = base("contact_payments", id, name);
    let in_base = money::wire(money::round(total * rate.0));
    contacts::extend(
        &mut body,
        json!({
            "transaction_type": kind_link,
            "contact": contact.base(),
            "bank_account": bank.base(),
            "payment_method": method,
            "date": date.to_string(),
            "reference": request.get("reference"),
            "net_amount": money::text(total),
            "tax_amount": "0.0",
            "total_amount": money::text(total),
            "currency": business.row("currencies", &currency)?.base(),
            "exchange_rate": money::text(rate.1),
            "base_currency_net_amount": in_base,
            "base_currency_tax_amount": "0.0",
            "base_currency_total_amount": in_base,
            "base_currency_currency_charge": money::wire(money::amount(request, "base_currency_currency_charge")),
            "allocated_artefacts": [],
            "payment_on_account": null,
            "editable": true,
            "links": ctx.links("contact_payments", id),
        }),
    );
    Ok(body)
}

fn kind<'a>(business: &Business, request: &'a Record) -> Result<&'a str, Refusal> {
    let kind =
        text(request, "transaction_type_id").ok_or_else(|| Refusal::required("transaction_type_id"))?;
    business.row("transaction_types", kind)?;
    if ["CUSTOMER_RECEIPT", "CUSTOMER_REFUND", "VENDOR_PAYMENT", "VENDOR_REFUND"].contains(&kind) {
        Ok(kind)
    } else {
        Err(Refusal::invalid("transaction_type_id", "is not a type of payment"))
    }
}

fn bank<'a>(business: &'a Business, request: &Record) -> Result<&'a Row, Refusal> {
    let id = text(request, "bank_account_id").ok_or_else(|| Refusal::required("bank_account_id"))?;
    let bank = business.row("bank_accounts", id)?;
    if bank.body.get("is_active") == Some(&Value::Bool(false)) {
        return Err(Refusal::invalid("bank_account_id", "is inactive"));
    }
    Ok(bank)
}

/// The rate in base units for one foreign unit, and as told. A payment's rate becomes 1 when it is not sent.
fn rate(ctx: &Ctx<'_>, request: &Record, currency: &str) -> Result<(Decimal, Decimal), Refusal> {
    let sent = money::field(request, "exchange_rate").filter(|_| currency != ctx.business.base_currency);
    let Some(told) = sent else { return Ok((Decimal::ONE, Decimal::ONE)) };
    if told < Decimal::new(1, 6) {
        return Err(Refusal::invalid("exchange_rate", "must be greater than 0"));
    }
    let turned = (Decimal::ONE / told).round_dp(10);
    Ok((if ctx.faults.rates_inverted() { turned } else { told }, told))
}

/// `allocated_artefacts`, checked against what is open on them.
fn shares(business: &Business, request: &Record) -> Result<Vec<Share>, Refusal> {
    let kind = text(request, "transaction_type_id").unwrap_or_default();
    let contact = text(request, "contact_id").unwrap_or_default();
    let total = money::amount(request, "total_amount");
    let mut shares: Vec<Share> = Vec::new();
    for entry in records(request, "allocated_artefacts") {
        let artefact =
            text(entry, "artefact_id").ok_or_else(|| Refusal::required("allocated_artefacts.artefact_id"))?;
        let (amount, discount) = (money::amount(entry, "amount"), money::amount(entry, "discount"));
        let same = shares.iter().filter(|share| share.artefact == artefact);
        let before: Decimal = same.map(|share| share.amount + share.discount).sum();
        if amount <= Decimal::ZERO || discount < Decimal::ZERO {
            return Err(Refusal::invalid("allocated_artefacts.amount", "must be greater than 0"));
        }
        let resource = settlements::check(business, contact, artefact, before + amount + discount)?;
        // A receipt pays invoices; a refund pays back credit notes and what lies on account.
        let pays = if kind == "CUSTOMER_REFUND" {
            resource != "sales_invoices"
        } else {
            resource == "sales_invoices"
        };
        if !pays {
            return Err(Refusal::not_found());
        }
        shares.push(Share { artefact: artefact.to_owned(), amount, discount });
    }
    let allocated: Decimal = shares.iter().map(|share| share.amount).sum();
    if allocated > total {
        return Err(Refusal::invalid("allocated_artefacts", "cannot be more than the total amount"));
    }
    if allocated < total && business.plan == Plan::Start {
        return Err(Refusal::invalid("allocated_artefacts", "must be equal to the total amount"));
    }
    Ok(shares)
}

/// Settles the shares; what is left goes on account.
fn settle(ctx: &mut Ctx<'_>, id: &str, shares: Vec<Share>) {
    let mut shown = Vec::new();
    let mut left =
        ctx.business.row("contact_payments", id).map(|row| money::amount(&row.body, "total_amount"));
    for share in shares {
        let Share { artefact, amount, discount } = share;
        if let Ok(left) = &mut left {
            *left -= amount;
        }
        let settlement = Settlement { resource: "contact_payments", by: id.to_owned(), amount, discount };
        settlements::settle(ctx, &artefact, settlement);
        let named = settlements::artefact(ctx.business, &artefact).map(|(_, row)| row.base()).ok();
        shown.push(json!({
            "id": ctx.ids.next(),
            "artefact": named,
            "amount": money::text(amount),
            "discount": money::text(discount),
        }));
    }
    if let Some(row) = ctx.business.row_mut("contact_payments", id) {
        row.body.insert("allocated_artefacts".to_owned(), shown.into());
    }
    if let Some(left) = left.ok().filter(|left| *left > Decimal::ZERO) {
        put_on_account(ctx, id, left);
    }
}

fn put_on_account(ctx: &mut Ctx<'_>, payment: &str, left: Decimal) {
    let id = ctx.ids.next();
    let Ok(row) = ctx.business.row("contact_payments", payment) else { return };
    let copy = |key: &str| row.body.get(key).cloned().unwrap_or_default();
    let total = money::amount(&row.body, "total_amount");
    let in_base =
        money::text(money::round(left / total * money::amount(&row.body, "base_currency_total_amount")));
    let contact = id_in(&row.body, "contact").and_then(|contact| ctx.business.row("contacts", contact).ok());
    let of_contact = |key: &str| contact.and_then(|contact| contact.body.get(key)).cloned();
    let status = ctx.business.row("artefact_statuses", "UNPAID").map(Row::base).unwrap_or_default();
    let mut body = base("payments_on_account", &id, "Payment on Account");
    let fields = json!({
        "contact": copy("contact"),
        "contact_name": of_contact("name"),
        "contact_reference": of_contact("reference"),
        "date": copy("date"),
        "reference": copy("reference"),
        "currency": copy("currency"),
        "exchange_rate": copy("exchange_rate"),
        "net_amount": money::text(left),
        "tax_amount": "0.0",
        "total_amount": money::text(left),
        "base_currency_net_amount": in_base,
        "base_currency_tax_amount": "0.0",
        "base_currency_total_amount": in_base,
        "status": status,
    });
    contacts::extend(&mut body, fields);
    let mut request = Record::new();
    request.insert("payment_id".to_owned(), payment.into());
    ctx.business.table_mut("payments_on_account").insert(Row::new(body, request, ctx.now));
    settlements::refresh(ctx, &id);
}

/// What went on account and was used since cannot be taken back.
fn check_on_account_is_free(business: &Business, payment: &Record) -> Result<(), Refusal> {
    let id = id_in(payment, "payment_on_account").unwrap_or_default();
    let used = business.settlements.get(id).is_some_and(|settled| !settled.is_empty());
    if used {
        return Err(Refusal::invalid(
            "base",
            "The payment on account has been allocated; remove that first.",
        ));
    }
    Ok(())
}

fn remove_on_account(ctx: &mut Ctx<'_>, payment: &Record) {
    if let Some(id) = id_in(payment, "payment_on_account") {
        ctx.business.table_mut("payments_on_account").remove(id);
    }
}

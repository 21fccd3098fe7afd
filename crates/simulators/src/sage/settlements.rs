//! What payments and allocations settle, and what stays outstanding.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    errors::Refusal,
    handler::Ctx,
    money,
    tables::{Business, Record, Row, Settlement, id_in, text},
};

/// The tables whose rows can be settled.
const ARTEFACTS: [&str; 3] = ["sales_invoices", "sales_credit_notes", "payments_on_account"];

/// The artefact of this id and the table it is in.
pub(super) fn artefact<'a>(business: &'a Business, id: &str) -> Result<(&'static str, &'a Row), Refusal> {
    let found = ARTEFACTS.iter().find_map(|resource| Some((*resource, business.row(resource, id).ok()?)));
    found.ok_or_else(Refusal::not_found)
}

/// What is still open on it.
pub(super) fn outstanding(business: &Business, row: &Row) -> Decimal {
    money::amount(&row.body, "total_amount") - settled(business, row.id())
}

fn settled(business: &Business, id: &str) -> Decimal {
    let settlements = business.settlements.get(id).into_iter().flatten();
    settlements.map(|settlement| settlement.amount + settlement.discount).sum()
}

/// Checks that this much may be settled on an artefact of this contact. Returns its table.
pub(super) fn check(
    business: &Business,
    contact: &str,
    id: &str,
    amount: Decimal,
) -> Result<&'static str, Refusal> {
    let (resource, row) = artefact(business, id)?;
    if id_in(&row.body, "contact") != Some(contact) {
        return Err(Refusal::invalid("allocated_artefacts.artefact_id", "must belong to the same contact"));
    }
    if !["UNPAID", "PART_PAID"].contains(&id_in(&row.body, "status").unwrap_or_default()) {
        return Err(Refusal::invalid("base", "You can only pay unpaid or part-paid invoices."));
    }
    if amount <= Decimal::ZERO {
        return Err(Refusal::invalid("allocated_artefacts.amount", "must be greater than 0"));
    }
    if amount > outstanding(business, row) {
        return Err(Refusal::invalid(
            "allocated_artefacts.amount",
            "cannot be more than the outstanding amount",
        ));
    }
    Ok(resource)
}

/// Settles, and brings the artefact up to date.
pub(super) fn settle(ctx: &mut Ctx<'_>, artefact: &str, settlement: Settlement) {
    ctx.business.settlements.entry(artefact.to_owned()).or_default().push(settlement);
    refresh(ctx, artefact);
}

/// Takes back all that a payment or an allocation settled.
pub(super) fn free(ctx: &mut Ctx<'_>, by: &str) {
    let mut freed = Vec::new();
    for (artefact, settlements) in &mut ctx.business.settlements {
        let before = settlements.len();
        settlements.retain(|settlement| settlement.by != by);
        if settlements.len() < before {
            freed.push(artefact.clone());
        }
    }
    for artefact in freed {
        refresh(ctx, &artefact);
    }
}

/// Brings status and open amounts of an artefact up to date with its settlements.
pub(super) fn refresh(ctx: &mut Ctx<'_>, id: &str) {
    let Some(resource) = ARTEFACTS.iter().find(|resource| ctx.business.row(resource, id).is_ok()) else {
        return;
    };
    let paid = settled(ctx.business, id);
    let Ok(row) = ctx.business.row(resource, id) else { return };
    let total = money::amount(&row.body, "total_amount");
    let mut status = id_in(&row.body, "status").unwrap_or_default().to_owned();
    if ["UNPAID", "PART_PAID", "PAID"].contains(&status.as_str()) {
        standing(paid, total).clone_into(&mut status);
    }
    let void = status == "VOID";
    let open = if void { Decimal::ZERO } else { total - paid };
    let in_base = share_in_base(row, open, total);
    let Ok(status) = ctx.business.row("artefact_statuses", &status).map(Row::base) else { return };
    let settlements = ctx.business.settlements.get(id).into_iter().flatten();
    let discount: Decimal = settlements.map(|settlement| settlement.discount).sum();
    let last_paid = ctx.now.date_naive().to_string();
    let now = ctx.now;
    let Some(row) = ctx.business.row_mut(resource, id) else { return };
    let changed = row.body.get("outstanding_amount") != Some(&money::wire(open));
    let fields = json!({
        "status": status,
        "outstanding_amount": money::text(open),
        "base_currency_outstanding_amount": money::text(in_base),
        "total_paid": money::text(paid),
        "payments_allocations_total_amount": money::text(paid - discount),
        "payments_allocations_total_discount": money::text(discount),
        "last_paid": if paid.is_zero() { Value::Null } else { last_paid.into() },
    });
    super::contacts::extend(&mut row.body, fields);
    if changed {
        row.touch(now);
    }
    if *resource == "payments_on_account" {
        show_in_payment(ctx, id);
    }
}

fn standing(paid: Decimal, total: Decimal) -> &'static str {
    if paid.is_zero() {
        "UNPAID"
    } else if paid < total {
        "PART_PAID"
    } else {
        "PAID"
    }
}

/// The open part of the base amount, so that nothing open is nothing open in both currencies.
fn share_in_base(row: &Row, open: Decimal, total: Decimal) -> Decimal {
    let base = money::amount(&row.body, "base_currency_total_amount");
    if total.is_zero() { Decimal::ZERO } else { money::round(open / total * base) }
}

/// A payment shows its payment on account; both must say the same.
fn show_in_payment(ctx: &mut Ctx<'_>, id: &str) {
    let Ok(row) = ctx.business.row("payments_on_account", id) else { return };
    let shown = Value::Object(row.body.clone());
    let payment = text(&row.request, "payment_id").unwrap_or_default().to_owned();
    if let Some(payment) = ctx.business.row_mut("contact_payments", &payment) {
        payment.body.insert("payment_on_account".to_owned(), shown);
    }
}

/// `payments_allocations[]` of an artefact.
pub(super) fn show(business: &Business, id: &str) -> Value {
    let settlements = business.settlements.get(id).into_iter().flatten();
    settlements
        .filter_map(|settlement| {
            let row = business.row(settlement.resource, &settlement.by).ok()?;
            let key = if settlement.resource == "contact_payments" {
                "contact_payment"
            } else {
                "contact_allocation"
            };
            let shown = |key: &str| row.body.get(key).cloned().unwrap_or_default();
            Some(json!({
                key: row.base(),
                "date": shown("date"),
                "type": id_in(&row.body, "transaction_type"),
                "reference": shown("reference"),
                "displayed_as": shown("displayed_as"),
                "amount": money::text(settlement.amount),
                "discount": money::text(settlement.discount),
                "negative_payment": false,
            }))
        })
        .collect()
}

/// An artefact as payments and allocations name it.
pub(super) fn named(business: &Business, record: &Record, amount: Decimal) -> Result<Value, Refusal> {
    let id =
        text(record, "artefact_id").ok_or_else(|| Refusal::required("allocated_artefacts.artefact_id"))?;
    let (_, row) = artefact(business, id)?;
    Ok(json!({"artefact": row.base(), "amount": money::text(amount)}))
}

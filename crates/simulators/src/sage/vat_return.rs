//! The boxes of a period's return, worked out from the documents that the simulator holds: a second opinion on what was posted.
//!
//! - United Kingdom (VAT Notice 700/12): 1 VAT on sales, 6 sales without VAT, 8 goods to the European Union, which only Northern Ireland
//!   declares since 2021, 9 acquisitions, of which a shop has none.
//! - Ireland (VAT3): T1 VAT on sales, E1 goods and ES1 services to other member states.
//! - Canada (GST34, FPZ-500): GST/HST and QST collected.
//!
//! *No VAT* is in no box; what is zero-rated or exempt is in the sales. Another country's VAT is in that country's return (OSS); what was
//! sold with it has left the country, and is among the sales of the British one (VAT Notice 700/12, box 6: exports).

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    money,
    tables::{Business, Record, Row, day, id_in, records, text},
    tax_rules,
};

/// Documents that are posted, and how they count.
const KINDS: [(&str, Decimal); 2] =
    [("sales_invoices", Decimal::ONE), ("sales_credit_notes", Decimal::NEGATIVE_ONE)];

/// The first and the last day of a period.
pub(super) type Period = (NaiveDate, NaiveDate);

/// `{"businesses": {id: {country, from, to, boxes: {"1": "20.00", ...}}}}`.
pub(super) fn show(businesses: &[Business], (from, to): Period) -> Value {
    let one = |business: &Business| {
        let boxes = boxes(business, (from, to));
        let shown = json!({"country": business.country, "from": from, "to": to, "boxes": boxes});
        (business.id.clone(), shown)
    };
    let businesses: Map<String, Value> = businesses.iter().map(one).collect();
    json!({"businesses": businesses})
}

/// What falls to one rate of one document, in the base currency; negative for a credit note.
struct Share<'a> {
    rate: &'a str,
    net: Decimal,
    tax: Decimal,
    goods: Decimal,
    services: Decimal,
    is_in_union: bool,
    /// Whether the tax is the business's own country's.
    is_own: bool,
}

fn boxes(business: &Business, period: Period) -> Value {
    let mut shares = Vec::new();
    for (resource, sign) in KINDS {
        for row in business.table(resource).living().filter(|row| counts(row, period)) {
            shares.extend(shares_of(business, row, sign));
        }
    }
    let sum = |of: &dyn Fn(&Share<'_>) -> Decimal| money::text(shares.iter().map(of).sum::<Decimal>());
    let to_union = |share: &Share<'_>, amount: Decimal| {
        if share.is_in_union && share.tax.is_zero() { amount } else { Decimal::ZERO }
    };
    match business.country {
        "IE" => json!({
            "T1": sum(&own_tax),
            "E1": sum(&|share| to_union(share, share.goods)),
            "ES1": sum(&|share| to_union(share, share.services)),
        }),
        "CA" => json!({
            "GST/HST": sum(&|share| federal(share)),
            "QST": sum(&|share| if share.rate.ends_with("_QST") { share.tax - federal(share) } else { Decimal::ZERO }),
        }),
        _ => json!({
            "1": sum(&own_tax),
            "6": sum(&|share| share.net),
            "8": money::text(Decimal::ZERO),
            "9": money::text(Decimal::ZERO),
        }),
    }
}

fn own_tax(share: &Share<'_>) -> Decimal {
    if share.is_own { share.tax } else { Decimal::ZERO }
}

/// Whether a document is posted and of the period.
fn counts(row: &Row, (from, to): Period) -> bool {
    let is_posted = !["DRAFT", "PRO_FORMA", "VOID"].contains(&id_in(&row.body, "status").unwrap_or_default());
    is_posted && day(&row.body, "date").is_some_and(|day| (from..=to).contains(&day))
}

fn shares_of<'a>(business: &'a Business, row: &'a Row, sign: Decimal) -> impl Iterator<Item = Share<'a>> {
    let contact = id_in(&row.body, "contact").and_then(|id| business.row("contacts", id).ok());
    let is_in_union = contact.is_some_and(|contact| tax_rules::is_in_union(business, contact));
    let worth = money::field(&row.body, "exchange_rate").unwrap_or(Decimal::ONE);
    let own = format!("{}_", business.country);
    let share = move |share: &'a Record| {
        let amount = |key: &str| money::round(money::amount(share, key) * worth) * sign;
        let rate = id_in(share, "tax_rate").unwrap_or_default();
        let is_own = rate.starts_with(&own);
        (!rate.ends_with("_NO_TAX")).then(|| Share {
            rate,
            net: amount("net_amount"),
            tax: amount("tax_amount"),
            goods: amount("goods_amount"),
            services: amount("service_amount"),
            is_in_union,
            is_own,
        })
    };
    records(&row.body, "tax_analysis").filter_map(share)
}

/// The federal part of a Canadian tax: all of a harmonised or federal one, 5 % of one that is combined with a province's own.
fn federal(share: &Share<'_>) -> Decimal {
    let has_provincial = share.rate.contains("_QST") || share.rate.contains("_PST");
    match share.rate {
        rate if !has_provincial => {
            if rate.is_empty() {
                Decimal::ZERO
            } else {
                share.tax
            }
        }
        rate if rate.contains("_GST") => money::percent_of(share.net, Decimal::from(5)),
        _ => Decimal::ZERO,
    }
}

/// The period of a query; none where a day is missing or is none.
pub(super) fn period(query: &Map<String, Value>) -> Option<Period> {
    let at = |key: &str| text(query, key)?.parse::<NaiveDate>().ok();
    Some((at("from")?, at("to")?)).filter(|(from, to)| from <= to)
}

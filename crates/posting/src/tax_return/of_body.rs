//! The boxes that Sage will move for a finished body, by its lines' amounts and tax rates alone.

use std::collections::BTreeMap;

use domain::{
    business::{RateOwner, ReferenceSet, TaxRate},
    money::{parse_bounded, round2},
    territory::TaxArea,
    text::folded,
};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::tax_return::{
    boxes::{E1, ES1, GST_HST, PST, QST, REVENUE, SALES, T1, TAX_DUE, VIES},
    canada::{Division, division},
    of_document::DocumentFacts,
};

/// Whether a rate of 0 % is the one of supplies to the Union.
pub(super) fn is_intra_union(rate: &TaxRate) -> bool {
    let is_word = |word: &str| matches!(word, "eu" | "ec" | "intra");
    let parts = rate.id.split('_').any(|part| matches!(part, "EU" | "EC" | "INTRA"));
    rate.percentage.is_zero() && (parts || folded(&rate.name).split(' ').any(is_word))
}

/// What Sage knows when it puts a body into its boxes.
pub(super) struct BoxesOfBody<'a> {
    /// The field of the lines.
    pub lines: &'static str,
    /// Where Sage sees the contact, and whether it has a VAT number.
    pub facts: &'a DocumentFacts<'a>,
    /// The rate that is outside the tax by the merchant's word.
    pub no_vat: Option<&'a str>,
    /// The business's rates.
    pub reference: &'a ReferenceSet,
}

/// A part of a body with its rate.
struct Part<'a> {
    net: Decimal,
    tax: Decimal,
    rate: &'a TaxRate,
}

impl BoxesOfBody<'_> {
    /// The boxes, those that every return has included where nothing is in them.
    pub fn boxes(&self, body: &Map<String, Value>) -> BTreeMap<&'static str, Decimal> {
        let always: &[&str] = match self.reference.country.as_str() {
            "IE" => &[T1, E1, ES1],
            "CA" => &[REVENUE, GST_HST],
            _ => &[TAX_DUE, SALES],
        };
        let mut boxes: BTreeMap<&'static str, Decimal> =
            always.iter().map(|name| (*name, Decimal::ZERO)).collect();
        let region = body.get("tax_address_region_id").and_then(Value::as_str).unwrap_or_default();
        for part in self.parts(body) {
            for (name, amount) in self.moved(&part, region) {
                *boxes.entry(name).or_default() += amount;
            }
        }
        boxes
    }

    /// The lines and the shipping panel. Those without a rate that Sage knows are refused before.
    fn parts(&self, body: &Map<String, Value>) -> Vec<Part<'_>> {
        let amount = |value: &Value, field: &str| match value.get(field) {
            Some(Value::Number(number)) => parse_bounded(number.as_str()).ok(),
            _ => None,
        };
        let rate = |id: Option<&Value>| {
            let id = id?.as_str()?;
            self.reference.tax_rates.iter().find(|rate| rate.id == id)
        };
        let line = |line: &Value| {
            let net = amount(line, "quantity")? * amount(line, "unit_price")?;
            let net = round2(net) - amount(line, "discount_amount").unwrap_or_default();
            let tax = amount(line, "tax_amount").unwrap_or_default();
            Some(Part { net, tax, rate: rate(line.get("tax_rate_id"))? })
        };
        let lines = body.get(self.lines).and_then(Value::as_array).into_iter().flatten();
        let mut parts: Vec<Part<'_>> = lines.filter_map(line).collect();
        let panel = body.get("shipping_net_amount").and_then(|net| match net {
            Value::Number(number) => parse_bounded(number.as_str()).ok(),
            _ => None,
        });
        if let Some((net, rate)) = panel.zip(rate(body.get("shipping_tax_rate_id"))) {
            parts.push(Part { net, tax: round2(net * rate.percentage / Decimal::ONE_HUNDRED), rate });
        }
        parts
    }

    /// What a part moves.
    fn moved(&self, part: &Part<'_>, region: &str) -> Vec<(&'static str, Decimal)> {
        let Part { net, tax, rate } = *part;
        if self.no_vat == Some(rate.id.as_str()) {
            return Vec::new();
        }
        match (self.reference.country.as_str(), rate.owner(&self.reference.country)) {
            // A sale under the One Stop Shop is in no box of the Irish return; the British one wants its value (Notice 700/12, box 6).
            (_, RateOwner::NoTax) | ("IE", RateOwner::Other) => Vec::new(),
            ("CA", RateOwner::Other) => vec![(REVENUE, net)],
            (_, RateOwner::Other) => vec![(SALES, net)],
            ("IE", RateOwner::Home) => self.irish(part),
            ("CA", RateOwner::Home) => canadian(part, region),
            (_, RateOwner::Home) => vec![(TAX_DUE, tax), (SALES, net)],
        }
    }

    fn irish(&self, part: &Part<'_>) -> Vec<(&'static str, Decimal)> {
        let Part { net, tax, rate } = *part;
        // A business whose list has a rate for the Union declares by it; else Sage goes by the contact.
        let has_own_rate = self.reference.tax_rates.iter().any(is_intra_union);
        let is_to_union = rate.percentage.is_zero()
            && if has_own_rate { is_intra_union(rate) } else { self.facts.area == TaxArea::EuropeanUnion };
        if !is_to_union {
            return vec![(T1, tax)];
        }
        let own = if self.facts.is_goods { E1 } else { ES1 };
        // A penny of tax that was carried over to a line at 0 % is due all the same.
        let mut moved = vec![(T1, tax), (own, net)];
        if self.facts.has_vat_number() {
            moved.push((VIES, net));
        }
        moved
    }
}

fn canadian(part: &Part<'_>, region: &str) -> Vec<(&'static str, Decimal)> {
    let Part { net, tax, rate } = *part;
    let words = rate.id.split('_').map(str::to_ascii_uppercase).collect::<Vec<_>>();
    let has = |word: &str| words.iter().any(|other| other == word);
    let by_name = match (has("GST") || has("HST"), has("QST") || has("PST")) {
        (true, true) => Some(Division::Both),
        (true, false) => Some(Division::Federal),
        (false, true) => Some(Division::Provincial),
        (false, false) => None,
    };
    // A rate whose id says nothing divides as its region does; one that no region has is wholly federal, and the law shows it.
    let division = by_name.or_else(|| division(region, rate.percentage)).unwrap_or(Division::Federal);
    let federal = division.federal(tax, rate.percentage);
    let own = if region == "CA-QC" { QST } else { PST };
    let mut moved = vec![(REVENUE, net), (GST_HST, federal)];
    if division != Division::Federal {
        moved.push((own, tax - federal));
    }
    moved
}

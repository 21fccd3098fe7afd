//! The box law, beside the penny law: the boxes of the tax return that a posting moves. What Sage will make of the finished body
//! (`of_body`) must be what follows from the document itself (`of_document`), which knows nothing of the translation; a posting whose
//! boxes cannot be told to be right waits. docs/vat.md has the rules and their sources.

mod boxes;
mod canada;
mod of_body;
mod of_document;

use std::collections::BTreeMap;

use domain::{
    business::ReferenceSet,
    code::Code,
    money::{round2, text},
    settings::{TaxKey, TaxMap},
};
use messages::message;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::{
    context::Context,
    document_kind::DocumentKind,
    exchange_rate::ExchangeRate,
    findings::{Findings, MissingSetting, NotPosted},
    sales_document::SalesDocument,
    tax_return::{boxes::BoxRange, of_body::BoxesOfBody, of_document::DocumentFacts},
    terms::Terms,
};

/// The countries whose return is known; elsewhere Ledger posts only sales at home, and says nothing of boxes.
const KNOWN: [&str; 3] = ["GB", "IE", "CA"];

/// The boxes of the return that a body moves, in the base currency: proven against the document, or held. `beside` is what a credit
/// memo adjusts without tax, beside the sale.
pub(crate) fn proven(
    document: &SalesDocument<'_>,
    fields: &Map<String, Value>,
    beside: Decimal,
    terms: &Terms,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<BTreeMap<String, String>, NotPosted> {
    let reference = context.reference;
    if !reference.registered_for_tax || !KNOWN.contains(&reference.country.as_str()) {
        return Ok(BTreeMap::new());
    }
    let undetermined = |reason: String, findings: &Findings| {
        let message = message!(plan.boxes_undetermined, document = document.kind.noun(), reason = reason);
        findings.hold(Code::VatBoxesUndetermined, message)
    };
    let facts = DocumentFacts::of(document, beside, terms.is_goods, context);
    let expected = facts.boxes().map_err(|reason| undetermined(reason, findings))?;
    let no_vat = TaxMap::read(&context.settings.tax_rate_map).no_vat();
    let body = BoxesOfBody { lines: document.kind.api_names().lines, facts: &facts, no_vat, reference };
    let found = body.boxes(fields);
    if let Some(key) = intra_union_key(&facts, &expected, &found, reference) {
        let place = facts.place_name();
        let sentence = message!(missing_settings.intra_union_rate, key = key, place = place);
        let setting = format!("tax_rate_map.{key}");
        return Err(findings.hold_for(&[MissingSetting { setting, sentence }]));
    }
    let differing =
        expected.iter().find(|(name, range)| !range.holds(found.get(*name).copied().unwrap_or_default()));
    if let Some((name, range)) = differing {
        let reason = message!(
            figures.other_box,
            name = name,
            least = text(range.least),
            most = text(range.most),
            found = text(found.get(name).copied().unwrap_or_default())
        );
        return Err(undetermined(reason, findings));
    }
    Ok(shown(&found, document.kind, terms.exchange))
}

/// The key of the map that lacks a rate, where supplies to the Union have a rate of their own at Sage and this sale took another one, or
/// took it although it goes elsewhere.
fn intra_union_key(
    facts: &DocumentFacts<'_>,
    expected: &BTreeMap<&'static str, BoxRange>,
    found: &BTreeMap<&'static str, Decimal>,
    reference: &ReferenceSet,
) -> Option<String> {
    let differs = |name: &str| {
        let found = found.get(name).copied().unwrap_or_default();
        expected.get(name).is_some_and(|range| !range.holds(found))
    };
    let has_own_rate = reference.tax_rates.iter().any(of_body::is_intra_union);
    let is_missing = has_own_rate && (differs("E1") || differs("ES1"));
    is_missing.then(|| TaxKey::of(Decimal::ZERO, None, facts.key_code()).to_string())
}

/// The boxes as people read them: in the base currency, below zero for a credit note.
fn shown(
    found: &BTreeMap<&'static str, Decimal>,
    kind: DocumentKind,
    exchange: Option<ExchangeRate>,
) -> BTreeMap<String, String> {
    let sign = match kind {
        DocumentKind::Invoice => Decimal::ONE,
        DocumentKind::CreditNote => Decimal::NEGATIVE_ONE,
    };
    let in_base = |amount: Decimal| exchange.map_or(Some(amount), |exchange| exchange.in_base(amount));
    let line = |(name, amount): (&&str, &Decimal)| {
        Some(((*name).to_owned(), text(round2(in_base(*amount)? * sign))))
    };
    found.iter().filter_map(line).collect()
}

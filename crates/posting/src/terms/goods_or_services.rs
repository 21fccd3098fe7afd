//! Goods or services: a sale abroad says on every line which of the two it is (sage-api.md, section 8), and the lines of one
//! document share one type.

use std::collections::BTreeSet;

use domain::{
    business::ReferenceSet,
    code::Code,
    documents::Line,
    settings::{MixedGoodsServices, Settings},
};
use messages::message;

use crate::{
    document_kind::DocumentKind,
    findings::{Findings, MissingSetting, NotPosted},
    sales_document::SalesDocument,
    terms::place_of_supply::PlaceOfSupply,
};

/// What notes of a mix begin with, for people who search for it.
const COERCED: &str = "mixed_eu_goods_services_coerced_to_default";

/// The goods or services type of a sale abroad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SupplyType {
    /// Sage's id.
    pub id: String,
    /// Whether it is goods.
    pub is_goods: bool,
}

/// The goods or services type that all lines of a document bear; none at home, and none for a business that has no
/// such types (Canada).
pub(crate) fn type_of(
    document: &SalesDocument<'_>,
    place: &PlaceOfSupply,
    settings: &Settings,
    reference: &ReferenceSet,
    findings: &mut Findings,
) -> Result<Option<SupplyType>, NotPosted> {
    if !place.is_abroad || !matches!(reference.country.as_str(), "GB" | "IE") {
        return Ok(None);
    }
    let counts = |line: &&Line| !line.line_subtotal.is_zero() || !line.line_total.is_zero();
    let mut lines: Vec<&Line> = document.lines.iter().filter(counts).collect();
    if lines.is_empty() {
        lines = document.lines.iter().take(1).collect();
    }
    let types: Vec<Type> = lines.iter().map(|line| of_line(line, document, settings)).collect();
    let words: BTreeSet<&str> = types.iter().map(|one| one.word).collect();
    let default = settings.default_eu_goods_services_type.as_str();
    let one = match types.first() {
        Some(first) if words.len() == 1 => first.clone(),
        None => Type { word: default, rule: "default_eu_goods_services_type", input: String::new() },
        Some(_) if settings.mixed_goods_services == MixedGoodsServices::Hold => {
            return Err(hold(document.kind, findings));
        }
        Some(_) => {
            findings.note(message!(plan_notes.mixed_types, marker = COERCED, kind = default));
            let input = words.into_iter().collect::<Vec<_>>().join(" and ");
            Type { word: default, rule: "default_eu_goods_services_type", input }
        }
    };
    let id = id_of(one.word, reference);
    findings.rule("goods or services", &*id, one.rule, one.input);
    Ok(Some(SupplyType { id, is_goods: one.word != "SERVICES" }))
}

/// The type of a line, and why.
#[derive(Clone)]
struct Type<'a> {
    word: &'a str,
    rule: &'static str,
    input: String,
}

/// By the line's product type, where the document shows it; else a document without a delivery address holds nothing but virtual
/// and downloadable products (magento-facts.md, 4.2); else the default.
fn of_line<'a>(line: &Line, document: &SalesDocument<'_>, settings: &'a Settings) -> Type<'a> {
    let map = |kind: &str| settings.product_type_eu_goods_map.get(kind).map(String::as_str);
    if let Some(kind) = line.product_type.as_deref()
        && let Some(word) = map(kind)
    {
        return Type { word, rule: "product_type_eu_goods_map", input: kind.to_owned() };
    }
    let is_virtual = line.product_type.is_none() && document.buyer.shown.shipping.is_none();
    match map("virtual").filter(|word| is_virtual && map("downloadable") == Some(word)) {
        Some(word) => Type {
            word,
            rule: "product_type_eu_goods_map",
            input: message!(reasons.nothing_delivered).to_owned(),
        },
        None => Type {
            word: &settings.default_eu_goods_services_type,
            rule: "default_eu_goods_services_type",
            input: line.product_type.clone().unwrap_or_default(),
        },
    }
}

/// Sage's id of a type: the word itself, or, where a business has other ids, the one with that name.
fn id_of(word: &str, reference: &ReferenceSet) -> String {
    let types = &reference.eu_goods_services_types;
    let by_id = types.iter().find(|one| one.id == word);
    let named = by_id.or_else(|| types.iter().find(|one| one.name.eq_ignore_ascii_case(word)));
    named.map_or_else(|| word.to_owned(), |one| one.id.clone())
}

fn hold(kind: DocumentKind, findings: &Findings) -> NotPosted {
    let sentence = message!(plan.mixed_types, document = kind.noun());
    let setting = "mixed_goods_services".to_owned();
    let mut plan = findings.hold_for(&[MissingSetting { setting, sentence }]);
    plan.code = Some(Code::MixedGoodsServices);
    for rule in plan.rules.iter_mut().filter(|rule| rule.rule == Code::NeedsMapping.as_str()) {
        Code::MixedGoodsServices.as_str().clone_into(&mut rule.rule);
    }
    plan
}

//! A product of the catalogue becomes a product, a service, or a stock item with the movement that brings it to Magento's quantity
//! (`stock`). Invoice lines carry none of their ids, so Sage moves no stock by itself.

use domain::{
    code::Code,
    documents::Product,
    money::{round2, text},
    plan::{Adopt, Call, Method, Plan},
    text::clean,
    xref::{XrefKey, XrefKind},
};
use messages::message;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::{
    catalogue::{
        product_accounts,
        stock::{self, KnownStock},
    },
    context::{Context, KnownRecord},
    findings::{self, Findings, MissingSetting, NotPosted},
    json_number,
    text::{cut, readable},
};

/// Sage's limits, in characters.
const DESCRIPTION: usize = 255;
const ITEM_CODE: usize = 255;
const STOCK_ITEM_CODE: usize = 30;

/// What a product becomes in Sage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Product,
    Service,
    StockItem,
}

impl ItemKind {
    fn kind(self) -> XrefKind {
        match self {
            Self::Product => XrefKind::Product,
            Self::Service => XrefKind::Service,
            Self::StockItem => XrefKind::StockItem,
        }
    }

    /// The list, the wrapper of the body, and the call's name.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Product => ("/products", "product"),
            Self::Service => ("/services", "service"),
            Self::StockItem => ("/stock_items", "stock_item"),
        }
    }

    fn item_code_limit(self) -> usize {
        if self == Self::StockItem { STOCK_ITEM_CODE } else { ITEM_CODE }
    }
}

fn key(product: &Product, sort: ItemKind) -> XrefKey {
    XrefKey { kind: sort.kind(), magento_key: product.magento_id.to_string() }
}

/// The keys of what a product may be in Sage.
pub(crate) fn wanted_xrefs(product: &Product) -> Vec<XrefKey> {
    [ItemKind::Product, ItemKind::Service, ItemKind::StockItem]
        .into_iter()
        .map(|sort| key(product, sort))
        .collect()
}

/// Plans a product.
pub(crate) fn plan(product: &Product, stock: &KnownStock, context: &Context<'_>) -> Plan {
    let settings = context.settings;
    if !settings.sync_products {
        return Plan::skip(Code::ProductsDisabled);
    }
    let filter = &settings.website_filter;
    if !filter.is_empty() && !product.website_ids.iter().any(|id| filter.contains(id)) {
        return Plan::skip(Code::OutsideWebsiteFilter);
    }
    let mut findings = Findings::default();
    let Some(sort) = sort_of(product, context, &mut findings) else {
        return not_supported(product);
    };
    match calls(product, sort, stock, context, &mut findings) {
        Ok(calls) => findings::plan_of(calls, None, findings),
        Err(ended) => *ended,
    }
}

/// Skips a product that Sage has no type for; what is made of other products is in Sage by those.
fn not_supported(product: &Product) -> Plan {
    let kind = product.product_type.as_deref().unwrap_or_default();
    let message = match kind {
        "configurable" | "bundle" | "grouped" => message!(plan.composite_product, kind = kind),
        _ => message!(plan.unknown_product, kind = clean(kind)),
    };
    Plan { message: Some(message), ..Plan::skip(Code::ProductTypeNotSupported) }
}

/// What the product becomes: what it is already, else what its type and its stock say. Sage turns no product into a stock item.
fn sort_of(product: &Product, context: &Context<'_>, findings: &mut Findings) -> Option<ItemKind> {
    let kind = product.product_type.as_deref().unwrap_or("simple");
    let keeps_stock = context.settings.sync_stock && product.manage_stock == Some(true);
    let wanted = match kind {
        "simple" if keeps_stock => ItemKind::StockItem,
        "simple" => ItemKind::Product,
        "virtual" | "downloadable" => ItemKind::Service,
        _ => return None,
    };
    let is_known = |sort: &ItemKind| context.xrefs.contains_key(&key(product, *sort));
    let others = [ItemKind::StockItem, ItemKind::Product, ItemKind::Service];
    let sort = if is_known(&wanted) { wanted } else { others.into_iter().find(is_known).unwrap_or(wanted) };
    if sort == wanted {
        findings.rule("record", sort.words().1, message!(reasons.product_type), kind);
    } else {
        findings.rule("record", sort.words().1, message!(reasons.product_in_sage), kind);
        findings.note(message!(
            plan_notes.product_stays,
            is = sort.words().1.replace('_', " "),
            wanted = wanted.words().1.replace('_', " ")
        ));
    }
    Some(sort)
}

fn calls(
    product: &Product,
    sort: ItemKind,
    stock: &KnownStock,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Vec<Call>, NotPosted> {
    let known = context.xrefs.get(&key(product, sort));
    let fields = fields(product, sort, context, findings)?;
    let item_code = fields.get("item_code").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (_, name) = sort.words();
    let record = known.map_or_else(|| format!("{{{name}}}"), |known| known.sage_id.clone());
    let mut calls = vec![record_call(product, sort, fields, &item_code, known, context)];
    if sort == ItemKind::StockItem {
        calls.extend(stock::movement(product, &record, known.is_some(), stock, context, findings)?);
    }
    Ok(calls)
}

/// The create, or the update of what is known.
fn record_call(
    product: &Product,
    sort: ItemKind,
    fields: Map<String, Value>,
    item_code: &str,
    known: Option<&KnownRecord>,
    context: &Context<'_>,
) -> Call {
    let (path, name) = sort.words();
    let key = key(product, sort);
    let mut body = if known.is_none() { context.identified(&key) } else { Map::new() };
    body.extend(fields);
    let adopt = Adopt::Item { path: path.to_owned(), item_code: item_code.to_owned() };
    Call {
        name: name.to_owned(),
        method: if known.is_some() { Method::Put } else { Method::Post },
        path: known.map_or_else(|| path.to_owned(), |known| format!("{path}/{}", known.sage_id)),
        body: json!({ name: body }),
        xref: Some(key),
        adopt: known.is_none().then_some(adopt),
        expect: None,
        releases_draft: false,
    }
}

fn fields(
    product: &Product,
    sort: ItemKind,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Map<String, Value>, NotPosted> {
    let Context { settings, reference, .. } = *context;
    let mut missing = Vec::new();
    let mut put_or_miss = |found: Result<String, MissingSetting>| match found {
        Ok(id) => Some(id),
        Err(one) => {
            missing.push(one);
            None
        }
    };
    let sales = put_or_miss(product_accounts::sales_account(settings, reference));
    let purchase = put_or_miss(product_accounts::purchase_account(settings, reference));
    let rate = product_accounts::tax_rate(product, settings, reference, findings).map(&mut put_or_miss);
    if !missing.is_empty() {
        return Err(findings.hold_for(&missing));
    }
    let mut fields = Map::new();
    let mut put = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            fields.insert(field.to_owned(), Value::String(value));
        }
    };
    let what = message!(field_names.description);
    let name = readable(&product.name, what, findings).unwrap_or_else(|| clean(&product.sku));
    put("description", Some(cut(&name, DESCRIPTION, what, findings)));
    put("item_code", Some(item_code(product, sort, findings)?));
    put("sales_ledger_account_id", sales);
    put("purchase_ledger_account_id", purchase);
    put("sales_tax_rate_id", rate.flatten());
    if let Some(cost) = product.cost.filter(|cost| *cost > Decimal::ZERO) {
        fields.insert("cost_price".to_owned(), json_number::number(cost));
    }
    if let Some(price) = product.price.and_then(|price| sales_price(price, findings)) {
        let price = json_number::number(price);
        let (field, prices) = match sort {
            ItemKind::Service => ("sales_rates", json!([{ "rate_name": "Magento", "rate": price }])),
            _ => ("sales_prices", json!([{ "price_name": "Magento", "price": price }])),
        };
        fields.insert(field.to_owned(), prices);
    }
    Ok(fields)
}

/// The price to the penny, none where that leaves nothing of it.
fn sales_price(price: Decimal, findings: &mut Findings) -> Option<Decimal> {
    let rounded = round2(price);
    if rounded.is_zero() && !price.is_zero() {
        findings.note(message!(plan_notes.price_too_small, price = price.normalize()));
        return None;
    }
    if rounded != price {
        findings.note(message!(plan_notes.price_rounded, price = price.normalize(), rounded = text(rounded)));
    }
    Some(rounded)
}

/// The SKU, whole: half of one names another article.
fn item_code(product: &Product, sort: ItemKind, findings: &Findings) -> Result<String, NotPosted> {
    let (code, limit) = (clean(&product.sku), sort.item_code_limit());
    let length = code.chars().count();
    if length == 0 {
        return Err(findings.fail(Code::InconsistentDocument, message!(plan.no_sku)));
    }
    if length > limit {
        let message = message!(plan.sku_too_long, code = code, length = length, limit = limit);
        return Err(findings.fail(Code::ItemCodeTooLong, message));
    }
    Ok(code)
}

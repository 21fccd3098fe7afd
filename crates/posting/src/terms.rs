//! The terms of a sale: its currency with the exchange rate, where it goes, and whether it is of goods or services.

pub(crate) mod dates;
pub(crate) mod exchange;
pub(crate) mod goods_or_services;
pub(crate) mod place_of_supply;

use serde_json::{Map, Value};

use crate::{
    contact::identity::AssignedContact,
    context::Context,
    exchange_rate::ExchangeRate,
    findings::{Findings, NotPosted},
    sales_document::SalesDocument,
    terms::place_of_supply::PlaceOfSupply,
};

/// The terms of a sale.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// Its exchange rate; none in the base currency.
    pub exchange: Option<ExchangeRate>,
    /// Where it goes.
    pub place: PlaceOfSupply,
    /// Whether goods are sold, where it matters.
    pub is_goods: bool,
    /// The document's fields that say so: currency, exchange rate, tax region.
    pub document_fields: Map<String, Value>,
    /// The fields of each of its lines: goods or services, where it goes abroad.
    pub line_fields: Map<String, Value>,
}

impl Terms {
    /// The terms of an invoice, or of the sale that a credit memo takes back, whose invoice may be in Sage already (`is_posted`); refused
    /// where Sage has none like it.
    pub fn of(
        document: &SalesDocument<'_>,
        contact: &AssignedContact,
        is_posted: bool,
        context: &Context<'_>,
        findings: &mut Findings,
    ) -> Result<Self, NotPosted> {
        let Context { settings, reference, .. } = *context;
        let exchange = exchange::of(document, is_posted, context, findings)?;
        let is_foreign = settings.foreign_tax_ledger_account_id.is_some();
        let place = PlaceOfSupply::of(document, contact, is_foreign, reference, findings)?;
        let goods_type = goods_or_services::type_of(document, &place, settings, reference, findings)?;
        let is_goods = goods_type.as_ref().is_none_or(|one| one.is_goods);
        let place = if is_goods { place } else { place.for_services(reference, findings) };
        let (mut document_fields, mut line_fields) = (Map::new(), Map::new());
        if let Some(exchange) = exchange {
            exchange.put_into(&mut document_fields);
        }
        if let Some(region) = &place.region {
            document_fields.insert("tax_address_region_id".to_owned(), Value::String(region.clone()));
        }
        if let Some(goods_type) = goods_type {
            line_fields.insert("eu_goods_services_type_id".to_owned(), Value::String(goods_type.id));
        }
        Ok(Self { exchange, place, is_goods, document_fields, line_fields })
    }
}

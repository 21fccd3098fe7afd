//! The terms of a sale: its currency with the exchange rate, where it goes, and whether it is of goods or services.

pub(crate) mod dates;
pub(crate) mod exchange;
pub(crate) mod goods_or_services;
pub(crate) mod place_of_supply;

use domain::money::{Currency, round2};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::{
    context::Context,
    findings::{Findings, NotPosted},
    json_number,
    sales_document::SalesDocument,
    terms::{exchange::ExchangeRate, place_of_supply::PlaceOfSupply},
};

/// The terms of a sale.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The document's currency.
    currency: Currency,
    /// Its exchange rate; none in the base currency.
    exchange: Option<ExchangeRate>,
    /// Where it goes.
    pub place: PlaceOfSupply,
    /// Sage's id of goods or services; none at home.
    goods_type: Option<String>,
}

impl Terms {
    /// The terms of an invoice, or of the sale that a credit memo takes back; refused where Sage has none like it.
    pub fn of(
        document: &SalesDocument<'_>,
        context: &Context<'_>,
        findings: &mut Findings,
    ) -> Result<Self, NotPosted> {
        let exchange = exchange::of(document, context.reference, findings)?;
        Self::at(exchange, document, context, findings)
    }

    /// The terms of the sale that a credit memo takes back, whose invoice is in Sage at its own exchange rate: too late to doubt it.
    pub fn of_posted(
        document: &SalesDocument<'_>,
        context: &Context<'_>,
        findings: &mut Findings,
    ) -> Result<Self, NotPosted> {
        let exchange = exchange::of_posted(document, context.reference, findings)?;
        Self::at(exchange, document, context, findings)
    }

    fn at(
        exchange: Option<ExchangeRate>,
        document: &SalesDocument<'_>,
        context: &Context<'_>,
        findings: &mut Findings,
    ) -> Result<Self, NotPosted> {
        let place = PlaceOfSupply::of(document, context, findings)?;
        let goods_type =
            goods_or_services::type_of(document, &place, context.settings, context.reference, findings)?;
        Ok(Self { currency: document.buyer.currency, exchange, place, goods_type })
    }

    /// Whether nothing was taxed because the sale goes abroad: then no line was, not even one that is free.
    pub fn is_untaxed_abroad(&self, tax: Decimal) -> bool {
        self.place.is_abroad && round2(tax).is_zero()
    }

    /// Puts currency, exchange rate and tax region into a document's fields.
    pub fn put_header(&self, fields: &mut Map<String, Value>) {
        put_currency(fields, self.currency, self.exchange);
        if let Some(region) = &self.place.region {
            fields.insert("tax_address_region_id".to_owned(), Value::String(region.clone()));
        }
    }

    /// Puts the goods or services type into a line's fields.
    pub fn put_line(&self, line: &mut Value) {
        if let (Some(goods_type), Some(fields)) = (&self.goods_type, line.as_object_mut()) {
            fields.insert("eu_goods_services_type_id".to_owned(), Value::String(goods_type.clone()));
        }
    }

    /// What an amount of the document comes to in the base currency; none for a document in the base currency.
    pub fn in_base(&self, amount: Decimal) -> Option<Decimal> {
        self.exchange.and_then(|exchange| exchange.in_base(amount))
    }
}

/// Puts another currency than the base and its exchange rate into the fields of a document or a payment.
pub(crate) fn put_currency(
    fields: &mut Map<String, Value>,
    currency: Currency,
    exchange: Option<ExchangeRate>,
) {
    if let Some(ExchangeRate(rate)) = exchange {
        fields.insert("currency_id".to_owned(), Value::String(currency.to_string()));
        fields.insert("exchange_rate".to_owned(), json_number::plain_number(rate.normalize().to_string()));
    }
}

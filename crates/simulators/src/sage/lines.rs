//! The lines and sums of an invoice or a credit note, as Sage adds them up.
//!
//! Sage rounds unit price and tax to two decimals before adding; the tax of a line is the sender's; the tax of the
//! shipping panel is computed from net and rate, whatever was sent.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    errors::Refusal,
    money,
    tables::{Business, Ids, Record, Row, text},
    tax_rules::TaxRules,
};

/// The sums of a document.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) net: Decimal,
    pub(super) tax: Decimal,
    pub(super) discount: Decimal,
    pub(super) quantity: Decimal,
    analysis: Vec<Share>,
}

/// What falls to one tax rate.
struct Share {
    rate: Value,
    net: Decimal,
    tax: Decimal,
    services: bool,
}

/// A line, and the stock it takes.
pub(super) struct Line {
    pub(super) body: Value,
    pub(super) stock: Option<(String, Decimal)>,
}

/// What the lines of one document have in common.
pub(super) struct Reader<'a> {
    pub(super) business: &'a Business,
    pub(super) ids: &'a mut Ids,
    pub(super) rules: TaxRules<'a>,
    /// Base units for one unit of the document's currency.
    pub(super) rate: Decimal,
    /// `invoice_lines` or `credit_note_lines`.
    pub(super) path: &'static str,
    pub(super) sums: Sums,
}

/// The amounts of one line.
struct Amounts {
    quantity: Decimal,
    unit_price: Decimal,
    discount: Decimal,
    net: Decimal,
    tax: Decimal,
}

impl Sums {
    pub(super) fn total(&self) -> Decimal {
        self.net + self.tax
    }

    fn add(&mut self, rate: Option<&Value>, net: Decimal, tax: Decimal, services: bool) {
        self.net += net;
        self.tax += tax;
        let rate = rate.cloned().unwrap_or_default();
        self.analysis.push(Share { rate, net, tax, services });
    }

    /// `tax_analysis[]`: one entry for each rate.
    pub(super) fn analysis(&self) -> Value {
        let mut rates: Vec<&Value> = Vec::new();
        for share in &self.analysis {
            if !share.rate.is_null() && !rates.contains(&&share.rate) {
                rates.push(&share.rate);
            }
        }
        rates.into_iter().map(|rate| self.share_of(rate)).collect()
    }

    fn share_of(&self, rate: &Value) -> Value {
        let of_rate = || self.analysis.iter().filter(|share| share.rate == *rate);
        let net: Decimal = of_rate().map(|share| share.net).sum();
        let tax: Decimal = of_rate().map(|share| share.tax).sum();
        let services: Decimal = of_rate().filter(|share| share.services).map(|share| share.net).sum();
        json!({
            "tax_rate": rate,
            "net_amount": money::text(net),
            "tax_amount": money::text(tax),
            "total_amount": money::text(net + tax),
            "goods_amount": money::text(net - services),
            "service_amount": money::text(services),
        })
    }
}

impl Reader<'_> {
    /// Reads one line and adds it to the sums.
    pub(super) fn line(&mut self, line: &Record) -> Result<Line, Refusal> {
        let at = |field: &str| format!("{}.{field}", self.path);
        let ledger = sales_account(self.business, line)?;
        let tax = money::amount(line, "tax_amount");
        let rate = self.rules.rate(text(line, "tax_rate_id"), tax, &at("tax_rate_id"), true)?;
        let charged = rate.as_ref().is_some_and(|rate| rate.percentage > Decimal::ZERO);
        if charged && money::field(line, "tax_amount").is_none() {
            return Err(Refusal::required(&at("tax_amount")));
        }
        let discount = money::amount(line, "discount_percentage");
        if discount < Decimal::ZERO || discount > Decimal::ONE_HUNDRED {
            return Err(Refusal::invalid(&at("discount_percentage"), "must be between 0 and 100"));
        }
        // With a rate of zero per cent the tax is inferred as zero, whatever was sent (swagger).
        let amounts = Amounts::read(line, if charged { tax } else { Decimal::ZERO });
        let kind = self.rules.goods_services(line, self.path)?;
        let rate = rate.map(|rate| rate.link);
        self.sums.add(rate.as_ref(), amounts.net, amounts.tax, kind["id"] == "SERVICES");
        self.sums.discount += amounts.discount;
        self.sums.quantity += amounts.quantity;
        let (product, stock) = self.product(line, amounts.quantity)?;
        let mut body = self.show(&amounts);
        body["id"] = self.ids.next().into();
        body["displayed_as"] = line["description"].clone();
        body["description"] = line["description"].clone();
        body["ledger_account"] = ledger;
        body["tax_rate"] = rate.unwrap_or_default();
        body["eu_goods_services_type"] = kind;
        body["eu_sales_description"] =
            self.business.link(line, "eu_sales_description_id", "eu_sales_descriptions")?;
        body["product"] = product;
        body["service"] = self.business.link(line, "service_id", "services")?;
        body["unit_price_includes_tax"] =
            (line.get("unit_price_includes_tax") == Some(&Value::Bool(true))).into();
        body["discount_percentage"] = money::wire(discount);
        body["trade_of_asset"] = (line.get("trade_of_asset") == Some(&Value::Bool(true))).into();
        Ok(Line { body, stock })
    }

    /// The shipping panel: its tax is net x rate, never what was sent.
    pub(super) fn shipping(&mut self, request: &Record) -> Result<Value, Refusal> {
        let net = money::amount(request, "shipping_net_amount");
        let id = text(request, "shipping_tax_rate_id");
        let rate = self.rules.rate(id, Decimal::ZERO, "shipping_tax_rate_id", !net.is_zero())?;
        let tax = rate.as_ref().map(|rate| money::percent_of(net, rate.percentage)).unwrap_or_default();
        let rate = rate.map(|rate| rate.link);
        if !net.is_zero() {
            self.sums.add(rate.as_ref(), net, tax, false);
        }
        Ok(json!({
            "shipping_net_amount": money::text(net),
            "shipping_tax_rate": rate,
            "shipping_tax_amount": money::text(tax),
            "shipping_total_amount": money::text(net + tax),
            "base_currency_shipping_net_amount": self.base(net),
            "base_currency_shipping_tax_amount": self.base(tax),
            "base_currency_shipping_total_amount": self.base(net + tax),
        }))
    }

    /// An amount in the base currency.
    pub(super) fn base(&self, amount: Decimal) -> Value {
        money::wire(amount.checked_mul(self.rate).map(money::round).unwrap_or_default())
    }

    fn show(&self, amounts: &Amounts) -> Value {
        let total = amounts.net + amounts.tax;
        json!({
            "quantity": money::text(amounts.quantity),
            "unit_price": money::text(amounts.unit_price),
            "discount_amount": money::text(amounts.discount),
            "net_amount": money::text(amounts.net),
            "tax_amount": money::text(amounts.tax),
            "total_amount": money::text(total),
            "base_currency_unit_price": self.base(amounts.unit_price),
            "base_currency_discount_amount": self.base(amounts.discount),
            "base_currency_net_amount": self.base(amounts.net),
            "base_currency_tax_amount": self.base(amounts.tax),
            "base_currency_total_amount": self.base(total),
        })
    }

    /// The product of a line, and when it is a stock item the stock the line takes.
    fn product(
        &self,
        line: &Record,
        quantity: Decimal,
    ) -> Result<(Value, Option<(String, Decimal)>), Refusal> {
        let Some(id) = text(line, "product_id") else { return Ok((Value::Null, None)) };
        if let Ok(item) = self.business.row("stock_items", id) {
            return Ok((item.base(), Some((id.to_owned(), quantity))));
        }
        Ok((self.business.row("products", id)?.base(), None))
    }
}

impl Amounts {
    fn read(line: &Record, tax: Decimal) -> Self {
        let quantity = money::field(line, "quantity").unwrap_or(Decimal::ONE);
        let unit_price = money::amount(line, "unit_price");
        let gross = money::round(quantity * unit_price);
        let percentage = money::field(line, "discount_percentage").filter(|percentage| !percentage.is_zero());
        let discount = match percentage {
            Some(percentage) => money::percent_of(gross, percentage),
            // The amount is for the line, not for each piece.
            None => money::amount(line, "discount_amount"),
        };
        let includes_tax = line.get("unit_price_includes_tax") == Some(&Value::Bool(true));
        let net = if includes_tax { gross - discount - tax } else { gross - discount };
        Self { quantity, unit_price, discount, net, tax }
    }
}

/// The ledger account of a line, if it is visible in sales; a hidden one is "not found", too.
fn sales_account(business: &Business, line: &Record) -> Result<Value, Refusal> {
    account(business, line, "ledger_account_id", "visible_in_sales")
}

/// The ledger account that `record[key]` names, if it is visible in that area.
pub(super) fn account(business: &Business, record: &Record, key: &str, area: &str) -> Result<Value, Refusal> {
    let Some(id) = text(record, key) else { return Ok(Value::Null) };
    let row = business.row("ledger_accounts", id)?;
    if row.body.get(area) == Some(&Value::Bool(true)) {
        Ok(Row::base(row))
    } else {
        Err(Refusal::not_found())
    }
}

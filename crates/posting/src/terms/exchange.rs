//! Documents in another currency than the business's: their exchange rate, and whether Sage can hold their sums.
//!
//! Sage's `exchange_rate` is base units for one foreign unit (sage-api.md, section 9: unconfirmed, so the answer's total in the base
//! currency is compared); Magento's `base_to_order_rate` is foreign units for one base unit, of Magento's own base currency
//! (magento-facts.md, 4.1), which need not be Sage's: then its rate is another currency's, and only a comparison with Sage's own rate shows.

use domain::{
    business::ReferenceSet,
    code::Code,
    money::{Currency, round, round2, text},
};
use rust_decimal::Decimal;

use crate::{
    findings::{Findings, NotPosted},
    limits::LARGEST_AMOUNT,
    sales_document::SalesDocument,
    tolerances,
};

/// Sage takes ten decimals of a rate.
const DECIMALS: u32 = 10;

/// The exchange rate of a document, in base units for one unit of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExchangeRate(pub Decimal);

impl ExchangeRate {
    /// What an amount comes to in the base currency; `None` beyond what a number holds.
    pub fn in_base(self, amount: Decimal) -> Option<Decimal> {
        amount.checked_mul(self.0).map(round2)
    }
}

/// The exchange rate of a document, checked against Sage's own; none in the base currency. Refused are sums that Sage cannot hold.
pub(crate) fn of(
    document: &SalesDocument<'_>,
    reference: &ReferenceSet,
    findings: &mut Findings,
) -> Result<Option<ExchangeRate>, NotPosted> {
    let currency = document.buyer.currency;
    let exchange = unchecked(currency, document.base_to_order_rate, reference, findings)?;
    if let Some(exchange) = exchange {
        check(exchange, currency, reference, findings)?;
    }
    check_sums(document, reference, findings)?;
    Ok(exchange)
}

/// The exchange rate of a credit memo whose invoice is in Sage at its own rate: too late to doubt it.
pub(crate) fn of_posted(
    document: &SalesDocument<'_>,
    reference: &ReferenceSet,
    findings: &mut Findings,
) -> Result<Option<ExchangeRate>, NotPosted> {
    let exchange = unchecked(document.buyer.currency, document.base_to_order_rate, reference, findings)?;
    check_sums(document, reference, findings)?;
    Ok(exchange)
}

fn check_sums(
    document: &SalesDocument<'_>,
    reference: &ReferenceSet,
    findings: &Findings,
) -> Result<(), NotPosted> {
    let tax = reference.registered_for_tax.then_some(document.totals.tax);
    check_decimals(document.buyer.currency, document.buyer.total, tax, findings)
}

/// The exchange rate of a document that is in Sage already, where it is too late to doubt it.
pub(crate) fn unchecked(
    currency: Currency,
    base_to_order_rate: Option<Decimal>,
    reference: &ReferenceSet,
    findings: &mut Findings,
) -> Result<Option<ExchangeRate>, NotPosted> {
    let base = reference.base_currency;
    if currency == base {
        return Ok(None);
    }
    if !reference.multi_currency_enabled {
        let message =
            format!("The document is in {currency}, and the Sage business keeps its books in {base} only.");
        return Err(findings.fail(Code::MultiCurrencyDisabled, message));
    }
    let Some(quoted) = base_to_order_rate.filter(|rate| *rate > Decimal::ZERO) else {
        let quoted = base_to_order_rate.map_or("none".to_owned(), |rate| rate.to_string());
        let message = format!(
            "The document is in {currency}, the business in {base}, and Magento's exchange rate (base_to_order_rate) is {quoted}."
        );
        return Err(findings.fail(Code::ExchangeRateMissing, message));
    };
    let rate = Decimal::ONE.checked_div(quoted).map(|rate| round(rate, DECIMALS));
    // Past ten milliards a product with a total leaves the range of decimals, and no currency is worth as much.
    let most = Decimal::from(LARGEST_AMOUNT);
    let Some(rate) = rate.filter(|rate| *rate > Decimal::ZERO && *rate <= most) else {
        let message =
            format!("Magento's exchange rate of {quoted} {currency} for one {base} is none of this world.");
        return Err(findings.fail(Code::ExchangeRateMissing, message));
    };
    findings.rule(
        "exchange rate",
        format!("{rate} {base} for 1 {currency}"),
        "1 / base_to_order_rate",
        quoted.normalize().to_string(),
    );
    Ok(Some(ExchangeRate(rate)))
}

fn check(
    ExchangeRate(rate): ExchangeRate,
    currency: Currency,
    reference: &ReferenceSet,
    findings: &mut Findings,
) -> Result<(), NotPosted> {
    let base = reference.base_currency;
    let Some(own) = reference.exchange_rate(currency).filter(|own| *own > Decimal::ZERO) else {
        // The one case that shows itself: a shop whose base currency is the document's.
        if rate == Decimal::ONE {
            let message = format!(
                "Magento's exchange rate says that 1 {currency} is 1 {base}: the shop's base currency seems to be {currency}, not {base}."
            );
            return Err(findings.fail(Code::ExchangeRateDoubtful, message));
        }
        findings.note(format!(
            "Sage's own rate of {currency} is not known, so Magento's of {rate} {base} for 1 {currency} was used without comparison."
        ));
        return Ok(());
    };
    let deviates = |rate: Decimal| (rate - own).abs() > own * tolerances::EXCHANGE_RATE;
    // Magento's rate of an order in the shop's base currency is 1, whatever the books are kept in.
    if !deviates(rate) && rate == Decimal::ONE && (own - Decimal::ONE).abs() > tolerances::SAME_WORTH {
        let message = format!(
            "Magento's exchange rate is 1, so the shop's base currency seems to be {currency}, not {base}: it does not show what 1 {currency} is in {base}. Sage's own rate is {}.",
            own.normalize()
        );
        return Err(findings.fail(Code::ExchangeRateDoubtful, message));
    }
    if !deviates(rate) {
        findings.rule(
            "exchange rate check",
            format!("{rate} {base} for 1 {currency}"),
            "within 15 % of Sage's own rate",
            own.normalize().to_string(),
        );
        return Ok(());
    }
    let why = match Decimal::ONE.checked_div(rate) {
        Some(turned) if !deviates(turned) => "It seems to be turned round.".to_owned(),
        _ if rate == Decimal::ONE => format!("The shop's base currency seems to be {currency}, not {base}."),
        _ => format!("If the shop's base currency is not {base}, its rates are another currency's."),
    };
    let message = format!(
        "Magento's exchange rate makes 1 {currency} {rate} {base}; Sage's own rate is {}, more than 15 % apart. {why}",
        own.normalize()
    );
    Err(findings.fail(Code::ExchangeRateDoubtful, message))
}

/// Refuses sums of a currency of more than two decimals (KWD) that do not fit the two that Sage keeps.
pub(crate) fn check_decimals(
    currency: Currency,
    total: Decimal,
    tax: Option<Decimal>,
    findings: &Findings,
) -> Result<(), NotPosted> {
    let fits = |amount: Decimal| currency.decimals() <= 2 || round2(amount) == amount;
    if fits(total) && tax.is_none_or(fits) {
        return Ok(());
    }
    let with_tax = |tax: &dyn Fn(Decimal) -> String, amount: Option<Decimal>| {
        amount.map_or(String::new(), |amount| format!(" with {} tax", tax(amount)))
    };
    let exact = |amount: Decimal| amount.normalize().to_string();
    let message = format!(
        "Magento's total is {} {currency}{}; Sage keeps two decimals and would show {}{}.",
        exact(total),
        with_tax(&exact, tax),
        text(total),
        with_tax(&text, tax),
    );
    Err(findings.fail(Code::TotalsMismatch, message))
}

//! Documents in another currency than the business's: their exchange rate, and whether Sage can hold their sums.
//!
//! Sage's `exchange_rate` is base units for one foreign unit (sage-api.md, section 9: unconfirmed, so the answer's total in the base
//! currency is compared); Magento's `base_to_order_rate` is foreign units for one base unit, of Magento's own base currency
//! (magento-facts.md, 4.1), which need not be Sage's: then its rate is another currency's, and only a comparison with Sage's own rate shows.

use chrono::{DateTime, Utc};
use domain::{
    business::ReferenceSet,
    code::Code,
    money::{Currency, round, round2, text},
    settings::confirmed_rates::{self, ConfirmedRate},
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    context::Context,
    exchange_rate::ExchangeRate,
    findings::{Findings, NotPosted},
    limits::LARGEST_AMOUNT,
    sales_document::SalesDocument,
    terms::dates,
    tolerances,
};

/// Sage takes ten decimals of a rate.
const DECIMALS: u32 = 10;

/// The exchange rate of a document; none in the base currency. It is checked against Sage's own, unless the document is a memo whose
/// invoice is in Sage at its own rate (`is_posted`): too late to doubt it. Refused are sums that Sage cannot hold.
pub(crate) fn of(
    document: &SalesDocument<'_>,
    is_posted: bool,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Option<ExchangeRate>, NotPosted> {
    let reference = context.reference;
    let currency = document.buyer.currency;
    let exchange = unchecked(currency, document.base_to_order_rate, reference, findings)?;
    if let Some(exchange) = exchange.filter(|_| !is_posted) {
        check(exchange, document.made_at, context, findings)?;
    }
    let tax = reference.registered_for_tax.then_some(document.totals.tax);
    check_decimals(currency, document.buyer.total, tax, findings)?;
    Ok(exchange)
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
        let message = message!(exchange_rates.one_currency, currency = currency, base = base);
        return Err(findings.fail(Code::MultiCurrencyDisabled, message));
    }
    refuse_unknown(currency, reference, findings)?;
    let Some(quoted) = base_to_order_rate.filter(|rate| *rate > Decimal::ZERO) else {
        let quoted =
            base_to_order_rate.map_or(message!(exchange_rates.no_rate).to_owned(), |rate| rate.to_string());
        let message = message!(exchange_rates.missing, currency = currency, base = base, quoted = quoted);
        return Err(findings.fail(Code::ExchangeRateMissing, message));
    };
    let rate = Decimal::ONE.checked_div(quoted).map(|rate| round(rate, DECIMALS));
    // Past ten billion a product with a total leaves the range of decimals, and no currency is worth as much.
    let most = Decimal::from(LARGEST_AMOUNT);
    let Some(rate) = rate.filter(|rate| *rate > Decimal::ZERO && *rate <= most) else {
        let message = message!(exchange_rates.impossible, quoted = quoted, currency = currency, base = base);
        return Err(findings.fail(Code::ExchangeRateMissing, message));
    };
    findings.rule(
        "exchange rate",
        format!("{rate} {base} for 1 {currency}"),
        "1 / base_to_order_rate",
        quoted.normalize().to_string(),
    );
    Ok(Some(ExchangeRate { currency, rate }))
}

/// Holds a document in a currency that the business does not have. A set without any list of currencies says nothing.
fn refuse_unknown(
    currency: Currency,
    reference: &ReferenceSet,
    findings: &Findings,
) -> Result<(), NotPosted> {
    let known = &reference.currencies;
    if known.is_empty() || known.iter().any(|one| one.id.eq_ignore_ascii_case(currency.as_str())) {
        return Ok(());
    }
    let message = message!(exchange_rates.not_in_sage, currency = currency);
    Err(findings.hold(Code::CurrencyNotInSage, message))
}

fn check(
    ExchangeRate { currency, rate }: ExchangeRate,
    made_at: DateTime<Utc>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<(), NotPosted> {
    let Context { settings, reference, .. } = *context;
    let base = reference.base_currency;
    let day = dates::local_day(made_at, settings, reference);
    let confirmed = confirmed_rates::of(settings.confirmed_exchange_rates.as_deref(), currency, day);
    let is_confirmed = confirmed.is_some();
    let own = confirmed.or_else(|| reference.exchange_rate(currency));
    let Some(own) = own.filter(|own| *own > Decimal::ZERO) else {
        // The one case that shows itself: a shop whose base currency is the document's.
        if rate == Decimal::ONE {
            let message = message!(exchange_rates.one_to_one, currency = currency, base = base);
            return Err(findings.fail(Code::ExchangeRateDoubtful, message));
        }
        findings.note(message!(exchange_rates.not_compared, currency = currency, rate = rate, base = base));
        return Ok(());
    };
    let deviates = |rate: Decimal| (rate - own).abs() > own * tolerances::EXCHANGE_RATE;
    // Magento's rate of an order in the shop's base currency is 1, whatever the books are kept in.
    if !deviates(rate) && rate == Decimal::ONE && (own - Decimal::ONE).abs() > tolerances::SAME_WORTH {
        let message =
            message!(exchange_rates.of_own_currency, currency = currency, base = base, own = own.normalize());
        return Err(findings.fail(Code::ExchangeRateDoubtful, message));
    }
    if !deviates(rate) {
        findings.rule(
            "exchange rate check",
            format!("{rate} {base} for 1 {currency}"),
            if is_confirmed { message!(reasons.rate_confirmed) } else { message!(reasons.rate_agrees) },
            own.normalize().to_string(),
        );
        return Ok(());
    }
    let why = match Decimal::ONE.checked_div(rate) {
        Some(turned) if !deviates(turned) => message!(exchange_rates.inverted).to_owned(),
        _ if rate == Decimal::ONE => message!(exchange_rates.other_base, currency = currency, base = base),
        _ => {
            let confirmation = ConfirmedRate { currency, day, rate };
            message!(exchange_rates.perhaps_other_base, base = base, confirmation = confirmation)
        }
    };
    let message = message!(
        exchange_rates.deviates,
        currency = currency,
        rate = rate,
        base = base,
        own = own.normalize(),
        reason = why
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
    let sum = |shown: &dyn Fn(Decimal) -> String| match tax {
        Some(tax) => {
            message!(exchange_rates.sum_with_tax, total = shown(total), currency = currency, tax = shown(tax))
        }
        None => message!(exchange_rates.sum, total = shown(total), currency = currency),
    };
    let exact = |amount: Decimal| amount.normalize().to_string();
    let message = message!(exchange_rates.decimals, in_magento = sum(&exact), in_sage = sum(&text));
    Err(findings.fail(Code::TotalsMismatch, message))
}

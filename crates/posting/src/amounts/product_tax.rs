//! Fixed product taxes (Magento's FPT or WEEE, Weee/Model/Total/Quote/Weee.php): no field of an invoice shows them, but they are in its
//! total, their tax is in its tax, and where the shop's setting "Include FPT In Subtotal" is on, they are in its subtotal.

use domain::money::round2;
use rust_decimal::Decimal;

use crate::{
    amounts::{compensation::Compensation, recovered_rates::RecoveredRates, sums::DocumentSums},
    tolerances::{
        HALF_PENNY, PENNY, PRODUCT_TAX_STEPS, ROUND_SUM, STATED_SHARE, STATED_TAX_SHARE, TAX_SHARE,
    },
};

/// An amount with its tax that no line shows: a fixed product tax (or a taxed fee).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProductTax {
    /// Without tax.
    pub net: Decimal,
    /// Its tax.
    pub tax: Decimal,
    /// The percentage.
    pub percent: Decimal,
}

/// What product taxes a document may hold, by where they show.
#[derive(Debug)]
pub(crate) struct ProductTaxReadings {
    /// Those that the header's subtotal holds and the lines do not.
    pub stated: Option<Vec<ProductTax>>,
    /// Those of which the header states nothing, but whose tax is in the tax and whose net is in the total.
    pub unstated: Option<ProductTax>,
    /// Those of which nothing but the tax shows.
    pub by_tax: Option<ProductTax>,
}

/// Reads a document whose total holds `rest` without tax beyond its rows and their compensations.
pub(crate) fn read(
    sums: &DocumentSums<'_>,
    rates: &RecoveredRates,
    known: &[Decimal],
    rest: Decimal,
    compensations: &[Compensation],
) -> ProductTaxReadings {
    let stated = stated(sums, rates, known);
    let is_unstated = stated.is_none();
    let unstated = is_unstated.then(|| unstated(sums, rates, known, rest, compensations)).flatten();
    ProductTaxReadings { stated, unstated, by_tax: by_tax(sums.tax_gap, rates) }
}

/// The percentages above 0 that the document's lines show, the main one first.
fn taxing_percentages(rates: &RecoveredRates) -> impl Iterator<Item = Decimal> {
    let mut percentages: Vec<Decimal> = rates.goods.clone();
    percentages.sort_unstable_by(|left, right| right.cmp(left));
    rates.main.into_iter().chain(percentages).filter(|percent| *percent > Decimal::ZERO)
}

/// Half a penny for each unit and one for the row: Magento rounds the tax of each unit.
fn unit_roundings(sums: &DocumentSums<'_>) -> Decimal {
    let units: Decimal = sums.goods.iter().map(|row| row.quantity).sum();
    HALF_PENNY * (units + Decimal::ONE)
}

fn tax_error(net: Decimal, tax: Decimal, percent: Decimal) -> Decimal {
    (tax - net * percent / Decimal::ONE_HUNDRED).abs()
}

/// Product taxes that the header's subtotal holds and the lines do not: their sum is known.
fn stated(sums: &DocumentSums<'_>, rates: &RecoveredRates, known: &[Decimal]) -> Option<Vec<ProductTax>> {
    let (net, tax) = (round2(sums.subtotal_gap), round2(sums.tax_gap));
    if net <= sums.tolerance || net > sums.size * STATED_SHARE {
        return None;
    }
    let error = |percent: &Decimal| tax_error(net, tax, *percent);
    let allowed = unit_roundings(sums).min(net * STATED_TAX_SHARE).max(PENNY);
    let of_lines = taxing_percentages(rates).find(|percent| error(percent) <= allowed);
    let nearest = || known.iter().min_by_key(|percent| error(percent)).copied();
    let percent = of_lines.or_else(nearest)?;
    if error(&percent) <= allowed {
        return Some(vec![ProductTax { net, tax, percent }]);
    }
    // Some of it was taxed and some was not, as on the invoice of golden case creditmemo-of-a-fee-beside-taxed-product-taxes, which
    // keeps both out of its subtotal.
    let at = |percent: Decimal| (percent, round2(tax * Decimal::ONE_HUNDRED / percent));
    let (percent, taxed) = taxing_percentages(rates).map(at).find(|(_, taxed)| *taxed <= net)?;
    (tax > Decimal::ZERO).then(|| {
        let untaxed = ProductTax { net: net - taxed, tax: Decimal::ZERO, percent: Decimal::ZERO };
        vec![ProductTax { net: taxed, tax, percent }, untaxed]
    })
}

/// Product taxes of which the header states nothing: there are some, if the tax that no line carries is the tax on the net that no line
/// carries (sample invoice-2: 0.42 with 0.08 of tax).
fn unstated(
    sums: &DocumentSums<'_>,
    rates: &RecoveredRates,
    known: &[Decimal],
    rest: Decimal,
    compensations: &[Compensation],
) -> Option<ProductTax> {
    let tax = sums.tax_gap;
    if rest <= Decimal::ZERO || tax < HALF_PENNY {
        return None;
    }
    let allowed = unit_roundings(sums).min(tax * TAX_SHARE).max(PENNY);
    let error = |percent: &Decimal| tax_error(rest, tax, *percent);
    let fitting = |percent: &&Decimal| !percent.is_zero() && error(percent) <= allowed;
    let main = rates.main.as_ref().filter(fitting);
    let percent = *main.or_else(|| known.iter().filter(fitting).min_by_key(|percent| error(percent)))?;
    let (rest, tax) = (round2(rest), round2(tax));
    Some(ProductTax { net: likeliest_net(rest, tax, percent, compensations), tax, percent })
}

/// Product taxes of which nothing but the tax shows: worth their tax / the main rate.
fn by_tax(tax: Decimal, rates: &RecoveredRates) -> Option<ProductTax> {
    let tax = Some(round2(tax)).filter(|tax| *tax > Decimal::ZERO)?;
    let percent = taxing_percentages(rates).next()?;
    let net = round2((tax * Decimal::ONE_HUNDRED).checked_div(percent)?);
    Some(ProductTax { net, tax, percent })
}

/// The net of a product tax, where the compensations leave a choice: one whose tax is the tax, of a round sum with tax, because shops
/// choose such taxes (sample invoice-2: 0.50), or the nearest.
fn likeliest_net(rest: Decimal, tax: Decimal, percent: Decimal, compensations: &[Compensation]) -> Decimal {
    let room = |value: fn(&Compensation) -> Decimal| compensations.iter().map(value).sum::<Decimal>();
    let least = (rest - room(|one| one.most - one.likely)).max(PENNY);
    let most = rest + room(|one| one.likely - one.least);
    let mut best = rest;
    let mut best_rank = (true, true, Decimal::MAX);
    for step in -PRODUCT_TAX_STEPS..=PRODUCT_TAX_STEPS {
        let net = rest + PENNY * Decimal::from(step);
        if net < least || net > most {
            continue;
        }
        let wrong_tax = round2(net * percent / Decimal::ONE_HUNDRED) != tax;
        let odd = !((net + tax) / ROUND_SUM).fract().is_zero();
        let rank = (wrong_tax, odd, (net - rest).abs());
        if rank < best_rank {
            (best, best_rank) = (net, rank);
        }
    }
    best
}

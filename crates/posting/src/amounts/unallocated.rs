//! What Magento's total holds beyond the fields of the document: discount tax compensation, fixed product taxes, gift cards,
//! store credit and fees have no field in an invoice and are what is left of the grand total. Here they are told apart, by the
//! rates and by the tax that no line carries, and what cannot be told is refused.

use domain::money::{round2, text};
use rust_decimal::Decimal;

use crate::amounts::{
    compensation::{self, Compensation},
    recovered_rates::{self, DISCOUNT_BASES, KnownRates, RateFits, RecoveredRates, TaxedAmount},
    sums::{DocumentSums, NOTHING, PENNY},
};

/// A penny and a half: what roundings carried from elsewhere make of a row's tax.
const CARRIED: Decimal = Decimal::from_parts(15, 0, 0, false, 3);

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

/// What the gap of a document consists of, under one reading of its rates.
#[derive(Clone, Debug)]
pub(crate) struct GapExplanation {
    /// The tax within each line's discount that Magento gave back.
    pub compensation: Vec<Decimal>,
    /// The same of shipping.
    pub shipping_compensation: Decimal,
    /// Fixed product taxes, by percentage.
    pub product_taxes: Vec<ProductTax>,
    /// Gift cards and store credit (negative), fees (positive): untaxed money that no field shows.
    pub difference: Decimal,
    /// What roundings may have left of the sum without tax.
    pub tolerance: Decimal,
    /// What roundings may have left of the tax.
    pub tax_tolerance: Decimal,
    /// How far-fetched it is: 0 = nothing is left over.
    pub cost: u32,
    /// Why it is no explanation, in a sentence without the sums.
    pub refusal: Option<String>,
}

/// The reading and the explanation that fit a document best.
pub(crate) fn best(
    sums: &DocumentSums,
    fits: &RateFits,
    known: KnownRates<'_>,
) -> (RecoveredRates, GapExplanation) {
    let attempt = |cases| {
        let reading = recovered_rates::recover(&sums.goods, fits, sums.shipping.as_ref(), cases, known);
        let explanation = explain(sums, &reading, known.percentages);
        (reading, explanation)
    };
    let mut best = attempt(DISCOUNT_BASES[0]);
    for cases in &DISCOUNT_BASES[1..] {
        if best.0.cost + best.1.cost == 0 {
            break;
        }
        let other = attempt(*cases);
        if other.0.cost + other.1.cost < best.0.cost + best.1.cost {
            best = other;
        }
    }
    best
}

/// What is to be told apart, with all that helps.
struct GapAnalysis<'a> {
    sums: &'a DocumentSums,
    reading: &'a RecoveredRates,
    known: &'a [Decimal],
    /// The compensations of the lines, then of shipping.
    compensations: Vec<Compensation>,
}

fn explain(sums: &DocumentSums, reading: &RecoveredRates, known: &[Decimal]) -> GapExplanation {
    let goods = sums.goods.iter().zip(&reading.goods);
    let goods = goods.map(|(row, percent)| compensation::of(row, reading.goods_basis, *percent));
    let shipping = sums.shipping.as_ref().zip(reading.shipping);
    let shipping = shipping.map(|(row, percent)| compensation::of(row, reading.shipping_basis, percent));
    let compensations: Vec<Compensation> = goods.chain(shipping).collect();
    let taxed = sums.goods.iter().chain(&sums.shipping).filter(|row| !row.tax.is_zero()).count();
    let mut explanation = GapExplanation {
        tolerance: sums.tolerance(),
        tax_tolerance: PENNY * Decimal::from(taxed),
        compensation: Vec::new(),
        shipping_compensation: Decimal::ZERO,
        product_taxes: Vec::new(),
        difference: Decimal::ZERO,
        cost: 0,
        refusal: None,
    };
    let mut analysis = GapAnalysis { sums, reading, known, compensations };
    analysis.analyse(&mut explanation);
    let mut compensations = analysis.compensations.iter().map(|one| one.likely);
    explanation.compensation = compensations.by_ref().take(sums.goods.len()).collect();
    explanation.shipping_compensation = compensations.next().unwrap_or_default();
    if explanation.refusal.is_none() {
        explanation.refusal = contradiction(sums, reading, &explanation);
    }
    if explanation.refusal.is_some() {
        explanation.cost += 10_000;
    }
    explanation
}

impl GapAnalysis<'_> {
    /// The money without tax that neither a row nor a compensation holds.
    fn rest(&self) -> Decimal {
        self.sums.net_gap - self.compensations.iter().map(|one| one.likely).sum::<Decimal>()
    }

    /// Tells what is left of the gap after the compensations apart: roundings, fixed product taxes, differences.
    fn analyse(&mut self, explanation: &mut GapExplanation) {
        if let Some(product_taxes) = self.stated_product_taxes() {
            explanation.product_taxes = product_taxes;
            self.beside_stated(explanation);
            return;
        }
        let tax = self.sums.tax_gap;
        let is_rounding = tax.abs() <= explanation.tax_tolerance + NOTHING;
        // First what the compensations may hold besides.
        let mut shifted = self.compensations.clone();
        let rest = compensation::shift(&mut shifted, self.rest());
        if is_rounding && rest.abs() <= explanation.tolerance {
            self.compensations = shifted;
            explanation.cost += pennies(rest) + pennies(tax);
        } else if let Some((net, percent)) = self.product_tax() {
            let beyond = self.rest() - net;
            compensation::shift(&mut self.compensations, beyond);
            explanation.product_taxes = vec![ProductTax { net, tax: round2(tax), percent }];
            explanation.cost += 2;
        } else if is_rounding {
            explanation.difference = round2(self.rest());
            explanation.cost += 50 + pennies(tax);
        } else if tax > Decimal::ZERO {
            self.beside_product_tax(explanation);
        } else {
            explanation.refusal =
                Some(format!("The lines and shipping hold {} more tax than the document does.", text(-tax)));
        }
    }

    /// Product taxes that the header's subtotal holds and the lines do not, as shops may choose: their sum is known. More than a
    /// quarter of what was bought is no such tax, but a line that is missing.
    fn stated_product_taxes(&self) -> Option<Vec<ProductTax>> {
        let (net, tax) = (round2(self.sums.subtotal_gap), round2(self.sums.tax_gap));
        if net <= self.sums.tolerance() || net > self.sums.size() / Decimal::from(4) {
            return None;
        }
        let units: Decimal = self.sums.goods.iter().map(|row| row.quantity).sum();
        let error = |percent: &Decimal| (tax - net * *percent / Decimal::ONE_HUNDRED).abs();
        let allowed = (NOTHING * (units + Decimal::ONE)).min(net / Decimal::from(40)).max(PENNY);
        let of_lines = self.taxing_percentages().find(|percent| error(percent) <= allowed);
        let nearest = || self.known.iter().min_by_key(|percent| error(percent)).copied();
        let percent = of_lines.or_else(nearest)?;
        if error(&percent) <= allowed {
            return Some(vec![ProductTax { net, tax, percent }]);
        }
        // Some of it was taxed and some was not.
        let at = |percent: Decimal| (percent, round2(tax * Decimal::ONE_HUNDRED / percent));
        let (percent, taxed) = self.taxing_percentages().map(at).find(|(_, taxed)| *taxed <= net)?;
        (tax > Decimal::ZERO).then(|| {
            let untaxed = ProductTax { net: net - taxed, tax: Decimal::ZERO, percent: Decimal::ZERO };
            vec![ProductTax { net: taxed, tax, percent }, untaxed]
        })
    }

    /// The percentages above 0 that the document's lines show, the main one first.
    fn taxing_percentages(&self) -> impl Iterator<Item = Decimal> {
        let mut percentages: Vec<Decimal> = self.reading.goods.clone();
        percentages.sort_unstable_by(|left, right| right.cmp(left));
        self.reading.main.into_iter().chain(percentages).filter(|percent| *percent > Decimal::ZERO)
    }

    /// What is left beside product taxes whose sum the header states.
    fn beside_stated(&mut self, explanation: &mut GapExplanation) {
        let rest = self.rest() - round2(self.sums.subtotal_gap);
        let mut shifted = self.compensations.clone();
        let left = compensation::shift(&mut shifted, rest);
        if left.abs() <= explanation.tolerance {
            self.compensations = shifted;
            explanation.cost += 2 + pennies(left);
        } else {
            explanation.difference = round2(rest);
            explanation.cost += 50;
        }
    }

    /// The net and the percentage of fixed product taxes, if the tax that no line carries is the tax on the net that no line
    /// carries.
    fn product_tax(&self) -> Option<(Decimal, Decimal)> {
        let (rest, tax) = (self.rest(), self.sums.tax_gap);
        if rest <= Decimal::ZERO || tax < NOTHING {
            return None;
        }
        // Magento rounds the tax of each unit, so half a penny a unit may be missing, but never most of the tax.
        let units: Decimal = self.sums.goods.iter().map(|row| row.quantity).sum();
        let allowed = (NOTHING * (units + Decimal::ONE)).min(tax / Decimal::from(4)).max(PENNY);
        let error = |percent: &Decimal| (tax - rest * *percent / Decimal::ONE_HUNDRED).abs();
        let fitting = |percent: &&Decimal| !percent.is_zero() && error(percent) <= allowed;
        let main = self.reading.main.as_ref().filter(fitting);
        let percent =
            *main.or_else(|| self.known.iter().filter(fitting).min_by_key(|percent| error(percent)))?;
        Some((self.likeliest_product_tax(percent), percent))
    }

    /// The net of a product tax, where the compensations leave a choice: one whose tax is the tax, of a round sum with tax, as
    /// such taxes are, or the nearest.
    fn likeliest_product_tax(&self, percent: Decimal) -> Decimal {
        let (rest, tax) = (round2(self.rest()), round2(self.sums.tax_gap));
        let room =
            |value: fn(&Compensation) -> Decimal| self.compensations.iter().map(value).sum::<Decimal>();
        let least = (rest - room(|one| one.most - one.likely)).max(PENNY);
        let most = rest + room(|one| one.likely - one.least);
        let mut best = rest;
        let mut best_rank = (true, true, Decimal::MAX);
        // Pennies beyond a few have no say.
        for step in -10..=10 {
            let net = rest + PENNY * Decimal::from(step);
            if net < least || net > most {
                continue;
            }
            let wrong_tax = round2(net * percent / Decimal::ONE_HUNDRED) != tax;
            let odd = !((net + tax) / Decimal::new(5, 2)).fract().is_zero();
            let rank = (wrong_tax, odd, (net - rest).abs());
            if rank < best_rank {
                (best, best_rank) = (net, rank);
            }
        }
        best
    }

    /// A taxed amount that no line shows stands beside an untaxed one: the first is worth its tax / the main rate.
    fn beside_product_tax(&mut self, explanation: &mut GapExplanation) {
        let (rest, tax) = (self.rest(), round2(self.sums.tax_gap));
        let without_base = Some(format!("The document holds {} of tax that no line carries.", text(tax)));
        let Some(percent) = self.taxing_percentages().next() else {
            explanation.refusal = without_base;
            return;
        };
        let net = round2(tax * Decimal::ONE_HUNDRED / percent);
        explanation.product_taxes = vec![ProductTax { net, tax, percent }];
        let mut shifted = self.compensations.clone();
        let difference = compensation::shift(&mut shifted, rest - net);
        if difference.abs() <= explanation.tolerance {
            self.compensations = shifted;
            explanation.cost += 3 + pennies(difference);
            return;
        }
        explanation.difference = round2(rest - net);
        explanation.cost += 60;
        // A tax that leaves the total as it is, or stands beside nothing, is no product tax but a wrong sum.
        let small = |amount: Decimal| amount.abs() <= explanation.tolerance;
        if small(rest) || small(rest + self.sums.tax_gap) || net > self.sums.size() / Decimal::TEN {
            explanation.refusal = without_base;
        }
    }
}

fn pennies(amount: Decimal) -> u32 {
    use rust_decimal::prelude::ToPrimitive;
    round2(amount.abs())
        .checked_mul(Decimal::ONE_HUNDRED)
        .and_then(|pennies| pennies.to_u32())
        .unwrap_or(20)
        .min(20)
}

/// What makes an explanation implausible.
fn contradiction(
    sums: &DocumentSums,
    reading: &RecoveredRates,
    explanation: &GapExplanation,
) -> Option<String> {
    let tolerance = sums.tolerance();
    let rows = sums.goods.iter().chain(&sums.shipping).zip(reading.goods.iter().chain(&reading.shipping));
    let untaxable = |(row, percent): &(&TaxedAmount, &Decimal)| percent.is_zero() && row.tax.abs() > CARRIED;
    if let Some((row, _)) = rows.into_iter().find(untaxable) {
        return Some(format!("A tax of {} on {} fits no percentage.", text(row.tax), text(row.subtotal)));
    }
    if sums.excess_discount > tolerance {
        return Some(format!(
            "The lines hold {} more discount than the document does.",
            text(sums.excess_discount)
        ));
    }
    // The header's subtotal may hold product taxes; anything else in it is a line that is missing.
    let product_taxes: Decimal = explanation.product_taxes.iter().map(|one| one.net).sum();
    let is_stated = (sums.subtotal_gap - product_taxes).abs() <= explanation.tolerance;
    let is_explained = explanation.difference.is_zero() && explanation.product_taxes.is_empty();
    if sums.subtotal_gap.abs() > tolerance && !is_stated && !is_explained {
        return Some(format!(
            "The lines sum up to {} less than the document's subtotal.",
            text(sums.subtotal_gap)
        ));
    }
    // Product taxes and fees are a part of what is bought, or small; more than that is money from nowhere.
    let most = (sums.size() / Decimal::TWO).max(Decimal::TEN);
    if product_taxes > most {
        return Some(format!(
            "{} of the total belongs to nothing that the document shows.",
            text(product_taxes)
        ));
    }
    if explanation.difference > most {
        return Some(format!(
            "{} of the total belongs to nothing that the document shows.",
            text(explanation.difference)
        ));
    }
    None
}

//! What Magento's total holds beyond the fields of the document. Discount tax compensation, fixed product taxes, gift cards, store
//! credit and fees have no field in an invoice: they are what is left of the grand total. The gap is divided among them by the rates
//! and by the tax that no line carries, and what cannot be divided is refused.

use domain::money::{round2, text};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::{
        compensation::{self, Compensation},
        contradiction,
        known_rates::KnownRates,
        product_tax::{self, ProductTax, ProductTaxReadings},
        rate_fits::RateFits,
        recovered_rates::{self, RecoveredRates},
        sums::DocumentSums,
        taxed_amount::DISCOUNT_BASES,
    },
    costs,
    tolerances::{BESIDE_SHARE, HALF_PENNY, PENNY},
};

/// What the gap of a document consists of, under one recovery of its rates.
#[derive(Clone, Debug)]
pub(crate) struct GapExplanation {
    /// The tax within each line's discount that Magento gave back.
    pub compensation: Vec<Compensation>,
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
    /// Why it explains nothing, in a sentence without the sums.
    pub refusal: Option<String>,
}

/// The rates and the explanation that fit a document best. The bases are tried in the order of DISCOUNT_BASES, so that of two that fit
/// alike the more usual one is taken.
pub(crate) fn best(
    sums: &DocumentSums<'_>,
    (goods_fits, shipping_fits): (&RateFits, &RateFits),
    known: &KnownRates,
) -> (RecoveredRates, GapExplanation) {
    let shipping = sums.shipping.as_ref().map(|row| (row, shipping_fits));
    let attempt = |bases| {
        let rates = recovered_rates::recover((&sums.goods, goods_fits), shipping, bases, known.usual);
        let explanation = GapAnalysis::of(sums, &rates, &known.percentages).explained();
        (rates, explanation)
    };
    let mut best = attempt(DISCOUNT_BASES[0]);
    for bases in &DISCOUNT_BASES[1..] {
        if best.0.cost + best.1.cost == 0 {
            break;
        }
        let other = attempt(*bases);
        if other.0.cost + other.1.cost < best.0.cost + best.1.cost {
            best = other;
        }
    }
    best
}

/// An explanation in the making.
struct GapAnalysis<'a> {
    sums: &'a DocumentSums<'a>,
    rates: &'a RecoveredRates,
    known: &'a [Decimal],
    /// The compensations of the lines, then of shipping.
    compensations: Vec<Compensation>,
    product_taxes: Vec<ProductTax>,
    difference: Decimal,
    tolerance: Decimal,
    tax_tolerance: Decimal,
    cost: u32,
    refusal: Option<String>,
}

impl<'a> GapAnalysis<'a> {
    fn of(sums: &'a DocumentSums<'_>, rates: &'a RecoveredRates, known: &'a [Decimal]) -> Self {
        let taxed = sums.goods.iter().chain(&sums.shipping).filter(|row| !row.tax.is_zero()).count();
        Self {
            compensations: compensation::of_rows(sums, rates),
            product_taxes: Vec::new(),
            difference: Decimal::ZERO,
            tolerance: sums.tolerance,
            // A penny for each taxed row.
            tax_tolerance: PENNY * Decimal::from(taxed),
            cost: 0,
            refusal: None,
            sums,
            rates,
            known,
        }
    }

    fn explained(mut self) -> GapExplanation {
        self.divide();
        if self.refusal.is_none() {
            self.refusal = contradiction::find(self.sums, self.rates, &self.product_taxes, self.difference);
        }
        if self.refusal.is_some() {
            self.cost += costs::REFUSED;
        }
        let mut compensation = self.compensations;
        let of_shipping = compensation.split_off(self.sums.goods.len());
        let shipping_compensation = of_shipping.first().map_or(Decimal::ZERO, |one| one.likely);
        GapExplanation {
            compensation,
            shipping_compensation,
            product_taxes: self.product_taxes,
            difference: self.difference,
            tolerance: self.tolerance,
            tax_tolerance: self.tax_tolerance,
            cost: self.cost,
            refusal: self.refusal,
        }
    }

    /// The money without tax that neither a row nor a compensation holds.
    fn rest(&self) -> Decimal {
        self.sums.net_gap - self.compensations.iter().map(|one| one.likely).sum::<Decimal>()
    }

    /// The compensations with as much of an amount as rounding allows, and what is left of it.
    fn shifted(&self, mut amount: Decimal) -> (Vec<Compensation>, Decimal) {
        let mut shifted = self.compensations.clone();
        for one in shifted.iter_mut().rev() {
            let moved = amount.clamp(one.least - one.likely, one.most - one.likely);
            one.likely += moved;
            amount -= moved;
        }
        (shifted, amount)
    }

    /// Divides what is left of the gap after the compensations into roundings, fixed product taxes and differences.
    fn divide(&mut self) {
        let ProductTaxReadings { stated, unstated, by_tax } =
            product_tax::read(self.sums, self.rates, self.known, self.rest(), &self.compensations);
        if let Some(product_taxes) = stated {
            self.product_taxes = product_taxes;
            self.beside_stated();
            return;
        }
        let tax = self.sums.tax_gap;
        let is_rounding = tax.abs() <= self.tax_tolerance + HALF_PENNY;
        // First what the compensations may hold besides.
        let (shifted, rest) = self.shifted(self.rest());
        if is_rounding && rest.abs() <= self.tolerance {
            self.compensations = shifted;
            self.cost += costs::pennies(rest) + costs::pennies(tax);
        } else if let Some(product_tax) = unstated {
            (self.compensations, _) = self.shifted(self.rest() - product_tax.net);
            self.product_taxes = vec![product_tax];
            self.cost += costs::PRODUCT_TAX;
        } else if is_rounding {
            self.difference = round2(self.rest());
            self.cost += costs::DIFFERENCE + costs::pennies(tax);
        } else if tax > Decimal::ZERO {
            self.by_tax_alone(by_tax);
        } else {
            self.refusal = Some(message!(figures.too_much_tax, amount = text(-tax)));
        }
    }

    /// What is left beside product taxes whose sum the header states.
    fn beside_stated(&mut self) {
        let rest = self.rest() - round2(self.sums.subtotal_gap);
        let (shifted, left) = self.shifted(rest);
        if left.abs() <= self.tolerance {
            self.compensations = shifted;
            self.cost += costs::PRODUCT_TAX + costs::pennies(left);
        } else {
            self.difference = round2(rest);
            self.cost += costs::DIFFERENCE;
        }
    }

    /// A taxed amount that no line shows stands beside an untaxed one: the first is worth its tax / the main rate (the
    /// invoice of golden case creditmemo-of-a-fee-beside-taxed-product-taxes).
    fn by_tax_alone(&mut self, by_tax: Option<ProductTax>) {
        let rest = self.rest();
        let without_base = Some(message!(figures.tax_without_line, amount = text(self.sums.tax_gap)));
        let Some(product_tax) = by_tax else {
            self.refusal = without_base;
            return;
        };
        let net = product_tax.net;
        self.product_taxes = vec![product_tax];
        let (shifted, difference) = self.shifted(rest - net);
        if difference.abs() <= self.tolerance {
            self.compensations = shifted;
            self.cost += costs::PRODUCT_TAX_BY_ITS_TAX + costs::pennies(difference);
            return;
        }
        self.difference = round2(rest - net);
        self.cost += costs::DIFFERENCE_BESIDE_PRODUCT_TAX;
        // A tax that leaves the total as it is, or stands beside nothing, is no product tax but a wrong sum.
        let is_small = |amount: Decimal| amount.abs() <= self.tolerance;
        let is_wrong = is_small(rest) || is_small(rest + self.sums.tax_gap);
        if is_wrong || net > self.sums.size * BESIDE_SHARE {
            self.refusal = without_base;
        }
    }
}

//! What a credit memo may hide: a discount on the shipping that it gives back, fixed product taxes with their tax, and a fault of
//! Magento's. No field shows them; each guess is a set of figures that would close the memo's gap.

use rust_decimal::Decimal;

use crate::{
    documents::{CreditMemo, Invoice, Line},
    money::{round, round2},
};

use super::{
    compensation,
    findings::Findings,
    gap::{self, ProductTax},
    rates::{self, Case, Taxed, fraction},
    rows::counting_lines,
    sums::{NOTHING, PENNY, Sums},
    takeback::Known,
};

/// Figures that a memo does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Guess {
    /// The discount on shipping, as Magento shows discounts (with tax or without).
    pub shipping_discount: Decimal,
    /// The tax of product taxes.
    pub tax: Decimal,
    /// The net of product taxes, where the invoice states it.
    pub stated: Decimal,
    /// What Magento credits too much.
    pub excess: Decimal,
    /// How far-fetched it is.
    pub penalty: u32,
    /// Money that may be taxed or not as well, with nothing to tell which: no faithful posting.
    pub doubtful: Decimal,
}

impl Guess {
    /// Whether it leaves the sale as its fields tell it.
    pub fn is_plain(&self) -> bool {
        self.shipping_discount.is_zero() && self.tax.is_zero() && self.excess.is_zero()
    }
}

/// Five pence: shops choose round sums.
const ROUND: Decimal = Decimal::from_parts(5, 0, 0, false, 2);
/// What the fault comes to at most where nothing but the memo tells of it.
const FAULT: Decimal = Decimal::from_parts(5, 0, 0, false, 1);

/// Makes guesses about a memo.
pub(super) struct Seeker<'a> {
    memo: &'a CreditMemo,
    known: Known<'a>,
    lines: Vec<&'a Line>,
    sums: Sums,
    /// What the total holds beyond lines and shipping.
    gap: Decimal,
    /// The product taxes of the invoice, where it was fetched.
    of_invoice: Option<Vec<ProductTax>>,
    /// Magento's fault, where the invoice tells it.
    fault: Option<Decimal>,
}

/// What is left of the gap under one way of taxing discounts.
struct Rest {
    amount: Decimal,
    case: Case,
    /// The percentages above 0 of the lines, the main one first.
    percents: Vec<Decimal>,
}

impl<'a> Seeker<'a> {
    /// Looks at a memo and at the sale that its fields tell.
    pub fn new(memo: &'a CreditMemo, sale: &'a Invoice, known: Known<'a>) -> Self {
        let lines = counting_lines(sale, &mut Findings::default());
        let sums = Sums::of(sale, &lines);
        let shown: Decimal = lines.iter().map(|line| line.line_total).sum();
        let gap = sale.grand_total - shown - memo.shipping_amount - memo.shipping_tax_amount;
        let of_invoice = known.invoice.and_then(|invoice| product_taxes_of(invoice, known));
        let fault = known.invoice.map(fault_of);
        Self { memo, known, lines, sums, gap, of_invoice, fault }
    }

    /// Every guess, the likelier ones first.
    pub fn guesses(&self) -> Vec<Guess> {
        let mut guesses = Vec::new();
        for rest in self.rests() {
            if let Some(stated) = self.memo.shipping_discount {
                self.stated_shipping_discount(stated, &rest, &mut guesses);
                continue;
            }
            if self.memo.shipping_amount > Decimal::ZERO {
                self.product_tax(Decimal::ZERO, rest.amount, 0, &rest, &mut guesses);
                self.shipping_discounts(&rest, &mut guesses);
            } else {
                self.without_shipping(&rest, &mut guesses);
            }
        }
        guesses
    }

    /// What is left of the gap after the lines' compensation, for discounts without tax and with it.
    fn rests(&self) -> Vec<Rest> {
        let goods = &self.sums.goods;
        [Case::Net, Case::Gross]
            .into_iter()
            .map(|case| {
                let reading =
                    rates::read(goods, None, (case, case), self.known.percentages, self.known.usual);
                let of = |(row, percent): (&Taxed, &Decimal)| compensation::of(row, case, *percent).likely;
                let given_back: Decimal = goods.iter().zip(&reading.goods).map(of).sum();
                let mut percents: Vec<Decimal> = Vec::new();
                // Where nothing was taxed no product tax was either.
                let taxed = goods.iter().zip(&reading.goods).filter(|(row, _)| !row.tax.is_zero());
                for percent in
                    taxed.clone().filter_map(|_| reading.main).chain(taxed.clone().map(|(_, one)| *one))
                {
                    if percent > Decimal::ZERO && !percents.contains(&percent) {
                        percents.push(percent);
                    }
                }
                Rest { amount: self.gap - given_back, case, percents }
            })
            .collect()
    }

    /// Our own module says what was taken off shipping.
    fn stated_shipping_discount(&self, stated: Decimal, rest: &Rest, guesses: &mut Vec<Guess>) {
        let stated = stated.abs();
        for percent in [Decimal::ZERO].into_iter().chain(self.known.percentages.iter().copied()) {
            let without_tax = stated / (Decimal::ONE + fraction(percent));
            self.product_tax(stated, rest.amount + without_tax, 0, rest, guesses);
        }
    }

    /// Discounts on shipping: told by the tax on it, by what is missing from the total, or by both beside product taxes.
    fn shipping_discounts(&self, rest: &Rest, guesses: &mut Vec<Guess>) {
        let (net, tax) = (self.memo.shipping_amount, self.memo.shipping_tax_amount);
        for percent in self.known.percentages {
            let rate = fraction(*percent);
            let with_and_without_tax = [Decimal::ONE, Decimal::ONE + rate];
            if rest.amount < -NOTHING && -rest.amount <= net + PENNY {
                for factor in with_and_without_tax {
                    let discount = round(-rest.amount * factor, 4);
                    guesses.push(Guess { shipping_discount: discount, penalty: 3, ..Guess::default() });
                }
            }
            let Some(taxed) = tax.checked_div(rate) else { continue };
            let (told, slack) = (net - taxed, Decimal::new(6, 3) / rate + PENNY);
            if told <= PENNY || told > net {
                continue;
            }
            // The tax tells the discount to a few pence; a round product tax tells the rest.
            let about = rest.amount + told;
            for beyond in round_amounts(about, slack, *percent) {
                let off = beyond - rest.amount;
                if off <= Decimal::ZERO || beyond <= self.sums.tolerance() {
                    continue;
                }
                let penalty = 4 + pennies(beyond - about);
                for factor in with_and_without_tax {
                    self.product_tax(round(off * factor, 4), beyond, penalty, rest, guesses);
                }
            }
        }
    }

    /// Product taxes of `beyond`, tax included, beside a discount on shipping.
    fn product_tax(
        &self,
        shipping_discount: Decimal,
        beyond: Decimal,
        penalty: u32,
        rest: &Rest,
        guesses: &mut Vec<Guess>,
    ) {
        let plain = Guess { shipping_discount, penalty, ..Guess::default() };
        if beyond <= self.sums.tolerance() {
            guesses.push(plain);
        } else if let Some(of_invoice) = &self.of_invoice {
            self.as_invoiced(of_invoice, round2(beyond), &plain, rest, guesses);
        } else {
            self.by_roundness(round2(beyond), &plain, rest, guesses);
        }
    }

    /// Product taxes as the invoice had them: its very sums where one line bears them, else their percentages.
    fn as_invoiced(
        &self,
        of_invoice: &[ProductTax],
        beyond: Decimal,
        plain: &Guess,
        rest: &Rest,
        guesses: &mut Vec<Guess>,
    ) {
        let net: Decimal = of_invoice.iter().map(|one| one.net).sum();
        let tax: Decimal = of_invoice.iter().map(|one| one.tax).sum();
        for part in self.parts_of_invoice() {
            if (round2((net + tax) * part) - beyond).abs() <= PENNY {
                let tax = round2(tax * part);
                let stated = beyond - tax;
                guesses.push(Guess { tax, stated, penalty: plain.penalty + 1, ..plain.clone() });
            }
        }
        match of_invoice {
            [] => self.by_roundness(beyond, plain, rest, guesses),
            [one] if one.tax.is_zero() => guesses.push(plain.clone()),
            [one] => {
                for (order, net) in self.nets(beyond, one.percent).into_iter().enumerate() {
                    let penalty = plain.penalty + 5 + u32::from(order > 0);
                    guesses.push(Guess { tax: beyond - net, penalty, ..plain.clone() });
                }
                guesses.push(plain.clone());
            }
            // Taxed ones beside untaxed ones: how much of the memo's is which?
            _ => guesses.push(Guess { doubtful: beyond, ..plain.clone() }),
        }
    }

    /// The parts of the invoice's lines that the memo takes back, with nothing twice: all of it where every line comes whole.
    fn parts_of_invoice(&self) -> Vec<Decimal> {
        let Some(invoice) = self.known.invoice else { return Vec::new() };
        let part = |line: &Line| {
            let taken = self.memo.lines.iter().find(|other| {
                (&other.sku, &other.name, other.unit_price) == (&line.sku, &line.name, line.unit_price)
            });
            taken.map_or(Some(Decimal::ZERO), |taken| taken.qty.checked_div(line.qty))
        };
        let mut parts: Vec<Decimal> = invoice.lines.iter().filter_map(part).collect();
        parts.sort_unstable_by(|left, right| right.cmp(left));
        parts.dedup();
        parts.retain(|part| *part > Decimal::ZERO);
        parts
    }

    /// Product taxes of which only the memo tells: shops choose round sums, with tax or without it as they keep their prices, and
    /// the rounder of the two is the likelier. A sum that is round in neither way could as well be a fee without tax.
    fn by_roundness(&self, beyond: Decimal, plain: &Guess, rest: &Rest, guesses: &mut Vec<Guess>) {
        let as_it_stands = roundness(beyond);
        let with_tax = self.prices_hold_tax(rest) && as_it_stands > 0;
        let mut is_taxed = false;
        for (place, percent) in rest.percents.iter().enumerate() {
            for (order, net) in self.nets(beyond, *percent).into_iter().enumerate() {
                if with_tax || (roundness(net) > 0 && roundness(net) >= as_it_stands) {
                    is_taxed = true;
                    let far = if place == 0 { 5 } else { 13 };
                    let penalty = plain.penalty + far + u32::from(order > 0);
                    guesses.push(Guess { tax: beyond - net, penalty, ..plain.clone() });
                }
            }
        }
        let is_clear = is_taxed || as_it_stands > 0 || rest.percents.is_empty();
        let doubtful = if is_clear { Decimal::ZERO } else { beyond };
        guesses.push(Guess { doubtful, ..plain.clone() });
    }

    /// The net of product taxes that come to so much with tax: rounded as the whole, or unit by unit, the shop's way first.
    fn nets(&self, with_tax: Decimal, percent: Decimal) -> Vec<Decimal> {
        let factor = Decimal::ONE + fraction(percent);
        let whole = round2(with_tax / factor);
        let mut nets = vec![whole];
        for line in &self.lines {
            let quantity = line.qty;
            if quantity <= Decimal::ONE || !quantity.fract().is_zero() {
                continue;
            }
            let unit = with_tax / quantity;
            if round2(unit) == unit && !nets.contains(&(round2(unit / factor) * quantity)) {
                nets.push(round2(unit / factor) * quantity);
            }
        }
        if nets.len() > 1 && self.rounds_by_unit() {
            nets.rotate_left(1);
        }
        nets
    }

    /// Whether the lines show taxes that only rounding unit by unit makes.
    fn rounds_by_unit(&self) -> bool {
        let whole = |amount: Decimal| round2(amount) == amount;
        let by_unit = |line: &&&Line| {
            let each = line.line_tax.checked_div(line.qty);
            let price = line.unit_price * line.qty == line.line_subtotal;
            line.qty > Decimal::ONE && each.is_some_and(whole) && price
        };
        let several = |line: &&&Line| line.qty > Decimal::ONE && !line.line_tax.is_zero();
        let count = self.lines.iter().filter(several).count();
        count > 0 && self.lines.iter().filter(several).filter(by_unit).count() == count
    }

    /// Whether the shop keeps its prices with tax: its discounts hold tax, or its prices are odd without it and usual with it.
    fn prices_hold_tax(&self, rest: &Rest) -> bool {
        if rest.case == Case::Gross && self.sums.goods.iter().any(|row| !row.discount.is_zero()) {
            return true;
        }
        let Some(percent) = rest.percents.first() else { return false };
        let usual = |price: Decimal| {
            let last = (round2(price) * Decimal::ONE_HUNDRED) % Decimal::TEN;
            [0, 5, 9].into_iter().any(|digit| last == Decimal::from(digit))
        };
        let taxed = || self.lines.iter().filter(|line| !line.line_tax.is_zero());
        let with_tax = |line: &Line| line.unit_price * (Decimal::ONE + fraction(*percent));
        taxed().any(|line| !usual(line.unit_price)) && taxed().all(|line| usual(with_tax(line)))
    }

    /// A memo of goods alone. Where the order's shipping was discounted Magento takes the tax on it for a shipping refund, and credits
    /// the discount's share of that.
    fn without_shipping(&self, rest: &Rest, guesses: &mut Vec<Guess>) {
        let beside = |excess: Decimal, guesses: &mut Vec<Guess>| {
            let mut others = Vec::new();
            self.product_tax(Decimal::ZERO, rest.amount - excess, 1, rest, &mut others);
            guesses.extend(others.into_iter().map(|guess| Guess { excess, ..guess }));
        };
        let nothing_tells = self.fault.is_none() && rest.amount > NOTHING && self.has_four_places();
        if nothing_tells && rest.amount > FAULT {
            // A product tax beside the fault: how much of it is which?
            guesses.push(Guess { doubtful: rest.amount, ..Guess::default() });
        } else if nothing_tells {
            beside(round2(rest.amount), guesses);
        } else {
            self.product_tax(Decimal::ZERO, rest.amount, 0, rest, guesses);
            let fault = self.fault.map(round2).filter(|fault| *fault > Decimal::ZERO);
            if let Some(fault) = fault.filter(|fault| rest.amount >= *fault - PENNY) {
                beside(fault, guesses);
            }
        }
    }

    /// Whether the total has more than two places although every line has two: a share that Magento did not round.
    fn has_four_places(&self) -> bool {
        let whole = |amount: Decimal| round2(amount) == amount;
        let line = |line: &&Line| whole(line.line_subtotal) && whole(line.line_tax) && whole(line.line_total);
        !whole(self.memo.grand_total) && self.lines.iter().all(line)
    }
}

/// How round an amount is: pounds, halves, quarters, tens, fives of pence; 0 = not at all.
fn roundness(amount: Decimal) -> usize {
    let steps = [100, 50, 25, 10, 5].map(|pence| Decimal::new(pence, 2));
    steps.iter().rev().filter(|step| (amount / **step).fract().is_zero()).count()
}

/// Amounts near `about` that are round with tax or without it.
fn round_amounts(about: Decimal, slack: Decimal, percent: Decimal) -> Vec<Decimal> {
    let factor = Decimal::ONE + fraction(percent);
    let near = (about / ROUND).round() * ROUND;
    let near_without = (about / factor / ROUND).round() * ROUND;
    let mut amounts = vec![near, near - ROUND, near + ROUND, round2(near_without * factor)];
    amounts.retain(|amount| (*amount - about).abs() <= slack && *amount > Decimal::ZERO);
    amounts.sort_unstable_by_key(|amount| (*amount - about).abs());
    amounts.push(round2(about));
    amounts.dedup();
    amounts
}

fn pennies(amount: Decimal) -> u32 {
    use rust_decimal::prelude::ToPrimitive;
    (amount.abs() * Decimal::ONE_HUNDRED).round().to_u32().unwrap_or(20).min(20)
}

/// The product taxes of an invoice, those without tax as well; none where its sums cannot be told.
fn product_taxes_of(invoice: &Invoice, known: Known<'_>) -> Option<Vec<ProductTax>> {
    let lines = counting_lines(invoice, &mut Findings::default());
    let sums = Sums::of(invoice, &lines);
    let (_, explanation) = gap::best(&sums, known.percentages, known.usual);
    if explanation.refusal.is_some() {
        return None;
    }
    let mut taxes = explanation.product_taxes;
    if explanation.difference > Decimal::ZERO {
        let (tax, percent) = (Decimal::ZERO, Decimal::ZERO);
        taxes.push(ProductTax { net: explanation.difference, tax, percent });
    }
    Some(taxes)
}

/// What Magento credits too much when a memo of this invoice refunds no shipping: shipping's tax x its discount / shipping.
fn fault_of(invoice: &Invoice) -> Decimal {
    let discounts: Decimal = invoice.lines.iter().map(Line::discount).sum();
    let on_shipping = (-invoice.discount_amount - discounts).max(Decimal::ZERO);
    (invoice.shipping_tax_amount * on_shipping).checked_div(invoice.shipping_amount).unwrap_or_default()
}

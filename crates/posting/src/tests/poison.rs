//! The worst documents that are let in: each is planned, or refused, in a time that its size explains.

use std::time::{Duration, Instant};

use rust_decimal::Decimal;

use super::creditmemos::original;
use crate::{fixtures::Scenario, fixtures::invoice, plan_creditmemo, plan_invoice};
use domain::{
    documents::{CreditMemo, Invoice, Line},
    plan::Plan,
};

/// Half of what is let in: enough for what grows with the square of the lines to stand out.
const LINES: usize = domain::bounds::MOST_ENTRIES / 2;

/// Without optimisation and beside other tests; what grows with the square of the lines takes minutes.
const BOUND: Duration = Duration::from_secs(20);

/// How the figures of a hostile document are chosen.
#[derive(Clone, Copy, Debug)]
enum WorstFigures {
    /// Nothing is in proportion to anything.
    Random,
    /// Every line is taxed and discounted as it should be, and each a little differently.
    Likely,
    /// Sums of pennies, which fit many percentages.
    Pennies,
    /// Nothing was paid for.
    Nothing,
    /// One article at one price, again and again.
    Alike,
    /// Each line in a quantity and at a percentage of its own.
    Different,
}

const ALL: [WorstFigures; 6] = [
    WorstFigures::Random,
    WorstFigures::Likely,
    WorstFigures::Pennies,
    WorstFigures::Nothing,
    WorstFigures::Alike,
    WorstFigures::Different,
];

/// A small generator: the same figures in every test.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> Decimal {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Decimal::from((self.0 >> 33) % most)
    }
}

fn line(figures: WorstFigures, numbers: &mut Numbers) -> Line {
    let hundred = Decimal::ONE_HUNDRED;
    let (qty, subtotal, tax, discount) = match figures {
        WorstFigures::Random => (
            numbers.below(1_000_000) / Decimal::from(10_000),
            numbers.below(1_000_000_000) / Decimal::from(10_000),
            numbers.below(1_000_000_000) / Decimal::from(10_000),
            numbers.below(1_000_000_000) / Decimal::from(10_000),
        ),
        WorstFigures::Likely => {
            let subtotal = (numbers.below(100_000) + hundred) / hundred;
            let discount = (subtotal * numbers.below(30) / hundred).round_dp(2);
            let percent = [20, 5, 0][usize::try_from(numbers.0 >> 60).unwrap() % 3];
            let tax = ((subtotal - discount) * Decimal::from(percent) / hundred).round_dp(2);
            (numbers.below(9) + Decimal::ONE, subtotal, tax, discount)
        }
        WorstFigures::Pennies => (
            numbers.below(99) + Decimal::ONE,
            numbers.below(9) / hundred,
            numbers.below(3) / hundred,
            numbers.below(3) / hundred,
        ),
        WorstFigures::Nothing => (Decimal::ONE, Decimal::ZERO, Decimal::ZERO, Decimal::ZERO),
        WorstFigures::Alike => (Decimal::from(4), Decimal::from(20), numbers.below(4), numbers.below(3)),
        WorstFigures::Different => {
            let (quantity, percent) = (numbers.below(5_000) + Decimal::ONE, numbers.below(40_000) / hundred);
            let subtotal = quantity * Decimal::from(3);
            (quantity, subtotal, (subtotal * percent / hundred).round_dp(2), Decimal::ZERO)
        }
    };
    let article =
        if matches!(figures, WorstFigures::Alike) { Decimal::ONE } else { numbers.below(1_000_000) };
    let percent = tax.checked_div(subtotal).filter(|_| matches!(figures, WorstFigures::Different));
    Line {
        sku: format!("SKU-{article}"),
        name: "A mug &amp; a saucer".to_owned(),
        qty,
        unit_price: subtotal.checked_div(qty).unwrap_or_default().round_dp(4),
        line_subtotal: subtotal,
        line_tax: tax,
        line_total: subtotal + tax - discount,
        product_type: None,
        tax_class: None,
        tax_percent: percent.map(|part| (part * hundred).round_dp(2)),
    }
}

fn hostile(figures: WorstFigures, shipping: i64, off: i64) -> Invoice {
    let mut numbers = Numbers(7);
    let mut invoice = invoice("invoice-1a");
    invoice.lines = (0..LINES).map(|_| line(figures, &mut numbers)).collect();
    let sum = |of: fn(&Line) -> Decimal| invoice.lines.iter().map(of).sum::<Decimal>();
    let (subtotal, tax, total) =
        (sum(|line| line.line_subtotal), sum(|line| line.line_tax), sum(|line| line.line_total));
    let discount = -sum(Line::discount);
    invoice.shipping_amount = Decimal::new(shipping, 2);
    invoice.shipping_tax_amount = Decimal::new(shipping / 5, 2);
    invoice.subtotal = subtotal;
    invoice.tax_amount = tax + invoice.shipping_tax_amount;
    invoice.discount_amount = discount;
    invoice.grand_total =
        total + invoice.shipping_amount + invoice.shipping_tax_amount + Decimal::new(off, 2);
    invoice
}

fn memo_of(invoice: &Invoice) -> CreditMemo {
    CreditMemo {
        magento_id: 7,
        increment_id: "7".to_owned(),
        invoice_id: Some(invoice.magento_id),
        invoice_increment_id: Some(invoice.increment_id.clone()),
        website_id: None,
        currency: invoice.currency,
        customer: invoice.customer.clone(),
        lines: invoice.lines.clone(),
        adjustment_positive: Decimal::ZERO,
        adjustment_negative: Decimal::ZERO,
        grand_total: invoice.grand_total,
        shipping_amount: invoice.shipping_amount,
        shipping_tax_amount: invoice.shipping_tax_amount,
        shipping_discount: None,
        reason: None,
        created_at: invoice.created_at,
        invoice_created_at: Some(invoice.created_at),
        base_to_order_rate: None,
    }
}

fn within_bound(what: &str, plan: impl FnOnce() -> Plan) {
    let begun = Instant::now();
    let plan = plan();
    let took = begun.elapsed();
    assert!(took < BOUND, "{what}: {took:?}, {:?}", plan.code);
}

#[test]
fn the_longest_documents_with_the_worst_figures_are_planned_in_bounded_time() {
    let world = Scenario::new();
    for figures in ALL {
        for (shipping, off) in [(495, -1234), (0, 72_072_000)] {
            let invoice = hostile(figures, shipping, off);
            let what = format!("{figures:?} {shipping} {off}");
            within_bound(&what, || plan_invoice(&invoice, &world.context()));
            let memo = memo_of(&invoice);
            within_bound(&format!("{what} memo"), || plan_creditmemo(&memo, None, &world.context()));
            let mut original = original("0.00");
            original.document = Some(invoice);
            within_bound(&format!("{what} memo of it"), || {
                plan_creditmemo(&memo, Some(&original), &world.context())
            });
        }
    }
}

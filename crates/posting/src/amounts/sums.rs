//! A document's sums, and what of them no row holds.

use domain::documents::Line;
use rust_decimal::Decimal;

use crate::{
    amounts::taxed_amount::TaxedAmount,
    sales_document::DocumentTotals,
    tolerances::{HALF_PENNY, PENNY, SHIPPING_WITH_TAX},
};

/// A document's sums, as exact as Magento gives them (four decimals).
#[derive(Clone, Debug)]
pub(crate) struct DocumentSums<'a> {
    /// The lines that count.
    pub lines: Vec<&'a Line>,
    /// The lines that have a price but no money of their own: parents of dynamic bundles.
    pub lines_without_money: Vec<&'a Line>,
    /// What was taxed of each of them.
    pub goods: Vec<TaxedAmount>,
    /// Shipping with its discount; none where there is none.
    pub shipping: Option<TaxedAmount>,
    /// A discount in the header that neither a line nor shipping explains.
    pub stray_discount: Decimal,
    /// The part of the grand total without tax that no row holds.
    pub net_gap: Decimal,
    /// The part of the tax that no row holds.
    pub tax_gap: Decimal,
    /// The header's subtotal less the lines' (fixed product taxes may be in it).
    pub subtotal_gap: Decimal,
    /// Line discounts beyond the header's: a contradiction.
    pub excess_discount: Decimal,
    /// A penny for each row and one for the header: what roundings may leave.
    pub tolerance: Decimal,
    /// The rows' money without tax, before discounts.
    pub size: Decimal,
}

impl<'a> DocumentSums<'a> {
    /// Measures a document by its lines that count.
    pub fn of(totals: &DocumentTotals, lines: &'a [Line]) -> Self {
        let is_priced = |line: &&Line| !has_money(line) && !line.unit_price.is_zero();
        let lines_without_money = lines.iter().filter(is_priced).collect();
        let lines = counting_lines(lines, totals.shipping);
        let goods: Vec<TaxedAmount> = lines
            .iter()
            .map(|line| TaxedAmount {
                quantity: line.qty,
                subtotal: line.line_subtotal,
                discount: line.discount(),
                tax: line.line_tax,
                percent: line.tax_percent,
            })
            .collect();
        let sum = |value: fn(&TaxedAmount) -> Decimal| goods.iter().map(value).sum::<Decimal>();
        let (subtotal, tax, discount) =
            (sum(|row| row.subtotal), sum(|row| row.tax), sum(|row| row.discount));
        // The header's discount holds shipping's as well, which no field of its own shows.
        let hidden = -totals.discount - discount;
        let roundings = PENNY * Decimal::from(goods.len() + 1);
        let (on_shipping, stray) = split_hidden_discount(hidden, totals.shipping, roundings);
        let shipping = TaxedAmount {
            quantity: Decimal::ONE,
            subtotal: totals.shipping,
            discount: on_shipping,
            tax: totals.shipping_tax,
            percent: None,
        };
        let shipping = Some(shipping).filter(|row| !row.subtotal.is_zero() || !row.tax.is_zero());
        let net_of_rows = subtotal - discount + totals.shipping - on_shipping;
        Self {
            tolerance: PENNY * Decimal::from(goods.len() + 1 + usize::from(shipping.is_some())),
            size: goods.iter().chain(&shipping).map(|row| row.subtotal).sum(),
            lines,
            lines_without_money,
            goods,
            shipping,
            stray_discount: stray,
            net_gap: totals.grand_total - totals.tax - net_of_rows,
            tax_gap: totals.tax - tax - totals.shipping_tax,
            subtotal_gap: totals.subtotal - subtotal,
            excess_discount: (-hidden).max(Decimal::ZERO),
        }
    }
}

/// The lines that count. Children of configurables and fixed bundles, and the parents of dynamic bundles, are lines of nothing: their
/// money is in another line (Magento's `isDummy`, and a dynamic bundle's parent has no row total). Of a document of nothing the first
/// line is kept.
fn counting_lines(lines: &[Line], shipping: Decimal) -> Vec<&Line> {
    let counting: Vec<&Line> = lines.iter().filter(|line| has_money(line)).collect();
    if counting.is_empty() && shipping.is_zero() {
        return lines.iter().take(1).collect();
    }
    counting
}

fn has_money(line: &Line) -> bool {
    !(line.line_subtotal.is_zero() && line.line_tax.is_zero() && line.line_total.is_zero())
}

/// Splits the discount that no line shows: shipping's, up to shipping with tax at any rate there is, and the rest. (The header's discount
/// includes shipping's, which has no field of its own: Sales/Model/Order/Invoice/Total/Discount.php.)
fn split_hidden_discount(hidden: Decimal, shipping: Decimal, roundings: Decimal) -> (Decimal, Decimal) {
    if hidden < HALF_PENNY || (shipping.is_zero() && hidden <= roundings) {
        return (Decimal::ZERO, Decimal::ZERO);
    }
    let most = shipping * SHIPPING_WITH_TAX;
    if hidden <= most { (hidden, Decimal::ZERO) } else { (shipping, hidden - shipping) }
}

//! The rows that become lines of a Sage document: to the penny, each with its account's kind, discount, tax and percentage.

use domain::{
    documents::Line,
    money::{round2, text},
    text::clean,
};
use rust_decimal::Decimal;

use crate::{
    amounts::{
        recovered_rates::{DiscountBasis, RecoveredRates},
        sums::DocumentSums,
        unallocated::GapExplanation,
    },
    findings::Findings,
    sales_document::SalesDocument,
};

/// What a row is, which decides its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// Goods or services.
    Goods,
    /// Shipping.
    Shipping,
    /// A fixed product tax, or a taxed fee.
    ProductTax,
    /// A discount on its own.
    Discount,
    /// Gift card or store credit.
    GiftCard,
    /// A fee, or an untaxed product tax.
    Fee,
    /// An adjustment of a credit memo.
    Adjustment,
}

impl RowKind {
    /// What it is called in the rules.
    pub fn word(self) -> &'static str {
        match self {
            Self::Goods => "goods",
            Self::Shipping => "shipping",
            Self::ProductTax => "fixed product tax",
            Self::Discount => "discount",
            Self::GiftCard => "gift card or store credit",
            Self::Fee => "fee",
            Self::Adjustment => "adjustment",
        }
    }
}

/// A line of a Sage document in the making; all amounts have two decimals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentRow {
    /// What it is.
    pub kind: RowKind,
    /// What it says.
    pub description: String,
    /// How many.
    pub quantity: Decimal,
    /// Magento's price of one, without tax.
    pub unit_price: Decimal,
    /// Without tax, before the discount.
    pub subtotal: Decimal,
    /// The discount without tax.
    pub discount: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// The percentage.
    pub percent: Decimal,
    /// The tax class, where the document says it.
    pub class: Option<String>,
}

impl DocumentRow {
    /// What the row comes to without tax.
    pub fn net(&self) -> Decimal {
        self.subtotal - self.discount
    }

    /// A row of quantity one that no line of Magento's stands behind.
    pub fn extra(kind: RowKind, description: &str, net: Decimal, tax: Decimal, percent: Decimal) -> Self {
        Self {
            kind,
            description: description.to_owned(),
            quantity: Decimal::ONE,
            unit_price: net,
            subtotal: net,
            discount: Decimal::ZERO,
            tax,
            percent,
            class: None,
        }
    }
}

impl DocumentRow {
    /// The quantity and unit price whose product is the subtotal exactly, if there are any of whole units and whole pennies.
    pub fn quantity_and_price(&self) -> Option<(Decimal, Decimal)> {
        if self.quantity <= Decimal::ZERO || !self.quantity.fract().is_zero() {
            return None;
        }
        let price = round2(self.unit_price);
        let price = if price * self.quantity == self.subtotal {
            price
        } else {
            self.subtotal.checked_div(self.quantity)?
        };
        (round2(price) == price && price * self.quantity == self.subtotal)
            .then_some((self.quantity.normalize(), price))
    }

    /// Whether the row is quantity times a price of whole pennies.
    pub fn has_exact_price(&self) -> bool {
        self.quantity_and_price().is_some()
    }
}

/// Notes the lines whose money is in others: a bundle's parent names what the customer bought.
pub(crate) fn note_lines_without_money(document: &SalesDocument<'_>, findings: &mut Findings) {
    for line in document.lines_without_money() {
        findings.note(format!(
            "“{}” ({} of it) has no money of its own: that is in the lines it belongs with.",
            clean(&line.name),
            line.qty.normalize()
        ));
    }
}

/// Builds the rows. `apart` takes discounts that were taxed before they were given out of the lines, where a rate of 0 % is
/// there to put them on: so each line keeps the tax that its rate makes.
pub(crate) fn build(
    lines: &[&Line],
    sums: &DocumentSums,
    reading: &RecoveredRates,
    explanation: &GapExplanation,
    apart: bool,
    findings: &mut Findings,
) -> Vec<DocumentRow> {
    let mut rows: Vec<DocumentRow> = Vec::with_capacity(lines.len() + 4);
    for (index, line) in lines.iter().enumerate() {
        let name = if line.name.trim().is_empty() { &line.sku } else { &line.name };
        rows.push(DocumentRow {
            kind: RowKind::Goods,
            description: clean(name),
            quantity: line.qty,
            unit_price: line.unit_price,
            subtotal: round2(line.line_subtotal),
            discount: round2(line.discount() - explanation.compensation[index]),
            tax: round2(line.line_tax),
            percent: reading.goods[index],
            class: line.tax_class.clone(),
        });
    }
    for product_tax in &explanation.product_taxes {
        findings.rule(
            "fixed product tax",
            text(product_tax.net),
            "what is left of the total, with the tax that no line carries",
            text(product_tax.tax),
        );
        rows.push(DocumentRow::extra(
            RowKind::ProductTax,
            "Fixed product tax or fee",
            product_tax.net,
            product_tax.tax,
            product_tax.percent,
        ));
    }
    if let Some((shipping, percent)) = sums.shipping.as_ref().zip(reading.shipping) {
        let (net, tax) = (round2(shipping.subtotal), round2(shipping.tax));
        let discount = round2(shipping.discount - explanation.shipping_compensation);
        if !discount.is_zero() {
            findings.rule(
                "shipping discount",
                text(discount),
                "the header's discount less the lines'",
                text(shipping.discount),
            );
        }
        rows.push(DocumentRow {
            discount,
            ..DocumentRow::extra(RowKind::Shipping, "Shipping", net, tax, percent)
        });
    }
    note_compensation(explanation, findings);
    take_discounts_out(&mut rows, reading, sums, apart, findings);
    add_difference(&mut rows, sums, explanation, findings);
    rows
}

fn note_compensation(explanation: &GapExplanation, findings: &mut Findings) {
    let given_back = explanation.compensation.iter().sum::<Decimal>() + explanation.shipping_compensation;
    if !round2(given_back).is_zero() {
        findings.rule(
            "discounts",
            "without tax",
            "discount tax compensation taken off the discounts, which hold tax in Magento",
            text(given_back),
        );
    }
}

/// Moves discounts that no line may hold into an untaxed row: those given after tax, and what goes beyond a line's price.
fn take_discounts_out(
    rows: &mut Vec<DocumentRow>,
    reading: &RecoveredRates,
    sums: &DocumentSums,
    apart: bool,
    findings: &mut Findings,
) {
    let mut outside = Decimal::ZERO;
    for row in rows.iter_mut().filter(|row| row.discount > Decimal::ZERO) {
        let basis = if row.kind == RowKind::Shipping { reading.shipping_basis } else { reading.goods_basis };
        let most = if basis == DiscountBasis::AfterTax && apart {
            Decimal::ZERO
        } else {
            row.subtotal.max(Decimal::ZERO)
        };
        if row.discount > most {
            outside += row.discount - most;
            row.discount = most;
        }
    }
    for row in rows.iter_mut().filter(|row| row.discount < Decimal::ZERO) {
        row.subtotal -= row.discount;
        row.discount = Decimal::ZERO;
    }
    if outside > Decimal::ZERO {
        findings.rule(
            "discount",
            text(outside),
            "the shop taxes before it discounts, so the discount is a line without tax",
            text(outside),
        );
        rows.push(DocumentRow::extra(
            RowKind::Discount,
            "Discount (taxed on the full price)",
            -outside,
            Decimal::ZERO,
            Decimal::ZERO,
        ));
    }
    let stray = round2(sums.stray_discount);
    if stray > Decimal::ZERO {
        findings.rule(
            "discount",
            text(stray),
            "a discount of the document that neither a line nor shipping shows",
            text(stray),
        );
        rows.push(DocumentRow::extra(
            RowKind::Discount,
            "Discount of the whole invoice",
            -stray,
            Decimal::ZERO,
            Decimal::ZERO,
        ));
    }
}

fn add_difference(
    rows: &mut Vec<DocumentRow>,
    sums: &DocumentSums,
    explanation: &GapExplanation,
    findings: &mut Findings,
) {
    // The stray discount is part of the gap and has its own row.
    let difference = explanation.difference + round2(sums.stray_discount);
    if difference.is_zero() {
        return;
    }
    let (kind, description) = if difference < Decimal::ZERO {
        (RowKind::GiftCard, "Difference to Magento's total (gift card or store credit)")
    } else {
        (RowKind::Fee, "Difference to Magento's total (fee or untaxed product tax)")
    };
    findings.rule(
        "difference",
        text(difference),
        "what is left of the total and carries no tax",
        description,
    );
    rows.push(DocumentRow::extra(kind, description, difference, Decimal::ZERO, Decimal::ZERO));
}

/// Takes the discounts out of the lines into one row for each percentage, for a policy that has an account for discounts: a line
/// keeps its full tax and the discount's row takes the difference.
pub(crate) fn discounts_on_their_own(rows: &mut Vec<DocumentRow>) {
    let mut discounts: Vec<DocumentRow> = Vec::new();
    for row in rows.iter_mut().filter(|row| !row.discount.is_zero()) {
        let full_tax = round2(row.subtotal * row.percent / Decimal::ONE_HUNDRED);
        let (net, tax) = (-row.discount, row.tax - full_tax);
        match discounts.iter_mut().find(|other| other.percent == row.percent && other.class == row.class) {
            Some(other) => {
                other.subtotal += net;
                other.tax += tax;
            }
            None => discounts.push(DocumentRow {
                class: row.class.clone(),
                ..DocumentRow::extra(RowKind::Discount, "Discount", net, tax, row.percent)
            }),
        }
        row.discount = Decimal::ZERO;
        row.tax = full_tax;
    }
    for row in &mut discounts {
        row.unit_price = row.subtotal;
    }
    rows.extend(discounts);
}

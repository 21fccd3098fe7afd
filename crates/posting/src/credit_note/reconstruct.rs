//! A credit memo told as the sale that it takes back. Its header shows neither discount nor tax, so both are sought: the discount
//! on shipping, product taxes with their tax, and what Magento credits too much. Each guess makes a sale, the sale is explained
//! as an invoice is, and the guess that leaves least open is the memo's story; where none fits, the memo is refused.

use domain::{
    documents::{CreditMemo, Invoice, InvoiceState, Line},
    money::{round, round2, text},
};
use rust_decimal::Decimal;

use crate::{
    amounts::{
        recovered_rates::Fits,
        rows::counting_lines,
        sums::{NOTHING, PENNY, Sums},
        unallocated,
    },
    credit_note::{
        from_invoice::Invoiced,
        hypotheses::{PRODUCT_TAX, Seeker},
        hypothesis::{Guess, Known},
    },
    findings::Findings,
};

/// A credit memo as the sale that it takes back.
#[derive(Debug)]
pub(crate) struct TakenBack {
    /// The sale, without adjustments and without what Magento credits too much.
    pub sale: Invoice,
    /// The discount on shipping that was found.
    shipping_discount: Decimal,
    /// What Magento credits too much, without tax.
    pub excess: Decimal,
    /// Why no posting can be right, in a sentence without the sums.
    pub refusal: Option<String>,
    /// What was sought and found: the tax of product taxes that the memo does not show.
    pub hidden_tax: Decimal,
    /// What is left of the total and carries no tax.
    pub difference: Decimal,
    /// What was passed over as rounding.
    unexplained: Decimal,
    /// The tax within the lines' discounts that was taken for given back.
    given_back: Decimal,
    /// Whether the tax is certain to the penny.
    pub is_told: bool,
}

impl TakenBack {
    /// Whether all that the memo's total holds is in its fields.
    fn hides_nothing(&self) -> bool {
        // The least product tax that bears a penny of tax.
        let is_much = |amount: Decimal| amount > PENNY * Decimal::TWO + NOTHING;
        let is_unshown = is_much(self.excess) || is_much(self.unexplained);
        round2(self.hidden_tax).is_zero() && round2(self.difference) <= Decimal::ZERO && !is_unshown
    }

    fn is_plain(&self) -> bool {
        self.excess.is_zero() && self.hidden_tax.is_zero() && self.shipping_discount.is_zero()
    }
}

/// The memo's total to the penny, less its adjustments: what lines and shipping come to. (Magento leaves four places.)
pub(crate) fn total_of_goods(memo: &CreditMemo) -> Decimal {
    round2(memo.grand_total) - round2(memo.adjustment_positive) + round2(memo.adjustment_negative)
}

/// The sale as far as the memo's fields tell it.
pub(crate) fn plain_sale(memo: &CreditMemo, invoice: Option<&Invoice>) -> Invoice {
    let sum = |value: fn(&Line) -> Decimal| memo.lines.iter().map(value).sum::<Decimal>();
    let own = |kind: &str| {
        let addresses = &memo.customer.addresses;
        addresses.iter().find(|address| address.kind.as_deref() == Some(kind)).cloned()
    };
    Invoice {
        // A guest without an e-mail address is named by the invoice; a memo without one must not be taken for an invoice.
        magento_id: memo.invoice_id.unwrap_or(-memo.magento_id),
        increment_id: memo.increment_id.clone(),
        order_increment_id: invoice.and_then(|invoice| invoice.order_increment_id.clone()),
        website_id: memo.website_id,
        store_id: None,
        currency: memo.currency,
        state: InvoiceState::Paid,
        customer: memo.customer.clone(),
        lines: memo.lines.clone(),
        subtotal: sum(|line| line.line_subtotal),
        tax_amount: sum(|line| line.line_tax) + memo.shipping_tax_amount,
        shipping_amount: memo.shipping_amount,
        shipping_tax_amount: memo.shipping_tax_amount,
        discount_amount: -sum(Line::discount),
        grand_total: total_of_goods(memo),
        created_at: memo.created_at,
        payment_method: None,
        // The memo has no addresses of its own: the invoice's tell where the goods went, the profile's stand in.
        billing_address: invoice.map_or_else(|| own("billing"), |invoice| invoice.billing_address.clone()),
        shipping_address: invoice.map_or_else(|| own("shipping"), |invoice| invoice.shipping_address.clone()),
        po_number: None,
        base_to_order_rate: memo.base_to_order_rate,
    }
}

/// Tells a memo as a sale: by what its invoice tells, where that was fetched and can be read, else by what it tells itself.
pub(crate) fn tell(memo: &CreditMemo, known: Known<'_>) -> TakenBack {
    let sale = plain_sale(memo, known.invoice);
    let seeker = Seeker::new(memo, &sale, known);
    if let Some(invoiced) = known.invoice.and_then(|invoice| Invoiced::read(invoice, known)) {
        let sale = invoiced.with_percents(sale.clone());
        let guesses = seeker.by_invoice(&invoiced);
        let counting = counting_lines(&sale, &mut Findings::default());
        let fits = Fits::of(&Sums::of(&sale, &counting).goods, known.percentages);
        let stories = guesses.iter().map(|guess| attempt(&sale, guess, known, &fits));
        let fitting = stories.filter(|(story, _)| story.refusal.is_none());
        if let Some((story, _)) = fitting.min_by_key(|(_, cost)| *cost) {
            return story;
        }
        let story = by_memo(&sale, &seeker, known);
        return TakenBack { is_told: !invoiced.has_hidden_tax() && story.hidden_tax.is_zero(), ..story };
    }
    let story = by_memo(&sale, &seeker, known);
    TakenBack { is_told: story.is_told && known.invoice.is_none(), ..story }
}

/// The story that the memo itself tells best.
fn by_memo(sale: &Invoice, seeker: &Seeker<'_>, known: Known<'_>) -> TakenBack {
    let fits = seeker.fits();
    let (mut best, mut least) = attempt(sale, &Guess::default(), known, fits);
    let (mut doubtful, mut is_cut_short) = (Decimal::ZERO, false);
    if least > 0 {
        let mut guesses = seeker.guesses();
        guesses.sort_by_key(|guess| guess.penalty);
        guesses.dedup();
        for (tried, guess) in guesses.into_iter().enumerate() {
            is_cut_short = tried >= seeker.most_guesses() && guess.penalty <= least;
            if is_cut_short || guess.penalty > least {
                break;
            }
            let (other, cost) = attempt(sale, &guess, known, fits);
            let is_doubted = (other.difference - guess.doubtful).abs() <= PENNY;
            let doubt = if is_doubted { guess.doubtful } else { Decimal::ZERO };
            if cost < least {
                (best, least, doubtful) = (other, cost, doubt);
            } else if cost == least && guess.is_plain() && best.is_plain() {
                // The plain sale was tried first, without asking whether anything speaks for it.
                doubtful = doubtful.max(doubt);
            }
        }
    }
    if best.refusal.is_none() && !doubtful.is_zero() {
        best.refusal = Some(format!(
            "{} of it is in no line; it may be a product tax, a fee or Magento's credit of a discount on shipping, and nothing tells what of it is tax.",
            text(doubtful)
        ));
    }
    // What was not tried may fit as well.
    is_cut_short |= least >= PRODUCT_TAX && seeker.is_cut_short();
    if best.refusal.is_none() && is_cut_short {
        best.refusal =
            Some("It has too many different lines for its tax to be worked out from its total.".to_owned());
    }
    best.is_told = seeker.is_untaxed()
        || (best.hides_nothing()
            && seeker.is_usual_discount(best.shipping_discount, -best.difference)
            && !seeker.may_be_compensation(best.given_back));
    best
}

/// The sale under a guess, and how far-fetched it is.
fn attempt(sale: &Invoice, guess: &Guess, known: Known<'_>, fits: &Fits) -> (TakenBack, u32) {
    let mut sale = sale.clone();
    sale.discount_amount -= guess.shipping_discount;
    sale.tax_amount += guess.tax;
    sale.subtotal += guess.stated;
    sale.grand_total -= guess.excess;
    let counting = counting_lines(&sale, &mut Findings::default());
    let sums = Sums::of(&sale, &counting);
    let (reading, explanation) = unallocated::best(&sums, fits, known.percentages, known.usual);
    let cost = reading.cost + explanation.cost + guess.penalty;
    let product_taxes: Decimal = explanation.product_taxes.iter().map(|one| one.net).sum();
    let given_back = explanation.compensation.iter().sum::<Decimal>() + explanation.shipping_compensation;
    let taken = TakenBack {
        unexplained: sums.net_gap - given_back - product_taxes - explanation.difference,
        given_back: explanation.compensation.iter().sum(),
        shipping_discount: guess.shipping_discount,
        sale,
        excess: guess.excess,
        refusal: explanation.refusal,
        hidden_tax: guess.tax,
        difference: explanation.difference,
        is_told: guess.is_told,
    };
    (taken, cost)
}

/// What makes a memo contradict itself before any sum is looked at.
pub(crate) fn nonsense(memo: &CreditMemo) -> Option<String> {
    let most = Decimal::from(10_000_000_000_i64);
    let header = [
        memo.adjustment_positive,
        memo.adjustment_negative,
        memo.grand_total,
        memo.shipping_amount,
        memo.shipping_tax_amount,
        memo.shipping_discount.unwrap_or_default(),
    ];
    let figures = |line: &Line| {
        let percent = line.tax_percent.unwrap_or_default();
        [line.qty, line.unit_price, line.line_subtotal, line.line_tax, line.line_total, percent]
    };
    if header.into_iter().chain(memo.lines.iter().flat_map(figures)).any(|amount| amount.abs() > most) {
        return Some("The credit memo holds amounts of more than ten milliards.".to_owned());
    }
    if round2(memo.grand_total) < Decimal::ZERO {
        return Some(format!(
            "The credit memo totals {}, which is less than nothing.",
            round(memo.grand_total, 4)
        ));
    }
    let parts = [
        ("adjustment to the customer", memo.adjustment_positive),
        ("adjustment kept as a fee", memo.adjustment_negative),
        ("shipping", memo.shipping_amount),
        ("tax on shipping", memo.shipping_tax_amount),
    ];
    let (what, amount) = parts.into_iter().find(|(_, amount)| *amount < Decimal::ZERO)?;
    Some(format!("The credit memo's {what} is {}, which is less than nothing.", text(amount)))
}

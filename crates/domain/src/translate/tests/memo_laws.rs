//! The penny law over generated credit memos: a model of Magento's refunds takes generated invoices back, whole or in part.

use std::cell::RefCell;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rust_decimal::Decimal;

use super::{
    creditmemos::{original, total_and_tax},
    laws::{at_home, cart, cases, world},
    magento::{self, Cart, Hidden},
    pennies,
};
use crate::{
    code::Code,
    documents::{Address, CreditMemo, Customer, Invoice, Line},
    plan::{Plan, Verdict},
    translate::{OriginalInvoice, fixtures::World, plan_creditmemo},
};

/// What a person refunds of an invoice.
#[derive(Clone, Debug)]
struct Refund {
    /// Of each line, in hundredths of its quantity, rounded to whole units.
    parts: Vec<i64>,
    /// Of shipping, in hundredths.
    shipping: i64,
    /// Pennies given besides, and kept.
    adjustments: (i64, i64),
    /// Whether Magento credits the discount of shipping that is not refunded.
    is_faulty: bool,
    /// Whether the discount is taken of shipping with its full tax (a refund of all of it).
    is_skewed: bool,
    /// Whether the memo names its invoice, which was fetched along.
    names_invoice: bool,
}

fn refund() -> impl Strategy<Value = Refund> {
    let part = prop_oneof![3 => Just(100_i64), 2 => 0..100_i64];
    let parts = prop_oneof![1 => Just(vec![100; 6]), 1 => prop::collection::vec(part, 6)];
    let shipping = prop_oneof![2 => Just(100_i64), 2 => Just(0_i64), 1 => 10..100_i64];
    let adjustments = prop_oneof![
        3 => Just((0_i64, 0_i64)),
        1 => (0..500_i64, Just(0_i64)),
        1 => (0..300_i64, 0..300_i64),
    ];
    (parts, shipping, adjustments, any::<[bool; 3]>()).prop_map(
        |(parts, shipping, adjustments, [is_faulty, is_skewed, names_invoice])| Refund {
            parts,
            shipping,
            adjustments,
            is_faulty,
            is_skewed,
            names_invoice,
        },
    )
}

/// The memo of a refund, and Magento's tax of it, which it does not show.
fn memo(invoice: &Invoice, hidden: &Hidden, refund: &Refund) -> (CreditMemo, Decimal) {
    let (mut lines, mut total, mut tax) = (Vec::new(), Decimal::ZERO, Decimal::ZERO);
    for ((line, secret), part) in invoice.lines.iter().zip(&hidden.lines).zip(&refund.parts) {
        let quantity = (line.qty * Decimal::new(*part, 2)).ceil().min(line.qty);
        if quantity.is_zero() {
            continue;
        }
        let share = |amount: Decimal| {
            if quantity == line.qty { amount } else { pennies(amount / line.qty * quantity) }
        };
        let (subtotal, line_tax, discount) =
            (share(line.line_subtotal), share(line.line_tax), share(line.discount()));
        let (product_tax, its_tax) = (share(secret.product_tax), share(secret.tax_on_product_tax));
        total += subtotal + line_tax - discount + share(secret.compensation) + product_tax + its_tax;
        tax += line_tax + its_tax;
        let line_total = subtotal + line_tax - discount;
        lines.push(Line { qty: quantity, line_subtotal: subtotal, line_tax, line_total, ..line.clone() });
    }
    let part = Decimal::new(refund.shipping, 2);
    let shipping = pennies(invoice.shipping_amount * part);
    let factor = shipping.checked_div(invoice.shipping_amount).unwrap_or_default();
    let shipping_tax = pennies(invoice.shipping_tax_amount * factor);
    let rate = hidden.shipping_discount.checked_div(invoice.shipping_amount).unwrap_or_default();
    let base = match shipping {
        none if none.is_zero() && refund.is_faulty => -invoice.shipping_tax_amount,
        none if none.is_zero() => Decimal::ZERO,
        all if all == invoice.shipping_amount && refund.is_skewed => all + hidden.shipping_compensation,
        some => some,
    };
    total += shipping + shipping_tax + pennies(hidden.shipping_compensation * factor) - base * rate;
    tax += shipping_tax;
    let (given, kept) = (Decimal::new(refund.adjustments.0, 2), Decimal::new(refund.adjustments.1, 2));
    let home = |kind: &str, address: &Option<Address>| Address {
        kind: Some(kind.to_owned()),
        ..address.clone().unwrap()
    };
    let addresses =
        vec![home("billing", &invoice.billing_address), home("shipping", &invoice.shipping_address)];
    let memo = CreditMemo {
        magento_id: 7,
        increment_id: "000000007".to_owned(),
        invoice_id: refund.names_invoice.then_some(invoice.magento_id),
        invoice_increment_id: refund.names_invoice.then(|| invoice.increment_id.clone()),
        website_id: invoice.website_id,
        currency: invoice.currency,
        customer: Customer { addresses, ..invoice.customer.clone() },
        lines,
        adjustment_positive: given,
        adjustment_negative: kept,
        grand_total: (total + given - kept).round_dp(4),
        shipping_amount: shipping,
        shipping_tax_amount: shipping_tax,
        shipping_discount: None,
        reason: None,
        created_at: invoice.created_at,
        invoice_created_at: None,
        base_to_order_rate: invoice.base_to_order_rate,
    };
    (memo, pennies(tax))
}

/// Product taxes are round sums, with tax where the shop keeps its prices with it.
fn round_product_taxes(mut cart: Cart) -> Cart {
    for article in &mut cart.articles {
        let round = Decimal::from(article.product_tax / 5 * 5);
        let rate = article.percent / Decimal::ONE_HUNDRED;
        let with_tax = cart.shop.prices_with_tax && cart.shop.product_tax_is_taxed;
        let net = if with_tax { round / (Decimal::ONE + rate) } else { round };
        article.product_tax = net.round().try_into().unwrap();
    }
    cart
}

/// What became of the memos.
#[derive(Debug, Default)]
struct Tally {
    posted: u32,
    senseless: u32,
    refused: Vec<String>,
    refused_without_product_tax: u32,
    with_named_product_tax: u32,
    /// Another tax than Magento's: without any product tax, with one that the invoice tells, with one that nothing tells.
    other_taxes: [u32; 3],
}

impl Tally {
    fn add(&mut self, memo: &CreditMemo, tax: Decimal, plan: &Plan, world: &World, case: &Case) {
        let kind = match (case.has_product_tax, case.names_invoice) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => 2,
        };
        match plan.code {
            None => {
                let (total, planned) = total_and_tax(plan, world);
                assert_eq!(total, pennies(memo.grand_total), "{memo:?}");
                self.posted += 1;
                self.with_named_product_tax += u32::from(kind == 1);
                self.other_taxes[kind] += u32::from(planned != tax);
            }
            Some(Code::DocumentMakesNoSense) => {
                assert!(memo.grand_total < Decimal::ZERO || memo.lines.is_empty(), "{memo:?}");
                self.senseless += 1;
            }
            Some(_) => {
                self.refused_without_product_tax += u32::from(kind == 0);
                self.refused.push(format!("{:?} {memo:?}", plan.message));
            }
        }
    }
}

/// What may be asked of a plan.
struct Case {
    has_product_tax: bool,
    names_invoice: bool,
}

fn tally(country: &str) -> Tally {
    let world = world(country);
    let tally = RefCell::new(Tally::default());
    let config = Config { cases: cases() / 3 + 1, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&(cart(country), refund()), |(cart, refund): (Cart, Refund)| {
        let cart = round_product_taxes(Cart { difference: 0, ..cart });
        let (invoice, hidden) = magento::invoice(&cart);
        let invoice = at_home(invoice, country);
        let (memo, tax) = memo(&invoice, &hidden, &refund);
        let posted = OriginalInvoice { document: Some(invoice), ..original("0") };
        let plan = plan_creditmemo(&memo, refund.names_invoice.then_some(&posted), &world.context());
        let case =
            Case { has_product_tax: !hidden.product_tax.is_zero(), names_invoice: refund.names_invoice };
        tally.borrow_mut().add(&memo, tax, &plan, &world, &case);
        Ok(())
    });
    outcome.unwrap();
    tally.into_inner()
}

#[test]
fn memos_post_with_magentos_total_and_the_tax_that_they_do_not_show_and_few_are_refused() {
    for country in ["GB", "IE", "CA"] {
        let tally = tally(country);
        let refused = u32::try_from(tally.refused.len()).unwrap();
        for refusal in tally.refused.iter().take(2) {
            println!("{refusal}");
        }
        let [plain, named, unnamed] = tally.other_taxes;
        println!(
            "{country}: {} posted, {} without sense, {refused} refused ({} without product taxes); another tax: {plain} without product \
             taxes, {named} of {} whose invoice tells them, {unnamed} of which nothing tells",
            tally.posted, tally.senseless, tally.refused_without_product_tax, tally.with_named_product_tax
        );
        // Most of them hold product taxes of several percentages, and nothing tells their tax.
        assert!(refused * 12 <= tally.posted, "more than eight in a hundred are refused");
        assert!(
            tally.refused_without_product_tax * 100 <= tally.posted,
            "more than one in a hundred is refused"
        );
        assert!(plain * 500 <= tally.posted, "a memo without product taxes has another tax than Magento's");
        assert!(
            named * 10 <= tally.with_named_product_tax,
            "the invoice's product taxes are not found again"
        );
    }
}

/// One wrong figure in an honest memo.
fn spoilt() -> impl Strategy<Value = CreditMemo> {
    (cart("GB"), refund(), 0..8_usize, -2000..2000_i64).prop_map(|(cart, refund, field, pennies)| {
        let (invoice, hidden) = magento::invoice(&cart);
        let (mut memo, _) = memo(&at_home(invoice, "GB"), &hidden, &refund);
        let line = memo.lines.first_mut();
        let figure = match (field, line) {
            (0, _) => &mut memo.grand_total,
            (1, _) => &mut memo.shipping_amount,
            (2, _) => &mut memo.shipping_tax_amount,
            (3, _) => &mut memo.adjustment_positive,
            (4, _) => &mut memo.adjustment_negative,
            (5, Some(line)) => &mut line.line_tax,
            (6, Some(line)) => &mut line.line_subtotal,
            (_, Some(line)) => &mut line.line_total,
            (_, None) => &mut memo.grand_total,
        };
        *figure += Decimal::new(pennies, 2);
        memo
    })
}

#[test]
fn whatever_a_memo_says_it_posts_its_total_or_not_at_all() {
    let world = world("GB");
    let config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&spoilt(), |memo| {
        let plan = plan_creditmemo(&memo, None, &world.context());
        if plan.verdict == Verdict::Post {
            let (total, tax) = total_and_tax(&plan, &world);
            prop_assert_eq!(total, pennies(memo.grand_total));
            prop_assert_eq!(tax, plan.predicted.unwrap().tax);
        } else {
            prop_assert!(plan.calls.is_empty() && plan.message.is_some_and(|message| !message.is_empty()));
        }
        Ok(())
    });
    outcome.unwrap();
}

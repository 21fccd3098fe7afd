//! The penny law over generated credit memos: a model of Magento's refunds takes generated invoices back, whole or in part.

use std::{cell::RefCell, collections::BTreeMap};

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rust_decimal::Decimal;

use super::{
    creditmemos::{original, total_and_tax},
    laws::{at_home, cart, cases, world},
    magento::{self, Cart, Hidden},
    pennies, percentage,
};
use crate::{OriginalInvoice, fixtures::Scenario, plan_creditmemo};
use domain::{
    code::Code,
    documents::{Address, CreditMemo, Customer, Invoice, Line},
    plan::{Plan, Verdict},
    settings::UndeterminedTax,
};

/// What a person refunds of an invoice.
#[derive(Clone, Debug)]
pub struct Refund {
    /// Of each line, in hundredths of its quantity, rounded to whole units.
    pub parts: Vec<i64>,
    /// Of shipping, in hundredths.
    pub shipping: i64,
    /// Pennies given besides, and kept.
    pub adjustments: (i64, i64),
    /// Whether Magento credits the discount of shipping that is not refunded.
    pub is_faulty: bool,
    /// Whether the discount is taken of shipping with its full tax (a refund of all of it).
    pub is_skewed: bool,
    /// Whether the memo names its invoice, which was fetched along.
    pub names_invoice: bool,
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

/// Tax by percentage; nothing stands for no tax.
pub type Taxes = BTreeMap<Decimal, Decimal>;

/// The customer whose profile has the invoice's addresses.
fn at_the_invoices_addresses(invoice: &Invoice) -> Customer {
    let home = |kind: &str, address: &Option<Address>| Address {
        kind: Some(kind.to_owned()),
        ..address.clone().unwrap()
    };
    let addresses =
        vec![home("billing", &invoice.billing_address), home("shipping", &invoice.shipping_address)];
    Customer { addresses, ..invoice.customer.clone() }
}

/// The memo of a refund, and Magento's tax of it, which it does not show.
pub fn memo(cart: &Cart, invoice: &Invoice, hidden: &Hidden, refund: &Refund) -> (CreditMemo, Taxes) {
    let (mut lines, mut total, mut taxes) = (Vec::new(), Decimal::ZERO, Taxes::new());
    let secrets = hidden.lines.iter().zip(&cart.articles);
    for ((line, (secret, article)), part) in invoice.lines.iter().zip(secrets).zip(&refund.parts) {
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
        *taxes.entry(article.percent).or_default() += line_tax + its_tax;
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
    *taxes.entry(cart.shipping_percent).or_default() += shipping_tax;
    let (given, kept) = (Decimal::new(refund.adjustments.0, 2), Decimal::new(refund.adjustments.1, 2));
    let memo = CreditMemo {
        magento_id: 7,
        increment_id: "000000007".to_owned(),
        invoice_id: refund.names_invoice.then_some(invoice.magento_id),
        invoice_increment_id: refund.names_invoice.then(|| invoice.increment_id.clone()),
        website_id: invoice.website_id,
        currency: invoice.currency,
        customer: at_the_invoices_addresses(invoice),
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
    (memo, taxes)
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

/// What became of the memos of a kind.
#[derive(Clone, Debug, Default)]
struct Fates {
    posted: u32,
    senseless: u32,
    /// The messages of those that wait or are refused.
    refused: Vec<String>,
    /// Posted with another tax than Magento's.
    wrong: Vec<String>,
    /// Posted with Magento's tax, but under other percentages.
    misplaced: Vec<String>,
}

/// The fates of memos, those without product taxes and those with, those that name no invoice and those that do.
#[derive(Clone, Debug, Default)]
struct MemoTally([[Fates; 2]; 2]);

/// A planned credit note's tax by percentage.
fn planned_taxes(plan: &Plan, world: &Scenario) -> Taxes {
    let mut taxes = Taxes::new();
    for (id, tax) in &plan.predicted.as_ref().unwrap().tax_by_rate {
        *taxes.entry(percentage(&id.as_str().into(), world)).or_default() += tax.parse::<Decimal>().unwrap();
    }
    taxes
}

/// Whether a percentage has more than a penny more or less of the tax.
fn is_misplaced(planned: &Taxes, taxes: &Taxes) -> bool {
    let of = |taxes: &Taxes, percent| taxes.get(percent).copied().unwrap_or_default();
    let off = |percent| (of(planned, percent) - of(taxes, percent)).abs() > Decimal::new(1, 2);
    planned.keys().chain(taxes.keys()).any(off)
}

impl Fates {
    fn add(&mut self, memo: &CreditMemo, taxes: &Taxes, plan: &Plan, world: &Scenario, told: &str) {
        match plan.code {
            None => {
                let (total, planned) = total_and_tax(plan, world);
                assert_eq!(total, pennies(memo.grand_total), "{memo:?}");
                self.posted += 1;
                if planned != pennies(taxes.values().sum()) {
                    self.wrong.push(format!("{planned} for {taxes:?} {told}"));
                } else if is_misplaced(&planned_taxes(plan, world), taxes) {
                    self.misplaced.push(format!("{:?} for {taxes:?} {told}", planned_taxes(plan, world)));
                }
            }
            Some(Code::InconsistentDocument) => {
                assert!(memo.grand_total < Decimal::ZERO || memo.lines.is_empty(), "{memo:?}");
                self.senseless += 1;
            }
            Some(_) => self.refused.push(format!("{:?} {told}", plan.message)),
        }
    }
}

fn tally(country: &str, tax_undetermined: UndeterminedTax) -> MemoTally {
    let mut world = world(country);
    world.settings.tax_undetermined = tax_undetermined;
    let tally = RefCell::new(MemoTally::default());
    let config = Config { cases: cases() / 3 + 1, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&(cart(country), refund()), |(cart, refund): (Cart, Refund)| {
        let cart = round_product_taxes(Cart { difference: 0, ..cart });
        let (invoice, hidden) = magento::invoice(&cart);
        let invoice = at_home(invoice, country);
        let (memo, taxes) = memo(&cart, &invoice, &hidden, &refund);
        let posted = OriginalInvoice { document: Some(invoice), ..original("0") };
        let plan = plan_creditmemo(&memo, refund.names_invoice.then_some(&posted), &world.context());
        let mut tally = tally.borrow_mut();
        let fates =
            &mut tally.0[usize::from(!hidden.product_tax.is_zero())][usize::from(refund.names_invoice)];
        fates.add(&memo, &taxes, &plan, &world, &format!("{cart:?} {refund:?}"));
        Ok(())
    });
    outcome.unwrap();
    tally.into_inner()
}

/// Prints what became of the memos of each kind, and a few of `SHOW` (`wrong`, `misplaced`, `refused`).
fn report(country: &str, tally: &MemoTally) {
    let show = std::env::var("SHOW").unwrap_or_default();
    for (has_tax, fates) in tally.0.iter().enumerate() {
        for (names_invoice, fates) in fates.iter().enumerate() {
            let with = if has_tax == 1 { "with" } else { "without" };
            let from = if names_invoice == 1 { "an invoice" } else { "the order" };
            println!(
                "{country}, {with} product taxes, of {from}: {} posted, {} with another tax, {} with tax of other rates, {} refused, \
                 {} without sense",
                fates.posted,
                fates.wrong.len(),
                fates.misplaced.len(),
                fates.refused.len(),
                fates.senseless,
            );
            for (kind, cases) in
                [("wrong", &fates.wrong), ("misplaced", &fates.misplaced), ("refused", &fates.refused)]
            {
                cases.iter().take(10).filter(|_| show == kind).for_each(|case| println!("    {case}"));
            }
        }
    }
}

/// At most so many in a thousand.
fn at_most(thousandths: usize, found: &[String], of: u32, what: &str) {
    let most = of as usize * thousandths / 1000 + 2;
    assert!(found.len() <= most, "{} of {of} {what}, such as {}", found.len(), found[0]);
}

#[test]
fn memos_post_with_magentos_total_and_tax_or_wait() {
    for country in ["GB", "IE", "CA"] {
        let tally = tally(country, UndeterminedTax::Hold);
        report(country, &tally);
        let [[unnamed, named], [hiding, telling]] = &tally.0;
        for fates in [named, telling, unnamed] {
            assert_eq!(fates.wrong, [""; 0], "another tax than Magento's");
        }
        // Of what only the memo tells a coincidence remains: a product tax that looks like a smaller discount on shipping.
        at_most(
            1,
            &hiding.wrong,
            hiding.posted + u32::try_from(hiding.refused.len()).unwrap(),
            "have another tax",
        );
        // Canada has 14.975 % and 15 %, which small lines cannot tell apart.
        let other_rates = if country == "CA" { 120 } else { 50 };
        for fates in [named, unnamed, telling] {
            at_most(other_rates, &fates.misplaced, fates.posted, "have tax of other rates");
        }
        at_most(5, &named.refused, named.posted, "are refused although they hide nothing");
        at_most(110, &unnamed.refused, unnamed.posted, "are refused although they hide nothing");
        at_most(170, &telling.refused, telling.posted, "are refused although the invoice tells");
    }
}

#[test]
fn a_memo_whose_tax_is_inferred_obeys_the_penny_law_as_well() {
    let tally = tally("GB", UndeterminedTax::Infer);
    report("GB", &tally);
    let [[unnamed, named], [hiding, telling]] = &tally.0;
    for fates in [named, telling, unnamed] {
        assert_eq!(fates.wrong, [""; 0], "another tax than Magento's");
    }
    at_most(
        1,
        &hiding.wrong,
        hiding.posted + u32::try_from(hiding.refused.len()).unwrap(),
        "have another tax",
    );
    at_most(110, &unnamed.refused, unnamed.posted, "are refused although they hide nothing");
    at_most(5, &named.refused, named.posted, "are refused although they hide nothing");
    at_most(170, &telling.refused, telling.posted, "are refused although the invoice tells");
}

/// One wrong figure in an honest memo.
fn spoilt() -> impl Strategy<Value = CreditMemo> {
    (cart("GB"), refund(), 0..8_usize, -2000..2000_i64).prop_map(|(cart, refund, field, pennies)| {
        let (invoice, hidden) = magento::invoice(&cart);
        let (mut memo, _) = memo(&cart, &at_home(invoice, "GB"), &hidden, &refund);
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

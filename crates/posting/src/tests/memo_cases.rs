//! Credit memos that the laws stumbled on, in small.

use rust_decimal::Decimal;

use super::{
    creditmemos::{original, total_and_tax},
    laws::{at_home, world},
    magento::{self, Algorithm, Article, Cart, Discount, MagentoShop},
    memo_laws::{Refund, memo},
    pennies,
};
use crate::{OriginalInvoice, fixtures::Scenario, plan_creditmemo};
use domain::{code::Code, plan::Plan, settings::UndeterminedTax};

/// The plan of a refund of a cart in Britain with the tax that it must have.
fn planned(cart: &Cart, refund: &Refund) -> (Plan, Decimal, Scenario) {
    let mut world = world("GB");
    world.settings.tax_undetermined = UndeterminedTax::Hold;
    let (invoice, hidden) = magento::invoice(cart);
    let invoice = at_home(invoice, "GB");
    let (memo, taxes) = memo(cart, &invoice, &hidden, refund);
    let posted = OriginalInvoice { document: Some(invoice), ..original("0") };
    let plan = plan_creditmemo(&memo, refund.names_invoice.then_some(&posted), &world.context());
    (plan, pennies(taxes.values().sum()), world)
}

/// A whole refund of articles (price, quarters, percentage, product tax) that were given away, with product taxes that were taxed.
fn given_away(articles: &[(i64, i64, i64, i64)], names_invoice: bool) -> (Cart, Refund) {
    let cart = Cart::of_one_article();
    let shop = MagentoShop { product_tax_is_taxed: true, ..cart.shop };
    let articles = articles.iter().map(|(price, quarters, percent, product_tax)| Article {
        price: *price,
        quarters: *quarters,
        invoiced: *quarters,
        percent: Decimal::from(*percent),
        product_tax: *product_tax,
    });
    let cart = Cart { shop, articles: articles.collect(), discount: Discount::Percent(100), ..cart };
    let refund = Refund {
        parts: vec![100; 6],
        shipping: 100,
        adjustments: (0, 0),
        is_faulty: false,
        is_skewed: false,
        names_invoice,
    };
    (cart, refund)
}

#[test]
fn a_whole_memo_of_goods_given_away_has_the_tax_of_their_product_taxes() {
    let (cart, refund) = given_away(&[(9684, 12, 20, 67)], true);
    let cart = Cart { shipping: 1082, ..cart };
    let (plan, tax, world) = planned(&cart, &refund);
    assert_eq!(total_and_tax(&plan, &world).1, tax);
    // With a discount that holds no tax and shipping whose does, where a percentage of 0 fits the goods as well.
    let articles = [(12693, 8, 20, 0), (112_932, 16, 20, 190), (11230, 3, 20, 0), (2468, 4, 5, 0)];
    let (cart, refund) = given_away(&articles, true);
    let shop = MagentoShop { algorithm: Algorithm::Unit, shipping_with_tax: true, ..cart.shop };
    let cart =
        Cart { shop, shipping: 346, shipping_percent: Decimal::from(20), discount_on_shipping: true, ..cart };
    let (plan, tax, world) = planned(&cart, &refund);
    assert_eq!(total_and_tax(&plan, &world).1, tax);
}

#[test]
fn a_product_tax_that_looks_like_a_smaller_discount_on_shipping_waits() {
    let (cart, refund) = given_away(&[(16977, 20, 20, 250)], false);
    let shipping =
        Cart { shipping: 1833, shipping_percent: Decimal::from(20), discount_on_shipping: true, ..cart };
    let (plan, ..) = planned(&shipping, &refund);
    assert_eq!(plan.code, Some(Code::TaxUndetermined), "{plan:?}");
    // Its invoice tells.
    let (plan, tax, world) = planned(&shipping, &Refund { names_invoice: true, ..refund });
    assert_eq!(total_and_tax(&plan, &world).1, tax);
}

#[test]
fn a_part_of_product_taxes_waits_where_their_tax_rounds_either_way() {
    let (cart, refund) = given_away(&[(5000, 8, 20, 33), (3000, 4, 20, 47), (2000, 4, 20, 20)], true);
    let cart = Cart { discount: Discount::None, ..cart };
    let (plan, ..) = planned(&cart, &Refund { parts: vec![100, 100, 0], ..refund.clone() });
    assert_eq!(plan.code, Some(Code::TaxUndetermined), "{plan:?}");
    assert!(plan.message.unwrap().contains("exactly how much"));
    // Of one line alone the tax follows.
    let (plan, tax, world) = planned(&cart, &Refund { parts: vec![0, 100, 0], ..refund });
    assert_eq!(total_and_tax(&plan, &world).1, tax);
}

#[test]
fn a_memo_of_untaxed_goods_hides_no_tax() {
    let (cart, refund) = given_away(&[(8846, 8, 0, 220)], false);
    let cart = Cart { discount: Discount::None, ..cart };
    let (plan, tax, world) = planned(&cart, &refund);
    assert_eq!((total_and_tax(&plan, &world).1, tax), (Decimal::ZERO, Decimal::ZERO));
}

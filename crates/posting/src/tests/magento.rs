//! A model of Magento's arithmetic (its three tax calculators, the discounts, product taxes and partial invoices), written from
//! its source and checked against the samples: it makes the documents that the laws are tried on.

use std::collections::BTreeMap;

use chrono::DateTime;
use rust_decimal::Decimal;

use super::pennies;
use domain::{
    documents::{Address, Customer, Invoice, InvoiceState, Line},
    money::Currency,
};

/// How taxes are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Unit,
    Row,
    Total,
}

/// A shop's settings.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of Magento's")]
pub struct MagentoShop {
    pub algorithm: Algorithm,
    pub prices_with_tax: bool,
    pub shipping_with_tax: bool,
    pub tax_before_discount: bool,
    pub discount_on_gross: bool,
    pub product_tax_is_taxed: bool,
    pub product_tax_in_subtotal: bool,
}

/// What is bought of one article; money in pennies.
#[derive(Clone, Copy, Debug)]
pub struct Article {
    pub price: i64,
    /// In quarters.
    pub quarters: i64,
    /// Quarters on this invoice, of all.
    pub invoiced: i64,
    pub percent: Decimal,
    /// Product tax of one, without tax.
    pub product_tax: i64,
}

#[derive(Clone, Copy, Debug)]
pub enum Discount {
    None,
    Percent(i64),
    Fixed(i64),
}

#[derive(Clone, Debug)]
pub struct Cart {
    pub shop: MagentoShop,
    pub articles: Vec<Article>,
    pub discount: Discount,
    pub discount_on_shipping: bool,
    pub shipping: i64,
    pub shipping_percent: Decimal,
    /// Gift card (negative) or fee, without tax.
    pub difference: i64,
}

impl Cart {
    /// One article at one pound, nothing else.
    pub fn of_one_article() -> Self {
        let shop = MagentoShop {
            algorithm: Algorithm::Row,
            prices_with_tax: false,
            shipping_with_tax: false,
            tax_before_discount: false,
            discount_on_gross: false,
            product_tax_is_taxed: false,
            product_tax_in_subtotal: false,
        };
        let article =
            Article { price: 100, quarters: 4, invoiced: 4, percent: Decimal::from(20), product_tax: 0 };
        Self {
            shop,
            articles: vec![article],
            discount: Discount::None,
            discount_on_shipping: false,
            shipping: 0,
            shipping_percent: Decimal::ZERO,
            difference: 0,
        }
    }
}

/// What no field of the invoice shows.
#[derive(Clone, Debug, Default)]
pub struct Hidden {
    pub product_tax: Decimal,
    /// Of each line.
    pub lines: Vec<HiddenOfLine>,
    pub shipping_discount: Decimal,
    pub shipping_compensation: Decimal,
}

/// What no field of a line shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct HiddenOfLine {
    pub compensation: Decimal,
    pub product_tax: Decimal,
    pub tax_on_product_tax: Decimal,
}

fn money(pennies: i64) -> Decimal {
    Decimal::new(pennies, 2)
}

/// Roundings carried from row to row, by kind and percentage.
#[derive(Default)]
struct Deltas(BTreeMap<(&'static str, Decimal), Decimal>);

impl Deltas {
    fn round(&mut self, amount: Decimal, kind: &'static str, percent: Decimal) -> Decimal {
        let delta = self.0.entry((kind, percent)).or_default();
        let exact = amount + *delta;
        let rounded = pennies(exact);
        *delta = exact - rounded;
        rounded
    }
}

/// A row after the calculator.
#[derive(Clone, Copy, Debug, Default)]
struct CalculatedRow {
    price: Decimal,
    subtotal: Decimal,
    with_tax: Decimal,
    tax: Decimal,
    compensation: Decimal,
}

/// One row through Magento's calculator.
fn calculate(
    shop: MagentoShop,
    with_tax: bool,
    price: Decimal,
    quantity: Decimal,
    percent: Decimal,
    discount: Decimal,
    deltas: &mut Deltas,
) -> CalculatedRow {
    let rate = percent / Decimal::ONE_HUNDRED;
    let of = |amount: Decimal| if with_tax { amount * rate / (Decimal::ONE + rate) } else { amount * rate };
    let after = |amount: Decimal, off: Decimal| of((amount - off).max(Decimal::ZERO));
    let (full, less) = if shop.algorithm == Algorithm::Unit {
        let off = discount / quantity;
        (pennies(of(price)) * quantity, pennies(after(price, off)) * quantity)
    } else {
        let mut round = |amount, kind| match shop.algorithm {
            Algorithm::Total => deltas.round(amount, kind, percent),
            _ => pennies(amount),
        };
        let row = price * quantity;
        (round(of(row), "regular"), round(after(row, discount), "after discount"))
    };
    let tax = if shop.tax_before_discount { full } else { less };
    let subtotal = if with_tax { price * quantity - full } else { price * quantity };
    let compensation = if with_tax { full - tax } else { Decimal::ZERO };
    let unit = if with_tax { pennies(subtotal / quantity) } else { price };
    CalculatedRow { price: unit, subtotal, with_tax: subtotal + full, tax, compensation }
}

/// The discounts of the rows (articles, then shipping), by the rows before any discount.
fn discounts(cart: &Cart, bases: &[Decimal]) -> Vec<Decimal> {
    let count = cart.articles.len();
    let mut deltas = Deltas::default();
    match cart.discount {
        Discount::None => vec![Decimal::ZERO; bases.len()],
        Discount::Percent(percent) => {
            let off = |(index, base): (usize, &Decimal)| {
                let taken = index < count || cart.discount_on_shipping;
                let off = *base * Decimal::new(percent, 2);
                if taken { deltas.round(off, "discount", Decimal::ZERO).min(*base) } else { Decimal::ZERO }
            };
            bases.iter().enumerate().map(off).collect()
        }
        Discount::Fixed(amount) => {
            let reach = if cart.discount_on_shipping { bases.len() } else { count };
            let sum: Decimal = bases[..reach].iter().sum();
            let amount = money(amount).min(sum);
            let mut left = amount;
            let mut offs = vec![Decimal::ZERO; bases.len()];
            for index in 0..reach {
                let share = if sum.is_zero() { Decimal::ZERO } else { pennies(amount * bases[index] / sum) };
                let off = if index + 1 == reach { left } else { share.min(left) };
                offs[index] = off.min(bases[index]);
                left -= off;
            }
            offs
        }
    }
}

/// The row of an article with its discount.
fn article_row(
    shop: MagentoShop,
    article: &Article,
    discount: Decimal,
    deltas: &mut Deltas,
) -> CalculatedRow {
    let quantity = Decimal::new(article.quarters * 25, 2);
    let price = money(article.price);
    calculate(shop, shop.prices_with_tax, price, quantity, article.percent, discount, deltas)
}

/// The row of shipping with its discount.
fn shipping_row(cart: &Cart, discount: Decimal) -> CalculatedRow {
    let (shop, price, percent) = (cart.shop, money(cart.shipping), cart.shipping_percent);
    let deltas = &mut Deltas::default();
    calculate(shop, shop.shipping_with_tax, price, Decimal::ONE, percent, discount, deltas)
}

/// What the discounts of the articles are taken of.
fn bases(cart: &Cart) -> Vec<Decimal> {
    let mut deltas = Deltas::default();
    let base = |article: &Article| {
        let row = article_row(cart.shop, article, Decimal::ZERO, &mut deltas);
        if cart.shop.discount_on_gross { row.with_tax } else { row.subtotal }
    };
    cart.articles.iter().map(base).collect()
}

/// The invoice of a cart, and what it hides.
pub fn invoice(cart: &Cart) -> (Invoice, Hidden) {
    let shop = cart.shop;
    let undiscounted = shipping_row(cart, Decimal::ZERO);
    let mut bases = bases(cart);
    bases.push(if shop.discount_on_gross { undiscounted.with_tax } else { undiscounted.subtotal });
    let offs = discounts(cart, &bases);
    let mut sums = Totals::default();
    let (mut deltas, mut carried) = (Deltas::default(), Deltas::default());
    for (article, off) in cart.articles.iter().zip(&offs) {
        let row = article_row(shop, article, *off, &mut deltas);
        sums.add_article(article, row, *off, &mut carried, shop);
    }
    let shipping_off = offs[cart.articles.len()];
    let shipping = shipping_row(cart, shipping_off);
    let tax = sums.tax + shipping.tax + sums.product_tax_tax;
    let product_tax_in_subtotal = if shop.product_tax_in_subtotal { sums.product_tax } else { Decimal::ZERO };
    let grand_total = sums.subtotal
        + tax
        + shipping.subtotal
        + sums.compensation
        + shipping.compensation
        + sums.product_tax
        - sums.discount
        - shipping_off
        + money(cart.difference);
    let document = Invoice {
        subtotal: sums.subtotal + product_tax_in_subtotal,
        tax_amount: tax,
        shipping_amount: shipping.subtotal,
        shipping_tax_amount: shipping.tax,
        discount_amount: -(sums.discount + shipping_off),
        grand_total,
        lines: sums.lines,
        ..blank()
    };
    let hidden = Hidden {
        product_tax: sums.product_tax,
        lines: sums.hidden,
        shipping_discount: shipping_off,
        shipping_compensation: shipping.compensation,
    };
    (document, hidden)
}

#[derive(Default)]
struct Totals {
    lines: Vec<Line>,
    hidden: Vec<HiddenOfLine>,
    subtotal: Decimal,
    tax: Decimal,
    discount: Decimal,
    compensation: Decimal,
    product_tax: Decimal,
    product_tax_tax: Decimal,
}

impl Totals {
    /// Adds the part of an order's row that this invoice is of.
    fn add_article(
        &mut self,
        article: &Article,
        row: CalculatedRow,
        off: Decimal,
        carried: &mut Deltas,
        shop: MagentoShop,
    ) {
        let part = |amount: Decimal, kind, carried: &mut Deltas| {
            if article.invoiced == article.quarters {
                return amount.round_dp(4);
            }
            let share = amount * Decimal::from(article.invoiced) / Decimal::from(article.quarters);
            carried.round(share, kind, Decimal::ZERO)
        };
        let subtotal = part(row.subtotal, "subtotal", carried);
        let tax = part(row.tax, "tax", carried);
        let discount = part(off, "discount", carried);
        let quantity = Decimal::new(article.invoiced * 25, 2);
        let compensation = part(row.compensation, "compensation", carried);
        self.compensation += compensation;
        self.subtotal += subtotal;
        self.tax += tax;
        self.discount += discount;
        let rate = article.percent / Decimal::ONE_HUNDRED;
        let each = money(article.product_tax);
        let product_tax = pennies(each * quantity);
        let tax_on_product_tax = match shop.algorithm {
            _ if !shop.product_tax_is_taxed => Decimal::ZERO,
            Algorithm::Unit => pennies(pennies(each * rate) * quantity),
            _ => pennies(each * quantity * rate),
        };
        self.product_tax += product_tax;
        self.product_tax_tax += tax_on_product_tax;
        self.hidden.push(HiddenOfLine { compensation, product_tax, tax_on_product_tax });
        self.lines.push(Line {
            sku: "SKU".to_owned(),
            name: "Article".to_owned(),
            qty: quantity,
            unit_price: row.price,
            line_subtotal: subtotal,
            line_tax: tax,
            line_total: subtotal + tax - discount,
            product_type: None,
            tax_class: None,
            tax_percent: None,
        });
    }
}

fn blank() -> Invoice {
    let home = Address { country_id: Some("GB".to_owned()), ..Address::default() };
    Invoice {
        magento_id: 1,
        increment_id: "000000001".to_owned(),
        order_increment_id: None,
        website_id: Some(1),
        store_id: Some(1),
        currency: Currency::GBP,
        state: InvoiceState::Paid,
        customer: Customer {
            magento_id: 1,
            email: None,
            first_name: None,
            last_name: None,
            company: None,
            phone: None,
            website_id: None,
            vat_id: None,
            addresses: Vec::new(),
            created_at: None,
            updated_at: None,
        },
        lines: Vec::new(),
        subtotal: Decimal::ZERO,
        tax_amount: Decimal::ZERO,
        shipping_amount: Decimal::ZERO,
        shipping_tax_amount: Decimal::ZERO,
        discount_amount: Decimal::ZERO,
        grand_total: Decimal::ZERO,
        created_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
        payment_method: None,
        billing_address: Some(home.clone()),
        shipping_address: Some(home),
        po_number: None,
        base_to_order_rate: None,
    }
}

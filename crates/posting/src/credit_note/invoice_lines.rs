//! Which lines of its invoice a credit memo takes back. A memo's lines name no line of the invoice, but bear the same article number,
//! name and price (both come from the order's item: Sales/Model/Convert/Order.php).

use std::collections::BTreeMap;

use domain::documents::Line;
use rust_decimal::Decimal;

use crate::limits::MOST_ALIKE;

/// Lines are of the same article at the same price where these are alike.
type ArticleKey<'a> = (&'a str, &'a str, Decimal);

fn article(line: &Line) -> ArticleKey<'_> {
    (&line.sku, &line.name, line.unit_price)
}

/// The lines of an invoice, found by what they sell.
pub(crate) struct InvoiceLines<'a> {
    lines: Vec<&'a Line>,
    /// Where the lines of an article at a price are.
    alike: BTreeMap<ArticleKey<'a>, Vec<usize>>,
}

/// A line of the memo: which of the invoice's it takes back, and how much of it.
#[derive(Clone, Copy)]
pub(crate) struct ReturnedShare {
    /// The place of the invoice's line.
    pub index: usize,
    /// The fraction of its quantity.
    pub share: Decimal,
}

impl<'a> InvoiceLines<'a> {
    /// Sorts an invoice's lines.
    pub fn new(lines: Vec<&'a Line>) -> Self {
        let mut alike: BTreeMap<ArticleKey<'_>, Vec<usize>> = BTreeMap::new();
        for (index, line) in lines.iter().enumerate() {
            alike.entry(article(line)).or_default().push(index);
        }
        Self { lines, alike }
    }

    /// All of them.
    pub fn all(&self) -> &[&'a Line] {
        &self.lines
    }

    /// Which line a memo's line takes back: of several alike the one whose sums are the nearest.
    pub fn returned(&self, line: &Line) -> Option<ReturnedShare> {
        let share_of = |index: usize| {
            let one = self.lines[index];
            let share = line.qty / one.qty;
            let off = |of: fn(&Line) -> Decimal| (of(one) * share - of(line)).abs();
            let distance = off(|line| line.line_subtotal) + off(|line| line.line_tax) + off(Line::discount);
            (distance, ReturnedShare { index, share })
        };
        let is_enough = |index: &usize| {
            let quantity = self.lines[*index].qty;
            quantity >= line.qty && quantity > Decimal::ZERO
        };
        let alike = self.alike.get(&article(line)).into_iter().flatten().copied();
        let shares = alike.filter(is_enough).take(MOST_ALIKE).map(share_of);
        shares.min_by_key(|(distance, _)| *distance).map(|(_, share)| share)
    }

    /// Whether a memo of these lines can be of this invoice: each is one of its articles at its price, in no larger quantity.
    pub fn can_return(&self, returned: &[Line]) -> bool {
        let mut left: BTreeMap<ArticleKey<'_>, Decimal> = BTreeMap::new();
        for line in &self.lines {
            *left.entry(article(line)).or_default() += line.qty;
        }
        returned.iter().all(|line| {
            let Some(quantity) = left.get_mut(&article(line)) else { return false };
            *quantity -= line.qty;
            *quantity >= Decimal::ZERO
        })
    }

    /// Whether a memo of these lines takes back every line that `counts`, whole.
    pub fn are_all_returned(&self, returned: &[&Line], counts: impl Fn(usize) -> bool) -> bool {
        let mut left: BTreeMap<ArticleKey<'_>, Decimal> = BTreeMap::new();
        for line in &self.lines {
            *left.entry(article(line)).or_default() += line.qty;
        }
        for line in returned {
            *left.entry(article(line)).or_default() -= line.qty;
        }
        let mut counting = self.lines.iter().enumerate().filter(|(index, _)| counts(*index));
        counting.all(|(_, line)| left[&article(line)].is_zero())
    }
}

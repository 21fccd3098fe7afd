//! Magento's sums beside Sage's.

use messages::message;
use store::Run;

use views::{
    format::amount,
    run::{SumView, TotalsView},
};

/// Both sides' sums; none for what has none.
pub(super) fn of(run: &Run) -> Option<TotalsView> {
    let facts = &run.facts;
    let rows = [
        sum(message!(run_totals.total), facts.amount_minor, facts.sage_amount_minor),
        sum(message!(run_totals.tax), facts.tax_minor, facts.sage_tax_minor),
    ];
    let rows: Vec<SumView> = rows.into_iter().flatten().collect();
    if rows.is_empty() {
        return None;
    }
    Some(TotalsView {
        currency: facts.currency.clone().unwrap_or_default(),
        is_planned: facts.sage_id.is_none() && facts.sage_amount_minor.is_some(),
        rows,
    })
}

fn sum(name: &'static str, magento: Option<i64>, sage: Option<i64>) -> Option<SumView> {
    if magento.is_none() && sage.is_none() {
        return None;
    }
    let difference = sage.zip(magento).map(|(sage, magento)| sage.saturating_sub(magento));
    Some(SumView {
        name,
        magento: magento.map(amount),
        sage: sage.map(amount),
        difference: difference.map(amount),
        differs: difference.is_some_and(|difference| difference != 0),
    })
}

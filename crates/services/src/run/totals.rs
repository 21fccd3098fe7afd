//! Magento's sums beside Sage's, or beside those that refused the document.

use domain::{
    code::Code,
    money::to_minor,
    plan::{RefusedSums, SumSource},
};
use messages::message;
use store::{Run, RunPlan};

use views::{
    format::amount,
    run::{SumView, TotalsView},
};

/// Both sides' sums; none for what has none.
pub(super) fn of(run: &Run, plan: Option<&RunPlan>, country: Option<&str>) -> Option<TotalsView> {
    let tax = tax_word(country);
    let facts = &run.facts;
    let refused = plan.and_then(|plan| plan.plan.refused_sums.as_ref());
    // A later attempt may have ended before it came to a plan: then the sums are no longer the reason.
    let refused = refused.filter(|_| run.code == Some(Code::TotalsMismatch));
    let is_planned = facts.sage_id.is_none() && facts.sage_amount_minor.is_some();
    let (other, rows) = match refused {
        Some(sums) => (of_source(sums.source), of_refused(sums, facts.tax_minor, tax)),
        None => (
            if is_planned { message!(run_totals.planned) } else { message!(run_totals.sage) },
            [
                sum(message!(run_totals.total), facts.amount_minor, facts.sage_amount_minor),
                sum(tax, facts.tax_minor, facts.sage_tax_minor),
            ],
        ),
    };
    let rows: Vec<SumView> = rows.into_iter().flatten().collect();
    if rows.is_empty() {
        return None;
    }
    Some(TotalsView { currency: facts.currency.clone().unwrap_or_default(), other, rows })
}

/// What people in the business's country call the tax on sales.
pub(super) fn tax_word(country: Option<&str>) -> &'static str {
    match country {
        Some("GB" | "IE") => message!(run_totals.vat),
        _ => message!(run_totals.tax),
    }
}

const fn of_source(source: SumSource) -> &'static str {
    match source {
        SumSource::Lines => message!(run_totals.lines),
        SumSource::Sage => message!(run_totals.would_be),
    }
}

fn of_refused(sums: &RefusedSums, known_tax: Option<i64>, word: &'static str) -> [Option<SumView>; 2] {
    let tax = sums.tax.and_then(to_minor).or(known_tax);
    [
        sum(message!(run_totals.total), to_minor(sums.total), to_minor(sums.other_total)),
        sum(word, tax, to_minor(sums.other_tax)),
    ]
}

fn sum(name: &'static str, magento: Option<i64>, other: Option<i64>) -> Option<SumView> {
    if magento.is_none() && other.is_none() {
        return None;
    }
    let difference = other.zip(magento).map(|(other, magento)| other.saturating_sub(magento));
    Some(SumView {
        name,
        magento: magento.map(amount),
        other: other.map(amount),
        difference: difference.map(amount),
        differs: difference.is_some_and(|difference| difference != 0),
    })
}

//! A Plan for people: what was to be done, and the rule behind each choice.

use domain::plan::{Call, Expect, Plan, Verdict};
use messages::message;
use store::RunPlan;

use super::{calls, names::Names};
use views::{format, run::PlanView};

/// The Plan, or why there is none to show.
pub(super) fn of(
    kept: Result<&Option<RunPlan>, &()>,
    said: Option<&str>,
    names: &Names,
    tax: &str,
) -> Result<PlanView, &'static str> {
    match kept {
        Ok(Some(kept)) => Ok(view(kept, said, names, tax)),
        Ok(None) => Err(message!(run_plan.none)),
        Err(()) => Err(message!(run_plan.unreadable)),
    }
}

fn view(kept: &RunPlan, said: Option<&str>, names: &Names, tax: &str) -> PlanView {
    let Plan { verdict, code, message, calls, predicted, rules, notes, .. } = &kept.plan;
    let mut sums = Vec::new();
    if let Some(predicted) = predicted {
        let currency = predicted.currency;
        sums.push((message!(run_totals.total).to_owned(), format!("{currency} {}", money(predicted.total))));
        sums.push((tax.to_owned(), format!("{currency} {}", money(predicted.tax))));
        let by_rate = predicted.tax_by_rate.iter();
        sums.extend(by_rate.map(|(rate, tax)| (names.name(rate).to_owned(), format!("{currency} {tax}"))));
        let boxes = predicted.boxes.iter();
        sums.extend(boxes.map(|(name, amount)| (message!(run_totals.tax_box, name = name), amount.clone())));
    }
    // The code's own sentence and the run's message stand above on the page.
    let is_own = |message: &&String| {
        said != Some(message.as_str()) && code.is_none_or(|code| code.sentence() != message.as_str())
    };
    PlanView {
        verdict: match verdict {
            Verdict::Post => message!(run_plan.post),
            Verdict::Skip => message!(run_plan.skip),
            Verdict::Hold => message!(run_plan.hold),
            Verdict::Fail => message!(run_plan.fail),
        },
        made: kept.made_at.into(),
        message: message.as_ref().filter(is_own).cloned(),
        sums,
        calls: calls.iter().map(call).collect(),
        rules: rules.iter().map(|rule| names.rule(rule)).collect(),
        notes: notes.clone(),
    }
}

fn call(call: &Call) -> (String, String) {
    let method = match call.method {
        domain::plan::Method::Post => "POST",
        domain::plan::Method::Put => "PUT",
        domain::plan::Method::Delete => "DELETE",
    };
    let expects = call.expect.as_ref().map(expected).unwrap_or_default();
    let words = calls::to_do(method, &call.name) + &expects;
    (words, format!("{method} {}", call.path))
}

/// The sums that the answer must show.
fn expected(expect: &Expect) -> String {
    let total = money(expect.total);
    match expect.tax {
        Some(tax) => message!(run_plan.expected_with_tax, total = total, tax = money(tax)),
        None => message!(run_plan.expected, total = total),
    }
}

fn money(amount: domain::Decimal) -> String {
    domain::money::to_minor(amount).map_or_else(|| amount.to_string(), format::amount)
}

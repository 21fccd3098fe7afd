//! Sage's books, Magento's grid and Ledger's runs, compared with the truth.

use std::fmt;

use domain::{
    code::Code,
    run::{EntityKind, RunStatus},
};
use serde_json::Value;

use crate::{
    family::{BYSTANDERS_NAME, Books, Family},
    sequel::Sequel,
    world::World,
};

/// What a cell ends as; the worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Each document once, to the penny, and everybody says so.
    Ok,
    /// A run has not ended, or has failed though nothing is wrong any more.
    Stuck,
    /// Books, runs or grid say something else than the truth.
    Wrong,
    /// A document that Ledger calls synced is not in Sage.
    Lost,
    /// A document is in Sage twice.
    Doubled,
}

impl Verdict {
    /// All of them, the best first.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Stuck, Self::Wrong, Self::Lost, Self::Doubled];

    /// The word of the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Stuck => "stuck",
            Self::Wrong => "wrong",
            Self::Lost => "lost",
            Self::Doubled => "doubled",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A verdict with its reasons.
#[derive(Debug)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// What was found.
    pub reason: String,
}

/// Compares the world with what it should be.
pub async fn judge(world: &World, family: Family, sequel: Sequel) -> Vec<Finding> {
    let books = world.books();
    if sequel == Sequel::SumsEdited {
        return sums_edited(world, &books, family).await;
    }
    let mut findings = runs(world).await;
    let has_open_runs = !findings.is_empty();
    findings.extend(records(&books, family.truth(sequel, false), has_open_runs));
    if let Some((telephone, name)) = family.told(sequel == Sequel::Edited) {
        findings.extend(texts(&books, telephone, name));
    }
    // A grid speaks of runs that have ended.
    if !has_open_runs {
        findings.extend(grid(world, &books, family, sequel));
    }
    findings
}

/// Edited sums: the books show the ones or the others throughout, or a run says that they differ. Never is there more than one of each.
async fn sums_edited(world: &World, books: &Value, family: Family) -> Vec<Finding> {
    let (first, edited) = (family.truth(Sequel::SumsEdited, false), family.truth(Sequel::SumsEdited, true));
    let open = runs(world).await;
    if open.is_empty() {
        let mut findings = records(books, edited, false);
        if !findings.is_empty() && records(books, first, false).is_empty() {
            findings.clear();
        }
        findings.extend(grid(world, books, family, Sequel::SumsEdited));
        return findings;
    }
    let runs = world.runs().await;
    let says_why =
        |run: &store::Run| matches!(run.code, Some(Code::TotalsMismatch | Code::TotalsMismatchAfterPost));
    let mut findings = if runs.iter().any(says_why) { Vec::new() } else { open };
    for (list, wanted) in edited {
        let found = found(books, list);
        if found.len() > wanted.len() {
            let reason = format!("{list} {found:?} in place of {wanted:?}");
            findings.push(Finding { verdict: Verdict::Doubled, reason });
        }
    }
    findings
}

async fn runs(world: &World) -> Vec<Finding> {
    let open = world.runs().await.into_iter().filter(|run| run.status != RunStatus::Succeeded);
    let finding = |run: store::Run| Finding {
        verdict: Verdict::Stuck,
        reason: format!(
            "{} {} {} {}",
            run.event,
            run.status,
            run.code.map_or("", domain::code::Code::as_str),
            run.message.unwrap_or_default()
        ),
    };
    open.map(finding).collect()
}

fn records(books: &Value, truth: Books, has_open_runs: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (list, wanted) in truth {
        let found = found(books, list);
        let verdict = match found.len().cmp(&wanted.len()) {
            std::cmp::Ordering::Greater => Verdict::Doubled,
            // What is not there yet is not lost while its run says so.
            std::cmp::Ordering::Less if has_open_runs => Verdict::Stuck,
            std::cmp::Ordering::Less => Verdict::Lost,
            std::cmp::Ordering::Equal if agree(&found, &wanted) => continue,
            std::cmp::Ordering::Equal if has_open_runs => Verdict::Stuck,
            std::cmp::Ordering::Equal => Verdict::Wrong,
        };
        findings.push(Finding { verdict, reason: format!("{list} {found:?} in place of {wanted:?}") });
    }
    findings
}

/// Total and status of each living record.
fn found(books: &Value, list: &str) -> Vec<(String, String)> {
    let (table, kind) = match list {
        "receipts" => ("contact_payments", Some("CUSTOMER_RECEIPT")),
        "refunds" => ("contact_payments", Some("CUSTOMER_REFUND")),
        other => (other, None),
    };
    living(books, table)
        .filter(|record| kind.is_none_or(|kind| record["transaction_type"]["id"] == kind))
        .map(|record| {
            let amount = match table {
                "stock_movements" => &record["quantity"],
                "contact_allocations" => &record["allocated_artefacts"][0]["amount"],
                _ => &record["total_amount"],
            };
            let text = |value: &Value| value.as_str().unwrap_or_default().trim_start_matches('-').to_owned();
            (text(amount), text(&record["status"]["id"]))
        })
        .collect()
}

fn agree(found: &[(String, String)], wanted: &[(&str, &str)]) -> bool {
    let same = |found: &str, wanted: &str| wanted.is_empty() || found == wanted;
    found.iter().zip(wanted).all(|(found, wanted)| same(&found.0, wanted.0) && same(&found.1, wanted.1))
}

/// What Sage shows of the customer and the product.
fn texts(books: &Value, telephone: &str, name: &str) -> Option<Finding> {
    let shown = [("contacts", "/main_contact_person/telephone"), ("stock_items", "/description")];
    let shown = shown.map(|(list, field)| living(books, list).next()?.pointer(field)?.as_str());
    let reason = format!("Sage shows {shown:?} in place of {telephone} and {name}");
    (shown != [Some(telephone), Some(name)]).then_some(Finding { verdict: Verdict::Wrong, reason })
}

fn living<'a>(books: &'a Value, table: &str) -> impl Iterator<Item = &'a Value> {
    let records = books[table].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_bystanders = |record: &Value| {
        let names = [&record["name"], &record["contact"]["displayed_as"], &record["contact_name"]];
        names.into_iter().filter_map(Value::as_str).any(|name| name.contains(BYSTANDERS_NAME))
    };
    records.iter().filter(move |record| record["status"]["id"] != "VOID" && !is_bystanders(record))
}

/// Magento shows each document as synced, under the id of the record that lives in Sage.
fn grid(world: &World, books: &Value, family: Family, sequel: Sequel) -> Vec<Finding> {
    let rows = world.shop.running.sync_state();
    let mut findings = Vec::new();
    for (event, id) in family.events() {
        let entity = event.entity();
        // A customer's row speaks of the customer's own run, which may have ended before somebody deleted the contact.
        if sequel == Sequel::ContactDeleted && entity == EntityKind::Customer {
            continue;
        }
        let table = match entity {
            EntityKind::Invoice => "sales_invoices",
            EntityKind::Creditmemo => "sales_credit_notes",
            EntityKind::Customer => "contacts",
            EntityKind::Product => "stock_items",
        };
        let row = rows.iter().find(|row| row.entity_type == entity.as_str() && row.magento_id == *id);
        let shown = row.map(|row| (row.sync_status.as_str(), row.provider_entity_id.as_deref()));
        let in_sage = living(books, table).next().and_then(|record| record["id"].as_str());
        if shown != Some(("synced", in_sage)) {
            let reason = format!("the grid shows {entity} {id} as {shown:?}, in Sage is {in_sage:?}");
            findings.push(Finding { verdict: Verdict::Wrong, reason });
        }
    }
    findings
}

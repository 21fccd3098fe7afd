//! What will fail before the first invoice does: facts in, findings out.
//!
//! Whatever could not be asked is `None` in the facts: it is said as such, and nothing is concluded from it.

mod catalogue;

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};
use messages::message;
use serde::{Deserialize, Serialize};

use crate::{
    business::{Named, ReferenceSet},
    money::Currency,
    settings::{FieldProblem, Settings},
};

pub use catalogue::{FindingCode, Severity};

/// Seconds by which the clocks of a shop and of Ledger may differ: beyond, one of the two takes the other's fresh tokens for minted in
/// the future (wire specification, section 1), and what the shop sends is dead-lettered at once.
const SHOP_CLOCK: i64 = 30;
/// Seconds from which that limit is near.
const SHOP_CLOCK_NEAR: i64 = 10;
/// Seconds that an access token of Sage's lives (Sage's guide on authentication).
const SAGE_CLOCK: i64 = 300;
/// Seconds by which a machine on network time never differs from Sage.
const SAGE_CLOCK_NEAR: i64 = 30;
/// So long ago is lately: documents that old are still corrected and refunded.
const LATELY: TimeDelta = TimeDelta::days(31);

/// What is known of a binding.
pub struct Facts<'a> {
    /// Today (UTC).
    pub today: NaiveDate,
    /// The lists of the Sage business; none before it is connected.
    pub reference: Option<&'a ReferenceSet>,
    /// The settings; none before the first were saved.
    pub settings: Option<&'a Settings>,
    /// The currencies of the documents that came lately.
    pub currencies: &'a BTreeSet<Currency>,
    /// What both sides answered just now; none where they were not asked.
    pub live: Option<&'a Live>,
}

/// What Magento and Sage answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// How the shop took a call with a token.
    pub shop: Option<ShopAnswer>,
    /// Seconds by which the shop's clock is ahead of ours (negative: behind).
    pub shop_clock_ahead: Option<i64>,
    /// The payment methods that are switched on, by code and name.
    pub payment_methods: Option<Vec<Named>>,
    /// Whether Sage still takes the connection.
    pub sage: Option<SageAnswer>,
    /// Seconds by which Sage's clock is ahead of ours (negative: behind).
    pub sage_clock_ahead: Option<i64>,
    /// The ids of the subscriptions that are in force; empty = none is.
    pub subscriptions: Option<Vec<String>>,
    /// The last locked day, and none inside where the books are open.
    pub locked_until: Option<Option<NaiveDate>>,
    /// How each area of Sage opened.
    pub areas: Vec<(Area, Option<Access>)>,
}

/// How a shop takes a call with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShopAnswer {
    /// As it should.
    Good,
    /// It refuses every token.
    Refuses,
    /// The module's routes do not exist.
    ModuleMissing,
    /// It leads elsewhere.
    Redirects,
    /// No connection.
    Unreachable,
    /// Something else than the module answers.
    Trouble,
}

/// How Sage takes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SageAnswer {
    /// As it should.
    Good,
    /// The merchant must connect again.
    Refuses,
}

/// A part of Sage with a right of its own (sage-api.md, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Contacts.
    Contacts,
    /// Invoices.
    Sales,
    /// Credit notes.
    CreditNotes,
    /// Payments.
    Bank,
    /// What sets a credit note against its invoice.
    Allocations,
    /// Products and services.
    Products,
    /// Stock items.
    Stock,
}

impl Area {
    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Contacts => message!(areas.contacts),
            Self::Sales => message!(areas.sales),
            Self::CreditNotes => message!(areas.credit_notes),
            Self::Bank => message!(areas.bank),
            Self::Allocations => message!(areas.allocations),
            Self::Products => message!(areas.products),
            Self::Stock => message!(areas.stock),
        }
    }

    /// The areas that documents go into, and those that the settings ask for besides.
    pub fn needed(settings: Option<&Settings>) -> Vec<Self> {
        let mut areas = vec![Self::Contacts, Self::Sales, Self::CreditNotes, Self::Bank, Self::Allocations];
        areas.extend(settings.filter(|settings| settings.sync_products).map(|_| Self::Products));
        areas.extend(settings.filter(|settings| settings.sync_stock).map(|_| Self::Stock));
        areas
    }
}

/// How an area opens to a reader. Whether the user may write there shows only when something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It does.
    Granted,
    /// The user lacks the right (403).
    Denied,
    /// The subscription lacks it (401 with a message of its own).
    NotInPlan,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub code: FindingCode,
    /// What it is about: names, days, seconds; empty where the sentence says all.
    pub detail: String,
}

/// What will fail, then what may, then what is well.
pub fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    match facts.reference {
        None => found.push(plain(FindingCode::NotConnected)),
        Some(reference) => {
            settings(facts.settings, reference, &mut found);
            books(facts, reference, &mut found);
        }
    }
    if let Some(live) = facts.live {
        shop(live, facts.settings, &mut found);
        if facts.reference.is_some() {
            sage(live, &mut found);
        }
        clocks(live, &mut found);
        unanswered(live, facts.reference.is_some(), &mut found);
    }
    found.sort_by_key(|finding| (finding.code.severity(), finding.code));
    found
}

/// What stops a shop by itself, to be said right after pairing.
pub fn shop_blocks(live: &Live) -> Option<FindingCode> {
    let mut found = Vec::new();
    shop(live, None, &mut found);
    clocks(live, &mut found);
    found.into_iter().map(|finding| finding.code).find(|code| code.severity() == Severity::Blocks)
}

fn plain(code: FindingCode) -> Finding {
    Finding { code, detail: String::new() }
}

fn about(code: FindingCode, detail: impl Into<String>) -> Finding {
    Finding { code, detail: detail.into() }
}

/// A finding about several things, where there are any.
fn about_all<'a>(code: FindingCode, names: impl IntoIterator<Item = &'a str>) -> Option<Finding> {
    let names: Vec<&str> = names.into_iter().collect();
    (!names.is_empty()).then(|| about(code, names.join(", ")))
}

fn settings(settings: Option<&Settings>, reference: &ReferenceSet, found: &mut Vec<Finding>) {
    let Some(settings) = settings else {
        found.push(plain(FindingCode::NoSettings));
        return;
    };
    let problems = settings.check(reference);
    let (gone, wrong): (Vec<_>, Vec<_>) =
        problems.iter().partition(|(_, problem)| *problem == FieldProblem::NotInReference);
    let named = |problems: &[&(String, FieldProblem)]| -> Vec<String> {
        problems.iter().map(|(path, _)| in_words(path)).collect()
    };
    let (gone, wrong) = (named(&gone), named(&wrong));
    found.extend(about_all(FindingCode::SettingsIncomplete, wrong.iter().map(String::as_str)));
    found.extend(about_all(FindingCode::SettingsGone, gone.iter().map(String::as_str)));
    if problems.is_empty() {
        found.push(plain(FindingCode::SettingsFit));
    }
    let has_zero = settings.tax_rate_map.keys().any(|key| key.starts_with("0.00") || key.trim() == "0");
    if reference.registered_for_tax && !has_zero {
        found.push(plain(FindingCode::ZeroRateMissing));
    }
}

/// A field's path in words: `default_tax_rate_id` is the default tax rate.
fn in_words(path: &str) -> String {
    let (field, key) = path.split_once('.').map_or((path, None), |(field, key)| (field, Some(key)));
    let field = field.strip_suffix("_id").unwrap_or(field).replace('_', " ");
    key.map_or_else(|| field.clone(), |key| format!("{field}: {key}"))
}

fn books(facts: &Facts<'_>, reference: &ReferenceSet, found: &mut Vec<Finding>) {
    if !reference.registered_for_tax {
        found.push(plain(FindingCode::NotRegistered));
    }
    let foreign: Vec<String> = facts
        .currencies
        .iter()
        .filter(|currency| **currency != reference.base_currency)
        .map(ToString::to_string)
        .collect();
    if !reference.multi_currency_enabled {
        found.extend(about_all(FindingCode::CurrenciesOff, foreign.iter().map(String::as_str)));
    }
    if let Some(start) = reference.accounts_start_date {
        if start > facts.today {
            found.push(about(FindingCode::StartsLater, start.to_string()));
        } else if start > facts.today - LATELY {
            found.push(about(FindingCode::StartsLately, start.to_string()));
        }
    }
    if let Some(locked) = facts.live.and_then(|live| live.locked_until.flatten()) {
        if locked >= facts.today {
            found.push(about(FindingCode::Locked, locked.to_string()));
        } else if locked >= facts.today - LATELY {
            found.push(about(FindingCode::LockedLately, locked.to_string()));
        }
    }
}

fn shop(live: &Live, settings: Option<&Settings>, found: &mut Vec<Finding>) {
    // A clock that is off explains why tokens are refused, and is said by itself.
    let by_its_clock = live.shop_clock_ahead.is_some_and(|ahead| ahead.abs() > SHOP_CLOCK);
    let answer = live.shop.and_then(|answer| match answer {
        ShopAnswer::Good => Some(FindingCode::ShopAnswers),
        ShopAnswer::Refuses if by_its_clock => None,
        ShopAnswer::Refuses => Some(FindingCode::ShopRefuses),
        ShopAnswer::ModuleMissing => Some(FindingCode::ShopModuleMissing),
        ShopAnswer::Redirects => Some(FindingCode::ShopRedirects),
        ShopAnswer::Unreachable => Some(FindingCode::ShopUnreachable),
        ShopAnswer::Trouble => Some(FindingCode::ShopTrouble),
    });
    found.extend(answer.map(plain));
    let (Some(methods), Some(settings)) = (&live.payment_methods, settings) else { return };
    let unmapped = methods.iter().filter(|method| {
        settings.default_bank_account_id.is_none() && !settings.payment_method_map.contains_key(&method.id)
    });
    let unmapped = about_all(FindingCode::MethodsUnmapped, unmapped.map(|method| method.name.as_str()));
    found.push(unmapped.unwrap_or_else(|| plain(FindingCode::MethodsMapped)));
}

fn sage(live: &Live, found: &mut Vec<Finding>) {
    if live.sage == Some(SageAnswer::Refuses) {
        found.push(plain(FindingCode::SageRefuses));
        return;
    }
    let ended = live.subscriptions.as_ref().is_some_and(Vec::is_empty);
    if ended {
        found.push(plain(FindingCode::SubscriptionEnded));
    }
    let with = |access: Access| -> Vec<Area> {
        live.areas.iter().filter(|(_, own)| *own == Some(access)).map(|(area, _)| *area).collect()
    };
    let denied = with(Access::Denied);
    found.extend(about_all(FindingCode::RightsMissing, denied.iter().map(|area| area.label())));
    // Without any subscription every area is shut, which is said once.
    if !ended {
        plan(live, &with(Access::NotInPlan), found);
    }
    if live.sage == Some(SageAnswer::Good) && denied.is_empty() && !ended {
        found.push(plain(FindingCode::SageAnswers));
    }
}

fn plan(live: &Live, lacking: &[Area], found: &mut Vec<Finding>) {
    let among = |areas: &[Area]| -> Vec<&'static str> {
        lacking.iter().filter(|area| areas.contains(area)).map(|area| area.label()).collect()
    };
    let basic = among(&[Area::Contacts, Area::Sales, Area::Bank]);
    found.extend(about_all(FindingCode::PlanTooSmall, basic));
    // On "Standard" credit notes can be read and not made, says Sage's description (sage-api.md, section 3).
    let standard_only = live
        .subscriptions
        .as_ref()
        .is_some_and(|ids| !ids.is_empty() && ids.iter().all(|id| id == "ACCOUNTS"));
    let mut credit = among(&[Area::CreditNotes, Area::Allocations]);
    if standard_only && !credit.contains(&Area::CreditNotes.label()) {
        credit.push(Area::CreditNotes.label());
    }
    found.extend(about_all(FindingCode::PlanWithoutCreditNotes, credit));
    found.extend(about_all(FindingCode::PlanWithoutCatalogue, among(&[Area::Products, Area::Stock])));
}

fn clocks(live: &Live, found: &mut Vec<Finding>) {
    let (off, wrong) = (FindingCode::ShopClockOff, FindingCode::ShopClockWrong);
    let shop =
        live.shop_clock_ahead.map(|ahead| (ahead, clock(ahead, SHOP_CLOCK_NEAR, SHOP_CLOCK, off, wrong)));
    let (off, wrong) = (FindingCode::SageClockOff, FindingCode::SageClockWrong);
    let sage =
        live.sage_clock_ahead.map(|ahead| (ahead, clock(ahead, SAGE_CLOCK_NEAR, SAGE_CLOCK, off, wrong)));
    if matches!((shop, sage), (Some((_, None)), Some((_, None)))) {
        found.push(plain(FindingCode::ClocksAgree));
    }
    if let Some((ahead, Some(code))) = shop {
        let seconds = ahead.abs();
        found.push(about(
            code,
            if ahead > 0 {
                message!(clocks.shop_ahead, seconds = seconds)
            } else {
                message!(clocks.shop_behind, seconds = seconds)
            },
        ));
    }
    if let Some((ahead, Some(code))) = sage {
        let seconds = ahead.abs();
        found.push(about(
            code,
            if ahead > 0 {
                message!(clocks.sage_ahead, seconds = seconds)
            } else {
                message!(clocks.sage_behind, seconds = seconds)
            },
        ));
    }
}

const fn clock(
    ahead: i64,
    near: i64,
    limit: i64,
    off: FindingCode,
    wrong: FindingCode,
) -> Option<FindingCode> {
    match ahead.abs() {
        apart if apart > limit => Some(wrong),
        apart if apart > near => Some(off),
        _ => None,
    }
}

fn unanswered(live: &Live, connected: bool, found: &mut Vec<Finding>) {
    let mut silent = Vec::new();
    let mut note = |is_silent: bool, what: &'static str| silent.extend(is_silent.then_some(what));
    note(live.shop.is_none(), message!(unanswered.shop));
    note(
        live.shop == Some(ShopAnswer::Good) && live.payment_methods.is_none(),
        message!(unanswered.payment_methods),
    );
    // A dead connection and an ended subscription explain the rest.
    let ended = live.subscriptions.as_ref().is_some_and(Vec::is_empty);
    if connected && live.sage != Some(SageAnswer::Refuses) && !ended {
        note(live.sage.is_none() || live.subscriptions.is_none(), message!(unanswered.subscription));
        note(live.locked_until.is_none(), message!(unanswered.financial_settings));
        for (area, access) in &live.areas {
            note(access.is_none(), area.label());
        }
    }
    found.extend(about_all(FindingCode::NotAnswered, silent));
}

#[cfg(test)]
mod tests;

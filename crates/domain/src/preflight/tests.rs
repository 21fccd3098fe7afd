//! Each finding appears when something is wrong, and is gone when it is fixed.

use chrono::Days;

use super::*;
use crate::fixtures;

/// Everything that facts lend.
struct World {
    reference: Option<ReferenceSet>,
    settings: Option<Settings>,
    currencies: BTreeSet<Currency>,
    live: Option<Live>,
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 15).unwrap()
}

/// A binding that nothing is wrong with.
fn good() -> World {
    let mut settings = Settings::suggested(&fixtures::reference());
    settings.payment_method_map.insert("checkmo".to_owned(), Some("current".to_owned()));
    let method = Named { id: "checkmo".to_owned(), name: "Check / Money order".to_owned() };
    let areas = [Area::Contacts, Area::Sales, Area::CreditNotes, Area::Bank, Area::Allocations];
    World {
        reference: Some(fixtures::reference()),
        settings: Some(settings),
        currencies: BTreeSet::from([Currency::GBP]),
        live: Some(Live {
            shop: Some(ShopAnswer::Good),
            shop_clock_ahead: Some(0),
            payment_methods: Some(vec![method]),
            sage: Some(SageAnswer::Good),
            sage_clock_ahead: Some(1),
            subscriptions: Some(vec!["ACCOUNTING".to_owned()]),
            locked_until: Some(None),
            areas: areas.map(|area| (area, Some(Access::Granted))).to_vec(),
        }),
    }
}

impl World {
    fn findings(&self) -> Vec<Finding> {
        findings(&Facts {
            today: today(),
            reference: self.reference.as_ref(),
            settings: self.settings.as_ref(),
            currencies: &self.currencies,
            live: self.live.as_ref(),
        })
    }

    fn has(&self, code: FindingCode) -> bool {
        self.findings().iter().any(|finding| finding.code == code)
    }

    fn live(&mut self) -> &mut Live {
        self.live.as_mut().unwrap()
    }

    fn reference(&mut self) -> &mut ReferenceSet {
        self.reference.as_mut().unwrap()
    }

    fn settings(&mut self) -> &mut Settings {
        self.settings.as_mut().unwrap()
    }

    fn open(&mut self, area: Area, access: Access) {
        self.live().areas.retain(|(own, _)| *own != area);
        self.live().areas.push((area, Some(access)));
    }
}

type Breaks = fn(&mut World);

/// What makes each finding that is no good news appear.
const BREAKS: &[(FindingCode, Breaks)] = &[
    (FindingCode::NotConnected, |world| world.reference = None),
    (FindingCode::NoSettings, |world| world.settings = None),
    (FindingCode::SettingsIncomplete, |world| world.settings().default_tax_rate_id = None),
    (FindingCode::SettingsGone, |world| world.settings().default_ledger_account_id = Some("gone".to_owned())),
    (FindingCode::StartsLater, |world| world.reference().accounts_start_date = today().succ_opt()),
    (FindingCode::Locked, |world| world.live().locked_until = Some(Some(today()))),
    (FindingCode::ShopRefuses, |world| world.live().shop = Some(ShopAnswer::Refuses)),
    (FindingCode::ShopModuleMissing, |world| world.live().shop = Some(ShopAnswer::ModuleMissing)),
    (FindingCode::ShopRedirects, |world| world.live().shop = Some(ShopAnswer::Redirects)),
    (FindingCode::ShopUnreachable, |world| world.live().shop = Some(ShopAnswer::Unreachable)),
    (FindingCode::ShopTrouble, |world| world.live().shop = Some(ShopAnswer::Trouble)),
    (FindingCode::ShopClockWrong, |world| world.live().shop_clock_ahead = Some(-31)),
    (FindingCode::SageRefuses, |world| world.live().sage = Some(SageAnswer::Refuses)),
    (FindingCode::SubscriptionEnded, |world| world.live().subscriptions = Some(Vec::new())),
    (FindingCode::PlanTooSmall, |world| world.open(Area::Sales, Access::NotInPlan)),
    (FindingCode::RightsMissing, |world| world.open(Area::Bank, Access::Denied)),
    (FindingCode::SageClockWrong, |world| world.live().sage_clock_ahead = Some(301)),
    (FindingCode::StartsLately, |world| {
        world.reference().accounts_start_date = today().checked_sub_days(Days::new(30));
    }),
    (FindingCode::LockedLately, |world| world.live().locked_until = Some(today().pred_opt())),
    (FindingCode::NotRegistered, |world| world.reference().registered_for_tax = false),
    (FindingCode::CurrenciesOff, |world| {
        world.reference().multi_currency_enabled = false;
        world.currencies.insert(Currency::EUR);
    }),
    (FindingCode::ZeroRateMissing, |world| {
        world.settings().tax_rate_map.remove("0.00");
    }),
    (FindingCode::MethodsUnmapped, |world| {
        world.settings().default_bank_account_id = None;
        world.settings().payment_method_map.clear();
    }),
    (FindingCode::PlanWithoutCreditNotes, |world| world.open(Area::Allocations, Access::NotInPlan)),
    (FindingCode::PlanWithoutCatalogue, |world| world.open(Area::Stock, Access::NotInPlan)),
    (FindingCode::ShopClockOff, |world| world.live().shop_clock_ahead = Some(11)),
    (FindingCode::SageClockOff, |world| world.live().sage_clock_ahead = Some(-31)),
    (FindingCode::NotAnswered, |world| world.live().locked_until = None),
];

/// What takes each good news away.
const SPOILS: &[(FindingCode, Breaks)] = &[
    (FindingCode::ShopAnswers, |world| world.live().shop = None),
    (FindingCode::SageAnswers, |world| world.live().sage = None),
    (FindingCode::SettingsFit, |world| world.settings().default_ledger_account_id = None),
    (FindingCode::MethodsMapped, |world| world.live().payment_methods = None),
    (FindingCode::ClocksAgree, |world| world.live().sage_clock_ahead = None),
];

#[test]
fn nothing_is_wrong_with_a_good_binding() {
    let found = good().findings();
    assert!(found.iter().all(|finding| finding.code.severity() == Severity::Fine), "{found:#?}");
    assert_eq!(found.len(), SPOILS.len());
}

#[test]
fn every_finding_appears_when_something_breaks_and_is_gone_when_it_is_mended() {
    for (code, breaks) in BREAKS {
        assert!(!good().has(*code), "{code:?} is there without a cause");
        let mut broken = good();
        breaks(&mut broken);
        let found = broken.findings();
        assert!(broken.has(*code), "{code:?} is not found: {found:#?}");
        let others: Vec<_> = found
            .iter()
            .filter(|finding| finding.code != *code && finding.code.severity() != Severity::Fine)
            .collect();
        assert!(others.is_empty(), "{code:?} brings {others:#?} along");
    }
    for (code, spoils) in SPOILS {
        assert!(good().has(*code), "{code:?}");
        let mut spoilt = good();
        spoils(&mut spoilt);
        assert!(!spoilt.has(*code), "{code:?} is said all the same");
    }
}

#[test]
fn every_finding_of_the_catalogue_is_tried_and_says_what_to_do() {
    for code in FindingCode::ALL {
        let tried = BREAKS.iter().chain(SPOILS).filter(|(tried, _)| tried == code).count();
        assert_eq!(tried, 1, "{code:?}");
        assert!(code.sentence().ends_with('.'), "{code:?}");
        let is_fine = code.severity() == Severity::Fine;
        assert_eq!(code.action().is_empty(), is_fine, "{code:?}");
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        assert_eq!(code.as_str().parse(), Ok(*code));
    }
}

#[test]
fn what_is_not_asked_is_not_concluded_from() {
    let mut world = good();
    world.live = None;
    assert_eq!(world.findings(), [plain(FindingCode::SettingsFit)]);
    world.live = Some(Live::default());
    let found = world.findings();
    let silent = found.iter().find(|finding| finding.code == FindingCode::NotAnswered).unwrap();
    assert_eq!(silent.detail, "the shop, Sage\u{2019}s subscription, Sage\u{2019}s financial settings");
}

#[test]
fn a_clock_that_is_off_explains_refused_tokens() {
    let mut world = good();
    world.live().shop = Some(ShopAnswer::Refuses);
    world.live().shop_clock_ahead = Some(45);
    let found = world.findings();
    assert_eq!(found[0], about(FindingCode::ShopClockWrong, "The shop is 45 seconds ahead of Ledger"));
    assert!(!world.has(FindingCode::ShopRefuses));
}

#[test]
fn an_ended_subscription_and_a_dead_connection_are_said_once() {
    let mut ended = good();
    ended.live().subscriptions = Some(Vec::new());
    ended.open(Area::Contacts, Access::NotInPlan);
    assert!(ended.has(FindingCode::SubscriptionEnded) && !ended.has(FindingCode::PlanTooSmall));
    let mut dead = good();
    *dead.live() = Live { sage: Some(SageAnswer::Refuses), ..Live::default() };
    let silent =
        dead.findings().into_iter().find(|finding| finding.code == FindingCode::NotAnswered).unwrap();
    assert_eq!(silent.detail, "the shop");
}

#[test]
fn the_middle_subscription_makes_no_credit_notes() {
    let mut world = good();
    world.live().subscriptions = Some(vec!["ACCOUNTS".to_owned()]);
    let found = world.findings();
    assert_eq!(found[0], about(FindingCode::PlanWithoutCreditNotes, "Credit notes"));
}

#[test]
fn names_are_words_that_people_know() {
    assert_eq!(in_words("default_tax_rate_id"), "default tax rate");
    assert_eq!(in_words("payment_method_map.checkmo"), "payment method map: checkmo");
    let mut world = good();
    world.settings().default_bank_account_id = None;
    world.settings().payment_method_map.clear();
    let found = world.findings();
    assert_eq!(found[0], about(FindingCode::MethodsUnmapped, "Check / Money order"));
}

#[test]
fn what_blocks_comes_first() {
    let mut world = good();
    world.live().sage_clock_ahead = Some(60);
    world.settings = None;
    let severities: Vec<_> = world.findings().iter().map(|finding| finding.code.severity()).collect();
    assert!(severities.is_sorted(), "{severities:?}");
    assert_eq!(severities[0], Severity::Blocks);
}

#[test]
fn what_stops_a_shop_is_said_right_after_pairing_and_nothing_else_is() {
    let answered = |shop, ahead| Live { shop: Some(shop), shop_clock_ahead: ahead, ..Live::default() };
    assert_eq!(shop_blocks(&answered(ShopAnswer::Good, Some(20))), None);
    assert_eq!(shop_blocks(&answered(ShopAnswer::Good, Some(40))), Some(FindingCode::ShopClockWrong));
    assert_eq!(shop_blocks(&answered(ShopAnswer::Refuses, None)), Some(FindingCode::ShopRefuses));
    assert_eq!(shop_blocks(&Live::default()), None);
}

//! The service functions behind the overview.

mod chart;
mod money;
mod needs;
mod shops;
mod times;

use std::collections::HashMap;

use chrono::TimeDelta;
use domain::{ids::BindingId, run::BindingStatus};
use store::{Binding, Load, Span};
use views::{
    error::AppError,
    overview::{EndView, OverviewView},
};

use self::needs::{Causes, Known};
use crate::{
    Member, Services,
    permission::Permission,
    setup::{self, Setups},
};

/// So many things that need a person are shown.
const NEEDS: usize = 10;

/// So many shops are shown.
const SHOPS: usize = 20;

/// More groups than anybody reads; the largest are told.
const GROUPS: u32 = 2_000;

/// How far back times are looked at, and at how many runs.
const TIMES_SINCE: TimeDelta = TimeDelta::days(7);
const TIMES_OF: u32 = 1_000;

/// So many runs of today are summed: some milliseconds in either database.
const TAKINGS_OF: u32 = 20_000;

/// The overview of the member's organisation; `span` is that of the chart's bars.
pub async fn overview(services: &Services, member: &Member, span: Span) -> Result<OverviewView, AppError> {
    // Read before the rest: what changes meanwhile is announced again rather than missed.
    let version = *services.store.changes_of(member.organisation()).borrow();
    let (store, now, whose) = (&*services.store, services.environment.now(), member.organisation());
    let (from, until) = chart::reach(span, now);
    let (bindings, groups, loads, volume, times, takings, books) = tokio::try_join!(
        store.list_bindings(whose),
        store.causes(whose, GROUPS),
        store.loads(whose, now),
        store.volume(whose, span, from, until),
        store.times(whose, now - TIMES_SINCE, TIMES_OF),
        store.takings(whose, Span::Day.start(now), TAKINGS_OF),
        store.books(whose),
    )?;
    let setups = Setups::of(services, whose).await?;
    let (causes, books) = (Causes::of(&groups), books.into_iter().collect());
    let loads: HashMap<BindingId, Load> = loads.into_iter().map(|load| (load.binding_id, load)).collect();
    let known = Known { causes: &causes, loads: &loads, setups: &setups, books: &books };
    let mut needs = needs::needs(&bindings, &known, member);
    let mut shops: Vec<_> = bindings
        .iter()
        .filter_map(|binding| Some(shops::shop(binding, loads.get(&binding.id)?, (&causes, &setups), now)))
        .collect();
    shops.sort_by_key(|(rank, _)| *rank);
    let backlog = shops.iter().map(|(_, shop)| shop.backlog).sum();
    let moving =
        |binding: &Binding| (binding.status == BindingStatus::Active).then(|| loads.get(&binding.id));
    let moving: i64 = bindings.iter().filter_map(moving).flatten().map(|load| load.backlog).sum();
    let ended = loads.values().map(|load| load.ended).sum();
    let (needs_in_all, shops_in_all) = (needs.len(), shops.len());
    let in_trouble = shops.iter().filter(|(rank, _)| rank.needs_a_look()).count();
    needs.truncate(NEEDS);
    shops.truncate(SHOPS);
    Ok(OverviewView {
        version,
        money: money::money(&takings, &groups, loads.values(), &books),
        needs,
        needs_in_all,
        shops: shops.into_iter().map(|(_, shop)| shop).collect(),
        shops_in_all,
        in_trouble,
        backlog,
        end: if backlog > 0 && moving == 0 { EndView::Still } else { shops::end(moving, ended, now) },
        calls: loads.values().map(|load| load.calls).sum(),
        chart: chart::chart(span, from, until, &volume),
        times: times::times(&times),
        first_steps: setup::before_pairing(member),
        may_connect: member.may(Permission::ConnectShops),
    })
}

//! How long it took from Magento's save to Sage's answer.

use chrono::TimeDelta;
use domain::percentile::percentile;
use messages::message;
use store::Times;
use views::overview::{TimesView, lasting};

/// The times of the newest runs, by stage.
pub(super) fn times(times: &[Times]) -> TimesView {
    let part = |name, lasted: fn(&Times) -> TimeDelta| {
        // The shop's clock is not ours: what seems to have come before it happened took no time.
        let millis: Vec<i64> = times.iter().map(|times| lasted(times).num_milliseconds().max(0)).collect();
        let told = [50, 95, 99].map(|percent| percentile(&millis, percent).map(lasting).unwrap_or_default());
        (name, told)
    };
    if times.is_empty() {
        return TimesView::default();
    }
    TimesView {
        of: times.len(),
        parts: vec![
            part(message!(overview.time_outbox), |times| times.created_at - times.occurred_at),
            part(message!(overview.time_queue), |times| times.started_at - times.created_at),
            part(message!(overview.time_work), |times| times.finished_at - times.started_at),
            part(message!(overview.time_total), |times| times.finished_at - times.occurred_at),
        ],
    }
}

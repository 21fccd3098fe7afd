//! What came in and how it ended, over time.

use chrono::{DateTime, Datelike, Timelike, Utc};
use store::{Span, Volume};
use views::{
    format::Moment,
    overview::{BarView, ChartView},
};

/// The first and the last instant of a chart: a day by the hour, or two weeks by the day.
pub(super) fn reach(span: Span, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let bars = match span {
        Span::Hour => 24,
        Span::Day => 14,
    };
    let until = span.start(now) + span.length();
    (until - span.length() * bars, until)
}

pub(super) fn chart(span: Span, from: DateTime<Utc>, until: DateTime<Utc>, volume: &[Volume]) -> ChartView {
    let starts = std::iter::successors(Some(from), |at| Some(*at + span.length()).filter(|at| *at < until));
    let mut bars: Vec<BarView> = starts.map(|at| bar(span, at, at == from)).collect();
    for counted in volume {
        let place = (counted.starts_at - from).num_seconds() / span.length().num_seconds();
        let bar = usize::try_from(place).ok().and_then(|place| bars.get_mut(place));
        if let Some(bar) = bar {
            bar.add(counted.tally, counted.runs);
        }
    }
    ChartView { span, bars }
}

fn bar(span: Span, at: DateTime<Utc>, is_first: bool) -> BarView {
    let starts = Moment::from(at);
    let mut words = starts.day.split(' ');
    let (day, month) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (label, second_label) = match span {
        Span::Day => (day.to_owned(), if is_first || at.day() == 1 { month } else { "" }.to_owned()),
        // On a phone there is room for every third hour.
        Span::Hour if !at.hour().is_multiple_of(3) => (String::new(), String::new()),
        Span::Hour => {
            let is_new = is_first || at.hour() == 0;
            (format!("{:02}", at.hour()), if is_new { format!("{day} {month}") } else { String::new() })
        }
    };
    BarView { starts, label, second_label, received: 0, succeeded: 0, skipped: 0, failed: 0 }
}

//! Bars over time, drawn on the server. Outcomes differ by hatching as well as by colour, and the same numbers stand in a table.
//!
//! Drawn here and not by a crate: those that draw SVG bring colours as fixed attributes, which neither follow the page's dark mode nor
//! carry a pattern, scale their labels down with the picture, and tell a screen reader nothing. Places along the time are in percent
//! and heights in pixels, so that the picture is as wide as the page and its text and hatching keep their size.

use leptos::prelude::*;
use store::Span;

use views::{
    format::grouped,
    overview::{BarView, ChartView},
};

/// The height of the bars, of what is above the highest, and of the labels beneath, in pixels.
const HEIGHT: i64 = 160;
const ABOVE: i64 = 14;
const BENEATH: i64 = 34;

/// What happened, in a word, and the name of its hatching.
const OUTCOMES: [(&str, &str); 3] = [
    ("In Sage", "fill-good stroke-good stroke-1"),
    ("Skipped", "fill-[url(#hatch-skipped)] stroke-idle stroke-1"),
    ("Failed", "fill-[url(#hatch-failed)] stroke-bad stroke-1"),
];
const RECEIVED: &str = "stroke-ink stroke-2 [stroke-dasharray:4_2]";
const LABEL: &str = "fill-ink-dim text-small lining-nums tabular-nums";

/// The chart, its legend and its table.
pub fn chart(chart: &ChartView) -> AnyView {
    let top = round_top(chart.bars.iter().map(|bar| bar.ended().max(bar.received)).max().unwrap_or_default());
    let count = chart.bars.len();
    let bars = chart.bars.iter().enumerate().map(|(place, bar)| column(bar, place, count, top, chart.span));
    let height = ABOVE + HEIGHT + BENEATH;
    view! {
        <figure class="panel grid gap-3 p-4">
            {legend()} <div class="grid grid-cols-[2.75rem_minmax(0,1fr)] gap-2">
                <svg class="block w-full" height=height aria-hidden="true">
                    {[top, top / 2, 0].map(|value| scale_label(value, top)).collect_view()}
                </svg>
                <svg class="block w-full" height=height role="img" aria-labelledby="chart-title" aria-describedby="chart-desc">
                    <title id="chart-title">{title(chart.span)}</title>
                    <desc id="chart-desc">{described(&chart.bars)}</desc>
                    {patterns()}
                    {[top, top / 2, 0].map(|value| rule(value, top)).collect_view()}
                    {bars.collect_view()}
                </svg>
            </div> {table(chart)}
        </figure>
    }
    .into_any()
}

const fn title(span: Span) -> &'static str {
    match span {
        Span::Hour => "Documents of the last 24 hours, by the hour (UTC)",
        Span::Day => "Documents of the last 14 days, by the day (UTC)",
    }
}

fn described(bars: &[BarView]) -> String {
    let sum = |of: fn(&BarView) -> i64| number(bars.iter().map(of).sum());
    format!(
        "{} received: {} posted to Sage, {} skipped, {} failed. The table below lists every number.",
        sum(|bar| bar.received),
        sum(|bar| bar.succeeded),
        sum(|bar| bar.skipped),
        sum(|bar| bar.failed)
    )
}

/// The next round number: 1, 2 or 5 and zeros; even, so that its half is whole.
fn round_top(most: i64) -> i64 {
    let tens = std::iter::successors(Some(1_i64), |ten| ten.checked_mul(10));
    tens.flat_map(|ten| [2, 4, 10].map(|digit| ten.saturating_mul(digit)))
        .find(|top| *top >= most)
        .unwrap_or(i64::MAX)
}

/// How far above the ground a number is; what is not nothing is seen.
fn pixels(value: i64, top: i64) -> i64 {
    let height = value.saturating_mul(HEIGHT) / top.max(1);
    if value > 0 { height.max(2) } else { 0 }
}

/// A place or width along the time, in percent of so many bars, with two decimals.
fn percent(hundredths: i64, count: usize) -> String {
    let count = i64::try_from(count).unwrap_or(1).max(1);
    let share = hundredths * 100 / count;
    format!("{}.{:02}%", share / 100, share % 100)
}

fn column(bar: &BarView, place: usize, count: usize, top: i64, span: Span) -> impl IntoView + use<> {
    let left = i64::try_from(place).unwrap_or_default() * 100;
    let (x, width, middle) = (percent(left + 12, count), percent(76, count), percent(left + 50, count));
    let mut ground = ABOVE + HEIGHT;
    let parts =
        [bar.succeeded, bar.skipped, bar.failed].into_iter().zip(OUTCOMES).map(|(value, (_, class))| {
            let height = pixels(value, top);
            ground -= height;
            (height > 0).then(
                || view! { <rect class=class x=x.clone() y=ground width=width.clone() height=height></rect> },
            )
        });
    let parts = parts.collect_view();
    let line = ABOVE + HEIGHT - pixels(bar.received, top);
    let (from, to) = (percent(left + 4, count), percent(left + 96, count));
    let received =
        (bar.received > 0).then(|| view! { <line class=RECEIVED x1=from x2=to y1=line y2=line></line> });
    let (first, second) = (ABOVE + HEIGHT + 14, ABOVE + HEIGHT + 28);
    view! {
        <g>
            <title>{spoken(bar, span)}</title>
            {parts}
            {received}
            <text class=LABEL x=middle.clone() y=first text-anchor="middle">
                {bar.label.clone()}
            </text>
            <text class=LABEL x=middle y=second text-anchor="middle">
                {bar.second_label.clone()}
            </text>
        </g>
    }
}

fn spoken(bar: &BarView, span: Span) -> String {
    let [received, succeeded, skipped, failed] =
        [bar.received, bar.succeeded, bar.skipped, bar.failed].map(number);
    let when = when(bar, span);
    format!("{when}: {received} received, {succeeded} in Sage, {skipped} skipped, {failed} failed")
}

fn when(bar: &BarView, span: Span) -> String {
    match span {
        Span::Day => bar.starts.day.clone(),
        Span::Hour => format!("{} {}", bar.starts.day, bar.starts.time.get(..5).unwrap_or_default()),
    }
}

fn scale_label(value: i64, top: i64) -> impl IntoView {
    let y = ABOVE + HEIGHT - value.saturating_mul(HEIGHT) / top.max(1) + 4;
    view! {
        <text class=LABEL x="100%" y=y text-anchor="end">
            {short(value)}
        </text>
    }
}

fn rule(value: i64, top: i64) -> impl IntoView {
    let y = ABOVE + HEIGHT - value.saturating_mul(HEIGHT) / top.max(1);
    view! { <line class="stroke-line" x1="0" x2="100%" y1=y y2=y></line> }
}

/// A round number in few characters: `500`, `20k`, `4M`.
fn short(value: i64) -> String {
    match value {
        ..10_000 => number(value),
        10_000..1_000_000 => format!("{}k", value / 1_000),
        _ => format!("{}M", value / 1_000_000),
    }
}

/// What outcomes are filled with: plain, one hatching, two that cross.
fn patterns() -> impl IntoView {
    view! {
        <defs>
            <pattern id="hatch-skipped" width="6" height="6" patternUnits="userSpaceOnUse">
                <rect class="fill-idle-tint" width="6" height="6"></rect>
                <path class="stroke-idle" d="M-1 5l2 2M0 0l6 6M5-1l2 2"></path>
            </pattern>
            <pattern id="hatch-failed" width="6" height="6" patternUnits="userSpaceOnUse">
                <rect class="fill-bad-tint" width="6" height="6"></rect>
                <path class="stroke-bad" d="M0 0l6 6M6 0l-6 6"></path>
            </pattern>
        </defs>
    }
}

fn legend() -> impl IntoView {
    let outcomes = OUTCOMES.map(|(label, class)| {
        view! {
            <li>
                <svg class="h-3 w-4" aria-hidden="true">
                    <rect class=class x="1" y="1" width="14" height="10"></rect>
                </svg>
                {label}
            </li>
        }
    });
    view! {
        <ul class="note row gap-y-1 *:inline-flex *:items-center *:gap-2">
            {outcomes.collect_view()} <li>
                <svg class="h-3 w-4" aria-hidden="true">
                    <line class=RECEIVED x1="0" x2="16" y1="6" y2="6"></line>
                </svg>
                "Received"
            </li>
        </ul>
    }
}

fn table(chart: &ChartView) -> impl IntoView + use<> {
    let span = chart.span;
    let rows = chart.bars.iter().rev().map(|bar| {
        let cells = [bar.received, bar.succeeded, bar.skipped, bar.failed];
        view! {
            <tr>
                <th scope="row">{when(bar, span)}</th>
                {cells.map(|value| view! { <td class="number">{number(value)}</td> }).collect_view()}
            </tr>
        }
    });
    let heads = ["Received", "In Sage", "Skipped", "Failed"];
    view! {
        <details class="chart-table">
            <summary class="text-ink-dim">"Show as a table"</summary>
            <table class="figures">
                <caption class="sr-only">{title(span)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{if span == Span::Day { "Day" } else { "Hour" }}</th>
                        {heads
                            .map(|head| {
                                view! {
                                    <th scope="col" class="number">
                                        {head}
                                    </th>
                                }
                            })
                            .collect_view()}
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </details>
    }
}

fn number(value: i64) -> String {
    grouped(value.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::{percent, pixels, round_top, short};

    #[test]
    fn the_scale_ends_at_a_round_number_with_a_whole_half() {
        for (most, top) in [(0, 2), (2, 2), (3, 4), (5, 10), (11, 20), (39, 40), (41, 100), (1_001, 2_000)] {
            assert_eq!(round_top(most), top, "{most}");
        }
    }

    #[test]
    fn what_is_little_is_seen_and_what_is_nothing_is_not() {
        assert_eq!((pixels(1, 1_000_000), pixels(0, 2), pixels(2, 2)), (2, 0, 160));
    }

    #[test]
    fn places_are_told_in_percent() {
        assert_eq!(percent(50, 14), "3.57%");
        assert_eq!(percent(1400, 14), "100.00%");
    }

    #[test]
    fn labels_are_short() {
        assert_eq!([500, 4_000, 20_000, 4_000_000].map(short), ["500", "4,000", "20k", "4M"]);
    }
}

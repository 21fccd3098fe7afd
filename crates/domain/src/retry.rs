//! Retry arithmetic: schedules are data, jitter is handed in.

use chrono::{DateTime, TimeDelta, Utc};

/// Waits between the tries of a run, in seconds: ten tries over about a day.
pub const RUN_SCHEDULE: &[i64] = &[15, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800];

/// Waits between the tries that follow them where it is not proved that the document is at fault, in seconds: every hour for more than
/// a week.
pub const LOW_SCHEDULE: &[i64] = &[3600; 180];

/// Waits between the deliveries of a sync state that a shop does not take although it answers, in seconds; the last one repeats.
pub const DELIVERY_SCHEDULE: &[i64] = &[10, 60, 300, 900, 1800];

/// Waits between the tries of an alert, in seconds: over about three days, as Standard Webhooks proposes.
pub const ALERT_SCHEDULE: &[i64] = &[5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// For how long who did not answer is left alone, in seconds, one time after another; the last one again and again.
pub const REST_SCHEDULE: &[i64] = &[5, 30, 120, 300, 900, 1800];

/// Waits between looks at a Sage business or a shop that does not answer, in seconds; the last one repeats. Whatever waited goes on
/// within five minutes of its return.
pub const OUTAGE_SCHEDULE: &[i64] = &[15, 30, 60, 120, 300];

/// The longest rest that a `Retry-After` may ask for, in seconds: a day, as long as Sage's own count of calls.
pub const LONGEST_REST: i64 = 86_400;

/// The longest wait that a `Retry-After` may ask for, in seconds.
pub const LONGEST_RETRY_AFTER: i64 = 3600;

/// When the next try is due after `attempts` tries have failed, or `None` when the schedule is at its end.
///
/// `retry_after` (seconds) overrides a shorter wait. `jitter` is 0 to 1000 thousandths: up to a quarter of the wait is added.
pub fn next(
    schedule: &[i64],
    attempts: u32,
    retry_after: Option<i64>,
    jitter: u16,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let index = usize::try_from(attempts.saturating_sub(1)).ok()?;
    let wait = *schedule.get(index)?;
    let wait_ms = wait * 1000 + wait * 250 * i64::from(jitter.min(1000)) / 1000;
    let asked_ms = retry_after.unwrap_or(0).clamp(0, LONGEST_RETRY_AFTER) * 1000;
    now.checked_add_signed(TimeDelta::milliseconds(wait_ms.max(asked_ms)))
}

/// Until when who did not answer is left alone, after so many `rests` one after another. `retry_after` and `jitter` are as for [`next`].
pub fn rest(
    schedule: &[i64],
    rests: u32,
    retry_after: Option<i64>,
    jitter: u16,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let longest = u32::try_from(schedule.len()).unwrap_or(u32::MAX);
    next(schedule, rests.saturating_add(1).min(longest), retry_after, jitter, now)
}

/// Until when a side rests that has rested so many times in a row already; no sooner than after `asked` seconds.
pub fn outage(
    schedule: &[i64],
    rests: u32,
    asked: Option<i64>,
    jitter: u16,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let index = usize::try_from(rests).unwrap_or(usize::MAX).min(schedule.len().saturating_sub(1));
    let wait = schedule.get(index).copied().unwrap_or_default();
    let wait_ms = wait * 1000 + wait * 250 * i64::from(jitter.min(1000)) / 1000;
    let asked_ms = asked.unwrap_or(0).clamp(0, LONGEST_REST) * 1000;
    now.checked_add_signed(TimeDelta::milliseconds(wait_ms.max(asked_ms))).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_grows_and_never_ends_for_good() {
        let now = DateTime::UNIX_EPOCH;
        let after = |rests| rest(&[5, 30], rests, None, 0, now).map(|until| (until - now).num_seconds());
        assert_eq!([after(0), after(1), after(2), after(u32::MAX)], [Some(5), Some(30), Some(30), Some(30)]);
        assert_eq!(rest(&[5], 0, Some(60), 0, now), Some(now + TimeDelta::minutes(1)));
    }

    #[test]
    fn ten_tries_spread_over_most_of_a_day() {
        assert_eq!(RUN_SCHEDULE.len() + 1, 10);
        let total: i64 = RUN_SCHEDULE.iter().sum();
        assert!((50_000..100_000).contains(&total), "{total}");
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(next(RUN_SCHEDULE, 1, None, 0, now), Some(now + TimeDelta::seconds(15)));
        assert_eq!(next(RUN_SCHEDULE, 9, None, 0, now), Some(now + TimeDelta::seconds(28_800)));
        assert_eq!(next(RUN_SCHEDULE, 10, None, 0, now), None);
        let low: i64 = LOW_SCHEDULE.iter().sum();
        assert!(total + low > 8 * 86_400, "eight days");
    }

    #[test]
    fn jitter_adds_at_most_a_quarter() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(next(&[100], 1, None, 1000, now), Some(now + TimeDelta::seconds(125)));
        assert_eq!(next(&[100], 1, None, 500, now), Some(now + TimeDelta::milliseconds(112_500)));
    }

    #[test]
    fn retry_after_is_obeyed_within_an_hour() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(next(&[10], 1, Some(42), 0, now), Some(now + TimeDelta::seconds(42)));
        assert_eq!(next(&[10], 1, Some(5), 0, now), Some(now + TimeDelta::seconds(10)));
        assert_eq!(next(&[10], 1, Some(1_000_000), 0, now), Some(now + TimeDelta::seconds(3600)));
    }

    #[test]
    fn rests_grow_to_five_minutes_and_no_further() {
        let now = DateTime::UNIX_EPOCH;
        let seconds = |rests| (outage(OUTAGE_SCHEDULE, rests, None, 0, now) - now).num_seconds();
        assert_eq!([0, 1, 2, 3, 4, 5, 1_000].map(seconds), [15, 30, 60, 120, 300, 300, 300]);
        assert_eq!(outage(&[10], 0, Some(90_000), 0, now), now + TimeDelta::days(1));
        assert_eq!(outage(&[10], 0, Some(2), 1000, now), now + TimeDelta::milliseconds(12_500));
    }
}

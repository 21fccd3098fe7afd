//! Sage's limits, kept before Sage has to: 150 calls at once and 1,296,000 a day for the app (its guide on best practices), and a
//! gentle rate per business of our own.
//!
//! They hold for one process, since they are counted in its memory. Several processes would need a share each, by a lease of
//! the store: not done yet.

use std::{
    fmt,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use domain::environment::Environment;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{CircuitSettings, Error, circuit::Circuits};

/// A rate of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls a second, in the long run.
    pub per_second: NonZeroU32,
    /// Calls at once after a pause.
    pub burst: NonZeroU32,
}

/// How often reads and token calls are tried again by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// Tries after the first.
    pub times: usize,
    /// The wait before the second try; it doubles.
    pub first_wait: Duration,
}

/// The limits as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Calls in flight for the app.
    pub in_flight: usize,
    /// Calls a day (UTC) for the app.
    pub per_day: u64,
    /// Calls for one business; `None` = as fast as they come (tests, benchmarks).
    pub per_business: Option<Rate>,
    /// When calls rest.
    pub circuit: CircuitSettings,
    /// Repeats of reads and token calls.
    pub repeats: Repeats,
}

const TWO: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
const TEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            in_flight: 150,
            per_day: 1_296_000,
            per_business: Some(Rate { per_second: TWO, burst: TEN }),
            circuit: CircuitSettings::default(),
            repeats: Repeats { times: 2, first_wait: Duration::from_millis(250) },
        }
    }
}

impl LimitSettings {
    /// For tests and benchmarks: no rate per business, and no repeats.
    pub fn unhurried() -> Self {
        let repeats = Repeats { times: 0, first_wait: Duration::ZERO };
        Self { per_business: None, repeats, ..Self::default() }
    }
}

/// The limits of one app, shared by every client of the process.
pub struct Limits {
    settings: LimitSettings,
    environment: Arc<dyn Environment>,
    in_flight: Semaphore,
    day: Mutex<(NaiveDate, u64)>,
    rates: Option<DefaultKeyedRateLimiter<String>>,
    circuits: Circuits,
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Limits {
    /// Limits that take the time from `environment`.
    pub fn new(settings: LimitSettings, environment: Arc<dyn Environment>) -> Self {
        let rates = settings
            .per_business
            .map(|rate| RateLimiter::keyed(Quota::per_second(rate.per_second).allow_burst(rate.burst)));
        Self {
            in_flight: Semaphore::new(settings.in_flight),
            day: Mutex::new((NaiveDate::MIN, 0)),
            rates,
            circuits: Circuits::new(settings.circuit),
            settings,
            environment,
        }
    }

    /// The time, as it was handed in.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.environment.now()
    }

    pub(crate) fn repeats(&self) -> Repeats {
        self.settings.repeats
    }

    /// Calls made since midnight (UTC).
    pub fn made_today(&self) -> u64 {
        let (day, made) = *self.day.lock().unwrap_or_else(PoisonError::into_inner);
        if day == self.now().date_naive() { made } else { 0 }
    }

    /// Calls in flight.
    pub fn in_flight(&self) -> usize {
        self.settings.in_flight.saturating_sub(self.in_flight.available_permits())
    }

    /// Whether calls for the business may be made now, before anything is done for them.
    ///
    /// # Errors
    ///
    /// [`Error::CircuitOpen`] and [`Error::DayUsedUp`] with the instant from which they may.
    pub fn ensure_open(&self, business: &str) -> Result<(), Error> {
        if let Some(until) = self.circuits.open_until(business, self.now()) {
            return Err(Error::CircuitOpen { until });
        }
        if self.made_today() >= self.settings.per_day {
            return Err(Error::DayUsedUp { until: midnight_after(self.now().date_naive()) });
        }
        Ok(())
    }

    /// Waits for a place for one call; the place is free again when the permit falls. `business` is `None` for calls that are
    /// no business's (tokens, the list of businesses).
    pub(crate) async fn admit(&self, business: Option<&str>) -> Result<SemaphorePermit<'_>, Error> {
        if let Some(business) = business {
            if let Some(until) = self.circuits.open_until(business, self.now()) {
                return Err(Error::CircuitOpen { until });
            }
            if let Some(rates) = &self.rates {
                rates.until_key_ready(&business.to_owned()).await;
            }
        }
        // The semaphore is never closed.
        let permit = self.in_flight.acquire().await.map_err(|_| Error::Setup)?;
        self.count()?;
        Ok(permit)
    }

    /// Notes how a call went.
    pub(crate) fn note(&self, business: Option<&str>, error: Option<&Error>) {
        if let Some(business) = business {
            self.circuits.note(business, error.is_some_and(Error::is_outage), self.now());
        }
    }

    fn count(&self) -> Result<(), Error> {
        let today = self.now().date_naive();
        let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        if day.0 != today {
            *day = (today, 0);
        }
        if day.1 >= self.settings.per_day {
            return Err(Error::DayUsedUp { until: midnight_after(today) });
        }
        day.1 += 1;
        Ok(())
    }
}

/// When the next day begins.
fn midnight_after(day: NaiveDate) -> DateTime<Utc> {
    day.checked_add_days(Days::new(1)).unwrap_or(day).and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stub::Still;

    #[tokio::test]
    async fn the_days_calls_are_counted_and_end_at_midnight() {
        let clock = Arc::new(Still::at(1_777_460_000));
        let settings = LimitSettings { per_day: 2, ..LimitSettings::unhurried() };
        let limits = Limits::new(settings, clock.clone());
        assert!(limits.admit(None).await.is_ok() && limits.admit(Some("b")).await.is_ok());
        assert_eq!(limits.made_today(), 2);
        let midnight = DateTime::from_timestamp(1_777_507_200, 0).unwrap();
        match limits.admit(None).await {
            Err(Error::DayUsedUp { until }) => assert_eq!(until, midnight),
            other => panic!("{other:?}"),
        }
        clock.set(1_777_507_200);
        assert!(limits.admit(None).await.is_ok());
        assert_eq!(limits.made_today(), 1);
    }

    #[tokio::test]
    async fn no_more_than_so_many_calls_are_in_flight() {
        let settings = LimitSettings { in_flight: 1, ..LimitSettings::unhurried() };
        let limits = Limits::new(settings, Arc::new(Still::at(0)));
        let first = limits.admit(None).await.unwrap();
        assert_eq!(limits.in_flight(), 1);
        let second = tokio::time::timeout(Duration::from_millis(5), limits.admit(None)).await;
        assert!(second.is_err(), "it waits");
        drop(first);
        assert!(limits.admit(None).await.is_ok());
    }

    #[tokio::test]
    async fn one_business_is_called_gently_and_another_at_once() {
        let one = NonZeroU32::MIN;
        let per_business = Some(Rate { per_second: one, burst: one });
        let settings = LimitSettings { per_business, ..LimitSettings::unhurried() };
        let limits = Limits::new(settings, Arc::new(Still::at(0)));
        let soon = Duration::from_millis(5);
        assert!(tokio::time::timeout(soon, limits.admit(Some("a"))).await.is_ok());
        assert!(tokio::time::timeout(soon, limits.admit(Some("a"))).await.is_err());
        assert!(tokio::time::timeout(soon, limits.admit(Some("b"))).await.is_ok());
    }
}

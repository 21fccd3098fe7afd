//! The state that all requests share.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, Utc};

use super::{Options, businesses, faults::Faults, late, tables::Ids, world::World};

/// Sage's limit of requests at once, for one app.
const SEATS: usize = 150;

/// The simulator's state, shared by all requests.
#[derive(Clone)]
pub struct Sim(Arc<Inner>);

struct Inner {
    options: Options,
    faults: Faults,
    world: Mutex<World>,
    seats: AtomicUsize,
    served: AtomicU64,
    /// Businesses in which a numbered POST is under way.
    busy: Mutex<HashSet<String>>,
    site: OnceLock<String>,
}

impl Sim {
    /// A fresh state.
    pub fn new(options: Options) -> Self {
        let world = Mutex::new(world_of(&options, (options.clock)()));
        Self(Arc::new(Inner {
            options,
            faults: Faults::default(),
            world,
            seats: AtomicUsize::new(0),
            served: AtomicU64::new(0),
            busy: Mutex::default(),
            site: OnceLock::new(),
        }))
    }

    /// The faults to order.
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Everything that is held, as `GET /_sim/books` shows it.
    pub fn books(&self) -> serde_json::Value {
        self.with_world(|world, _| super::books::show(world))
    }

    /// The next value of `x_request_id`.
    pub(super) fn request_id(&self) -> String {
        let number = self.0.served.fetch_add(1, Ordering::Relaxed);
        format!("{number:08x}-5a6e-4000-8000-{:012x}", self.0.options.seed)
    }

    pub(super) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(super) fn with_world<T>(&self, work: impl FnOnce(&mut World, DateTime<Utc>) -> T) -> T {
        let now = (self.0.options.clock)();
        let mut world = lock(&self.0.world);
        late::land(self, &mut world, now);
        work(&mut world, now)
    }

    /// Forgets everything, tokens and faults included.
    pub(super) fn reset(&self) {
        self.with_world(|world, now| *world = world_of(&self.0.options, now));
        self.0.faults.clear();
    }

    /// Tells where the server listens, for the links in replies.
    pub(super) fn set_site(&self, url: &str) {
        // A second server on one state keeps the first address.
        let _ = self.0.site.set(url.to_owned());
    }

    /// Where links to Sage's screens lead.
    pub(super) fn site(&self) -> &str {
        self.0.site.get().map_or("https://accounts-extra.sageone.com", String::as_str)
    }

    /// A place among the requests at once, while there is one.
    pub(super) fn sit(&self) -> Option<Seat> {
        let taken = self.0.seats.fetch_add(1, Ordering::SeqCst);
        let seat = Seat(self.clone());
        (taken < SEATS).then_some(seat)
    }

    /// The right to make something numbered in a business, while nobody else does.
    pub(super) fn enter(&self, business: &str) -> Option<Busy> {
        let entered = lock(&self.0.busy).insert(business.to_owned());
        entered.then(|| Busy { sim: self.clone(), business: business.to_owned() })
    }
}

/// A world with its businesses, as nobody has used it yet.
fn world_of(options: &Options, now: DateTime<Utc>) -> World {
    let ids = Ids::of(options.seed);
    let businesses = businesses::all(&ids, options.more_businesses, now);
    World::new(ids, businesses)
}

/// A place among the requests at once; given back on drop, also when the client hangs up.
pub(super) struct Seat(Sim);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.0.seats.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A business with a numbered POST under way.
pub(super) struct Busy {
    sim: Sim,
    business: String,
}

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.sim.0.busy).remove(&self.business);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Requests that a gateway gave up on and that the backend works later.

use chrono::{DateTime, Utc};

use super::{
    server::{Call, act},
    state::Sim,
    world::World,
};

/// A request that is worked when the clock has come so far.
pub(super) struct Late {
    pub(super) due: DateTime<Utc>,
    pub(super) call: Call,
    pub(super) body: Vec<u8>,
}

/// Works what is due by now, each at its own instant; nobody hears of the answer.
pub(super) fn land(sim: &Sim, world: &mut World, now: DateTime<Utc>) {
    while let Some(next) = next_due(world, now) {
        let Late { due, call, body } = world.late.remove(next);
        if let Err(refusal) = act(sim, world, due, &call, &body) {
            tracing::debug!(status = refusal.status, "a late request was refused");
        }
    }
}

fn next_due(world: &World, now: DateTime<Utc>) -> Option<usize> {
    let due = world.late.iter().enumerate().filter(|(_, late)| late.due <= now);
    due.min_by_key(|(_, late)| late.due).map(|(place, _)| place)
}

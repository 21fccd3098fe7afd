//! Everything that a run is worked with: the run, its lease, its binding, the settings and lists it is planned by.

use std::sync::Arc;

use domain::{business::ReferenceSet, code::Code, settings::Settings};
use messages::message;
use store::{Binding, Claimed, Fence};

use super::{disposition::AttemptError, lease::Lease};
use crate::Engine;

/// Everything that a run is worked with.
pub struct Work<'a> {
    /// The worker's parts.
    pub engine: &'a Engine,
    /// The run.
    pub claimed: &'a Claimed,
    /// The hold on it: to be asked just before anything is written.
    pub lease: &'a Lease,
    /// Its binding.
    pub binding: Binding,
    /// The Sage business.
    pub business: store::SageBusiness,
    /// The settings it was queued under.
    pub settings: Arc<Settings>,
    /// The business's lists.
    pub reference: Arc<ReferenceSet>,
}

impl Work<'_> {
    /// The run's fence.
    pub fn fence(&self) -> Fence {
        Fence { run_id: self.claimed.run.id, attempt_id: self.claimed.attempt_id }
    }
}

/// Reads what the claimed run is worked with; stops where it cannot be worked yet.
pub async fn prepare<'a>(
    engine: &'a Engine,
    claimed: &'a Claimed,
    lease: &'a Lease,
) -> Result<Work<'a>, AttemptError> {
    let run = &claimed.run;
    let missing =
        |what: &str| AttemptError::new(Code::Internal, message!(run_detail.record_gone, record = what));
    let binding = engine.store.binding(run.binding_id).await?.ok_or_else(|| missing("binding"))?;
    let business = binding.business.clone().ok_or_else(|| AttemptError::plain(Code::BindingPending))?;
    let settings = match run.settings_version {
        0 => engine.store.current_settings(binding.id).await?,
        version => engine.store.settings(binding.id, version).await?,
    };
    let settings = settings
        .ok_or_else(|| AttemptError::new(Code::NeedsMapping, message!(run_detail.no_settings)))?
        .settings;
    let reference = match engine.store.reference(binding.id).await? {
        Some(cached) => cached.set,
        None => engine.refresh_reference(&binding, None).await?,
    };
    let (settings, reference) = (Arc::new(settings), Arc::new(reference));
    Ok(Work { engine, claimed, lease, binding, business, settings, reference })
}

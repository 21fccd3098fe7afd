//! How far the shops of an organisation have come on their first day.

use async_trait::async_trait;
use domain::ids::{BindingId, OrganisationId};

use crate::Result;

/// How far a shop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupFacts {
    /// Which.
    pub binding_id: BindingId,
    /// Whether settings have been saved.
    pub has_settings: bool,
    /// Whether an invoice or a credit memo of it is in the Sage business that it is connected to.
    pub has_posted: bool,
}

/// First days.
#[async_trait]
pub trait Setups {
    /// How far each binding of an organisation has come, oldest binding first.
    async fn setups(&self, organisation: OrganisationId) -> Result<Vec<SetupFacts>>;
}

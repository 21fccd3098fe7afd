//! Sage businesses and shops that do not answer: they rest, and the runs behind them are left alone.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{code::Code, ids::BindingId, run::Side};

use crate::Result;

/// A rest that has not been ended by an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Why.
    pub code: Code,
    /// When the first of the rests in a row began.
    pub since: DateTime<Utc>,
    /// Until when nothing is claimed.
    pub until: DateTime<Utc>,
    /// Rests in a row, this one counted.
    pub rests: u32,
}

/// What a binding's two sides rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BindingRests {
    /// Its Sage business, shared with all bindings of that business.
    pub sage: Option<Rest>,
    /// Its shop.
    pub magento: Option<Rest>,
}

impl BindingRests {
    /// The rest of one side.
    pub const fn of(&self, side: Side) -> Option<Rest> {
        match side {
            Side::Sage => self.sage,
            Side::Magento => self.magento,
        }
    }
}

/// Rests. They begin with the end of an attempt ([`crate::Outcome::Resting`]) and end with that of one that got through.
#[async_trait]
pub trait Rests {
    /// What rests of a binding. A rest whose time is up stays until an attempt got through: the next one looks before it fetches.
    async fn rests(&self, binding: BindingId) -> Result<BindingRests>;
}

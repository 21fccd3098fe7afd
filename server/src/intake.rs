//! How many events each shop may send: in this process's memory, so that a flood costs no write.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use domain::{ids::BindingId, quota::Quotas};

use crate::routes::refusal::Refusal;

/// What the shops have sent lately.
pub struct Intake {
    quotas: Quotas,
    shops: Mutex<HashMap<BindingId, DateTime<Utc>>>,
}

impl Intake {
    /// Nothing was sent yet.
    pub fn new(quotas: Quotas) -> Self {
        Self { quotas, shops: Mutex::default() }
    }

    /// Takes one event of a shop whose token was checked.
    pub fn take(&self, shop: BindingId, now: DateTime<Utc>) -> Result<(), Refusal> {
        let mut shops = self.shops.lock().unwrap_or_else(PoisonError::into_inner);
        match self.quotas.take_event(shops.get(&shop).copied(), now) {
            Ok(whole_at) => {
                shops.insert(shop, whole_at);
                Ok(())
            }
            Err(wait) => Err(Refusal::TooManyEvents {
                quota: self.quotas.of_events(),
                seconds: u64::try_from(wait.num_seconds()).unwrap_or(0).saturating_add(1),
            }),
        }
    }
}

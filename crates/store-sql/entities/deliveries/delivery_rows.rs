//! Deliveries as rows.

use domain::{ids::BindingId, run::EntityKind};
use store::{Delivery, DeliveryState, Result, SyncState, Unanswered};
use store_sql::{Id, Instant, Word};

use crate::{
    db::Connection,
    entities::{
        Tried,
        rows::{self, Record},
    },
};

/// What tells a delivery's row from others.
pub(super) struct Key<'a> {
    pub(super) binding: BindingId,
    pub(super) entity: &'a str,
    pub(super) magento_id: i64,
}

#[derive(sqlx::FromRow)]
pub(super) struct DeliveryRow {
    binding_id: Id<BindingId>,
    entity: Word<EntityKind>,
    magento_id: i64,
    status: String,
    sage_id: Option<String>,
    sage_reference: Option<String>,
    skip_reason: Option<String>,
    error_code: Option<String>,
    at: Instant,
    version: i64,
    attempts: i32,
    trace_parent: Option<String>,
    unanswered_version: Option<i64>,
    unanswered_at: Option<Instant>,
    pub(super) next_at: Option<Instant>,
    delivered_at: Option<Instant>,
    last_error: Option<String>,
}

impl Record for DeliveryRow {
    type Value = Self;
    const TABLE: &'static str = "sync_state_deliveries";
    const KEY: &'static str = "magento_id";

    fn value(self) -> Result<Self> {
        Ok(self)
    }
}

impl DeliveryRow {
    /// The row as it is held by this claim, the try that begins counted.
    pub(super) fn held(self, claim: i64, rests: u32) -> Delivery {
        let unanswered = self.unanswered_version.zip(self.unanswered_at);
        Delivery {
            binding_id: self.binding_id.0,
            version: self.version,
            attempts: self.attempts + 1,
            trace_parent: self.trace_parent.clone(),
            claim,
            rests,
            unanswered: unanswered.map(|(version, at)| Unanswered { version, at: at.0 }),
            state: self.state(),
        }
    }

    fn state(self) -> SyncState {
        SyncState {
            entity: self.entity.0,
            magento_id: self.magento_id,
            status: self.status,
            sage_id: self.sage_id,
            sage_reference: self.sage_reference,
            skip_reason: self.skip_reason,
            error_code: self.error_code,
            at: self.at.0,
        }
    }
}

impl From<DeliveryRow> for DeliveryState {
    fn from(mut row: DeliveryRow) -> Self {
        Self {
            attempts: row.attempts,
            next_at: row.next_at.map(|at| at.0),
            delivered_at: row.delivered_at.map(|at| at.0),
            last_error: row.last_error.take(),
            state: row.state(),
        }
    }
}

pub(super) fn key_of(delivery: &Delivery) -> Key<'_> {
    let state = &delivery.state;
    Key { binding: delivery.binding_id, entity: state.entity.as_str(), magento_id: state.magento_id }
}

pub(super) async fn read(connection: &mut Connection, key: &Key<'_>) -> Tried<DeliveryRow> {
    let row = sqlx::query(
        "SELECT * FROM sync_state_deliveries WHERE binding_id = $1 AND entity = $2 AND magento_id = $3",
    );
    let row = row.bind(Id(key.binding)).bind(key.entity).bind(key.magento_id);
    Ok(rows::optional::<DeliveryRow>(row, connection).await?.ok_or(sqlx::Error::RowNotFound)?)
}

//! How far the shops of an organisation have come on their first day.

use async_trait::async_trait;
use domain::ids::{BindingId, OrganisationId};
use store::{Result, SetupFacts, Setups};
use store_sql::Id;

use super::rows::{self, Record};
use crate::driver::Driver;

#[derive(sqlx::FromRow)]
struct SetupRow {
    id: Id<BindingId>,
    has_settings: bool,
    has_posted: bool,
}

impl Record for SetupRow {
    type Value = SetupFacts;
    const TABLE: &'static str = "bindings";
    const KEY: &'static str = "id";

    fn value(self) -> Result<SetupFacts> {
        let Self { id, has_settings, has_posted } = self;
        Ok(SetupFacts { binding_id: id.0, has_settings, has_posted })
    }
}

#[async_trait]
impl Setups for Driver {
    async fn setups(&self, organisation: OrganisationId) -> Result<Vec<SetupFacts>> {
        // Cross-references are kept for ever, and their key leads straight to the first of a kind.
        let found = sqlx::query(
            "SELECT b.id,
                    EXISTS (SELECT 1 FROM settings_versions s WHERE s.binding_id = b.id) AS has_settings,
                    EXISTS (SELECT 1 FROM xrefs x WHERE x.binding_id = b.id AND x.business_id = b.business_id
                                                    AND x.kind IN ('invoice', 'creditmemo')) AS has_posted
               FROM bindings b WHERE b.organisation_id = $1 ORDER BY b.created_at, b.id",
        )
        .bind(Id(organisation));
        Ok(rows::all::<SetupRow>(found, self.reader()).await?)
    }
}

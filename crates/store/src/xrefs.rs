//! Cross-references: what a Magento entity is in Sage. Never deleted.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{contact_snapshot::ContactSnapshot, ids::BindingId, xref::XrefKey};

use crate::Result;

/// A cross-reference to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewXref {
    /// What.
    pub key: XrefKey,
    /// The Sage business.
    pub business_id: String,
    /// Sage's id.
    pub sage_id: String,
    /// What people see, such as `SI-27`.
    pub displayed_as: Option<String>,
}

/// A cross-reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xref {
    /// What.
    pub key: XrefKey,
    /// Sage's id.
    pub sage_id: String,
    /// What people see, such as `SI-27`.
    pub displayed_as: Option<String>,
    /// When it was kept first.
    pub created_at: DateTime<Utc>,
    /// What Magento told of a contact's customer when it was written last; none where that is not known.
    pub told: Option<ContactSnapshot>,
}

/// Cross-references.
#[async_trait]
pub trait Xrefs {
    /// Those of the keys that are known.
    async fn xrefs(&self, binding: BindingId, business: &str, keys: &[XrefKey]) -> Result<Vec<Xref>>;
}

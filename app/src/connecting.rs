//! What connecting needs of the outside. The server implements it: pages know neither Magento nor Sage.

use async_trait::async_trait;
use domain::{
    business::Named,
    ids::{BindingId, MemberId, OrganisationId},
};
use store::Binding;

use crate::error::AppError;

/// Reaches Magento and Sage for the pages. Errors say what a person can do.
#[async_trait]
pub trait Connecting: Send + Sync {
    /// Pairs a shop; nothing is kept unless Magento agrees.
    async fn pair(
        &self,
        organisation: OrganisationId,
        name: &str,
        url: &str,
        code: &str,
    ) -> Result<BindingId, AppError>;

    /// Begins a consent at Sage and returns the address to send the browser to. `country` is an ISO code.
    async fn begin_consent(
        &self,
        binding: BindingId,
        member: MemberId,
        country: Option<&str>,
    ) -> Result<String, AppError>;

    /// The businesses that the member's consent reaches, to choose from.
    async fn businesses(&self, binding: BindingId, member: MemberId) -> Result<Vec<Named>, AppError>;

    /// Connects a binding to one of them.
    async fn choose_business(
        &self,
        binding: &Binding,
        member: MemberId,
        business: &str,
    ) -> Result<(), AppError>;

    /// Revokes a binding and Sage's tokens.
    async fn disconnect(&self, binding: &Binding) -> Result<(), AppError>;

    /// Fetches the business's lists anew.
    async fn refresh_reference(&self, binding: &Binding) -> Result<(), AppError>;
}

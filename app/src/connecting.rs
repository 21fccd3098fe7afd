//! What connecting needs of the outside. The server implements it: pages know neither Magento nor Sage.

use async_trait::async_trait;
use domain::{
    business::{Named, ReferenceList},
    ids::{BindingId, MemberId, OrganisationId},
    preflight::{Finding, FindingCode},
};
use store::{Action, Binding};

use crate::{
    error::{AppError, ErrorCode},
    screen::settings::Method,
};

/// A shop that was paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paired {
    /// Its binding.
    pub id: BindingId,
    /// Whether it had one before, which goes on.
    pub is_revived: bool,
    /// Whether Sage must still be connected.
    pub sage_is_missing: bool,
    /// What stops the shop although pairing worked.
    pub problem: Option<FindingCode>,
}

/// How far the connecting of a business has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// This list is being fetched.
    Fetching(ReferenceList),
    /// It went wrong, and nothing was connected.
    Failed(ErrorCode),
}

/// Reaches Magento and Sage for the pages. Errors say what a person can do. What is done for somebody is kept with the record of it.
#[async_trait]
pub trait Connecting: Send + Sync {
    /// Pairs a shop, and asks it at once whether it takes our calls; nothing is kept unless Magento agrees.
    async fn pair(
        &self,
        organisation: OrganisationId,
        name: &str,
        url: &str,
        code: &str,
        action: &Action,
    ) -> Result<Paired, AppError>;

    /// Begins a consent at Sage and returns the address to send the browser to. `country` is an ISO code.
    async fn begin_consent(
        &self,
        binding: BindingId,
        member: MemberId,
        country: Option<&str>,
        action: &Action,
    ) -> Result<String, AppError>;

    /// The businesses that the member's consent reaches, to choose from.
    async fn businesses(&self, binding: BindingId, member: MemberId) -> Result<Vec<Named>, AppError>;

    /// Begins to connect a binding to one of them, and answers at once; where that is under way already, it goes on.
    async fn choose_business(&self, binding: &Binding, member: MemberId, business: &str, action: &Action);

    /// How far that has come; none where it is over and went well, or where this process knows nothing of it.
    fn progress(&self, binding: BindingId) -> Option<Progress>;

    /// Revokes a binding and Sage's tokens.
    async fn disconnect(&self, binding: &Binding, action: &Action) -> Result<(), AppError>;

    /// The shop's payment methods as they are now. Asked for a page that somebody waits for: it gives up early.
    async fn payment_methods(&self, binding: &Binding) -> Result<Vec<Method>, AppError>;

    /// Fetches the business's lists again; on record where somebody asks for it.
    async fn refresh_reference(&self, binding: &Binding, action: Option<&Action>) -> Result<(), AppError>;

    /// What will fail before the first invoice does. The shop and Sage are asked only where `ask` says so, which takes seconds.
    async fn preflight(&self, binding: &Binding, ask: bool) -> Result<Vec<Finding>, AppError>;
}

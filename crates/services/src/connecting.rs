//! What connecting needs of Magento and Sage, done by the engine. Its errors become those that a person can act on.

use std::{sync::Arc, time::Duration};

use domain::{
    business::Named,
    ids::{BindingId, MemberId, OrganisationId},
    preflight::{Finding, FindingCode},
    run::BindingStatus,
};
use magento::{TransportFailure, UrlError};
use store::{Action, Binding};
use sync::{ConnectError, Engine, PairRequest};
use tokio::time::timeout;
use views::{
    error::{AppError, ErrorCode, FieldError},
    settings::PaymentMethod,
};

use crate::connection_progress::{Fetching, Progress};

/// The longest that a page waits for the shop.
const PATIENCE: Duration = Duration::from_secs(3);

/// A shop that was paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairedShop {
    /// Its binding.
    pub id: BindingId,
    /// Whether it had one before, which goes on.
    pub is_revived: bool,
    /// Whether Sage must still be connected.
    pub sage_is_missing: bool,
    /// What stops the shop although pairing worked.
    pub problem: Option<FindingCode>,
}

/// Reaches Magento and Sage; the engine's futures are large, so each is kept off whoever waits for it. Errors say what a person can do. What is done for somebody is kept with the record of it.
pub struct Connecting {
    engine: Arc<Engine>,
    /// Where Magento finds us.
    public_url: String,
    /// What this process is connecting just now.
    fetching: Arc<Fetching>,
}

impl Connecting {
    /// Connections of this process.
    pub fn new(engine: Arc<Engine>, public_url: String) -> Self {
        Self { engine, public_url, fetching: Arc::default() }
    }

    /// Pairs a shop, and asks it at once whether it takes our calls; nothing is kept unless Magento agrees.
    pub async fn pair(
        &self,
        organisation: OrganisationId,
        name: &str,
        url: &str,
        code: &str,
        action: &Action,
    ) -> Result<PairedShop, AppError> {
        let request =
            PairRequest { organisation, name, magento_url: url, code, ledger_url: &self.public_url };
        let paired =
            Box::pin(self.engine.pair(&request, Some(action))).await.map_err(|error| for_a_person(&error))?;
        let sage_is_missing = paired.binding.status == BindingStatus::Pending;
        let (id, is_revived, problem) = (paired.binding.id, paired.is_revived, paired.problem);
        Ok(PairedShop { id, is_revived, sage_is_missing, problem })
    }

    /// Begins a consent at Sage and returns the address to send the browser to. `country` is an ISO code.
    pub async fn begin_consent(
        &self,
        binding: BindingId,
        member: MemberId,
        country: Option<&str>,
        action: &Action,
    ) -> Result<String, AppError> {
        let url = Box::pin(self.engine.begin_consent(binding, member, country, Some(action))).await;
        Ok(url.map_err(|error| for_a_person(&error))?.into())
    }

    /// The businesses that the member's consent reaches, to choose from, each with the code of its country.
    pub async fn businesses(
        &self,
        binding: BindingId,
        member: MemberId,
    ) -> Result<Vec<(Named, Option<String>)>, AppError> {
        Box::pin(self.engine.consented_businesses(binding, member))
            .await
            .map_err(|error| for_a_person(&error))
    }

    /// Begins to connect a binding to one of them, and answers at once; where that is under way already, it goes on.
    pub fn choose_business(&self, binding: &Binding, member: MemberId, business: &str, action: &Action) {
        let Some(underway) = self.fetching.begin(binding.id) else { return };
        let (engine, binding, business) = (Arc::clone(&self.engine), binding.clone(), business.to_owned());
        let action = action.clone();
        // A task of its own: the browser gets its answer at once, and may go away.
        tokio::spawn(async move {
            let chosen = engine
                .choose_business(&binding, member, &business, &|list| underway.reach(list), Some(&action))
                .await;
            underway.end(chosen.map(drop).map_err(|error| for_a_person(&error)));
        });
    }

    /// How far that has come; none where it is over and went well, or where this process knows nothing of it.
    pub fn progress(&self, binding: BindingId) -> Option<Progress> {
        self.fetching.look(binding)
    }

    /// Revokes a binding and Sage's tokens.
    pub async fn disconnect(&self, binding: &Binding, action: &Action) -> Result<(), AppError> {
        Box::pin(self.engine.disconnect(binding, Some(action))).await.map_err(|error| for_a_person(&error))
    }

    /// The shop's payment methods as they are now. Asked for a page that somebody waits for: it gives up early.
    pub async fn payment_methods(&self, binding: &Binding) -> Result<Vec<PaymentMethod>, AppError> {
        let asked = timeout(PATIENCE, Box::pin(self.engine.payment_methods(binding))).await;
        let methods = asked.map_err(|_| AppError::new(ErrorCode::ShopTimedOut))?;
        let methods = methods.map_err(|error| for_a_person(&error))?.into_iter();
        let method = |method: magento::PaymentMethod| PaymentMethod {
            label: method.label.unwrap_or_default(),
            code: method.code,
            is_active: method.is_active,
        };
        Ok(methods.map(method).collect())
    }

    /// Fetches the business's lists again; on record where somebody asks for it.
    pub async fn refresh_reference(
        &self,
        binding: &Binding,
        action: Option<&Action>,
    ) -> Result<(), AppError> {
        let refreshed = Box::pin(self.engine.refresh_reference(binding, action)).await;
        refreshed.map(drop).map_err(|error| for_a_person(&error.into()))
    }

    /// What will fail before the first invoice does. The shop and Sage are asked only where `ask` says so, which takes seconds.
    pub async fn preflight(&self, binding: &Binding, ask: bool) -> Result<Vec<Finding>, AppError> {
        Ok(Box::pin(self.engine.preflight(binding, ask)).await?)
    }
}

/// The error that a page shows, logged here with what the page does not say.
pub fn for_a_person(error: &ConnectError) -> AppError {
    let shown = match error {
        ConnectError::Magento(error) => of_magento(error),
        ConnectError::Sage(error) => AppError::new(of_sage(error)),
        ConnectError::Store(store::Error::Unavailable(_)) => ErrorCode::Unavailable.into(),
        ConnectError::Store(_) | ConnectError::Credential(_) => ErrorCode::Internal.into(),
        ConnectError::NoSuchBusiness(_) => ErrorCode::NoBusiness.into(),
        ConnectError::BusinessTaken { by_same_shop: true, .. } => ErrorCode::BusinessTakenBySameShop.into(),
        ConnectError::BusinessTaken { .. } => ErrorCode::BusinessTaken.into(),
        ConnectError::PairingUnderWay => ErrorCode::PairingUnderWay.into(),
        ConnectError::ConsentUsedUp => ErrorCode::ConsentUsedUp.into(),
    };
    tracing::warn!(error = %error, code = shown.code.as_str(), "connecting did not work");
    shown
}

fn of_magento(error: &magento::Error) -> AppError {
    let of_field = |field, wrong| AppError::new(ErrorCode::Invalid).field(field, wrong);
    match error {
        magento::Error::Url(UrlError::NotHttps) => {
            AppError::new(ErrorCode::ShopNotHttps).field("url", FieldError::InvalidFormat)
        }
        magento::Error::Url(UrlError::Private) => ErrorCode::ShopPrivate.into(),
        magento::Error::Url(_) => of_field("url", FieldError::InvalidFormat),
        magento::Error::PairingCode => of_field("code", FieldError::InvalidFormat),
        magento::Error::PairingRefused => ErrorCode::PairingRefused.into(),
        magento::Error::ModuleMissing => ErrorCode::ModuleMissing.into(),
        magento::Error::Redirected { .. } => ErrorCode::ShopRedirects.into(),
        magento::Error::Unreachable(TransportFailure::NotConnected) => ErrorCode::ShopUnreachable.into(),
        magento::Error::Unreachable(_) => ErrorCode::ShopTimedOut.into(),
        magento::Error::Setup => ErrorCode::Internal.into(),
        _ => ErrorCode::ShopTrouble.into(),
    }
}

const fn of_sage(error: &sage::Error) -> ErrorCode {
    match error {
        sage::Error::App { .. } => ErrorCode::SageApp,
        sage::Error::Reauthorise { .. } | sage::Error::Unauthorised(_) => ErrorCode::ConsentUsedUp,
        sage::Error::Forbidden(_) | sage::Error::NotFound(_) | sage::Error::OtherBusiness(_) => {
            ErrorCode::NoBusiness
        }
        _ => ErrorCode::SageTrouble,
    }
}

//! What the pages need of Magento and Sage, done by the engine. Its errors become those that a person can act on.

use std::sync::Arc;

use app::{
    connecting::Connecting,
    error::{AppError, ErrorCode, FieldError},
};
use async_trait::async_trait;
use domain::{
    business::Named,
    ids::{BindingId, MemberId, OrganisationId},
};
use magento::{Lost, UrlError};
use store::Binding;
use sync::{ConnectError, Engine, PairRequest};

/// The engine, as the pages know it.
pub struct Connections {
    engine: Arc<Engine>,
    /// Where Magento finds us.
    public_url: String,
}

impl Connections {
    /// Connections of this process.
    pub const fn new(engine: Arc<Engine>, public_url: String) -> Self {
        Self { engine, public_url }
    }
}

#[async_trait]
impl Connecting for Connections {
    async fn pair(
        &self,
        organisation: OrganisationId,
        name: &str,
        url: &str,
        code: &str,
    ) -> Result<BindingId, AppError> {
        let request =
            PairRequest { organisation, name, magento_url: url, code, ledger_url: &self.public_url };
        Ok(self.engine.pair(&request).await.map_err(|error| for_a_person(&error))?.id)
    }

    async fn begin_consent(
        &self,
        binding: BindingId,
        member: MemberId,
        country: Option<&str>,
    ) -> Result<String, AppError> {
        let url = self.engine.begin_consent(binding, member, country).await;
        Ok(url.map_err(|error| for_a_person(&error))?.into())
    }

    async fn businesses(&self, binding: BindingId, member: MemberId) -> Result<Vec<Named>, AppError> {
        self.engine.consented_businesses(binding, member).await.map_err(|error| for_a_person(&error))
    }

    async fn choose_business(
        &self,
        binding: &Binding,
        member: MemberId,
        business: &str,
    ) -> Result<(), AppError> {
        let chosen = self.engine.choose_business(binding, member, business).await;
        chosen.map(drop).map_err(|error| for_a_person(&error))
    }

    async fn disconnect(&self, binding: &Binding) -> Result<(), AppError> {
        self.engine.disconnect(binding).await.map_err(|error| for_a_person(&error))
    }

    async fn refresh_reference(&self, binding: &Binding) -> Result<(), AppError> {
        let refreshed = self.engine.refresh_reference(binding).await;
        refreshed.map(drop).map_err(|error| for_a_person(&error.into()))
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
        ConnectError::BusinessTaken(_) => ErrorCode::BusinessTaken.into(),
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
        magento::Error::Unreachable(Lost::NotConnected) => ErrorCode::ShopUnreachable.into(),
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

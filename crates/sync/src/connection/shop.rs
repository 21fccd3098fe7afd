//! The shop of a binding, as the module's address and keys.

use domain::code::Code;
use magento::SubKeys;
use messages::message;
use store::{Binding, CredentialKind};

pub use magento::Shop;

use super::credentials;
use crate::{Engine, attempt::disposition::AttemptError};

/// The shop of a binding, with the keys that its calls need.
pub async fn shop(engine: &Engine, binding: &Binding) -> Result<Shop, AttemptError> {
    let kind = CredentialKind::MagentoApiKey;
    let (api_key, _) = credentials::open(engine.store.as_ref(), &engine.keys, binding.id, kind)
        .await?
        .ok_or_else(|| AttemptError::new(Code::MagentoAuth, message!(run_detail.no_shop_key)))?;
    let url = engine.magento.shop_url(&binding.magento_url)?;
    Ok(Shop { url, tenant: binding.id, keys: SubKeys::derive(&api_key) })
}

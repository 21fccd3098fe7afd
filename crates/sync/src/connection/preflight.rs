//! Asks both sides what will fail before the first invoice does. Each question has its own time, all are asked at once, and one
//! that is not answered is said to be so.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{
    business::Named,
    code::Code,
    ids::BindingId,
    money::Currency,
    preflight::{Access, Area, Facts, Finding, Live, SageAnswer, ShopAnswer, findings},
    run::BindingStatus,
    settings::Settings,
};
use futures::future::join_all;
use sage::{Connection, Finances};
use store::{Binding, CredentialKind, PageRequest, RunFilter, SageBusiness};
use tokio::time::timeout;

use crate::{
    Engine,
    connection::{
        shop::{self, Shop},
        tokens::StoredTokens,
    },
};

/// How long a question may take. A person waits for the answer.
const PATIENCE: Duration = Duration::from_secs(8);

/// How many of the newest runs tell the currencies that the shop sells in.
const LATELY: u32 = 200;

impl Engine {
    /// What will fail. The shop and Sage are asked only where `ask` says so: without, nothing leaves the machine.
    pub async fn preflight(&self, binding: &Binding, ask: bool) -> store::Result<Vec<Finding>> {
        let business = binding.business.as_ref().filter(|_| binding.status != BindingStatus::Pending);
        let cached = self.store.reference(binding.id).await?.filter(|_| business.is_some());
        let settings = self.store.current_settings(binding.id).await?.map(|version| version.settings);
        let filter = RunFilter { binding: Some(binding.id), ..RunFilter::default() };
        let newest = PageRequest { filter, limit: LATELY, ..PageRequest::default() };
        let runs = self.store.page_runs(binding.organisation_id, &newest).await?.runs;
        let currencies = runs.into_iter().filter_map(|run| run.facts.currency?.parse::<Currency>().ok());
        let live = if ask { Some(self.ask_both(binding, business, settings.as_ref()).await) } else { None };
        Ok(findings(&Facts {
            today: self.environment.now().date_naive(),
            reference: cached.as_ref().map(|cached| &cached.set),
            settings: settings.as_ref(),
            currencies: &currencies.collect(),
            live: live.as_ref(),
        }))
    }

    /// Asks the shop alone whether it takes our tokens, and lets its binding stop or work accordingly: a shop that was disconnected
    /// while nobody listened refuses, and one whose proxy was fixed accepts again.
    pub async fn ask_shop(&self, binding: &Binding) -> Live {
        let begun = self.environment.now();
        let live = self.ping_shop(binding).await;
        let heeded = match live.shop {
            Some(ShopAnswer::Refuses) if !self.was_paired_since(binding.id, begun).await => {
                self.shop_refuses(binding.id).await
            }
            Some(ShopAnswer::Good) => self.shop_accepts(binding.id).await,
            _ => Ok(()),
        };
        if let Err(problem) = heeded {
            tracing::warn!(binding = %binding.id, error = %problem, "what the shop answered could not be noted");
        }
        live
    }

    async fn shop_refuses(&self, binding: BindingId) -> store::Result<()> {
        self.store.note_refusal(binding, Code::MagentoAuth).await?;
        let (active, refused) = (BindingStatus::Active, BindingStatus::NeedsReauth);
        self.store
            .change_binding_status(binding, active, refused, self.environment.now(), None)
            .await
            .map(drop)
    }

    async fn shop_accepts(&self, binding: BindingId) -> store::Result<()> {
        if self.store.refusal(binding).await? == Some(Code::MagentoAuth) {
            let (refused, active) = (BindingStatus::NeedsReauth, BindingStatus::Active);
            self.store.change_binding_status(binding, refused, active, self.environment.now(), None).await?;
        }
        Ok(())
    }

    /// Whether the shop has had a new key since then: a refusal of the old one says nothing any more.
    pub(crate) async fn was_paired_since(&self, binding: BindingId, then: DateTime<Utc>) -> bool {
        let key = self.store.credential(binding, CredentialKind::MagentoApiKey).await;
        key.is_ok_and(|key| key.is_some_and(|key| key.updated_at >= then))
    }

    async fn ping_shop(&self, binding: &Binding) -> Live {
        let shop = match shop::shop(self, binding).await {
            Ok(shop) => shop,
            Err(error) => return Live { shop: without_a_call(error.code), ..Live::default() },
        };
        let pinged = timeout(PATIENCE, self.magento.ping(&shop)).await;
        let (answer, shop_clock_ahead) = match &pinged {
            Ok(Ok(fetched)) => (Some(ShopAnswer::Good), fetched.clock_ahead),
            Ok(Err(magento::Error::Auth { clock_ahead })) => (Some(ShopAnswer::Refuses), *clock_ahead),
            Ok(Err(error)) => (Some(shop_answer(error)), None),
            Err(_) => (None, None),
        };
        Live { shop: answer, shop_clock_ahead, ..Live::default() }
    }

    async fn ask_both(
        &self,
        binding: &Binding,
        business: Option<&SageBusiness>,
        settings: Option<&Settings>,
    ) -> Live {
        let (shop, payment_methods, sage) =
            tokio::join!(self.ask_shop(binding), self.ask_methods(binding), async {
                match business {
                    Some(business) => self.ask_sage(binding, business, settings).await,
                    None => Live::default(),
                }
            });
        let Live { shop, shop_clock_ahead, .. } = shop;
        Live { shop, shop_clock_ahead, payment_methods, ..sage }
    }

    /// The shop's payment methods that are switched on.
    async fn ask_methods(&self, binding: &Binding) -> Option<Vec<Named>> {
        let shop: Shop = shop::shop(self, binding).await.ok()?;
        let fetched = timeout(PATIENCE, self.magento.payment_methods(&shop)).await.ok()?.ok()?;
        let active = fetched.value.into_iter().filter(|method| method.is_active);
        Some(active.map(|method| Named { name: name_of(&method), id: method.code }).collect())
    }

    async fn ask_sage(
        &self,
        binding: &Binding,
        business: &SageBusiness,
        settings: Option<&Settings>,
    ) -> Live {
        let tokens = StoredTokens::new(self, binding.id);
        let connection = Connection::new(&self.sage, &business.id, &tokens);
        let areas = Area::needed(settings);
        let (subscriptions, finances, accesses) = tokio::join!(
            timeout(PATIENCE, connection.business(&business.id)),
            timeout(PATIENCE, connection.finances()),
            join_all(areas.iter().map(|area| timeout(PATIENCE, connection.look_into(list_of(*area))))),
        );
        let in_force = |business: sage::Business| -> Vec<String> {
            let active = business.subscriptions.into_iter().filter(|subscription| subscription.active);
            active.map(|subscription| subscription.id).collect()
        };
        let (answer, subscriptions) = match subscriptions {
            Ok(Ok(business)) => (Some(SageAnswer::Good), Some(in_force(business))),
            Ok(Err(error)) => (sage_answer(&error), None),
            Err(_) => (None, None),
        };
        let finances: Option<Finances> = finances.ok().and_then(Result::ok);
        let accesses = accesses.into_iter().map(|looked| looked.ok().and_then(|looked| access(&looked)));
        Live {
            sage: answer,
            sage_clock_ahead: finances.and_then(|finances| finances.clock_ahead),
            subscriptions,
            locked_until: finances.map(|finances| finances.locked_until),
            areas: areas.iter().copied().zip(accesses).collect(),
            ..Live::default()
        }
    }
}

fn name_of(method: &magento::PaymentMethod) -> String {
    match method.label.as_deref().map(str::trim) {
        Some(label) if !label.is_empty() => format!("{label} ({})", method.code),
        _ => method.code.clone(),
    }
}

/// What is known of a shop that cannot even be called; none where the store or the keys are at fault.
const fn without_a_call(code: Code) -> Option<ShopAnswer> {
    match code {
        Code::MagentoAuth => Some(ShopAnswer::Refuses),
        Code::MagentoUnreachable => Some(ShopAnswer::Unreachable),
        _ => None,
    }
}

const fn shop_answer(error: &magento::Error) -> ShopAnswer {
    match error {
        magento::Error::Auth { .. } => ShopAnswer::Refuses,
        magento::Error::ModuleMissing => ShopAnswer::ModuleMissing,
        magento::Error::Redirected { .. } => ShopAnswer::Redirects,
        magento::Error::Unreachable(_) | magento::Error::Url(_) => ShopAnswer::Unreachable,
        _ => ShopAnswer::Trouble,
    }
}

/// What a failure says of the connection as a whole; none where Sage could simply not be asked. 403 on the business itself means
/// that access was withdrawn (Sage's guide on best practices).
const fn sage_answer(error: &sage::Error) -> Option<SageAnswer> {
    match error {
        sage::Error::Reauthorise { .. }
        | sage::Error::Unauthorised(_)
        | sage::Error::Forbidden(_)
        | sage::Error::NotFound(_)
        | sage::Error::OtherBusiness(_) => Some(SageAnswer::Refuses),
        _ => None,
    }
}

const fn access(looked: &Result<(), sage::Error>) -> Option<Access> {
    match looked {
        Ok(()) => Some(Access::Granted),
        Err(sage::Error::Forbidden(_)) => Some(Access::Denied),
        Err(sage::Error::Plan(_)) => Some(Access::NotInPlan),
        Err(_) => None,
    }
}

/// The list of an area, below the API's base.
const fn list_of(area: Area) -> &'static str {
    match area {
        Area::Contacts => "/contacts",
        Area::Sales => "/sales_invoices",
        Area::CreditNotes => "/sales_credit_notes",
        Area::Bank => "/contact_payments",
        Area::Allocations => "/contact_allocations",
        Area::Products => "/products",
        Area::Stock => "/stock_items",
    }
}

//! How far shops have come on their first day, and what comes next.

use std::collections::HashMap;

use domain::{
    ids::{BindingId, OrganisationId},
    setup::{Setup, SetupStep},
};
use messages::message;
use store::{Binding, SetupFacts};
use views::{
    bindings::{connect_href, href},
    error::AppError,
    settings,
    setup::{SetupStepView, SetupView},
};

use crate::{Member, Services, permission::Permission};

/// How far the organisation's shops have come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setups(HashMap<BindingId, SetupFacts>);

impl Setups {
    /// Reads them.
    pub(crate) async fn of(services: &Services, organisation: OrganisationId) -> Result<Self, AppError> {
        let facts = services.store.setups(organisation).await?;
        Ok(Self(facts.into_iter().map(|facts| (facts.binding_id, facts)).collect()))
    }

    /// How far one has come.
    pub(crate) fn get(&self, binding: &Binding) -> Setup {
        let has_business = binding.business.is_some();
        let facts = self.0.get(&binding.id);
        Setup {
            has_consent: has_business,
            has_business,
            has_settings: facts.is_some_and(|facts| facts.has_settings),
            has_posted: facts.is_some_and(|facts| facts.has_posted),
        }
    }
}

/// The steps of the first shop, before it is paired.
pub fn before_pairing(member: &Member) -> SetupView {
    SetupView { shop: None, steps: steps(SetupStep::Pair, member, ""), test: None }
}

/// The steps of a shop; none once it is set up.
pub(crate) fn view(binding: &Binding, setup: Setup, member: &Member) -> Option<SetupView> {
    let next = setup.next()?;
    let id = binding.id.to_string();
    let may_send = next == SetupStep::FirstDocument && member.may(Permission::RetryRuns);
    Some(SetupView {
        shop: Some((binding.name.clone(), href(&id))),
        steps: steps(next, member, &id),
        test: may_send.then_some(id),
    })
}

fn steps(next: SetupStep, member: &Member, binding: &str) -> Vec<SetupStepView> {
    let view = |step: SetupStep| {
        let is_next = step == next;
        let may = member.may(permission(step));
        let hint = if may { step.hint() } else { whom_to_ask(step) };
        SetupStepView {
            step,
            is_done: step < next,
            is_next,
            href: (is_next && may).then(|| place(step, binding)),
            hint: is_next.then(|| hint.to_owned()),
        }
    };
    SetupStep::ALL.map(view).into()
}

const fn permission(step: SetupStep) -> Permission {
    match step {
        SetupStep::Pair | SetupStep::Consent | SetupStep::Business => Permission::ConnectShops,
        SetupStep::Settings => Permission::ChangeSettings,
        SetupStep::FirstDocument => Permission::RetryRuns,
    }
}

const fn whom_to_ask(step: SetupStep) -> &'static str {
    match step {
        SetupStep::Pair | SetupStep::Consent | SetupStep::Business => message!(setup.text.ask_owner),
        SetupStep::Settings => message!(setup.text.ask_accountant),
        SetupStep::FirstDocument => message!(setup.text.ask_operator),
    }
}

fn place(step: SetupStep, binding: &str) -> String {
    match step {
        SetupStep::Pair => "/dashboard/connect-magento".to_owned(),
        SetupStep::Consent | SetupStep::Business => connect_href(binding),
        SetupStep::Settings => settings::href(binding),
        SetupStep::FirstDocument => format!("{}#first-document", href(binding)),
    }
}

//! The service functions behind the pages of bindings.

use domain::{
    Decimal,
    business::{Named, ReferenceSet},
    health::Stage,
    ids::BindingId,
    run::{ActionKind, BindingStatus, RunStatus},
    settings::Settings,
    setup::{Setup, ShopState},
};
use messages::message;
use store::{ActionFilter, Binding, PageRequest, RunFilter, SettingsVersion};
use views::{
    bindings::{
        BackfillView, BindingView, BusinessView, ConnectView, ProgressView, checked_href, connect_href,
    },
    error::{AppError, ErrorCode, FieldError},
    flash::Flash,
    format::Moment,
    preflight::PreflightView,
    setup::SetupView,
};

use crate::{
    Member, Services, connecting::PairedShop, connection_progress::Progress,
    history::operator_actions::action, permission::Permission, session, settings::country_name, setup,
    setup::Setups, visit::Visit,
};

/// The organisation's bindings, oldest first.
pub async fn list(services: &Services, member: &Member) -> Result<Vec<BindingView>, AppError> {
    let mut views = Vec::new();
    let setups = Setups::of(services, member.organisation()).await?;
    for binding in services.store.list_bindings(member.organisation()).await? {
        let far = setups.get(&binding);
        views.push(view(services, member, binding, far).await?);
    }
    Ok(views)
}

/// One of them.
pub async fn one(services: &Services, member: &Member, id: &str) -> Result<BindingView, AppError> {
    let binding = own(services, member, id).await?;
    let far = Setups::of(services, member.organisation()).await?.get(&binding);
    view(services, member, binding, far).await
}

fn business((Named { id, name }, country): (Named, Option<String>)) -> BusinessView {
    let country = country.map(|code| country_name(&code).map_or(code, str::to_owned));
    BusinessView { id, name, country }
}

/// One of them, on its way to Sage.
pub async fn on_its_way(services: &Services, member: &Member, id: &str) -> Result<ConnectView, AppError> {
    let member = member.require(Permission::ConnectShops)?;
    let binding = own(services, member, id).await?;
    let businesses = services.connecting.businesses(binding.id, member.id()).await?;
    let mut businesses: Vec<_> = businesses.into_iter().map(business).collect();
    let before = binding.business.as_ref().map(|business| business.id.clone());
    // The one that was connected before comes first.
    businesses.sort_by_key(|business| Some(&business.id) != before.as_ref());
    let before = before.filter(|before| businesses.iter().any(|business| business.id == *before));
    let far = Setups::of(services, member.organisation()).await?.get(&binding);
    let others = services.store.list_bindings(member.organisation()).await?.into_iter();
    let others = others.filter(|other| other.id != binding.id && other.status != BindingStatus::Revoked);
    let taken = others.filter_map(|other| Some((other.business?.id, other.name))).collect();
    let far = Setup { has_consent: far.has_consent || !businesses.is_empty(), ..far };
    Ok(ConnectView { binding: view(services, member, binding, far).await?, businesses, before, taken })
}

/// Pairs a shop.
pub async fn pair(
    services: &Services,
    member: &Member,
    name: &str,
    url: &str,
    code: &str,
) -> Result<PairedShop, AppError> {
    let member = member.require(Permission::ConnectShops)?;
    let (name, url, code) = (name.trim(), url.trim(), code.trim());
    let mut error = AppError::new(ErrorCode::Invalid);
    for (field, typed, longest) in [("name", name, 100), ("url", url, 250), ("code", code, 64)] {
        if typed.is_empty() {
            error = error.field(field, FieldError::Required);
        } else if typed.chars().count() > longest {
            error = error.field(field, FieldError::TooLong);
        }
    }
    let paired = if error.fields.is_empty() {
        let record = action(services, member, ActionKind::Paired, (None, None), &format!("{name}, {url}"));
        services.connecting.pair(member.organisation(), name, url, code, &record).await
    } else {
        Err(error)
    };
    // The code is good for one shop: it is not put into an address.
    paired.map_err(|error| error.echo("name", name).echo("url", url))
}

/// Begins a consent; returns Sage's address.
pub async fn begin_consent(
    services: &Services,
    member: &Member,
    id: &str,
    country: &str,
) -> Result<String, AppError> {
    let member = member.require(Permission::ConnectShops)?;
    let binding = own(services, member, id).await?;
    let country = Some(country).filter(|country| !country.is_empty());
    let record = action(services, member, ActionKind::ConsentBegun, (Some(binding.id), None), "");
    services.connecting.begin_consent(binding.id, member.id(), country, &record).await
}

/// Begins to connect a binding to a business of the consent.
pub async fn choose_business(
    services: &Services,
    member: &Member,
    id: &str,
    business: &str,
) -> Result<(), AppError> {
    let member = member.require(Permission::ConnectShops)?;
    let binding = own(services, member, id).await?;
    let record = action(services, member, ActionKind::BusinessChosen, (Some(binding.id), None), business);
    services.connecting.choose_business(&binding, member.id(), business, &record);
    Ok(())
}

/// How far that has come, and where it leads when it is over.
pub async fn progress(services: &Services, member: &Member, id: &str) -> Result<ProgressView, AppError> {
    let member = member.require(Permission::ConnectShops)?;
    let binding = own(services, member, id).await?.id;
    let href = match services.connecting.progress(binding) {
        Some(Progress::Fetching(list)) => {
            return Ok(ProgressView::Fetching { binding: binding.to_string(), list });
        }
        Some(Progress::Failed(code)) => format!("{}&problem={}", connect_href(id), code.as_str()),
        // Over, or not known here: the binding itself says where it stands by now.
        None if own(services, member, id).await?.status == BindingStatus::Active => {
            Flash::Connected.on(&checked_href(id))
        }
        None => connect_href(id),
    };
    Ok(ProgressView::Over { href })
}

/// Pauses a working binding, or lets a paused one work.
pub async fn pause(services: &Services, member: &Member, id: &str, pause: bool) -> Result<Flash, AppError> {
    let member = member.require(Permission::PauseShops)?;
    let binding = own(services, member, id).await?;
    let (from, to, flash) = if pause {
        (BindingStatus::Active, BindingStatus::Paused, Flash::Paused)
    } else {
        (BindingStatus::Paused, BindingStatus::Active, Flash::Resumed)
    };
    if binding.status == from {
        let kind = if pause { ActionKind::Paused } else { ActionKind::Resumed };
        let record = action(services, member, kind, (Some(binding.id), None), "");
        if !services.store.change_binding_status(binding.id, from, to, record.at, Some(&record)).await? {
            return Err(ErrorCode::Invalid.into());
        }
    } else if binding.status != to {
        // Neither works nor is paused: its page offers neither.
        return Err(ErrorCode::Invalid.into());
    }
    Ok(flash)
}

/// Disconnects a binding, once its owner has shown again who they are.
pub async fn disconnect(
    services: &Services,
    member: &Member,
    visit: &Visit,
    id: &str,
    password: String,
) -> Result<Flash, AppError> {
    let member = member.require(Permission::ConnectShops)?;
    let binding = own(services, member, id).await?;
    session::confirm_password(services, member, &visit.caller, "password", password).await?;
    let record = action(services, member, ActionKind::Disconnected, (Some(binding.id), None), "");
    services.connecting.disconnect(&binding, &record).await?;
    Ok(Flash::Disconnected)
}

/// Fetches the business's lists again.
pub async fn refresh(services: &Services, member: &Member, id: &str) -> Result<Flash, AppError> {
    let member = member.require(Permission::CheckShops)?;
    let binding = own(services, member, id).await?;
    let record = action(services, member, ActionKind::ListsRefreshed, (Some(binding.id), None), "");
    services.connecting.refresh_reference(&binding, Some(&record)).await?;
    Ok(Flash::Refreshed)
}

/// Makes the suggested settings the binding's first ones.
pub async fn take_suggestions(services: &Services, member: &Member, id: &str) -> Result<Flash, AppError> {
    let member = member.require(Permission::ChangeSettings)?;
    let binding = own(services, member, id).await?;
    let cached = services.store.reference(binding.id).await?;
    let settings = cached.and_then(|cached| suggested(&cached.set)).ok_or(ErrorCode::NotFound)?;
    let first = SettingsVersion {
        version: 1,
        settings,
        author: Some(member.id()),
        reason: None,
        created_at: services.environment.now(),
    };
    let about = (Some(binding.id), None);
    let record = action(
        services,
        member,
        ActionKind::SettingsSaved,
        about,
        message!(action_details.suggested_settings),
    );
    match services.store.save_settings(binding.id, &first, Some(&record)).await {
        Ok(()) => Ok(Flash::SettingsTaken),
        Err(store::Error::Conflict(_)) => Err(ErrorCode::SettingsExist.into()),
        Err(error) => Err(error.into()),
    }
}

/// What will fail before the first invoice does. Who may do nothing about it does not make Ledger ask both sides.
pub async fn preflight(
    services: &Services,
    member: &Member,
    id: &str,
    ask: bool,
) -> Result<PreflightView, AppError> {
    let binding = own(services, member, id).await?;
    let may_ask = member.may(Permission::CheckShops);
    let asked = ask && may_ask;
    // What is disconnected posts nothing, and is meant to.
    let findings = match binding.status {
        BindingStatus::Revoked => Vec::new(),
        _ => services.connecting.preflight(&binding, asked).await?,
    };
    Ok(PreflightView { findings, asked, may_ask })
}

/// A binding of the member's organisation; another's does not exist for them.
pub(crate) async fn own(services: &Services, member: &Member, id: &str) -> Result<Binding, AppError> {
    let id: BindingId = id.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    let found = services.store.binding(id).await?;
    found
        .filter(|binding| binding.organisation_id == member.organisation())
        .ok_or_else(|| ErrorCode::NotFound.into())
}

/// The steps of a binding's first day; none once it is set up.
pub async fn setup_of(services: &Services, member: &Member, id: &str) -> Result<Option<SetupView>, AppError> {
    let binding = own(services, member, id).await?;
    let far = Setups::of(services, member.organisation()).await?.get(&binding);
    Ok(setup::view(&binding, far, member))
}

/// Who paused a shop that is paused, and when: its newest pause of all that are recorded.
async fn paused_by(services: &Services, binding: &Binding) -> Result<Option<(String, Moment)>, AppError> {
    if binding.status != BindingStatus::Paused {
        return Ok(None);
    }
    let pauses =
        ActionFilter { kind: Some(ActionKind::Paused), binding: Some(binding.id), ..ActionFilter::default() };
    let newest = services.store.list_actions(binding.organisation_id, &pauses, None, 1).await?;
    Ok(newest.into_iter().next().map(|action| (action.actor.name, action.at.into())))
}

async fn view(
    services: &Services,
    member: &Member,
    binding: Binding,
    far: Setup,
) -> Result<BindingView, AppError> {
    let succeeded = RunFilter {
        binding: Some(binding.id),
        status: Some(RunStatus::Succeeded),
        event: None,
        ..RunFilter::default()
    };
    let newest = PageRequest { filter: succeeded, limit: 1, ..PageRequest::default() };
    let last = services.store.page_runs(member.organisation(), &newest).await?.runs.into_iter().next();
    let reference = services.store.reference(binding.id).await?;
    let suggestions = reference
        .as_ref()
        .filter(|_| !far.has_settings)
        .map(|cached| suggestions(&cached.set))
        .unwrap_or_default();
    let health = services.store.health(binding.id).await?;
    let is_paused_by_ledger = binding.status == BindingStatus::Paused && health.stage == Stage::Paused;
    let refusal = services.store.refusal(binding.id).await?;
    let backfill = services.store.backfill(binding.id).await?;
    Ok(BindingView {
        pair_href: pair_href(&binding),
        state: ShopState::of(binding.status, far),
        setup: setup::view(&binding, far, member),
        refusal,
        backfill: backfill.map(|backfill| BackfillView {
            stage: backfill.stage,
            found: backfill.found,
            queued: backfill.queued,
            code: backfill.code,
            ended_at: backfill.ended_at.map(Into::into),
        }),
        paused_by: if is_paused_by_ledger { None } else { paused_by(services, &binding).await? },
        paused_after: is_paused_by_ledger.then_some(health.failed_in_a_row),
        id: binding.id.to_string(),
        name: binding.name,
        shop: binding.magento_url,
        business: binding.business.map(|business| format!("{} ({})", business.name, business.country)),
        status: binding.status,
        since: binding.status_changed_at.into(),
        last_sync: last.and_then(|run| run.finished_at).map(Into::into),
        events: services.quotas.of_events(),
        lists_fetched: reference.map(|cached| cached.fetched_at.into()),
        suggestions,
        may_set: member.may(Permission::ChangeSettings),
        may_pause: member.may(Permission::PauseShops),
        may_connect: member.may(Permission::ConnectShops),
    })
}

/// The form that pairs a shop, filled in.
fn pair_href(binding: &Binding) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("name", &binding.name).append_pair("url", &binding.magento_url);
    format!("/dashboard/connect-magento?{}", query.finish())
}

/// The suggested settings, where they keep every rule: a business without a sales account suggests none.
fn suggested(reference: &ReferenceSet) -> Option<Settings> {
    Some(Settings::suggested(reference)).filter(|settings| settings.check(reference).is_empty())
}

/// What they say, in names.
fn suggestions(reference: &ReferenceSet) -> Vec<(String, String)> {
    let Some(settings) = suggested(reference) else { return Vec::new() };
    let rate = |id: &str| name_of(reference.tax_rates.iter().map(|rate| (&rate.id, &rate.name)), id);
    let account = reference.ledger_accounts.iter().map(|account| (&account.id, &account.name));
    let bank = reference.bank_accounts.iter().map(|bank| (&bank.id, &bank.name));
    let mut named = Vec::new();
    if let Some(id) = &settings.default_ledger_account_id {
        named.push((message!(fields.default_ledger_account_id.label).to_owned(), name_of(account, id)));
    }
    if let Some(id) = &settings.default_bank_account_id {
        named.push((message!(fields.default_bank_account_id.label).to_owned(), name_of(bank, id)));
    }
    if let Some(id) = &settings.default_tax_rate_id {
        named.push((message!(fields.default_tax_rate_id.label).to_owned(), rate(id)));
    }
    let mut rates: Vec<_> = settings.tax_rate_map.iter().collect();
    rates.sort_by_key(|(percentage, _)| std::cmp::Reverse(percentage.parse::<Decimal>().unwrap_or_default()));
    named.extend(
        rates
            .into_iter()
            .map(|(percentage, id)| (message!(suggestions.tax_rate, percentage = percentage), rate(id))),
    );
    named
}

fn name_of<'a>(mut named: impl Iterator<Item = (&'a String, &'a String)>, id: &str) -> String {
    named.find(|(own, _)| *own == id).map_or_else(|| id.to_owned(), |(_, name)| name.clone())
}

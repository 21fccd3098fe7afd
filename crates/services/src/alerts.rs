//! The service functions behind the page of alerts. A channel is its member's own: whoever may look may be told.

mod groups;

use chrono::TimeDelta;
use domain::{
    alert::{AlertKind, AlertMode, ChannelKind},
    environment::Environment,
    ids::{AlertChannelId, BindingId},
    run::ActionKind,
};
use messages::message;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use store::{Action, AlertChannel, AlertProof, AlertWants};
use views::{
    alerts::{AlertsView, ChannelView},
    error::{AppError, ErrorCode, FieldError},
    flash::Flash,
    people::ShownSecret,
};

use crate::{
    Member, Services,
    history::operator_actions::action,
    people::wrong_with_email,
    permission::Permission,
    purse::all_books,
    rate_limit::{self, RateLimit},
    reveal_once::RevealOnce,
    visit::Visit,
};

/// How many channels a member may have.
const CHANNELS: usize = 10;

/// So many alerts are read.
const READ: u32 = 500;

/// How many groups of them the page shows.
const SHOWN: usize = 50;

/// How long a code that proves an address is good.
const PROOF: TimeDelta = TimeDelta::hours(1);

/// What a person chose in a form.
pub struct ChannelChoices {
    /// Words of kinds.
    pub kinds: Vec<String>,
    /// Ids of shops; none is all.
    pub bindings: Vec<String>,
    /// A word of a mode.
    pub mode: String,
}

/// Everything on the page.
pub async fn own(services: &Services, member: &Member, visit: &Visit) -> Result<AlertsView, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    let (store, organisation) = (&*services.store, member.organisation());
    let channels = store.list_alert_channels(member.id()).await?.into_iter().map(view);
    let shops = store.list_bindings(organisation).await?.into_iter();
    let alerts = store.list_alerts(organisation, READ).await?;
    let books = all_books(services, organisation).await?;
    Ok(AlertsView {
        email: member.email().to_owned(),
        sends_mail: services.alerting.sends_mail(),
        secret: RevealOnce::Secret.take(services, member, visit)?.map(ShownSecret),
        channels: channels.collect(),
        shops: shops.map(|shop| (shop.id.to_string(), shop.name)).collect(),
        alerts: groups::grouped(&alerts, &books, SHOWN),
    })
}

fn view(channel: AlertChannel) -> ChannelView {
    ChannelView {
        id: channel.id.to_string(),
        kind: channel.kind,
        target: channel.target,
        is_confirmed: channel.confirmed_at.is_some(),
        kinds: channel.wants.kinds,
        bindings: channel.wants.bindings.map(|ids| ids.iter().map(BindingId::to_string).collect()),
        mode: channel.wants.mode,
        last_ok: channel.last_ok_at.map(Into::into),
        last_error: channel.last_error,
        off_since: channel.disabled_at.map(Into::into),
    }
}

/// Adds an e-mail address, and sends the code that proves it; the member's own as well, because who let them in may have typed it.
pub async fn add_mail(
    services: &Services,
    member: &Member,
    visit: &Visit,
    address: &str,
    mode: &str,
) -> Result<Flash, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    let address = address.trim().to_lowercase();
    let error = AppError::new(ErrorCode::Invalid).echo("email", &address);
    if let Some(wrong) = wrong_with_email(&address) {
        return Err(error.field("email", wrong));
    }
    if !services.alerting.sends_mail() {
        return Err(ErrorCode::MailNotSetUp.into());
    }
    let mut channel = new_channel(services, member, ChannelKind::Email, address, mode).await?;
    channel.confirmed_at = None;
    let client = visit.caller.address;
    let (store, now) = (&*services.store, services.environment.now());
    // Whatever comes of it is counted: the mails are written to somebody who may not want them.
    let _counted =
        rate_limit::take(store, now, RateLimit::Message, &member.person().to_string(), client).await?;
    let code = new_code(&*services.environment);
    let proof = AlertProof { code_hash: code_hash(&code), until: now + PROOF };
    services.alerting.send_code(&channel.target, &code).await?;
    let record = record(services, member, ActionKind::ChannelAdded, &channel);
    store.create_alert_channel(&channel, Some(&proof), Some(&record)).await?;
    Ok(Flash::CodeSent)
}

/// Adds a webhook. Its secret is shown once, by the page that follows.
pub async fn add_webhook(
    services: &Services,
    member: &Member,
    visit: &Visit,
    url: &str,
    mode: &str,
) -> Result<Flash, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    let typed = url.trim();
    if typed.is_empty() {
        return Err(AppError::new(ErrorCode::Invalid).field("url", FieldError::Required));
    }
    let checked = services.alerting.check_url(typed);
    let url = checked.map_err(|error| error.echo("url", typed).field("url", FieldError::Refused))?;
    let mut channel = new_channel(services, member, ChannelKind::Webhook, url, mode).await?;
    let secret = services.alerting.new_secret();
    channel.envelope = Some(services.sealing.seal(&secret, &AlertChannel::bound_to(channel.id))?);
    let record = record(services, member, ActionKind::ChannelAdded, &channel);
    services.store.create_alert_channel(&channel, None, Some(&record)).await?;
    tracing::info!(channel = %channel.id, by = %member.id(), "a webhook is added");
    show(services, member, visit, &secret)?;
    Ok(Flash::Saved)
}

/// A channel that tells of everything.
async fn new_channel(
    services: &Services,
    member: &Member,
    kind: ChannelKind,
    target: String,
    mode: &str,
) -> Result<AlertChannel, AppError> {
    if services.store.list_alert_channels(member.id()).await?.len() >= CHANNELS {
        return Err(ErrorCode::TooManyChannels.into());
    }
    let now = services.environment.now();
    let mode: AlertMode = mode.parse().map_err(|_| AppError::new(ErrorCode::Invalid))?;
    Ok(AlertChannel {
        id: AlertChannelId(services.environment.id()),
        member_id: member.id(),
        kind,
        target,
        envelope: None,
        version: 1,
        wants: AlertWants { kinds: AlertKind::ALL.to_vec(), bindings: None, mode },
        created_at: now,
        confirmed_at: Some(now),
        last_ok_at: None,
        last_error: None,
        disabled_at: None,
    })
}

/// Confirms an address by the code that was sent there.
pub async fn confirm(services: &Services, member: &Member, id: &str, code: &str) -> Result<Flash, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    let (store, now, hash) = (&*services.store, services.environment.now(), code_hash(&typed(code)));
    let channel = one(services, member, id).await?;
    let record = record(services, member, ActionKind::ChannelConfirmed, &channel);
    if store.confirm_alert_channel(member.id(), channel.id, &hash, now, Some(&record)).await? {
        Ok(Flash::Saved)
    } else {
        Err(AppError::new(ErrorCode::WrongProof))
    }
}

/// Changes of what a channel tells, and switches it on again.
pub async fn change(
    services: &Services,
    member: &Member,
    id: &str,
    chosen: &ChannelChoices,
) -> Result<Flash, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    let invalid = || AppError::new(ErrorCode::Invalid);
    let shops = services.store.list_bindings(member.organisation()).await?;
    let shop = |id: &String| {
        let id: BindingId = id.parse().map_err(|_| invalid())?;
        shops.iter().any(|shop| shop.id == id).then_some(id).ok_or_else(|| ErrorCode::NotFound.into())
    };
    let bindings = chosen.bindings.iter().map(shop).collect::<Result<Vec<_>, AppError>>()?;
    let kind = |word: &String| word.parse().map_err(|_| invalid());
    let wants = AlertWants {
        kinds: chosen.kinds.iter().map(kind).collect::<Result<_, _>>()?,
        bindings: Some(bindings).filter(|ids| !ids.is_empty()),
        mode: chosen.mode.parse().map_err(|_| invalid())?,
    };
    let channel = one(services, member, id).await?;
    let record = record(services, member, ActionKind::ChannelChanged, &channel);
    services.store.change_alert_channel(member.id(), channel.id, &wants, Some(&record)).await?;
    Ok(Flash::Saved)
}

/// Gives a webhook a new secret in place of the old one. It is shown once, by the page that follows.
pub async fn roll_secret(
    services: &Services,
    member: &Member,
    visit: &Visit,
    id: &str,
) -> Result<Flash, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    let channel = one(services, member, id).await?;
    if channel.kind != ChannelKind::Webhook {
        return Err(ErrorCode::NotFound.into());
    }
    let secret = services.alerting.new_secret();
    let envelope = services.sealing.seal(&secret, &AlertChannel::bound_to(channel.id))?;
    let record = record(services, member, ActionKind::SecretRenewed, &channel);
    services.store.put_alert_secret(channel.id, &envelope, channel.version, Some(&record)).await?;
    tracing::info!(channel = %channel.id, by = %member.id(), "a webhook has a new secret");
    show(services, member, visit, &secret)?;
    Ok(Flash::Saved)
}

/// Sends a test.
pub async fn send_test(
    services: &Services,
    member: &Member,
    visit: &Visit,
    id: &str,
) -> Result<Flash, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    let channel = one(services, member, id).await?;
    if channel.confirmed_at.is_none() {
        return Err(ErrorCode::NotFound.into());
    }
    let client = visit.caller.address;
    let (store, now) = (&*services.store, services.environment.now());
    let _counted =
        rate_limit::take(store, now, RateLimit::Message, &member.person().to_string(), client).await?;
    services.alerting.send_test(&channel).await?;
    Ok(Flash::TestSent)
}

/// Removes a channel.
pub async fn remove(services: &Services, member: &Member, id: &str) -> Result<Flash, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    // One that is gone already needs no removing.
    if let Ok(channel) = one(services, member, id).await {
        let record = record(services, member, ActionKind::ChannelRemoved, &channel);
        services.store.remove_alert_channel(member.id(), channel.id, Some(&record)).await?;
    }
    Ok(Flash::Saved)
}

/// A record of what somebody does with a channel. Of a webhook's address the path may be a secret.
fn record(services: &Services, member: &Member, kind: ActionKind, channel: &AlertChannel) -> Action {
    let target = match channel.kind {
        ChannelKind::Email => channel.target.clone(),
        ChannelKind::Webhook => {
            let host =
                url::Url::parse(&channel.target).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
            message!(action_details.webhook, host = host.unwrap_or_default())
        }
    };
    action(services, member, kind, (None, None), &target)
}

fn read_id(id: &str) -> Result<AlertChannelId, AppError> {
    id.parse().map_err(|_| ErrorCode::NotFound.into())
}

/// A channel of the member's; another's does not exist for them.
async fn one(services: &Services, member: &Member, id: &str) -> Result<AlertChannel, AppError> {
    let id = read_id(id)?;
    let channels = services.store.list_alert_channels(member.id()).await?;
    channels.into_iter().find(|channel| channel.id == id).ok_or_else(|| ErrorCode::NotFound.into())
}

fn show(services: &Services, member: &Member, visit: &Visit, secret: &SecretString) -> Result<(), AppError> {
    RevealOnce::Secret.keep(services, member, visit, secret.expose_secret())
}

/// A new code: ten hexadecimal digits, 40 random bits. Within its hour nobody guesses it.
fn new_code(environment: &dyn Environment) -> String {
    let mut bytes = [0; 5];
    environment.random(&mut bytes);
    hex::encode_upper(bytes)
}

/// A code without what people put in between.
fn typed(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

fn code_hash(code: &str) -> String {
    hex::encode(Sha256::digest(code.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_taken_as_people_write_it() {
        assert_eq!(typed(" 0a1b2-c3d4e \n"), "0A1B2C3D4E");
        assert_eq!(code_hash("0A1B2C3D4E").len(), 64);
    }
}

//! The service functions behind the page of an organisation's people.

use chrono::TimeDelta;
use domain::{
    ids::{InvitationId, MemberId},
    run::{ActionKind, Role},
};
use store::Invitation;
use views::{
    error::{AppError, ErrorCode, FieldError},
    flash::Flash,
    people::{InvitationView, PeopleView, PersonView, ShownSecret},
};

use crate::{
    Member, Services, history::operator_actions::action, permission::Permission, reveal_once::RevealOnce,
    session, tokens, visit::Visit,
};

/// How long an invitation is good.
const INVITATION: TimeDelta = TimeDelta::days(7);

/// The longest e-mail address (RFC 5321), in bytes.
const LONGEST_EMAIL: usize = 254;

/// Everybody in the organisation; for owners also who is invited, and the link that was just made.
pub async fn everybody(services: &Services, member: &Member, visit: &Visit) -> Result<PeopleView, AppError> {
    let is_owner = member.require(Permission::Look)?.may(Permission::ManagePeople);
    let colleagues = services.store.list_members(member.organisation()).await?;
    let people = colleagues.into_iter().map(|colleague| PersonView {
        is_me: colleague.member.id == member.id(),
        id: colleague.member.id.to_string(),
        name: colleague.member.name,
        email: colleague.member.email,
        role: colleague.member.role,
        is_proved: colleague.member.proved_at.is_some(),
        has_second_factor: is_owner.then_some(colleague.has_second_factor),
    });
    let people = people.collect();
    if !is_owner {
        return Ok(PeopleView {
            people,
            invitations: Vec::new(),
            is_owner,
            link: None,
            asks_password: false,
            organisation: member.organisation().to_string(),
        });
    }
    let open = services.store.list_invitations(member.organisation(), services.environment.now()).await?;
    let invitations = open.into_iter().map(|invitation| InvitationView {
        id: invitation.id.to_string(),
        email: invitation.email,
        role: invitation.role,
        until: invitation.expires_at.into(),
    });
    let link = RevealOnce::Link.take(services, member, visit)?.map(ShownSecret);
    let asks_password = !session::is_proved(services, member);
    Ok(PeopleView {
        people,
        invitations: invitations.collect(),
        is_owner,
        link,
        asks_password,
        organisation: member.organisation().to_string(),
    })
}

/// Invites somebody. The link is shown once, by the page that follows.
pub async fn invite(
    services: &Services,
    member: &Member,
    visit: &Visit,
    (organisation, email, role): (&str, &str, &str),
    password: String,
) -> Result<(), AppError> {
    let member = member.require(Permission::ManagePeople)?;
    member.stands_in(organisation)?;
    let email = email.trim().to_lowercase();
    let chosen: Option<Role> = role.parse().ok();
    let mut error = AppError::new(ErrorCode::Invalid).echo("email", &email).echo("role", role);
    if let Some(wrong) = wrong_with_email(&email) {
        error = error.field("email", wrong);
    }
    if chosen.is_none() {
        error = error.field("role", FieldError::Unknown);
    }
    let Some(chosen) = chosen.filter(|_| error.fields.is_empty()) else { return Err(error) };
    let confirmed = session::confirm_person(services, member, &visit.caller, password).await;
    confirmed.map_err(|refused| refused.echo("email", &email).echo("role", role))?;
    let role = chosen;
    let (token, now) = (tokens::new_token(&*services.environment), services.environment.now());
    let open = services.store.list_invitations(member.organisation(), now).await?;
    if open.len() >= services.quotas.open_invitations {
        return Err(ErrorCode::QuotaReached.into());
    }
    let invitation = Invitation {
        id: InvitationId(services.environment.id()),
        organisation_id: member.organisation(),
        email,
        role,
        invited_by: member.id(),
        created_at: now,
        expires_at: now + INVITATION,
    };
    let says = format!("{}, {role}", invitation.email);
    let record = action(services, member, ActionKind::Invited, (None, None), &says);
    let token_hash = tokens::token_hash(&token);
    match services.store.create_invitation(&invitation, &token_hash, Some(&record)).await {
        Ok(()) => {}
        Err(store::Error::Conflict(_)) => {
            error.code = ErrorCode::AlreadyMember;
            return Err(error.field("email", FieldError::Refused));
        }
        Err(error) => return Err(error.into()),
    }
    tracing::info!(invitation = %invitation.id, by = %member.id(), "somebody is invited");
    let link = format!("{}/invitation/{token}", services.public_url);
    RevealOnce::Link.keep(services, member, visit, &link)
}

/// What is wrong with an e-mail address that was typed.
pub(crate) fn wrong_with_email(email: &str) -> Option<FieldError> {
    let well_formed = || {
        let (name, host) = email.rsplit_once('@')?;
        let whole = !name.is_empty() && !host.is_empty();
        (whole && !email.contains(|letter: char| letter.is_whitespace() || letter.is_control())).then_some(())
    };
    match email {
        "" => Some(FieldError::Required),
        _ if email.len() > LONGEST_EMAIL => Some(FieldError::TooLong),
        _ if well_formed().is_none() => Some(FieldError::InvalidFormat),
        _ => None,
    }
}

/// Withdraws an invitation.
pub async fn withdraw(services: &Services, member: &Member, id: &str) -> Result<Flash, AppError> {
    let member = member.require(Permission::ManagePeople)?;
    let id: InvitationId = id.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    let open = services.store.list_invitations(member.organisation(), services.environment.now()).await?;
    let invitation = open.into_iter().find(|open| open.id == id).ok_or(ErrorCode::NotFound)?;
    let record = action(services, member, ActionKind::InvitationWithdrawn, (None, None), &invitation.email);
    services.store.withdraw_invitation(member.organisation(), id, record.at, Some(&record)).await?;
    Ok(Flash::Saved)
}

/// Gives a member another role.
pub async fn set_role(
    services: &Services,
    member: &Member,
    visit: &Visit,
    (id, role): (&str, &str),
    password: String,
) -> Result<Flash, AppError> {
    let member = member.require(Permission::ManagePeople)?;
    let id: MemberId = id.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    let role: Role = role.parse().map_err(|_| AppError::new(ErrorCode::Invalid))?;
    session::confirm_person(services, member, &visit.caller, password).await?;
    let colleague = colleague(services, member, id).await?;
    let says = format!("{}: {} to {role}", colleague.email, colleague.role);
    let record = action(services, member, ActionKind::RoleChanged, (None, None), &says);
    services.store.set_role(member.organisation(), id, role, record.at, Some(&record)).await?;
    tracing::info!(member = %id, by = %member.id(), %role, "a member has another role");
    Ok(Flash::Saved)
}

/// Removes a member.
pub async fn remove(
    services: &Services,
    member: &Member,
    visit: &Visit,
    id: &str,
    password: String,
) -> Result<Flash, AppError> {
    let member = member.require(Permission::ManagePeople)?;
    let id: MemberId = id.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    session::confirm_person(services, member, &visit.caller, password).await?;
    let colleague = colleague(services, member, id).await?;
    let says = format!("{}, {}", colleague.email, colleague.role);
    let record = action(services, member, ActionKind::MemberRemoved, (None, None), &says);
    services.store.remove_member(member.organisation(), id, record.at, Some(&record)).await?;
    tracing::info!(member = %id, by = %member.id(), "a member is removed");
    Ok(Flash::MemberRemoved)
}

/// A member of the same organisation.
async fn colleague(services: &Services, member: &Member, id: MemberId) -> Result<store::Member, AppError> {
    let all = services.store.list_members(member.organisation()).await?;
    let found = all.into_iter().map(|colleague| colleague.member).find(|member| member.id == id);
    found.ok_or_else(|| ErrorCode::NotFound.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_one_is_refused() {
        assert_eq!(wrong_with_email("ada@shop.example"), None);
        assert_eq!(wrong_with_email(""), Some(FieldError::Required));
        for wrong in ["ada", "@shop.example", "ada@", "a da@shop.example", "ada@shop.example\n"] {
            assert_eq!(wrong_with_email(wrong), Some(FieldError::InvalidFormat), "{wrong:?}");
        }
        assert_eq!(wrong_with_email(&format!("{}@x", "a".repeat(254))), Some(FieldError::TooLong));
    }
}

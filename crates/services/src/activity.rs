//! The service function behind the page of what was done in an organisation.

use domain::{
    ids::{ActionId, MemberId},
    run::ActionKind,
};
use store::{Action, ActionFilter, Binding};
use views::{
    activity::{ACTIVITY, ActivityRow, ActivityView, kind_label},
    bindings,
    error::{AppError, ErrorCode, FieldError},
    links::HISTORY,
};

use crate::{Member, Services, permission::Permission};

/// How many actions a page shows.
const PAGE: u32 = 50;

/// What the address asks for; an empty field asks for everything.
#[derive(Clone, Debug, Default)]
pub struct ActivityQuery {
    /// The word of a kind.
    pub kind: String,
    /// The id of a member.
    pub person: String,
    /// Where the page begins.
    pub before: String,
}

impl ActivityQuery {
    fn filter(&self) -> Result<ActionFilter, AppError> {
        Ok(ActionFilter {
            kind: read::<ActionKind>("kind", &self.kind)?,
            member: read::<MemberId>("person", &self.person)?,
            binding: None,
        })
    }

    /// The same list from another place on.
    fn href(&self, before: Option<&str>) -> String {
        let parts =
            [("kind", self.kind.as_str()), ("person", &self.person), ("before", before.unwrap_or_default())];
        let parts = parts
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={value}"));
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { ACTIVITY.to_owned() } else { format!("{ACTIVITY}?{}", parts.join("&")) }
    }
}

fn read<T: std::str::FromStr>(field: &str, typed: &str) -> Result<Option<T>, AppError> {
    let wrong = |_| AppError::new(ErrorCode::Invalid).field(field, FieldError::Unknown);
    Some(typed).filter(|typed| !typed.is_empty()).map(str::parse).transpose().map_err(wrong)
}

/// What was done, newest first. For owners: it names people and what they may do.
pub async fn page(
    services: &Services,
    member: &Member,
    query: &ActivityQuery,
) -> Result<ActivityView, AppError> {
    let organisation = member.require(Permission::ReadActivity)?.organisation();
    let (filter, before) = (query.filter()?, read::<ActionId>("before", &query.before)?);
    let store = &*services.store;
    let mut actions = store.list_actions(organisation, &filter, before, PAGE + 1).await?;
    let more = actions.len() > PAGE as usize;
    actions.truncate(PAGE as usize);
    let older = actions.last().filter(|_| more).map(|last| query.href(Some(&last.id.to_string())));
    let shops = store.list_bindings(organisation).await?;
    let people = store.list_members(organisation).await?.into_iter().map(|colleague| {
        let store::Member { id, name, email, .. } = colleague.member;
        (id.to_string(), if name.is_empty() { email } else { name })
    });
    Ok(ActivityView {
        rows: actions.into_iter().map(|action| row(action, &shops)).collect(),
        people: people.collect(),
        kind: filter.kind,
        person: query.person.clone(),
        older,
        newest: before.map(|_| query.href(None)),
    })
}

fn row(action: Action, shops: &[Binding]) -> ActivityRow {
    let shop = action.binding_id.and_then(|id| shops.iter().find(|shop| shop.id == id));
    ActivityRow {
        at: action.at.into(),
        who: action.actor.name,
        person: action.actor.member.map(|id| id.to_string()),
        what: kind_label(action.kind).to_owned(),
        detail: action.detail,
        shop: shop.map(|shop| (shop.name.clone(), bindings::href(&shop.id.to_string()))),
        run: action.run_id.map(|id| format!("{HISTORY}/{id}")),
    }
}

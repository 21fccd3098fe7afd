//! `ledger actions`: who did what, as owners read it on their page.

use std::{cmp::Reverse, collections::BTreeMap, process::ExitCode, sync::Arc};

use chrono::{DateTime, Utc};
use clap::Args;
use domain::{
    ids::{ActionId, BindingId, MemberId, OrganisationId, RunId},
    run::ActionKind,
};
use messages::message;
use serde::Serialize;
use store::{Action, ActionFilter, Store};
use views::activity::kind_label;

use super::output::{Output, dash, instant, table};
use crate::{
    config::Config,
    lifecycle::{self, Failure},
};

/// Which actions are listed, newest first.
#[derive(Args)]
pub struct ActionsArgs {
    /// Only actions of the organisation with this name.
    #[arg(long)]
    organisation: Option<String>,
    /// Only actions of this kind, such as `role_changed`.
    #[arg(long)]
    kind: Option<ActionKind>,
    /// Only actions of the member with this e-mail address.
    #[arg(long)]
    email: Option<String>,
    /// The largest number to list.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Only actions older than this one, such as the last of the previous list.
    #[arg(long, value_name = "ACTION")]
    before: Option<ActionId>,
    #[command(flatten)]
    output: Output,
}

/// So many people of one address are looked for.
const NAMESAKES: u32 = 100;

#[derive(Serialize)]
struct ActionJson {
    id: ActionId,
    at: DateTime<Utc>,
    organisation: String,
    actor: String,
    member: Option<MemberId>,
    kind: ActionKind,
    detail: String,
    binding: Option<BindingId>,
    run: Option<RunId>,
}

/// Lists them.
pub async fn run(config: &Config, args: &ActionsArgs) -> Result<ExitCode, Failure> {
    let store = lifecycle::open_existing(&config.database_url).await?;
    let lines = list(&store, args).await;
    store.close().await;
    let lines = lines?;
    args.output.print(&lines, || words(&lines))?;
    Ok(ExitCode::SUCCESS)
}

async fn list(store: &Arc<dyn Store>, args: &ActionsArgs) -> Result<Vec<ActionJson>, Failure> {
    let members = match &args.email {
        Some(email) => Some(members(&**store, email.trim()).await?),
        None => None,
    };
    let all = store.list_organisations().await?;
    let is_wanted = |name: &str| args.organisation.as_ref().is_none_or(|wanted| wanted == name);
    let names: BTreeMap<_, _> =
        all.into_iter().filter(|one| is_wanted(&one.name)).map(|one| (one.id, one.name)).collect();
    if let (Some(wanted), true) = (&args.organisation, names.is_empty()) {
        return Err(message!(command_line.no_organisation, wanted = wanted).into());
    }
    let mut lines = Vec::new();
    for (id, name) in names {
        let member = members.as_ref().map(|members| members.get(&id).copied());
        let filter = match member {
            Some(None) => continue,
            Some(Some(member)) => ActionFilter { kind: args.kind, member: Some(member), binding: None },
            None => ActionFilter { kind: args.kind, member: None, binding: None },
        };
        let actions = store.list_actions(id, &filter, args.before, args.limit).await?;
        lines.extend(actions.into_iter().map(|action| line(action, &name)));
    }
    lines.sort_by_key(|line| Reverse(line.id));
    lines.truncate(args.limit as usize);
    Ok(lines)
}

/// Who signs in with this address, as a member of each organisation.
async fn members(store: &dyn Store, email: &str) -> Result<BTreeMap<OrganisationId, MemberId>, Failure> {
    let people = store.people_by_email(email, NAMESAKES).await?;
    let members = people.into_iter().flat_map(|person| person.memberships).map(|one| one.member);
    let members: BTreeMap<_, _> = members.map(|member| (member.organisation_id, member.id)).collect();
    if members.is_empty() {
        Err(message!(command_line.no_sign_in, email = email).into())
    } else {
        Ok(members)
    }
}

fn line(action: Action, organisation: &str) -> ActionJson {
    ActionJson {
        id: action.id,
        at: action.at,
        organisation: organisation.to_owned(),
        actor: action.actor.name,
        member: action.actor.member,
        kind: action.kind,
        detail: action.detail,
        binding: action.binding_id,
        run: action.run_id,
    }
}

fn words(lines: &[ActionJson]) -> String {
    if lines.is_empty() {
        return message!(command_line.no_activity).to_owned();
    }
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            let detail = if line.detail.is_empty() { dash() } else { line.detail.clone() };
            let what = kind_label(line.kind).to_owned();
            [instant(line.at), line.organisation.clone(), line.actor.clone(), what, detail]
        })
        .collect();
    table(["time", "organisation", "who", "what", ""], &rows)
}

//! `ledger users`: people who sign in, for the first one and for those who cannot help themselves.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use domain::{
    ids::{MemberId, OrganisationId},
    outside::Outside,
    run::{ActionKind, Role},
};
use store::{Member, NewMember, Organisation, Store};

use crate::{
    commands,
    config::Config,
    lifecycle::{self, Failure},
    outside::Machine,
};

/// What is done with people.
#[derive(Subcommand)]
pub enum UsersCommand {
    /// Adds a member; the organisation is made when it is the first of its name. The password is read from LEDGER_PASSWORD, or from standard input.
    Add(AddUser),
    /// Lists the members of every organisation.
    List,
    /// Switches a member's second factor off, when app and recovery codes are lost.
    ResetSecondFactor {
        /// The e-mail address they sign in with.
        #[arg(long)]
        email: String,
    },
    /// Sets a member's password, from LEDGER_PASSWORD or standard input, and ends their sessions.
    SetPassword {
        /// The e-mail address they sign in with.
        #[arg(long)]
        email: String,
        /// The password; better from LEDGER_PASSWORD, or as a line of standard input: other users of the machine see arguments.
        #[arg(long)]
        password: Option<String>,
    },
}

/// A member to be added.
#[derive(Args)]
pub struct AddUser {
    /// The organisation's name.
    #[arg(long)]
    organisation: String,
    /// The e-mail address to sign in with.
    #[arg(long)]
    email: String,
    /// The member's name.
    #[arg(long)]
    name: String,
    /// viewer, operator, accountant or owner.
    #[arg(long, default_value = "owner")]
    role: Role,
    /// The password; better from LEDGER_PASSWORD, or as a line of standard input: other users of the machine see arguments.
    #[arg(long)]
    password: Option<String>,
}

/// Carries out a command.
pub async fn run(config: &Config, command: UsersCommand) -> Result<ExitCode, Failure> {
    let store = lifecycle::open_store(&config.database_url).await?;
    let done = carry_out(&*store, command).await;
    store.close().await;
    println!("{}", done?);
    Ok(ExitCode::SUCCESS)
}

/// Does it and says what was done.
async fn carry_out(store: &dyn Store, command: UsersCommand) -> Result<String, Failure> {
    match command {
        UsersCommand::Add(user) => add(store, user).await,
        UsersCommand::List => list(store).await,
        UsersCommand::ResetSecondFactor { email } => {
            let member = find(store, &email).await?;
            let action =
                commands::action(member.organisation_id, ActionKind::SecondFactorOff).saying(&member.email);
            store.remove_second_factor(member.id, None, Some(&action)).await?;
            Ok(format!("{} signs in with the password alone.", member.email))
        }
        UsersCommand::SetPassword { email, password } => {
            let member = find(store, &email).await?;
            let password_hash = hash(&chosen(password)?)?;
            let action =
                commands::action(member.organisation_id, ActionKind::PasswordChanged).saying(&member.email);
            store.set_password(member.id, &password_hash, None, Some(&action)).await?;
            Ok(format!("{} has a new password and is signed out everywhere.", member.email))
        }
    }
}

async fn add(store: &dyn Store, user: AddUser) -> Result<String, Failure> {
    let password_hash = hash(&chosen(user.password)?)?;
    let known = store.list_organisations().await?.into_iter().find(|known| known.name == user.organisation);
    let organisation_id = if let Some(known) = known {
        known.id
    } else {
        let id = OrganisationId(Machine.id());
        let organisation = Organisation { id, name: user.organisation, created_at: Machine.now() };
        store.create_organisation(&organisation).await?;
        id
    };
    let member = Member {
        id: MemberId(Machine.id()),
        organisation_id,
        email: user.email.trim().to_lowercase(),
        name: user.name,
        role: user.role,
        created_at: Machine.now(),
    };
    let said = format!("{} may sign in.", member.email);
    let action = commands::action(organisation_id, ActionKind::MemberAdded);
    let action = action.saying(format!("{}, {}", member.email, member.role));
    store.create_member(&NewMember { member, password_hash }, Some(&action)).await?;
    Ok(said)
}

async fn list(store: &dyn Store) -> Result<String, Failure> {
    let mut lines = Vec::new();
    for organisation in store.list_organisations().await? {
        for colleague in store.list_members(organisation.id).await? {
            let factor = if colleague.has_second_factor { "second factor" } else { "password only" };
            let Member { email, name, role, .. } = colleague.member;
            let (within, role) = (&organisation.name, role.as_str());
            lines.push(format!("{within}  {role:<10}  {factor:<13}  {email}  {name}"));
        }
    }
    Ok(if lines.is_empty() { "There is nobody yet.".to_owned() } else { lines.join("\n") })
}

async fn find(store: &dyn Store, email: &str) -> Result<Member, Failure> {
    let found = store.member_by_email(email.trim()).await?;
    Ok(found.ok_or_else(|| format!("nobody signs in with {email}"))?.member)
}

/// The password: as an argument, with a warning; from the environment; or a line of standard input.
fn chosen(argument: Option<String>) -> Result<String, Failure> {
    if let Some(password) = argument {
        eprintln!(
            "An argument can be read by other users of this machine while the command runs: use LEDGER_PASSWORD or standard input."
        );
        return Ok(password);
    }
    if let Ok(password) = std::env::var("LEDGER_PASSWORD") {
        return Ok(password);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The same rules as where people choose their passwords themselves.
fn hash(password: &str) -> Result<String, Failure> {
    if let Some(wrong) = app::session::wrong_with_chosen(password, &[]) {
        return Err(format!("LEDGER_PASSWORD cannot be used: {}", wrong.sentence()).into());
    }
    Ok(app::session::hash_password(password, &Machine)?)
}

#[cfg(test)]
mod tests {
    use store::{Members, Organisations, SecondFactors};
    use store_sqlite::SqliteStore;

    use super::*;

    #[tokio::test]
    async fn people_are_added_listed_and_helped() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("ledger.db")).await.unwrap();
        store.migrate().await.unwrap();
        assert_eq!(carry_out(&store, UsersCommand::List).await.unwrap(), "There is nobody yet.");
        let ada = |password: &str| AddUser {
            organisation: "Blue Mug Ltd".to_owned(),
            email: " Ada@Shop.example ".to_owned(),
            name: "Ada".to_owned(),
            role: Role::Owner,
            password: Some(password.to_owned()),
        };
        let short = carry_out(&store, UsersCommand::Add(ada("short"))).await.unwrap_err().to_string();
        assert!(short.contains("12 characters"), "{short}");
        assert!(store.list_organisations().await.unwrap().is_empty(), "nothing half-made");
        carry_out(&store, UsersCommand::Add(ada("correct horse battery"))).await.unwrap();
        let listed = carry_out(&store, UsersCommand::List).await.unwrap();
        assert_eq!(listed, "Blue Mug Ltd  owner       password only  ada@shop.example  Ada");

        let before = store.member_by_email("ada@shop.example").await.unwrap().unwrap();
        store.begin_second_factor(before.member.id, "sealed", Machine.now()).await.unwrap();
        let email = "Ada@shop.example".to_owned();
        let password = Some("another horse battery".to_owned());
        carry_out(&store, UsersCommand::ResetSecondFactor { email: email.clone() }).await.unwrap();
        carry_out(&store, UsersCommand::SetPassword { email, password }).await.unwrap();
        assert_eq!(store.second_factor(before.member.id).await.unwrap(), None);
        let after = store.member_by_email("ada@shop.example").await.unwrap().unwrap();
        assert_ne!(after.password_hash, before.password_hash);
        let nobody = UsersCommand::ResetSecondFactor { email: "bob@shop.example".to_owned() };
        assert!(carry_out(&store, nobody).await.is_err());
    }
}

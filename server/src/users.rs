//! `ledger users`: people who sign in, for the first one and for those who cannot help themselves.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use domain::{
    environment::Environment,
    ids::{MemberId, OrganisationId, PersonId},
    run::{ActionKind, Role},
};
use messages::message;
use store::{Action, Member, NewMember, Organisation, Person, Store};

use crate::{
    commands,
    config::Config,
    environment::Machine,
    lifecycle::{self, Failure},
};

/// What is done with people.
#[derive(Subcommand)]
pub enum UsersCommand {
    /// Adds a member, and the organisation if no other has its name. The password is read from LEDGER_PASSWORD or from standard input.
    /// Someone who already has an account with this address joins with it and keeps their password.
    Add(AddUser),
    /// Lists the members of every organisation.
    List,
    /// Turns someone's two-factor authentication off, when app and recovery codes are lost, and ends their sessions.
    ResetSecondFactor(NamedPerson),
    /// Sets someone's password, from LEDGER_PASSWORD or standard input, and ends their sessions.
    SetPassword {
        #[command(flatten)]
        /// Whose.
        named: NamedPerson,
        /// The password. LEDGER_PASSWORD or a line of standard input is safer: other users of the machine can see arguments.
        #[arg(long)]
        password: Option<String>,
    },
    /// Erases the address of a former member from their memberships, invitations and notification channels.
    Erase {
        /// The e-mail address.
        #[arg(long)]
        email: String,
    },
}

/// A person, by their address.
#[derive(Args)]
pub struct NamedPerson {
    /// The e-mail address they sign in with.
    #[arg(long)]
    email: String,
    /// The name of one of their organisations. Needed if several people sign in with this address and none has confirmed it.
    #[arg(long)]
    organisation: Option<String>,
}

/// A member to be added.
#[derive(Args)]
pub struct AddUser {
    /// The organisation's name.
    #[arg(long)]
    organisation: String,
    /// The e-mail address to sign in with. It counts as confirmed.
    #[arg(long)]
    email: String,
    /// The member's name.
    #[arg(long)]
    name: String,
    /// viewer, operator, accountant or owner.
    #[arg(long, default_value = "owner")]
    role: Role,
    /// The password. LEDGER_PASSWORD or a line of standard input is safer: other users of the machine can see arguments.
    #[arg(long)]
    password: Option<String>,
}

/// So many people of one address are told apart.
const NAMESAKES: u32 = 100;

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
        UsersCommand::ResetSecondFactor(named) => {
            let person = find(store, &named).await?;
            let actions = records(&person, ActionKind::SecondFactorOff);
            store.remove_second_factor(person.id, None, &actions).await?;
            Ok(message!(command_line.second_factor_off, email = person.email))
        }
        UsersCommand::SetPassword { named, password } => {
            let person = find(store, &named).await?;
            let password_hash = hash(&chosen(password)?)?;
            let actions = records(&person, ActionKind::PasswordChanged);
            store.set_password(person.id, &password_hash, None, &actions).await?;
            Ok(message!(command_line.password_set, email = person.email))
        }
        UsersCommand::Erase { email } => erase(store, email.trim()).await,
    }
}

async fn add(store: &dyn Store, user: AddUser) -> Result<String, Failure> {
    let email = user.email.trim().to_lowercase();
    let (person_id, password_hash, said) = if let Some(person) = proved(store, &email).await? {
        let said = message!(command_line.joined, email = email);
        (person.id, person.password_hash, said)
    } else {
        let password_hash = hash(&chosen(user.password)?)?;
        (PersonId(Machine.id()), password_hash, message!(command_line.added, email = email))
    };
    let organisation_id = organisation(store, user.organisation).await?;
    let member = Member {
        id: MemberId(Machine.id()),
        person_id,
        organisation_id,
        email,
        proved_at: Some(Machine.now()),
        name: user.name,
        role: user.role,
        created_at: Machine.now(),
    };
    let action = commands::action(organisation_id, ActionKind::MemberAdded);
    let action = action.saying(format!("{}, {}", member.email, member.role));
    store.create_member(&NewMember { member, password_hash }, Some(&action)).await?;
    Ok(said)
}

/// The organisation of this name; it is made where there is none.
async fn organisation(store: &dyn Store, name: String) -> Result<OrganisationId, Failure> {
    let known = store.list_organisations().await?.into_iter().find(|known| known.name == name);
    if let Some(known) = known {
        return Ok(known.id);
    }
    let id = OrganisationId(Machine.id());
    store.create_organisation(&Organisation { id, name, created_at: Machine.now() }).await?;
    Ok(id)
}

/// Who has proved this address.
async fn proved(store: &dyn Store, email: &str) -> Result<Option<Person>, Failure> {
    let first = store.people_by_email(email, 1).await?.into_iter().next();
    Ok(first.filter(|person| person.proved_at.is_some()))
}

async fn list(store: &dyn Store) -> Result<String, Failure> {
    let mut lines = Vec::new();
    for organisation in store.list_organisations().await? {
        for colleague in store.list_members(organisation.id).await? {
            let factor = if colleague.has_second_factor {
                message!(command_line.with_second_factor)
            } else {
                message!(command_line.password_only)
            };
            let Member { email, proved_at, name, role, .. } = colleague.member;
            let (within, role) = (&organisation.name, role.as_str());
            let note = if proved_at.is_some() {
                ""
            } else {
                concat!("  ", message!(command_line.address_not_confirmed))
            };
            lines.push(format!("{within}  {role:<10}  {factor:<13}  {email}  {name}{note}"));
        }
    }
    Ok(if lines.is_empty() { message!(command_line.no_members).to_owned() } else { lines.join("\n") })
}

async fn erase(store: &dyn Store, email: &str) -> Result<String, Failure> {
    match store.erase_address(email).await {
        Ok(0) => Err(message!(command_line.no_such_address, email = email).into()),
        Ok(rows) => Ok(message!(command_line.erased, email = email, rows = rows)),
        Err(store::Error::Conflict(_)) => {
            let people = store.people_by_email(email, NAMESAKES).await?;
            let within: Vec<_> = people.iter().flat_map(organisations).collect();
            Err(message!(command_line.still_member, email = email, organisations = within.join(", ")).into())
        }
        Err(error) => Err(error.into()),
    }
}

fn organisations(person: &Person) -> impl Iterator<Item = &str> {
    person.memberships.iter().map(|membership| membership.organisation.as_str())
}

/// The person who is meant: who has proved the address, unless an organisation is named; or the only one there is.
async fn find(store: &dyn Store, named: &NamedPerson) -> Result<Person, Failure> {
    let email = named.email.trim();
    let mut people = store.people_by_email(email, NAMESAKES).await?;
    if let Some(wanted) = &named.organisation {
        people.retain(|person| organisations(person).any(|name| name == wanted));
    }
    let is_plain = people.len() < 2 || people.first().is_some_and(|first| first.proved_at.is_some());
    if !is_plain {
        let within: Vec<_> = people.iter().flat_map(organisations).collect();
        let within = within.join(", ");
        return Err(message!(command_line.several_sign_in, email = email, organisations = within).into());
    }
    people.into_iter().next().ok_or_else(|| message!(command_line.no_sign_in, email = email).into())
}

/// The records of what is done with a person's account: it opens all of their organisations, so each keeps one.
fn records(person: &Person, kind: ActionKind) -> Vec<Action> {
    let members = person.memberships.iter().map(|membership| &membership.member);
    members.map(|member| commands::action(member.organisation_id, kind).saying(&person.email)).collect()
}

/// The password: as an argument, with a warning; from the environment; or a line of standard input.
fn chosen(argument: Option<String>) -> Result<String, Failure> {
    if let Some(password) = argument {
        eprintln!("{}", message!(command_line.password_visible));
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
    if let Some(wrong) = services::session::wrong_with_chosen(password, &[]) {
        return Err(message!(command_line.password_unusable, problem = wrong.sentence()).into());
    }
    Ok(services::session::hash_password(password, &Machine)?)
}

#[cfg(test)]
mod tests {
    use store::{ActionFilter, Actions, Members, Organisations, People, SecondFactors};
    use store_sqlite::SqliteStore;

    use super::*;

    #[tokio::test]
    async fn people_are_added_listed_and_helped() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("ledger.db")).await.unwrap();
        store.migrate().await.unwrap();
        assert_eq!(carry_out(&store, UsersCommand::List).await.unwrap(), "There are no members yet.");
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

        let before = proved(&store, "ada@shop.example").await.unwrap().unwrap();
        store.begin_second_factor(before.id, "sealed", Machine.now()).await.unwrap();
        let named = |email: &str| NamedPerson { email: email.to_owned(), organisation: None };
        let password = Some("another horse battery".to_owned());
        carry_out(&store, UsersCommand::ResetSecondFactor(named("Ada@shop.example"))).await.unwrap();
        let set = UsersCommand::SetPassword { named: named("Ada@shop.example"), password };
        carry_out(&store, set).await.unwrap();
        assert_eq!(store.second_factor(before.id).await.unwrap(), None);
        let after = proved(&store, "ada@shop.example").await.unwrap().unwrap();
        assert_ne!(after.password_hash, before.password_hash);
        let nobody = UsersCommand::ResetSecondFactor(named("bob@shop.example"));
        assert!(carry_out(&store, nobody).await.is_err());
    }

    async fn made() -> (tempfile::TempDir, SqliteStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("ledger.db")).await.unwrap();
        store.migrate().await.unwrap();
        (folder, store)
    }

    fn ada_in(organisation: &str, password: Option<&str>) -> UsersCommand {
        UsersCommand::Add(AddUser {
            organisation: organisation.to_owned(),
            email: "ada@shop.example".to_owned(),
            name: "Ada".to_owned(),
            role: Role::Owner,
            password: password.map(ToOwned::to_owned),
        })
    }

    #[tokio::test]
    async fn who_is_known_joins_another_organisation_with_the_same_password() {
        let (_folder, store) = made().await;
        carry_out(&store, ada_in("Blue Mug Ltd", Some("correct horse battery"))).await.unwrap();
        let said = carry_out(&store, ada_in("Red Mug Ltd", None)).await.unwrap();
        assert!(said.contains("existing password"), "{said}");
        let people = store.people_by_email("ada@shop.example", 9).await.unwrap();
        assert_eq!(people.len(), 1);
        assert_eq!(organisations(&people[0]).count(), 2);
        assert!(carry_out(&store, ada_in("Red Mug Ltd", None)).await.is_err(), "twice is once too often");
        let named = NamedPerson { email: "ada@shop.example".to_owned(), organisation: None };
        carry_out(
            &store,
            UsersCommand::SetPassword { named, password: Some("yet another battery".to_owned()) },
        )
        .await
        .unwrap();
        for member in people[0].memberships.iter().map(|one| &one.member) {
            let actions = store.list_actions(member.organisation_id, &ActionFilter::default(), None, 9).await;
            assert_eq!(actions.unwrap()[0].kind, ActionKind::PasswordChanged, "each of them reads it");
        }
    }

    #[tokio::test]
    async fn an_address_is_forgotten_once_nobody_has_it() {
        let (_folder, store) = made().await;
        carry_out(&store, ada_in("Blue Mug Ltd", Some("correct horse battery"))).await.unwrap();
        let erase = || UsersCommand::Erase { email: "Ada@shop.example".to_owned() };
        let refused = carry_out(&store, erase()).await.unwrap_err().to_string();
        assert!(refused.contains("still a member of Blue Mug Ltd"), "{refused}");
        let ada = proved(&store, "ada@shop.example").await.unwrap().unwrap().memberships.remove(0).member;
        let bob = Member {
            id: MemberId(Machine.id()),
            person_id: PersonId(Machine.id()),
            email: "bob@shop.example".to_owned(),
            ..ada.clone()
        };
        store.create_member(&NewMember { member: bob, password_hash: String::new() }, None).await.unwrap();
        store.remove_member(ada.organisation_id, ada.id, Machine.now(), None).await.unwrap();
        let said = carry_out(&store, erase()).await.unwrap();
        assert!(said.contains("1 places"), "{said}");
        let unknown = carry_out(&store, erase()).await.unwrap_err().to_string();
        assert!(unknown.starts_with("No such address"), "{unknown}");
    }
}

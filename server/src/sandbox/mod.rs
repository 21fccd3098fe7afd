//! A stage: simulators, store, one organisation, one paired and connected shop, and the process itself. The demo, the
//! benchmarks and the tests play on it.

mod settings;
mod shop;

use std::{sync::Arc, time::Duration};

use domain::{
    business::ReferenceSet,
    environment::Environment,
    ids::{MemberId, OrganisationId, PersonId},
    run::Role,
    settings::SafeMode,
};
use include_dir::{Dir, include_dir};
use serde_json::{Value, json};
use simulators::{
    magento::{self, Documents},
    mail, sage,
};
use store::{Binding, Member, NewMember, Organisation, SettingsVersion};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub use settings::settings;
pub use shop::{Controls, consent_and_connect};

use crate::{
    config::Config,
    environment::Machine,
    lifecycle::{self, Failure, Process},
    simulate,
};

/// Documents of a running Magento.
pub(crate) static DOCUMENTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../fixtures/documents");

/// The stage's member signs in with this address.
pub const EMAIL: &str = "demo@ledger.example";
/// And this password.
pub const PASSWORD: &str = "demo-ledger";

/// How a stage is set.
pub struct Options {
    /// The shop's documents; the bundled ones when none are given.
    pub documents: Option<Documents>,
    /// The port of the pages; 0 takes any.
    pub port: u16,
    /// Whether the process works its runs by itself.
    pub worker: bool,
    /// Whether the shop's settings are saved; without them it is as it is right after connecting.
    pub settings: bool,
    /// When documents go through drafts.
    pub safe_mode: SafeMode,
    /// The database, in place of SQLite in a temporary folder.
    pub database_url: Option<String>,
    /// A Magento simulator that runs already, with its pairing code.
    pub magento: Option<(String, String)>,
    /// A Sage simulator that runs already.
    pub sage_url: Option<String>,
    /// The pause between passes of the shop's outbox; zero leaves them to [`Sandbox::send_all_events`].
    pub cron_every: Duration,
    /// Calls a second to Sage; 0 = as fast as they are answered.
    pub calls_per_second: u32,
    /// Whether the process sends mail.
    pub sends_mail: bool,
    /// The time of the bundled shop and the bundled Sage; the process's own is the machine's.
    pub simulators: Arc<dyn Environment>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            documents: None,
            port: 0,
            worker: true,
            settings: true,
            safe_mode: SafeMode::Never,
            database_url: None,
            magento: None,
            sage_url: None,
            cron_every: Duration::ZERO,
            calls_per_second: 0,
            sends_mail: true,
            simulators: Arc::new(Machine),
        }
    }
}

/// A stage, set.
pub struct Sandbox {
    /// The process.
    pub process: Process,
    /// The one organisation.
    pub organisation: OrganisationId,
    /// The one binding.
    pub binding: Binding,
    /// The business's lists.
    pub reference: ReferenceSet,
    /// The shop's controls.
    pub magento: Controls,
    /// Sage's controls.
    pub sage: Controls,
    /// The mail server.
    pub mail: mail::Running,
    shop: Option<Arc<magento::Running>>,
    sage_simulator: Option<sage::Running>,
    config: Config,
    // Holds the database; deleted with the stage.
    _folder: TempDir,
}

impl Sandbox {
    /// Sets a stage: starts what is not running already, pairs, connects, saves the settings.
    pub async fn set(options: Options) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let mail = mail::start().await?;
        let (sage_url, sage_simulator) = sage_side(options.sage_url, Arc::clone(&options.simulators)).await?;
        let (magento_url, pairing_code, shop) =
            magento_side(options.magento, options.documents, options.cron_every, options.simulators).await?;
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await.map_err(|error| {
            format!("port {} cannot be used ({error}); choose another with --port", options.port)
        })?;
        let public_url = format!("http://{}", listener.local_addr()?);
        let smtp_url = if options.sends_mail { mail.smtp_url() } else { "" };
        let mut config = config(&public_url, &sage_url, smtp_url, options.calls_per_second)?;
        config.worker.enabled = options.worker;
        config.database_url = options
            .database_url
            .unwrap_or_else(|| format!("sqlite://{}", folder.path().join("ledger.db").display()));
        let store = lifecycle::open_store(&config.database_url).await?;
        let engine = lifecycle::engine(&config, store, timing()).await?;
        let process = Process::start_on(&config, engine, listener)?;
        let organisation = people(&process.engine).await?;
        let sage = Controls::new(&sage_url)?;
        shop::allow_irish_tax(&sage).await?;
        let (binding, reference) =
            connect(&process.engine, organisation, &public_url, &magento_url, &pairing_code).await?;
        if options.settings {
            let settings = settings::settings(&reference, options.safe_mode);
            let version = SettingsVersion {
                version: 1,
                settings,
                author: None,
                reason: None,
                created_at: Machine.now(),
            };
            process.engine.store.save_settings(binding.id, &version, None).await?;
        }
        Ok(Self {
            process,
            organisation,
            binding,
            reference,
            magento: Controls::new(&magento_url)?,
            sage,
            shop,
            sage_simulator,
            mail,
            config,
            _folder: folder,
        })
    }

    /// The address of the pages and the wire.
    pub fn url(&self) -> String {
        self.config.public_url.clone()
    }

    /// The configuration of the process: another process with it works on the same store.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The bundled shop.
    pub fn shop(&self) -> Result<&Arc<magento::Running>, Failure> {
        self.shop.as_ref().ok_or_else(|| "the shop runs elsewhere".into())
    }

    /// The bundled Sage.
    pub fn sage_simulator(&self) -> Result<&sage::Running, Failure> {
        self.sage_simulator.as_ref().ok_or_else(|| "Sage runs elsewhere".into())
    }

    /// Enqueues the events of every document and posts them, pass after pass of the shop's cron, until none is due.
    pub async fn send_all_events(&self) -> Result<(), Failure> {
        self.magento.post("/_sim/enqueue", &json!({ "all": true })).await?;
        while self.magento.post("/_sim/cron", &json!({})).await?["posted"].as_u64().unwrap_or(0) > 0 {}
        Ok(())
    }

    /// What Sage holds of the connected business.
    pub async fn books(&self) -> Result<Value, Failure> {
        let books = self.sage.get("/_sim/books").await?;
        let business =
            self.process.engine.store.binding(self.binding.id).await?.and_then(|binding| binding.business);
        let id = business.ok_or("the binding has no business")?.id;
        Ok(books["businesses"][id].clone())
    }

    /// Ends the process and the simulators.
    pub async fn stop(self) {
        self.process.stop().await;
        if let Some(sage) = self.sage_simulator {
            sage.stop().await;
        }
    }
}

async fn sage_side(
    url: Option<String>,
    environment: Arc<dyn Environment>,
) -> Result<(String, Option<sage::Running>), Failure> {
    if let Some(url) = url {
        return Ok((url.trim_end_matches('/').to_owned(), None));
    }
    let running = simulate::start_sage(0, environment).await?;
    Ok((running.url(), Some(running)))
}

type MagentoSide = (String, String, Option<Arc<magento::Running>>);

async fn magento_side(
    environment: Option<(String, String)>,
    documents: Option<Documents>,
    cron_every: Duration,
    simulators: Arc<dyn Environment>,
) -> Result<MagentoSide, Failure> {
    if let Some((url, code)) = environment {
        return Ok((url.trim_end_matches('/').to_owned(), code, None));
    }
    let documents = documents.map_or_else(bundled_documents, Ok)?;
    let running = simulate::start_magento(0, documents, None, cron_every, simulators).await?;
    Ok((running.url(), running.pairing_code(), Some(Arc::new(running))))
}

fn bundled_documents() -> Result<Documents, Failure> {
    let values: Result<Vec<Value>, _> =
        DOCUMENTS.files().map(|file| serde_json::from_slice(file.contents())).collect();
    Ok(Documents::from_values(values?)?)
}

fn config(
    public_url: &str,
    sage_url: &str,
    smtp_url: &str,
    calls_per_second: u32,
) -> Result<Config, Failure> {
    let mut config = Config::defaults()?;
    let mut key = [0; 32];
    Machine.random(&mut key);
    config.keys = vault::KeyRing::generate(key, "stage").into();
    public_url.clone_into(&mut config.public_url);
    config.magento.allow_private_addresses = true;
    config.alerts.allow_private_addresses = true;
    config.smtp.url = smtp_url.to_owned().into();
    "Ledger <ledger@ledger.example>".clone_into(&mut config.smtp.from);
    sage_url.clone_into(&mut config.sage.base_url);
    "ledger".clone_into(&mut config.sage.client_id);
    config.sage.client_secret = "ledger-secret".to_owned().into();
    config.sage.calls_per_second = calls_per_second;
    config.sage.circuit_rests_seconds = 1;
    Ok(config)
}

/// What a merchant waits minutes for, a stage shows in seconds.
pub fn timing() -> sync::Timing {
    sync::Timing {
        run_schedule: vec![1, 1, 2, 2, 3, 5, 5, 10, 10],
        low_schedule: Vec::new(),
        outage_schedule: vec![1, 1, 2, 2, 3],
        delivery_schedule: vec![1, 1, 2, 2, 3, 5, 5, 10, 10],
        alert_schedule: vec![1, 1, 2, 2, 3],
        rest_schedule: vec![1],
        ..sync::Timing::default()
    }
}

/// One organisation with one member.
async fn people(engine: &Arc<sync::Engine>) -> Result<OrganisationId, Failure> {
    let organisation = OrganisationId(Machine.id());
    let now = Machine.now();
    let name = "Blue Mug Ltd".to_owned();
    engine.store.create_organisation(&Organisation { id: organisation, name, created_at: now }).await?;
    let member = Member {
        id: MemberId(Machine.id()),
        person_id: PersonId(Machine.id()),
        organisation_id: organisation,
        email: EMAIL.to_owned(),
        proved_at: Some(now),
        name: "Demo".to_owned(),
        role: Role::Owner,
        created_at: now,
    };
    let password_hash = services::session::hash_password(PASSWORD, &Machine)?;
    engine.store.create_member(&NewMember { member, password_hash }, None).await?;
    Ok(organisation)
}

/// One paired and connected binding.
async fn connect(
    engine: &Arc<sync::Engine>,
    organisation: OrganisationId,
    public_url: &str,
    magento_url: &str,
    pairing_code: &str,
) -> Result<(Binding, ReferenceSet), Failure> {
    let request = sync::PairRequest {
        organisation,
        name: "Blue Mug shop",
        magento_url,
        code: pairing_code,
        ledger_url: public_url,
    };
    let binding = engine.pair(&request, None).await?.binding;
    let reference = shop::consent_and_connect(engine, &binding).await?;
    Ok((binding, reference))
}

//! Databases: each world gets a copy of one whose schema was brought up to date once.

use std::path::{Path, PathBuf};

use server::lifecycle;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;
use url::Url;

/// Where worlds get their databases from.
pub enum Database {
    /// A file.
    Sqlite {
        /// The file that is copied.
        template: PathBuf,
        /// Its folder.
        folder: TempDir,
    },
    /// A server.
    Postgres {
        /// Its address.
        server: Url,
        /// The database that is copied.
        template: String,
    },
}

/// Where databases cost no disk: nothing here outlives its cell.
pub fn in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

impl Database {
    /// `SQLite`.
    pub async fn sqlite() -> Self {
        let folder = in_memory();
        let template = folder.path().join("template.db");
        brought_up(&format!("sqlite://{}", template.display())).await;
        Self::Sqlite { template, folder }
    }

    /// Postgres, on the server that `scripts/with-postgres` starts; none where no server was started.
    pub async fn postgres() -> Option<Self> {
        let server = Url::parse(&std::env::var("LEDGER_TEST_POSTGRES_URL").ok()?).unwrap();
        let template = unique_name();
        let database = Self::Postgres { server, template };
        let Self::Postgres { server, template } = &database else { return None };
        create(server, template, "template1").await;
        brought_up(at(server, template).as_str()).await;
        Some(database)
    }

    /// As it is called in a cell's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }

    /// A new copy; its address.
    pub async fn create(&self, folder: &Path) -> String {
        match self {
            Self::Sqlite { template, .. } => {
                let file = folder.join("ledger.db");
                std::fs::copy(template, &file).unwrap();
                format!("sqlite://{}", file.display())
            }
            Self::Postgres { server, template } => {
                let name = unique_name();
                create(server, &name, template).await;
                at(server, &name).to_string()
            }
        }
    }

    /// Takes a copy away.
    pub async fn drop_copy(&self, url: &str) {
        if let Self::Postgres { server, .. } = self {
            let name = url.rsplit('/').next().unwrap_or_default();
            let mut connection = PgConnection::connect(server.as_str()).await.unwrap();
            connection.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
        }
    }
}

async fn brought_up(url: &str) {
    lifecycle::open_store(url).await.unwrap().close().await;
}

async fn create(server: &Url, name: &str, template: &str) {
    let mut connection = PgConnection::connect(server.as_str()).await.unwrap();
    let statement = format!("CREATE DATABASE {name} TEMPLATE {template}");
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
}

fn at(server: &Url, name: &str) -> Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}

fn unique_name() -> String {
    use domain::environment::Environment;
    format!("matrix_{}", server::environment::Machine.uuid_v4().simple())
}

//! The counter of changes: fed by NOTIFY, from this process and every other.

use std::{sync::Arc, time::Duration};

use sqlx::{
    PgConnection,
    postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions},
};
use store::{Announcements, Whose};
use tokio::{task::JoinHandle, time};
use uuid::Uuid;

use crate::entities::Tried;

/// The channel that every change of a run is announced on.
const CHANNEL: &str = "ledger_runs";
/// How often the counter grows by itself while nobody can be heard, so that pages go on looking.
const POLL: Duration = Duration::from_secs(2);
/// How long the line may be silent before it is tested: a line cut without a word would look just as silent.
const SILENCE: Duration = Duration::from_secs(30);
/// How long the test of the line may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Announces a change of a run; others hear of it when the transaction commits. What is announced is whose it is, and nothing more.
pub(crate) async fn announce(connection: &mut PgConnection, whose: Whose) -> Tried<()> {
    let payload = match whose {
        Whose::Organisation(organisation) => organisation.to_string(),
        Whose::Everybody => String::new(),
    };
    sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload).execute(connection).await?;
    Ok(())
}

/// The same of a binding's run.
pub(crate) async fn announce_of(connection: &mut PgConnection, binding: Uuid) -> Tried<()> {
    sqlx::query(
        "SELECT pg_notify($1, coalesce((SELECT organisation_id::text FROM bindings WHERE id = $2), ''))",
    )
    .bind(CHANNEL)
    .bind(binding)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whose an announcement is; one that cannot be read is everybody's.
fn whose(payload: &str) -> Whose {
    payload.parse().map_or(Whose::Everybody, Whose::Organisation)
}

/// The counter and the task that feeds it.
pub(crate) struct Changes {
    announcements: Arc<Announcements>,
    task: JoinHandle<()>,
}

impl Changes {
    /// Starts to listen, on a connection beside the pool. When that fails at first it is tried again in the background.
    pub(crate) async fn start(options: PgConnectOptions) -> Self {
        let announcements = Arc::<Announcements>::default();
        // sqlx listens on a pool's connection only, so this is a pool of one.
        let line = PgPoolOptions::new().max_connections(1).acquire_timeout(ANSWER).connect_lazy_with(options);
        let listener = listen(&line).await;
        let task = tokio::spawn(feed(line, listener, Arc::clone(&announcements)));
        Self { announcements, task }
    }

    /// Those who watch.
    pub(crate) fn announcements(&self) -> &Announcements {
        &self.announcements
    }

    /// Stops listening.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn listen(line: &PgPool) -> Option<PgListener> {
    let listening = async {
        let mut listener = PgListener::connect_with(line).await?;
        // A lost line is to be seen at once, and fixed by the loop below.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok::<_, sqlx::Error>(listener)
    };
    match time::timeout(ANSWER, listening).await {
        Ok(Ok(listener)) => Some(listener),
        Ok(Err(error)) => {
            tracing::warn!(%error, "cannot listen for changes; polling meanwhile");
            None
        }
        Err(_) => {
            tracing::warn!("cannot listen for changes in time; polling meanwhile");
            None
        }
    }
}

/// Feeds the counter for as long as the store lives.
async fn feed(line: PgPool, mut listener: Option<PgListener>, announcements: Arc<Announcements>) {
    let grow = || announcements.announce(Whose::Everybody);
    loop {
        if let Some(listening) = listener.take() {
            hear(listening, &announcements).await;
        }
        // Whatever happened while nobody listened was missed.
        grow();
        listener = listen(&line).await;
        if listener.is_some() {
            grow();
        } else {
            time::sleep(POLL).await;
        }
    }
}

/// Counts what is heard, until the line is lost.
async fn hear(mut listener: PgListener, announcements: &Announcements) {
    loop {
        match time::timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(first))) => {
                // Many at once are one change to those who watch.
                let mut heard = vec![whose(first.payload())];
                while let Some(more) = listener.next_buffered() {
                    let more = whose(more.payload());
                    if !heard.contains(&more) {
                        heard.push(more);
                    }
                }
                for whose in heard {
                    announcements.announce(whose);
                }
            }
            Ok(Ok(None)) => return,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the line for changes failed");
                return;
            }
            Err(_) => {
                let test = time::timeout(ANSWER, sqlx::query("SELECT 1").execute(&mut listener)).await;
                if !matches!(test, Ok(Ok(_))) {
                    tracing::warn!("the line for changes is dead");
                    return;
                }
            }
        }
    }
}

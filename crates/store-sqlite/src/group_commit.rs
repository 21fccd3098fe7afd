//! Webhooks that arrive together are written together: one durable commit (a wait for the disk) serves all that have queued up
//! while the one before was under way. Nobody is kept waiting for company.

use std::{collections::BTreeSet, sync::Mutex};

use chrono::{DateTime, Utc};
use domain::ids::BindingId;
use sqlx::{Connection, Sqlite, Transaction};
use store::{Error, NewEvent, Received, Result};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    announcer::Announcer,
    entities::tokens,
    error::{again, translate},
    receiving,
    writer::{Writer, closed},
};

/// How many may wait to be written; beyond it a webhook is told to come again.
const PLACES: usize = 4096;
/// How many share a commit at most, so that other writes get their turn.
const TOGETHER: usize = 256;

/// What is written in company.
enum Job {
    Receive(Box<NewEvent>, oneshot::Sender<Result<Received>>),
    UseToken(Token, oneshot::Sender<Result<bool>>),
}

/// A token to be noted as used.
struct Token {
    binding: BindingId,
    id: String,
    expires_at: DateTime<Utc>,
}

/// An answer that waits for the commit.
enum CommitAnswer {
    Receive(BindingId, Result<Received>, oneshot::Sender<Result<Received>>),
    UseToken(Result<bool>, oneshot::Sender<Result<bool>>),
}

/// The way to the task that writes in company.
pub(crate) struct GroupCommit {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl GroupCommit {
    /// Starts the task; it ends when this is closed or dropped and all is written.
    pub(crate) fn start(writer: Writer, announcer: Announcer) -> Self {
        let (jobs, queue) = mpsc::channel(PLACES);
        let task = tokio::spawn(work(queue, writer, announcer));
        Self { jobs: Mutex::new(Some(jobs)), task: tokio::sync::Mutex::new(Some(task)) }
    }

    /// Writes an event.
    pub(crate) async fn receive(&self, event: NewEvent) -> Result<Received> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::Receive(Box::new(event), answer))?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Notes a token as used.
    pub(crate) async fn use_token(
        &self,
        binding: BindingId,
        id: String,
        expires_at: DateTime<Utc>,
    ) -> Result<bool> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::UseToken(Token { binding, id, expires_at }, answer))?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Takes nothing more and waits until all that was taken is written.
    pub(crate) async fn close(&self) {
        self.jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(task) = self.task.lock().await.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the writer of webhooks ended badly");
        }
    }

    /// How many wait to be written.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        let jobs = self.jobs.lock().unwrap();
        jobs.as_ref().map_or(0, |jobs| jobs.max_capacity() - jobs.capacity())
    }

    fn send(&self, job: Job) -> Result<()> {
        let jobs = self.jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        jobs.as_ref().ok_or_else(closed)?.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Error::Unavailable("too many events wait to be written".into())
            }
            mpsc::error::TrySendError::Closed(_) => closed(),
        })
    }
}

async fn work(mut queue: mpsc::Receiver<Job>, writer: Writer, announcer: Announcer) {
    while let Some(first) = queue.recv().await {
        let begun = writer.begin().await;
        // Only now, so that whoever came while another process was writing shares this transaction, or its failure.
        let mut jobs = vec![first];
        let limit = if begun.is_ok() { TOGETHER } else { PLACES };
        while jobs.len() < limit
            && let Ok(job) = queue.try_recv()
        {
            jobs.push(job);
        }
        match begun {
            Ok(transaction) => {
                for binding in write(transaction, jobs).await {
                    announcer.binding(binding).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, waiting = jobs.len(), "no event can be written");
                for job in jobs {
                    job.refuse(&error);
                }
            }
        }
    }
}

/// Writes the jobs, each within a savepoint of its own, commits, and only then answers. Returns the bindings for which runs were made.
async fn write(mut transaction: Transaction<'static, Sqlite>, jobs: Vec<Job>) -> BTreeSet<BindingId> {
    let mut answers = Vec::with_capacity(jobs.len());
    let mut jobs = jobs.into_iter();
    let mut failure = None;
    for job in jobs.by_ref() {
        let (answer, broken) = job.perform(&mut transaction).await;
        answers.push(answer);
        if let Some(error) = broken {
            failure = Some(error);
            break;
        }
    }
    if failure.is_none() {
        failure = transaction.commit().await.map_err(translate).err();
    } else if let Err(error) = transaction.rollback().await {
        tracing::warn!(%error, "a transaction that failed could not be taken back");
    }
    let Some(error) = failure else {
        let made = answers.iter().filter_map(CommitAnswer::made).collect();
        answers.into_iter().for_each(CommitAnswer::send);
        return made;
    };
    tracing::warn!(%error, together = answers.len() + jobs.len(), "events were not written");
    for answer in answers {
        answer.refuse(&error);
    }
    for job in jobs {
        job.refuse(&error);
    }
    BTreeSet::new()
}

impl Job {
    /// Performs the job in a savepoint. A second value means that the whole transaction is lost.
    async fn perform(self, transaction: &mut Transaction<'static, Sqlite>) -> (CommitAnswer, Option<Error>) {
        match self {
            Self::Receive(event, sender) => {
                let (result, broken) = within(transaction, async |savepoint| {
                    receiving::receive(savepoint, &event).await.map_err(Error::from)
                })
                .await;
                (CommitAnswer::Receive(event.binding_id, result, sender), broken)
            }
            Self::UseToken(token, sender) => {
                let (result, broken) = within(transaction, async |savepoint| {
                    tokens::note_token(savepoint, token.binding, &token.id, token.expires_at)
                        .await
                        .map_err(Error::from)
                })
                .await;
                (CommitAnswer::UseToken(result, sender), broken)
            }
        }
    }

    fn refuse(self, error: &Error) {
        match self {
            Self::Receive(_, sender) => drop(sender.send(Err(again(error)))),
            Self::UseToken(_, sender) => drop(sender.send(Err(again(error)))),
        }
    }
}

impl CommitAnswer {
    /// The binding for which a run was made.
    const fn made(&self) -> Option<BindingId> {
        match self {
            Self::Receive(binding, Ok(Received::Queued(_)), _) => Some(*binding),
            _ => None,
        }
    }

    /// Whoever asked may have gone; what was written stays.
    fn send(self) {
        match self {
            Self::Receive(_, result, sender) => drop(sender.send(result)),
            Self::UseToken(result, sender) => drop(sender.send(result)),
        }
    }

    fn refuse(self, error: &Error) {
        match self {
            Self::Receive(_, _, sender) => drop(sender.send(Err(again(error)))),
            Self::UseToken(_, sender) => drop(sender.send(Err(again(error)))),
        }
    }
}

/// Runs one write in a savepoint: a refusal takes back this one alone, a failing database the whole transaction.
async fn within<T>(
    transaction: &mut Transaction<'static, Sqlite>,
    write: impl AsyncFnOnce(&mut sqlx::SqliteConnection) -> Result<T>,
) -> (Result<T>, Option<Error>) {
    let mut savepoint = match transaction.begin().await.map_err(translate) {
        Ok(savepoint) => savepoint,
        Err(error) => return (Err(again(&error)), Some(error)),
    };
    let result = write(&mut savepoint).await;
    let ended = match &result {
        Ok(_) => savepoint.commit().await,
        Err(error @ Error::Unavailable(_)) => {
            let error = again(error);
            return (result, Some(error));
        }
        Err(_) => savepoint.rollback().await,
    };
    (result, ended.map_err(translate).err())
}

//! Taking a run: the one place where processes compete.

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{AttemptId, BindingId, RunId},
    run::RunStatus,
};
use sqlx::{FromRow, PgConnection};
use store::{Claimed, Error, Fence, Result, Run, Tally};
use store_sql::{Id, Instant, Text};

use crate::{
    PostgresStore, ahead,
    changes::announce_of,
    counts,
    entities::{
        Tried, ensure_affected, health,
        requeue::close_lost,
        rows::{self, Record},
        run_rows::{RunRow, run_columns},
        stale,
    },
    error::translate,
    repeating::repeating,
};

/// How often a claim looks again when another has taken the business of its run in the same moment, or the run cannot be read.
const LOOKS: u32 = 8;

/// The bindings that have open runs, found by hopping along the index from one to the next: a long backlog of one binding costs
/// no more than a single run.
macro_rules! open_bindings {
    () => {
        "WITH RECURSIVE open_bindings (binding_id) AS (
             (SELECT binding_id FROM runs WHERE status IN ('queued', 'retrying', 'running')
              ORDER BY binding_id LIMIT 1)
             UNION ALL
             SELECT (SELECT r.binding_id FROM runs r
                     WHERE r.status IN ('queued', 'retrying', 'running') AND r.binding_id > o.binding_id
                     ORDER BY r.binding_id LIMIT 1)
             FROM open_bindings o WHERE o.binding_id IS NOT NULL
         ) "
    };
}

/// A run that can be claimed, locked.
#[derive(FromRow)]
struct Candidate {
    binding_id: Id<BindingId>,
    id: Id<RunId>,
    business_id: String,
    lost_attempt: Option<Id<AttemptId>>,
}

impl Candidate {
    /// The run and whose it is.
    const fn run(&self) -> (BindingId, RunId) {
        (self.binding_id.0, self.id.0)
    }
}

/// What came of a look.
enum Look {
    /// Nothing is due.
    Nothing,
    /// Another has taken the business since the look began.
    Beaten,
    /// The run cannot be read; nothing was written.
    Unreadable(Box<Candidate>, Error),
    /// The run is ours.
    Taken(Box<Claimed>),
}

pub(crate) async fn claim(
    store: &PostgresStore,
    attempt_id: AttemptId,
    worker: &str,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<Option<Claimed>> {
    for _ in 0..LOOKS {
        match repeating(move || look(store, attempt_id, worker, now, lease_until)).await? {
            Look::Nothing => return Ok(None),
            Look::Beaten => {}
            Look::Unreadable(candidate, error) => {
                let (candidate, error) = (&candidate, &error);
                repeating(move || quarantine(store, candidate, error, now)).await?;
            }
            Look::Taken(claimed) => return Ok(Some(*claimed)),
        }
    }
    // Others are busy taking what there is; the caller comes back.
    Ok(None)
}

async fn look(
    store: &PostgresStore,
    attempt_id: AttemptId,
    worker: &str,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Tried<Look> {
    let mut transaction = store.pool.begin().await?;
    ahead::end_leases(&mut transaction, now).await?;
    let Some(candidate) = candidate(&mut transaction, now).await? else { return Ok(Look::Nothing) };
    if !take_business(&mut transaction, &candidate, attempt_id, now, lease_until).await? {
        return Ok(Look::Beaten);
    }
    if let Some(lost_attempt) = candidate.lost_attempt {
        close_lost(&mut transaction, candidate.run(), lost_attempt.0, now).await?;
    }
    match open_attempt(&mut transaction, &candidate, attempt_id, worker, now, lease_until).await {
        Ok(claimed) => {
            announce_of(&mut transaction, candidate.binding_id.0.0).await?;
            transaction.commit().await?;
            Ok(Look::Taken(Box::new(claimed)))
        }
        Err(failure) if failure.is_unreadable() => {
            transaction.rollback().await?;
            Ok(Look::Unreadable(Box::new(candidate), failure.into()))
        }
        Err(failure) => Err(failure),
    }
}

/// Sets aside a run that cannot be read, so that the queue goes on. Another process, one that can read it, may have taken it since
/// the look: then its attempt is another one, and nothing is done.
async fn quarantine(
    store: &PostgresStore,
    candidate: &Candidate,
    error: &Error,
    now: DateTime<Utc>,
) -> Tried<()> {
    let mut transaction = store.pool.begin().await?;
    let failed = sqlx::query(
        "UPDATE runs SET status = 'failed', code = $4, message = $5, attempt_id = NULL, lease_until = NULL,
                         updated_at = $6, finished_at = $6
         WHERE binding_id = $1 AND id = $2 AND status IN ('queued', 'retrying', 'running')
           AND attempt_id IS NOT DISTINCT FROM $3",
    )
    .bind(candidate.binding_id)
    .bind(candidate.id)
    .bind(candidate.lost_attempt)
    .bind(Code::Internal.as_str())
    .bind(Text(error.to_string()))
    .bind(now)
    .execute(&mut *transaction)
    .await?;
    if failed.rows_affected() == 0 {
        return Ok(());
    }
    tracing::error!(run = %candidate.id.0, binding = %candidate.binding_id.0, %error, "a run cannot be read; it is set aside as failed");
    health::note_unreadable(&mut transaction, candidate.binding_id.0, candidate.id.0, now).await?;
    if let Some(attempt) = candidate.lost_attempt {
        close_lost(&mut transaction, candidate.run(), attempt.0, now).await?;
    }
    let ended = Tally::Ended(RunStatus::Failed);
    counts::count(&mut transaction, candidate.binding_id.0, ended, 1, now).await?;
    announce_of(&mut transaction, candidate.binding_id.0.0).await?;
    transaction.commit().await?;
    Ok(())
}

/// The oldest run that can be claimed and that nobody else is looking at, locked; after a rest by turns those go first that are queued,
/// then the one that was tried longest ago. Its state is asked for again beside the lock,
/// so that Postgres looks at it again when it changed in between.
async fn candidate(connection: &mut PgConnection, now: DateTime<Utc>) -> Tried<Option<Candidate>> {
    let candidate = sqlx::query_as(concat!(
        open_bindings!(),
        "SELECT r.binding_id, r.id, b.business_id,
                CASE WHEN r.status = 'running' THEN r.attempt_id END AS lost_attempt
         FROM open_bindings o
         JOIN bindings b ON b.id = o.binding_id AND b.status = 'active' AND b.business_id IS NOT NULL
         CROSS JOIN LATERAL (
             SELECT EXISTS (SELECT 1 FROM rests s WHERE s.side = 'sage' AND s.id = b.business_id AND s.by_turns) AS by_turns
         ) going
         CROSS JOIN LATERAL (
             (SELECT q.id, 1 AS turn FROM runs q
              WHERE NOT going.by_turns AND q.binding_id = o.binding_id AND q.status IN ('queued', 'retrying', 'running')
                AND CASE WHEN q.status = 'running' THEN q.lease_until ELSE q.next_at END <= $1
              ORDER BY q.id LIMIT 1)
             UNION ALL
             (SELECT q.id, 1 FROM runs q
              WHERE going.by_turns AND q.binding_id = o.binding_id AND q.status IN ('queued', 'running')
                AND CASE WHEN q.status = 'running' THEN q.lease_until ELSE q.next_at END <= $1
              ORDER BY q.id LIMIT 1)
             UNION ALL
             (SELECT q.id, 2 FROM runs q
              WHERE going.by_turns AND q.binding_id = o.binding_id AND q.status = 'retrying' AND q.next_at <= $1
              ORDER BY q.started_at, q.id LIMIT 1)
             ORDER BY turn LIMIT 1
         ) oldest
         JOIN runs r ON r.binding_id = o.binding_id AND r.id = oldest.id
              AND r.status IN ('queued', 'retrying', 'running')
              AND CASE WHEN r.status = 'running' THEN r.lease_until ELSE r.next_at END <= $1
         WHERE NOT EXISTS (SELECT 1 FROM business_leases l
                           WHERE l.business_id = b.business_id AND l.lease_until > $1)
           AND NOT EXISTS (SELECT 1 FROM rests s WHERE s.side = 'sage' AND s.id = b.business_id AND s.until > $1)
           AND NOT EXISTS (SELECT 1 FROM rests s WHERE s.side = 'magento' AND s.id = b.id::text AND s.until > $1)
         ORDER BY r.id LIMIT 1 FOR UPDATE OF r SKIP LOCKED"
    ))
    .bind(now)
    .fetch_optional(connection)
    .await?;
    Ok(candidate)
}

/// Takes the right to write to the business; `false` when a live run has it. The key of the table makes the second of two
/// claims wait for the first and then see its lease, whatever the look before had seen.
async fn take_business(
    connection: &mut PgConnection,
    candidate: &Candidate,
    attempt_id: AttemptId,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Tried<bool> {
    let taken = sqlx::query(
        "INSERT INTO business_leases (business_id, binding_id, run_id, attempt_id, taken_at, lease_until)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (business_id) DO UPDATE
         SET binding_id = excluded.binding_id, run_id = excluded.run_id, attempt_id = excluded.attempt_id,
             taken_at = excluded.taken_at, lease_until = excluded.lease_until
         WHERE business_leases.lease_until <= $5",
    )
    .bind(&candidate.business_id)
    .bind(candidate.binding_id)
    .bind(candidate.id)
    .bind(Id(attempt_id))
    .bind(now)
    .bind(lease_until)
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() == 1)
}

#[derive(FromRow)]
struct TakenRow {
    #[sqlx(flatten)]
    run: RunRow,
    attempts_in_all: i32,
}

impl Record for TakenRow {
    /// With the number of its attempt.
    type Value = (Run, i32);
    const TABLE: &'static str = "runs";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Self::Value> {
        Ok((self.run.value()?, self.attempts_in_all))
    }
}

async fn open_attempt(
    connection: &mut PgConnection,
    candidate: &Candidate,
    attempt_id: AttemptId,
    worker: &str,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Tried<Claimed> {
    let taken = sqlx::query(concat!(
        "UPDATE runs r
         SET status = 'running', code = NULL, message = NULL, cause = NULL, attempts = r.attempts + 1,
             attempts_in_all = r.attempts_in_all + 1, attempt_id = $3, lease_until = $5, started_at = $4,
             updated_at = $4
         WHERE r.binding_id = $1 AND r.id = $2
         RETURNING ",
        run_columns!(),
        ", r.attempts_in_all"
    ))
    .bind(candidate.binding_id)
    .bind(candidate.id)
    .bind(Id(attempt_id))
    .bind(Instant(now))
    .bind(Instant(lease_until));
    let taken = rows::optional::<TakenRow>(taken, &mut *connection).await?;
    let (run, attempt_number) = taken.ok_or_else(stale)?;
    sqlx::query(
        "INSERT INTO attempts (binding_id, run_id, number, id, worker, started_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(candidate.binding_id)
    .bind(candidate.id)
    .bind(attempt_number)
    .bind(Id(attempt_id))
    .bind(worker)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(Claimed { run, attempt_id, attempt_number })
}

/// When the next claim can succeed: a run of a business that is held waits for that lease at least, and what rests for its rest.
pub(crate) async fn next_due(store: &PostgresStore) -> Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar(concat!(
        open_bindings!(),
        "SELECT min(greatest(least(due.next_at, held.lease_until), l.lease_until, s.until, m.until))
         FROM open_bindings o
         JOIN bindings b ON b.id = o.binding_id AND b.status = 'active' AND b.business_id IS NOT NULL
         LEFT JOIN business_leases l ON l.business_id = b.business_id
         LEFT JOIN rests s ON s.side = 'sage' AND s.id = b.business_id
         LEFT JOIN rests m ON m.side = 'magento' AND m.id = b.id::text
         CROSS JOIN LATERAL (SELECT min(q.next_at) AS next_at FROM runs q
                             WHERE q.binding_id = o.binding_id AND q.status IN ('queued', 'retrying')) due
         CROSS JOIN LATERAL (SELECT min(q.lease_until) AS lease_until FROM runs q
                             WHERE q.binding_id = o.binding_id AND q.status = 'running') held"
    ))
    .fetch_one(&store.pool)
    .await
    .map_err(translate)
}

/// Extends a lease. One statement, so that a refusal leaves no lock behind. No lease of the business means that the run's had run out and
/// another run of the business has begun.
pub(crate) async fn extend(
    store: &PostgresStore,
    fence: Fence,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<()> {
    let extended = store
        .execute(|| {
            sqlx::query(
                "WITH held AS (SELECT id FROM runs WHERE id = $1 AND attempt_id = $2 AND status = 'running' FOR UPDATE),
                      business AS (UPDATE business_leases SET taken_at = $4, lease_until = $3
                                    WHERE attempt_id = $2 AND EXISTS (SELECT 1 FROM held) RETURNING attempt_id)
                 UPDATE runs SET lease_until = $3
                  WHERE id IN (SELECT id FROM held) AND EXISTS (SELECT 1 FROM business)",
            )
            .bind(Id(fence.run_id))
            .bind(Id(fence.attempt_id))
            .bind(Instant(lease_until))
            .bind(Instant(now))
        })
        .await?;
    ensure_affected(extended, 1)
}

//! What people do with runs: retry one or many, exclude a document, take that back. Each is recorded with who did it.

use chrono::TimeDelta;
use domain::{
    ids::{ActionId, BindingId, BulkRetryId, RunId},
    run::{ActionKind, BindingStatus, BulkState, RunStatus},
};
use messages::message;
use store::{Action, Actor, BulkFailure, BulkRetry, Order, PageRequest, Run, RunFilter, SortBy};

use super::query::HistoryQuery;
use views::{
    bulk::{BulkFailureView, BulkOutcomes, BulkView, PreviewView},
    error::{AppError, ErrorCode, FieldError},
    flash::Flash,
    links::HISTORY,
    overview::many,
};

use crate::{Member, Services, permission::Permission};

/// Up to so many runs are counted before a retry of many; more are "more than".
pub const COUNTED: i64 = 50_000;

/// The page that asks before all runs of a view are retried.
pub fn retry_href(query: &HistoryQuery) -> String {
    let text = query.text();
    if text.is_empty() { format!("{HISTORY}/retry") } else { format!("{HISTORY}/retry?{text}") }
}

/// The page of a retry of many runs.
pub fn bulk_href(id: &str) -> String {
    format!("{HISTORY}/retries/{id}")
}

/// A member as a record names them.
fn actor(member: &Member) -> Actor {
    Actor { member: Some(member.id()), name: member.called().to_owned() }
}

/// A record of what a member does now.
pub fn action(
    services: &Services,
    member: &Member,
    kind: ActionKind,
    about: (Option<BindingId>, Option<RunId>),
    detail: &str,
) -> Action {
    Action {
        id: ActionId(services.environment.id()),
        organisation_id: member.organisation(),
        binding_id: about.0,
        run_id: about.1,
        actor: actor(member),
        kind,
        detail: detail.to_owned(),
        at: services.environment.now(),
    }
}

/// Puts a run in the queue again, on a person's word.
pub async fn retry(services: &Services, member: &Member, run: &str) -> Result<Flash, AppError> {
    let member = member.require(Permission::RetryRuns)?;
    let run: RunId = run.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    let record = action(services, member, ActionKind::Retried, (None, Some(run)), "");
    match services.store.retry_run(member.organisation(), run, record.at, Some(&record)).await {
        Ok(()) => {}
        Err(store::Error::Conflict(_)) => return Ok(Flash::StillRunning),
        Err(error) => return Err(error.into()),
    }
    let now = services.store.run(member.organisation(), run).await?;
    Ok(if now.is_some_and(|run| run.status == RunStatus::Waiting) {
        Flash::RetriedToWait
    } else {
        Flash::Retried
    })
}

/// How many runs a retry of all that match would take, and how long that would last.
pub async fn preview(
    services: &Services,
    member: &Member,
    query: &HistoryQuery,
) -> Result<PreviewView, AppError> {
    let member = member.require(Permission::RetryRuns)?;
    let filter = query.filter();
    let matching = services.store.count_matching(member.organisation(), &filter, COUNTED + 1).await?;
    let by_status = retryable(services, member, &filter).await?;
    let count: i64 = by_status.iter().map(|(_, runs)| runs).sum();
    let seconds = lasts(services, member, &filter, count.min(COUNTED)).await?;
    Ok(PreviewView {
        count: count.min(COUNTED),
        is_more: matching > COUNTED,
        by_status,
        matching: matching.min(COUNTED),
        warnings: near_pause(services, member, &filter).await?,
        seconds,
        is_filtered: query.is_filtered(),
    })
}

/// How many of the runs that match a retry would put in the queue, by their status: each has an index, however long the history is.
async fn retryable(
    services: &Services,
    member: &Member,
    filter: &RunFilter,
) -> Result<Vec<(RunStatus, i64)>, AppError> {
    let mut counts = Vec::new();
    for status in RunStatus::RETRYABLE {
        if filter.status.is_some_and(|asked| asked != status) {
            continue;
        }
        let filter = RunFilter { status: Some(status), ..filter.clone() };
        let count = services.store.count_matching(member.organisation(), &filter, COUNTED).await?;
        if count > 0 {
            counts.push((status, count));
        }
    }
    Ok(counts)
}

/// The shops that Ledger would pause if all of the runs failed that have not failed yet: known failures are not counted again.
async fn near_pause(
    services: &Services,
    member: &Member,
    filter: &RunFilter,
) -> Result<Vec<String>, AppError> {
    let pause = services.thresholds.pause;
    let mut warnings = Vec::new();
    if pause == 0 {
        return Ok(warnings);
    }
    for binding in services.store.list_bindings(member.organisation()).await? {
        let is_meant = filter.binding.is_none_or(|asked| asked == binding.id);
        if !is_meant || binding.status != BindingStatus::Active {
            continue;
        }
        let of_shop = RunFilter { binding: Some(binding.id), ..filter.clone() };
        let counts = retryable(services, member, &of_shop).await?;
        let unknown = counts.iter().filter(|(status, _)| *status != RunStatus::Failed);
        let unknown: i64 = unknown.map(|(_, runs)| runs).sum();
        let failed = services.store.health(binding.id).await?.failed_in_a_row;
        if unknown > 0 && i64::from(failed) + unknown >= i64::from(pause) {
            warnings.push(message!(
                bulk_retry.near_pause,
                shop = binding.name,
                failed = failed,
                pause = pause
            ));
        }
    }
    Ok(warnings)
}

/// Seconds that so many runs take: as the newest ended ones of the same filter did, or two each where none has ended yet. Runs of one
/// Sage business go one after another.
async fn lasts(
    services: &Services,
    member: &Member,
    filter: &RunFilter,
    count: i64,
) -> Result<i64, AppError> {
    const SAMPLE: u32 = 50;
    const UNKNOWN: TimeDelta = TimeDelta::seconds(2);
    let ended =
        RunFilter { status: Some(RunStatus::Succeeded), binding: filter.binding, ..RunFilter::default() };
    let request = PageRequest { filter: ended, limit: SAMPLE, ..PageRequest::default() };
    let runs = services.store.page_runs(member.organisation(), &request).await?.runs;
    let took: Vec<TimeDelta> =
        runs.iter().filter_map(|run| Some(run.finished_at? - run.started_at?)).collect();
    let each = match i32::try_from(took.len()) {
        Ok(number) if number > 0 => took.iter().sum::<TimeDelta>() / number,
        _ => UNKNOWN,
    };
    Ok((each.num_milliseconds().max(1) * count / 1_000).max(1))
}

/// Begins to retry all runs that match.
pub async fn begin_bulk(
    services: &Services,
    member: &Member,
    query: &HistoryQuery,
) -> Result<BulkRetryId, AppError> {
    let member = member.require(Permission::RetryRuns)?;
    let bulks = services.store.list_bulk_retries(member.organisation(), 100).await?;
    if bulks.iter().filter(|bulk| bulk.state == BulkState::Running).count() >= services.quotas.bulk_retries {
        return Err(ErrorCode::QuotaReached.into());
    }
    let query = query.kept();
    let filter = query.filter();
    let expected = retryable(services, member, &filter).await?.iter().map(|(_, runs)| runs).sum();
    let order = Order { by: SortBy::Received, descending: true };
    let newest = PageRequest { order, limit: 1, ..PageRequest::default() };
    let newest = services.store.page_runs(member.organisation(), &newest).await?.runs;
    let last: &Run = newest.first().ok_or(ErrorCode::NotFound)?;
    let bulk = BulkRetry {
        id: BulkRetryId(services.environment.id()),
        organisation_id: member.organisation(),
        actor: actor(member),
        filter,
        query: query.text(),
        state: BulkState::Running,
        expected,
        last_run: last.id,
        retried: 0,
        passed_over: 0,
        created_at: services.environment.now(),
        ended_at: None,
    };
    let detail = match bulk.query.as_str() {
        "" => message!(action_details.all_runs, count = expected),
        query => message!(action_details.runs, count = expected, query = query),
    };
    let record = action(services, member, ActionKind::BulkRetryBegun, (bulk.filter.binding, None), &detail);
    services.store.begin_bulk_retry(&bulk, &record).await?;
    Ok(bulk.id)
}

/// A retry of many runs, as its page shows it.
pub async fn bulk(services: &Services, member: &Member, id: &str) -> Result<BulkView, AppError> {
    let id: BulkRetryId = id.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    let bulk = services.store.bulk_retry(member.organisation(), id).await?.ok_or(ErrorCode::NotFound)?;
    let mut outcomes = BulkOutcomes::default();
    for (status, runs) in services.store.bulk_outcomes(member.organisation(), id).await? {
        outcomes.add(status, runs);
    }
    let failures = services.store.bulk_failures(member.organisation(), id, FAILURES).await?;
    let failures: Vec<BulkFailureView> = failures.iter().map(|failure| failed_again(failure, id)).collect();
    let failed = HistoryQuery::default().with(|fields| {
        (fields.bulk, fields.status) = (Some(id), Some(RunStatus::Failed));
    });
    let failed_again = (!failures.is_empty()).then(|| failed.href());
    Ok(BulkView { outcomes, failures, failed_again, ..view(bulk, member) })
}

/// So many causes of failures are named.
const FAILURES: u32 = 20;

fn failed_again(failure: &BulkFailure, bulk: BulkRetryId) -> BulkFailureView {
    let query = HistoryQuery::default().with(|fields| {
        (fields.bulk, fields.status) = (Some(bulk), Some(RunStatus::Failed));
        (fields.binding, fields.cause) = (Some(failure.binding_id), Some(failure.cause.clone()));
    });
    BulkFailureView {
        documents: many(failure.runs, "document", "documents"),
        sentence: failure.code.sentence().to_owned(),
        action: failure.code.action().to_owned(),
        href: query.href(),
    }
}

/// The newest retries of many runs.
pub async fn bulks(services: &Services, member: &Member) -> Result<Vec<BulkView>, AppError> {
    const SHOWN: u32 = 20;
    let bulks = services.store.list_bulk_retries(member.organisation(), SHOWN).await?;
    Ok(bulks.into_iter().map(|bulk| view(bulk, member)).collect())
}

fn view(bulk: BulkRetry, member: &Member) -> BulkView {
    let runs = if bulk.query.is_empty() { HISTORY.to_owned() } else { format!("{HISTORY}?{}", bulk.query) };
    BulkView {
        id: bulk.id.to_string(),
        state: bulk.state,
        expected: bulk.expected,
        retried: bulk.retried,
        passed_over: bulk.passed_over,
        outcomes: BulkOutcomes::default(),
        failures: Vec::new(),
        failed_again: None,
        actor: bulk.actor.name,
        runs,
        began: bulk.created_at.into(),
        ended: bulk.ended_at.map(Into::into),
        may_cancel: member.may(Permission::RetryRuns) && bulk.state == BulkState::Running,
    }
}

/// Stops a retry of many runs.
pub async fn cancel_bulk(services: &Services, member: &Member, id: &str) -> Result<Flash, AppError> {
    let member = member.require(Permission::RetryRuns)?;
    let id: BulkRetryId = id.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    services.store.bulk_retry(member.organisation(), id).await?.ok_or(ErrorCode::NotFound)?;
    let record = action(services, member, ActionKind::BulkRetryCancelled, (None, None), &id.to_string());
    done(services.store.cancel_bulk_retry(id, &record).await, Flash::BulkCancelled)
}

/// Excludes the document of a run; a reason is needed.
pub async fn exclude(
    services: &Services,
    member: &Member,
    run: &str,
    reason: &str,
) -> Result<Flash, AppError> {
    const LONGEST: usize = 200;
    let member = member.require(Permission::ExcludeDocuments)?;
    let run: RunId = run.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST {
        let wrong = if reason.is_empty() { FieldError::Required } else { FieldError::TooLong };
        return Err(AppError::new(ErrorCode::Invalid).field("reason", wrong).echo("reason", reason));
    }
    let record = action(services, member, ActionKind::Excluded, (None, Some(run)), reason);
    match services.store.exclude_document(run, &record).await {
        Err(store::Error::Conflict(_)) => Ok(Flash::MayBeInSage),
        result => done(result, Flash::Excluded),
    }
}

/// Takes the exclusion of a run's document back.
pub async fn include(services: &Services, member: &Member, run: &str) -> Result<Flash, AppError> {
    let member = member.require(Permission::ExcludeDocuments)?;
    let run: RunId = run.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    let record = action(services, member, ActionKind::Included, (None, Some(run)), "");
    done(services.store.include_document(run, &record).await, Flash::Included)
}

fn done(result: store::Result<()>, flash: Flash) -> Result<Flash, AppError> {
    match result {
        Ok(()) => Ok(flash),
        Err(store::Error::Conflict(_)) => Ok(Flash::TooLate),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use domain::code::Code;

    use super::*;

    #[test]
    fn what_failed_again_leads_to_its_own_list() {
        let bulk: BulkRetryId = "0190b5a4-7c3e-7000-8000-000000000001".parse().unwrap();
        let failure = BulkFailure {
            binding_id: "0190b5a4-7c3e-7000-8000-000000000002".parse().unwrap(),
            code: Code::SageValidation,
            cause: "1f0c".to_owned(),
            runs: 34,
        };
        let view = failed_again(&failure, bulk);
        assert_eq!(
            (view.documents.as_str(), view.sentence.as_str()),
            ("34 documents", failure.code.sentence())
        );
        let filter = HistoryQuery::parse(view.href.split_once('?').unwrap().1).unwrap().filter();
        assert_eq!((filter.bulk, filter.status), (Some(bulk), Some(RunStatus::Failed)));
        assert_eq!((filter.binding, filter.cause.as_deref()), (Some(failure.binding_id), Some("1f0c")));
    }
}

//! `GET /dashboard/sync/export.csv` and `.json`: what a view of the history shows, as a file. Streamed page by page, so a million runs
//! need no more memory than a page.

use std::{collections::HashMap, sync::Arc};

use axum::{
    BoxError,
    body::{Body, Bytes},
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::{code::Code, ids::BindingId, run::ActionKind};
use futures::{Stream, TryStreamExt as _, stream};
use serde::Serialize;
use services::{
    Member, Services,
    history::{operator_actions::action, query::HistoryQuery},
};
use store::{PageRequest, Run, RunFilter, Seek};
use views::{
    error::AppError,
    runs::{event_label, status_label},
};

/// So many runs are read and sent at once.
const PAGE: u32 = 500;

/// The history as a table (RFC 4180), for spreadsheets.
pub async fn csv(
    State(services): State<Services>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answer(services, query, &headers, FileKind::Csv).await
}

/// The history as a JSON list of objects, for programs.
pub async fn json(
    State(services): State<Services>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answer(services, query, &headers, FileKind::Json).await
}

#[derive(Clone, Copy)]
enum FileKind {
    Csv,
    Json,
}

impl FileKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }
}

async fn answer(services: Services, query: Option<String>, headers: &HeaderMap, kind: FileKind) -> Response {
    match begin(services, query, headers, kind).await {
        Ok(response) => response,
        Err(error) if error.is_not_signed_in() => StatusCode::UNAUTHORIZED.into_response(),
        Err(error) => {
            let status =
                StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, format!("{} {}\n", error.code.sentence(), error.code.action())).into_response()
        }
    }
}

async fn begin(
    services: Services,
    query: Option<String>,
    headers: &HeaderMap,
    kind: FileKind,
) -> Result<Response, AppError> {
    let member = services::member_of(&services, headers).await?;
    let query = HistoryQuery::parse(query.as_deref().unwrap_or_default())?.at(Seek::First);
    let detail = format!("{}: {}", kind.word(), query.kept().text());
    let record = action(&services, &member, ActionKind::Exported, (query.fields.binding, None), &detail);
    services.store.record_action(&record).await?;
    let names = services.store.list_bindings(member.organisation()).await?;
    let names = names.into_iter().map(|binding| (binding.id, binding.name)).collect();
    let day = services.environment.now().format("%Y-%m-%d");
    let file = format!("attachment; filename=\"ledger-runs-{day}.{}\"", kind.word());
    let body = Body::from_stream(pieces(services, member, query, Arc::new(names), kind));
    Ok(([(header::CONTENT_TYPE, kind.media_type().to_owned()), (header::CONTENT_DISPOSITION, file)], body)
        .into_response())
}

/// Where the file is.
enum FilePlace {
    /// Before its first row.
    Start,
    /// At the first run after this one; `false` while no row has been written.
    After(Seek, bool),
    /// Behind the last row.
    End,
}

type Names = Arc<HashMap<BindingId, String>>;

/// The file piece by piece. An error in the midst cuts the file off, which a browser shows as a failed download.
fn pieces(
    services: Services,
    member: Member,
    query: HistoryQuery,
    names: Names,
    kind: FileKind,
) -> impl Stream<Item = Result<Bytes, BoxError>> {
    stream::try_unfold(FilePlace::Start, move |place| {
        let (store, organisation) = (Arc::clone(&services.store), member.organisation());
        // A file holds what the list leaves out, too: nobody would miss it there.
        let filter = RunFilter { without_switched_off: false, ..query.filter() };
        let request = PageRequest { filter, order: query.order, limit: PAGE, ..PageRequest::default() };
        let names = Arc::clone(&names);
        async move {
            let (seek, has_rows) = match place {
                FilePlace::Start => {
                    return Ok(Some((Bytes::from(opening(kind)), FilePlace::After(Seek::First, false))));
                }
                FilePlace::After(seek, has_rows) => (seek, has_rows),
                FilePlace::End => return Ok(None),
            };
            let page = store.page_runs(organisation, &PageRequest { seek, ..request }).await?;
            let rows: Vec<ExportRow> = page.runs.iter().map(|run| ExportRow::of(run, &names)).collect();
            let goes_on = has_rows || !rows.is_empty();
            let mut piece = match kind {
                FileKind::Csv => table(rows)?,
                FileKind::Json => list(&rows, has_rows)?,
            };
            let has_rows = goes_on;
            let place = if let Some(next) = page.next {
                FilePlace::After(Seek::After(next), has_rows)
            } else {
                piece.extend_from_slice(closing(kind));
                FilePlace::End
            };
            Ok(Some((Bytes::from(piece), place)))
        }
    })
    .inspect_err(|error| tracing::error!(error, "an export was cut off"))
}

/// A row of the file. Amounts are decimal text; instants are UTC.
#[derive(Serialize)]
struct ExportRow {
    run: String,
    status: &'static str,
    status_words: &'static str,
    event: &'static str,
    event_words: &'static str,
    document_date: String,
    shop: String,
    number: String,
    magento_id: i64,
    customer: String,
    currency: String,
    amount: String,
    tax: String,
    sage_amount: String,
    sage_tax: String,
    sage_number: String,
    sage_id: String,
    reason: String,
    reason_words: &'static str,
    message: String,
    resolved_by: String,
    attempts: i32,
    settings_version: i64,
    received: String,
    ended: String,
}

impl ExportRow {
    fn of(run: &Run, names: &HashMap<BindingId, String>) -> Self {
        let facts = &run.facts;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let at = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        Self {
            run: run.id.to_string(),
            status: run.status.as_str(),
            status_words: status_label(run.status),
            event: run.event.as_str(),
            event_words: event_label(run.event),
            document_date: facts.document_date.map(|day| day.to_string()).unwrap_or_default(),
            shop: names.get(&run.binding_id).cloned().unwrap_or_default(),
            number: text(&facts.increment_id),
            magento_id: run.magento_id,
            customer: text(&facts.customer),
            currency: text(&facts.currency),
            amount: decimal(facts.amount_minor),
            tax: decimal(facts.tax_minor),
            sage_amount: decimal(facts.sage_amount_minor),
            sage_tax: decimal(facts.sage_tax_minor),
            sage_number: text(&facts.sage_reference),
            sage_id: text(&facts.sage_id),
            reason: run.code.map(|code| code.as_str().to_owned()).unwrap_or_default(),
            reason_words: run.code.map(Code::sentence).unwrap_or_default(),
            message: text(&run.message),
            resolved_by: run.resolved_by.map(|run| run.to_string()).unwrap_or_default(),
            attempts: run.attempts,
            settings_version: run.settings_version,
            received: at(run.created_at),
            ended: run.finished_at.map(at).unwrap_or_default(),
        }
    }

    /// The same for a spreadsheet: no text of somebody else's begins like a formula (OWASP, CSV injection).
    fn disarmed(self) -> Self {
        Self {
            shop: disarmed(self.shop),
            number: disarmed(self.number),
            customer: disarmed(self.customer),
            currency: disarmed(self.currency),
            sage_number: disarmed(self.sage_number),
            sage_id: disarmed(self.sage_id),
            message: disarmed(self.message),
            ..self
        }
    }
}

fn disarmed(text: String) -> String {
    if text
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
    {
        return format!("'{text}");
    }
    text
}

fn decimal(minor: Option<i64>) -> String {
    let Some(minor) = minor else { return String::new() };
    let sign = if minor < 0 { "-" } else { "" };
    let absolute = minor.unsigned_abs();
    format!("{sign}{}.{:02}", absolute / 100, absolute % 100)
}

const HEADS: &str = "run,status,status_words,event,event_words,document_date,shop,number,magento_id,customer,currency,amount,tax,sage_amount,sage_tax,sage_number,\
                     sage_id,reason,reason_words,message,resolved_by,attempts,settings_version,received,ended";

fn opening(kind: FileKind) -> String {
    match kind {
        FileKind::Csv => format!("{HEADS}\r\n"),
        FileKind::Json => "[".to_owned(),
    }
}

const fn closing(kind: FileKind) -> &'static [u8] {
    match kind {
        FileKind::Csv => b"",
        FileKind::Json => b"\n]\n",
    }
}

fn table(rows: Vec<ExportRow>) -> Result<Vec<u8>, BoxError> {
    let mut table = csv::WriterBuilder::new()
        .has_headers(false)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        table.serialize(row.disarmed())?;
    }
    Ok(table.into_inner().map_err(csv::IntoInnerError::into_error)?)
}

fn list(rows: &[ExportRow], has_rows: bool) -> Result<Vec<u8>, BoxError> {
    let mut list = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        list.extend_from_slice(if place > 0 || has_rows { b",\n" } else { b"\n" });
        serde_json::to_writer(&mut list, row)?;
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_table_is_a_formula() {
        for evil in ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\u{ff1d}1"] {
            assert!(disarmed(evil.to_owned()).starts_with('\''), "{evil}");
        }
        assert_eq!(disarmed("O'Brien = Sons".to_owned()), "O'Brien = Sons");
        assert_eq!(decimal(Some(-42)), "-0.42", "an amount of ours stays a number");
    }
}

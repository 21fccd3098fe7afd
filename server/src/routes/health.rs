//! Is the process up, and can it work?

use std::{fmt::Write, sync::Arc};

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use messages::message;

use crate::{
    environment::{ahead_of_database, clocks_differ},
    state::{Check, EndpointState, Looked},
};

/// How many credentials are tried before the keys are called wrong: one that nobody can open any more must not stop the others.
const CREDENTIALS: u32 = 10;

/// `GET /healthz`: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: everything that this process needs of itself and its machine, a line a check. Sage and the shops are no part of
/// it: their runs wait, and a restart would fix nothing.
pub async fn readyz(State(endpoints): State<Arc<EndpointState>>) -> impl IntoResponse {
    let [store, clock, schema, keys] = look(&endpoints).await;
    let checks = [
        ("running", running(&endpoints)),
        ("store", store),
        ("clock", clock),
        ("schema", schema),
        ("keys", keys),
        ("worker", worker(&endpoints)),
    ];
    let is_ready = checks.iter().all(|(_, check)| check.is_ok());
    let mut text =
        format!("{}\n", if is_ready { message!(readiness.ready) } else { message!(readiness.not_ready) });
    for (name, check) in checks {
        let (verdict, says) = match &check {
            Ok(says) => ("ok", says.as_ref()),
            Err(says) => ("failed", says.as_str()),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}: {verdict}, {says}");
    }
    (if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text)
}

/// Looks at the store, or tells what was seen a moment ago. Those who ask meanwhile wait for the same look.
async fn look(endpoints: &EndpointState) -> [Check; 4] {
    let mut looked = endpoints.looked.lock().await;
    let now = endpoints.environment.uptime();
    if let Some(looked) = looked.as_ref()
        && now.saturating_sub(looked.at) < endpoints.observing.looks_last
    {
        return looked.checks.clone();
    }
    let checks =
        [store(endpoints).await, clock(endpoints).await, schema(endpoints).await, keys(endpoints).await];
    *looked = Some(Looked { at: now, checks: checks.clone() });
    checks
}

fn running(endpoints: &EndpointState) -> Check {
    if endpoints.shutdown.is_cancelled() {
        Err(message!(readiness.stopping).to_owned())
    } else {
        Ok(message!(readiness.running).into())
    }
}

async fn store(endpoints: &EndpointState) -> Check {
    endpoints.store.ready().await.map(|()| message!(readiness.store_written).into()).map_err(|error| {
        tracing::warn!(%error, "not ready: the store cannot be written");
        message!(readiness.store_refuses).to_owned()
    })
}

/// No reason to restart a process: it goes by the database's clock, and each machine's is for its own operator to set.
async fn clock(endpoints: &EndpointState) -> Check {
    match ahead_of_database(endpoints.store.as_ref()).await {
        Ok(Some(ahead)) => Ok(clocks_differ(ahead)
            .map_or(message!(readiness.clock_of_database).into(), |differ| {
                message!(readiness.clock_differs, difference = differ).into()
            })),
        Ok(None) => Ok(message!(readiness.clock_of_machine).into()),
        // What keeps it from being read is said of the store.
        Err(_) => Ok(message!(readiness.clock_not_compared).into()),
    }
}

async fn schema(endpoints: &EndpointState) -> Check {
    match endpoints.store.missing_migrations().await {
        Ok(0) => Ok(message!(readiness.schema_newest).into()),
        Ok(missing) => Err(message!(readiness.schema_old, missing = missing)),
        Err(error) => {
            tracing::warn!(%error, "not ready: the schema's version cannot be read");
            Err(message!(readiness.schema_unreadable).to_owned())
        }
    }
}

/// Some stored credential opens, if there is any.
async fn keys(endpoints: &EndpointState) -> Check {
    let Ok(some) = endpoints.store.page_credentials(None, CREDENTIALS).await else {
        return Err(message!(readiness.keys_unreadable).to_owned());
    };
    if some.is_empty() {
        return Ok(message!(readiness.keys_unused).into());
    }
    for credential in some {
        if let Ok(Some(_)) = endpoints.engine.open_credential(credential.binding, credential.kind).await {
            return Ok(message!(readiness.keys_open).into());
        }
    }
    Err(message!(readiness.keys_wrong).to_owned())
}

fn worker(endpoints: &EndpointState) -> Check {
    if !endpoints.observing.works {
        return Ok(message!(readiness.worker_elsewhere).into());
    }
    let silent =
        endpoints.engine.heartbeat.silent(endpoints.environment.now(), endpoints.engine.timing.lease);
    if silent.is_empty() {
        return Ok(message!(readiness.worker_alive).into());
    }
    let silent = silent
        .iter()
        .map(|(which, seconds)| message!(readiness.silent_for, which = which, seconds = seconds));
    Err(message!(readiness.worker_silent, parts = silent.collect::<Vec<_>>().join(", ")))
}

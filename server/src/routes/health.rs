//! Is the process up, and can it work?

use std::{fmt::Write, sync::Arc, time::Duration};

use axum::{extract::State, http::StatusCode, response::IntoResponse};

use crate::state::Wire;

/// How many credentials are tried before the keys are called wrong: one that nobody can open any more must not stop the others.
const CREDENTIALS: u32 = 10;

/// `GET /healthz`: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: everything that this process needs of itself and its machine, a line a check. Sage and the shops are no part of
/// it: their runs wait, and a restart would mend nothing.
pub async fn readyz(State(wire): State<Arc<Wire>>) -> impl IntoResponse {
    let [store, schema, keys] = look(&wire).await;
    let checks = [
        ("running", running(&wire)),
        ("store", store),
        ("schema", schema),
        ("keys", keys),
        ("worker", worker(&wire)),
    ];
    let is_ready = checks.iter().all(|(_, check)| check.is_ok());
    let mut text = format!("{}\n", if is_ready { "ready" } else { "not ready" });
    for (name, check) in checks {
        let (verdict, says) = match &check {
            Ok(says) => ("ok", *says),
            Err(says) => ("failed", says.as_str()),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}: {verdict}, {says}");
    }
    (if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text)
}

/// What is well, or what is not.
type Check = Result<&'static str, String>;

/// What was seen of the store, and when.
pub struct Looked {
    at: Duration,
    checks: [Check; 3],
}

/// Looks at the store, or tells what was seen a moment ago. Those who ask meanwhile wait for the same look.
async fn look(wire: &Wire) -> [Check; 3] {
    let mut looked = wire.looked.lock().await;
    let now = wire.outside.uptime();
    if let Some(looked) = looked.as_ref()
        && now.saturating_sub(looked.at) < wire.observing.looks_last
    {
        return looked.checks.clone();
    }
    let checks = [store(wire).await, schema(wire).await, keys(wire).await];
    *looked = Some(Looked { at: now, checks: checks.clone() });
    checks
}

fn running(wire: &Wire) -> Check {
    if wire.shutdown.is_cancelled() { Err("the process is ending".to_owned()) } else { Ok("not ending") }
}

async fn store(wire: &Wire) -> Check {
    wire.store.ready().await.map(|()| "it was written").map_err(|error| {
        tracing::warn!(%error, "not ready: the store cannot be written");
        "it cannot be written; the log says why".to_owned()
    })
}

async fn schema(wire: &Wire) -> Check {
    match wire.store.missing_migrations().await {
        Ok(0) => Ok("the newest"),
        Ok(missing) => Err(format!("{missing} steps are missing; `ledger migrate` makes them")),
        Err(error) => {
            tracing::warn!(%error, "not ready: the schema's version cannot be read");
            Err("its version cannot be read; the log says why".to_owned())
        }
    }
}

/// Some stored credential opens, if there is any.
async fn keys(wire: &Wire) -> Check {
    let Ok(some) = wire.store.page_credentials(None, CREDENTIALS).await else {
        return Err("the credentials cannot be read".to_owned());
    };
    if some.is_empty() {
        return Ok("nothing is sealed yet");
    }
    for credential in some {
        if let Ok(Some(_)) = wire.engine.open_credential(credential.binding, credential.kind).await {
            return Ok("they open what is stored");
        }
    }
    Err("LEDGER_KEYS opens none of the stored credentials; put the key back that sealed them".to_owned())
}

fn worker(wire: &Wire) -> Check {
    if !wire.observing.works {
        return Ok("not in this process");
    }
    let silent = wire.engine.pulse.silent(wire.outside.now(), wire.engine.timing.lease);
    if silent.is_empty() {
        return Ok("alive");
    }
    let silent = silent.iter().map(|(which, seconds)| format!("{which} for {seconds} s"));
    Err(format!("no sign of life: {}; restart the process", silent.collect::<Vec<_>>().join(", ")))
}

//! `GET /metrics`: figures for Prometheus. Words of fixed sets are its only labels; a binding's id is one only where the
//! configuration asks for it.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{
    Extension,
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::run::{BindingStatus, RunStatus};
use messages::message;
use metrics::Gauges;
use secrecy::{ExposeSecret, SecretString};
use store::BindingFigures;
use subtle::ConstantTimeEq;

use crate::state::EndpointState;

/// What a proxy in front of Ledger adds: who brings it comes from elsewhere.
const FORWARDED: [HeaderName; 3] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
];

/// Answers whom it may: with a token configured whoever brings it, without one this machine alone.
pub async fn metrics(
    State(endpoints): State<Arc<EndpointState>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Response {
    let observing = &endpoints.observing;
    if let Err(refusal) = admit(&observing.token, peer.map(|Extension(peer)| peer.0), &headers) {
        return refusal.into_response();
    }
    let now = endpoints.environment.now();
    let figures = match endpoints.store.figures(now).await {
        Ok(figures) => figures,
        Err(error) => {
            tracing::warn!(%error, "the figures could not be read");
            return (StatusCode::SERVICE_UNAVAILABLE, concat!(message!(requests.metrics_unreadable), "\n"))
                .into_response();
        }
    };
    let mut gauges = gauges(&figures, now);
    if observing.by_binding {
        of_each_binding(&mut gauges, &figures, now);
    }
    match metrics::text(&gauges) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

type Refused = (StatusCode, [(HeaderName, &'static str); 1], &'static str);

fn admit(token: &SecretString, peer: Option<SocketAddr>, headers: &HeaderMap) -> Result<(), Refused> {
    let token = token.expose_secret();
    if token.is_empty() {
        let is_local = peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
        let is_direct = FORWARDED.iter().all(|name| !headers.contains_key(name));
        return if is_local && is_direct {
            Ok(())
        } else {
            let text = concat!(message!(requests.metrics_elsewhere), "\n");
            Err((StatusCode::FORBIDDEN, [(header::CACHE_CONTROL, "no-store")], text))
        };
    }
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if given.is_some_and(|given| given.ct_eq(token.as_bytes()).into()) {
        Ok(())
    } else {
        let text = concat!(message!(requests.metrics_token), "\n");
        Err((StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], text))
    }
}

/// The figures of all bindings together.
fn gauges(figures: &[BindingFigures], now: DateTime<Utc>) -> Gauges {
    let mut gauges = Gauges::default();
    let sum = |of: Count| number(figures.iter().map(of).sum());
    let version = vec![("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    gauges.many("build_info", "The version of Ledger", [(version, 1.0)]);
    gauges.many("runs", "Runs that have not ended, by status", by_status(sum));
    gauges.one("runs_lost", "Running runs whose lease has run out", sum(|figures| figures.lost));
    let due = figures.iter().filter_map(|figures| figures.due_since);
    gauges.one("oldest_due_seconds", "For how long the oldest due run has been due", oldest(due, now));
    let mut bindings: BTreeMap<BindingStatus, i64> =
        BindingStatus::ALL.iter().map(|status| (*status, 0)).collect();
    for figures in figures {
        *bindings.entry(figures.status).or_default() += 1;
    }
    let bindings =
        bindings.into_iter().map(|(status, count)| (label("status", status.as_str()), number(count)));
    gauges.many("bindings", "Bindings, by status", bindings);
    let connected = || figures.iter().filter(|figures| is_connected(figures.status));
    let tokens = connected().filter_map(|figures| figures.tokens_at);
    gauges.one("oldest_token_seconds", "Age of the oldest tokens of Sage's in use", oldest(tokens, now));
    let references = connected().filter_map(|figures| figures.reference_at);
    gauges.one(
        "oldest_reference_seconds",
        "Age of the oldest lists of Sage's in use",
        oldest(references, now),
    );
    gauges.one("deliveries_due", "States that Magento should know by now", sum(|f| f.deliveries_due));
    gauges.one("deliveries_given_up", "States that Magento was never told", sum(|f| f.deliveries_given_up));
    gauges
}

/// The same for each binding by its id.
fn of_each_binding(gauges: &mut Gauges, figures: &[BindingFigures], now: DateTime<Utc>) {
    let of = |figures: &BindingFigures| label("binding", &figures.binding_id.to_string());
    let runs = figures.iter().flat_map(|figures| {
        by_status(|count| number(count(figures))).into_iter().map(move |(mut labels, count)| {
            labels.extend(of(figures));
            (labels, count)
        })
    });
    gauges.many("binding_runs", "Runs that have not ended, by binding and status", runs);
    let due = figures.iter().map(|figures| (of(figures), oldest(figures.due_since.into_iter(), now)));
    gauges.many("binding_oldest_due_seconds", "For how long the binding's oldest due run has been due", due);
}

/// One of the counts of a binding.
type Count = fn(&BindingFigures) -> i64;

/// A count for each status that is open.
fn by_status(count: impl Fn(Count) -> f64) -> Vec<(Vec<(String, String)>, f64)> {
    let counts: [(RunStatus, Count); 4] = [
        (RunStatus::Queued, |figures| figures.queued),
        (RunStatus::Running, |figures| figures.running),
        (RunStatus::Waiting, |figures| figures.waiting),
        (RunStatus::Retrying, |figures| figures.retrying),
    ];
    counts.into_iter().map(|(status, of)| (label("status", status.as_str()), count(of))).collect()
}

const fn is_connected(status: BindingStatus) -> bool {
    matches!(status, BindingStatus::Active | BindingStatus::Paused)
}

fn label(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

/// Seconds since the earliest of these instants; 0 where there is none.
fn oldest(instants: impl Iterator<Item = DateTime<Utc>>, now: DateTime<Utc>) -> f64 {
    instants.min().map_or(0.0, |oldest| (now - oldest).as_seconds_f64().max(0.0))
}

/// A count as Prometheus takes numbers: exact up to 2^32, which no shop reaches.
fn number(count: i64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(token: &str, peer: &str, headers: &[(HeaderName, &str)]) -> Option<StatusCode> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        admit(&token.to_owned().into(), Some(peer.parse().unwrap()), &headers).err().map(|refused| refused.0)
    }

    #[test]
    fn without_a_token_this_machine_alone_is_answered() {
        for peer in ["127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(asked("", peer, &[]), None, "{peer}");
        }
        assert_eq!(asked("", "192.0.2.1:1", &[]), Some(StatusCode::FORBIDDEN));
        for name in FORWARDED {
            let through_a_proxy = asked("", "127.0.0.1:1", &[(name, "192.0.2.1")]);
            assert_eq!(through_a_proxy, Some(StatusCode::FORBIDDEN));
        }
    }

    #[test]
    fn with_a_token_whoever_brings_it_is_answered() {
        let bearer = |value| asked("secret", "192.0.2.1:1", &[(header::AUTHORIZATION, value)]);
        assert_eq!(bearer("Bearer secret"), None);
        for wrong in ["Bearer secre", "Bearer secret2", "Bearer ", "Basic secret", "secret"] {
            assert_eq!(bearer(wrong), Some(StatusCode::UNAUTHORIZED), "{wrong}");
        }
        assert_eq!(asked("secret", "127.0.0.1:1", &[]), Some(StatusCode::UNAUTHORIZED));
    }
}

//! Logs to standard error; traces over OTLP, where an endpoint is named.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Subscriber, level_filters::LevelFilter, warn};
use tracing_subscriber::{
    EnvFilter, Layer, filter::Targets, fmt, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::lifecycle::Failure;

/// The rooms whose spans are parts of traces.
const ROOMS: [&str; 4] = ["server", "sync", "sage", "magento"];

/// The variables that OpenTelemetry names for an endpoint; its exporter reads them itself.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be ended, so that nothing is lost.
static TRACES: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Starts logging, and sending traces to `endpoint` or to where OpenTelemetry's variables say; neither costs anything where
/// nobody asks for it. The second call of a process is passed over.
pub fn start(filter: &str, format: &str, endpoint: &str) {
    let (traces, problem) = match provider(endpoint) {
        Ok(traces) => (traces, None),
        Err(problem) => (None, Some(problem)),
    };
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = fmt::layer().with_writer(std::io::stderr);
    let logs = if format == "json" { logs.json().boxed() } else { logs.boxed() };
    let started = tracing_subscriber::registry()
        .with(logs.with_filter(filter))
        .with(traces.as_ref().map(spans))
        .try_init();
    if started.is_err() {
        tracing::debug!("logging had been started before");
        return;
    }
    if let Some(problem) = problem {
        warn!(error = %problem, "traces are not sent: the endpoint cannot be used");
    }
    if let Some(traces) = traces {
        TRACES.get_or_init(|| traces);
    }
}

/// Sends what is still to be sent.
pub async fn stop() {
    if let Some(traces) = TRACES.get() {
        // The provider waits by blocking; the threads that send must go on.
        let stopped = tokio::task::spawn_blocking(|| traces.shutdown()).await;
        if !matches!(stopped, Ok(Ok(()))) {
            warn!("the last traces were not sent");
        }
    }
}

fn spans<S>(traces: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let rooms = Targets::new().with_targets(ROOMS.map(|room| (room, LevelFilter::DEBUG)));
    tracing_opentelemetry::layer()
        .with_tracer(traces.tracer("ledger"))
        .with_location(false)
        .with_threads(false)
        .with_filter(rooms)
}

/// What makes and sends spans; none where no endpoint is named.
fn provider(endpoint: &str) -> Result<Option<SdkTracerProvider>, Failure> {
    if endpoint.is_empty() && ENDPOINTS.iter().all(|name| std::env::var_os(name).is_none()) {
        return Ok(None);
    }
    let http =
        reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build()?;
    let sender = Sender { http, runtime: Handle::try_current()?, has_failed: AtomicBool::new(false) };
    let mut exporter = SpanExporter::builder().with_http().with_http_client(sender);
    if !endpoint.is_empty() {
        exporter = exporter.with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')));
    }
    let mut resource = Resource::builder();
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("ledger");
    }
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let provider = SdkTracerProvider::builder()
        .with_resource(resource.with_attribute(version).build())
        .with_batch_exporter(exporter.build()?)
        .build();
    Ok(Some(provider))
}

/// Sends by the HTTP client that everything else is sent by.
#[derive(Debug)]
struct Sender {
    http: reqwest::Client,
    runtime: Handle,
    has_failed: AtomicBool,
}

impl Sender {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let http = self.http.clone();
        // The SDK asks from a thread of its own, which has no runtime.
        let sending = self.runtime.spawn(async move {
            let answer = http.execute(request).await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        let (status, body) = sending.await??;
        Ok(Response::builder().status(status).body(body)?)
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let result = self.send(request).await;
        let has_failed = result.as_ref().map_or(true, |answer| !answer.status().is_success());
        // Said once a failure, not once a batch.
        if has_failed && !self.has_failed.swap(has_failed, Ordering::Relaxed) {
            let status = result.as_ref().ok().map(|answer| answer.status().as_u16());
            warn!(status, "traces could not be sent; they are dropped until the endpoint answers");
        } else if !has_failed {
            self.has_failed.store(false, Ordering::Relaxed);
        }
        result
    }
}

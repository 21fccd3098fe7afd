#![doc = include_str!("../README.md")]

mod template;

use std::{fmt, sync::LazyLock, time::Duration};

use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

pub use template::template;

/// What kind of text [`text`] is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds of a call or a request.
const CALL: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// Seconds from a document's save in Magento to its place in Sage: minutes at best, a day of retries at worst.
const DOCUMENT: [f64; 11] = [1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0];

type Labels<const N: usize> = [(&'static str, String); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Timings<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

fn call_timing() -> Histogram {
    Histogram::new(CALL)
}

fn document_timing() -> Histogram {
    Histogram::new(DOCUMENT)
}

/// The meters of this process.
static METERS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

struct Metrics {
    registry: Registry,
    attempts: Counters<3>,
    documents: Timings<1>,
    sage_calls: Timings<3>,
    magento_calls: Timings<3>,
    webhooks: Counters<2>,
    deliveries: Counters<1>,
    refreshes: Counters<1>,
    requests: Timings<3>,
    sign_ins: Counters<1>,
}

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::with_prefix("ledger");
        let (attempts, webhooks) = (Counters::default(), Counters::default());
        let (deliveries, refreshes) = (Counters::default(), Counters::default());
        let sign_ins = Counters::default();
        let (documents, requests) = (timings_of(document_timing), timings_of(call_timing));
        let (sage_calls, magento_calls) = (timings_of(call_timing), timings_of(call_timing));
        registry.register("attempts", "Attempts that have ended", attempts.clone());
        registry.register(
            "document_seconds",
            "From Magento's save to the end of the run that succeeded",
            documents.clone(),
        );
        registry.register("sage_call_seconds", "Calls to Sage", sage_calls.clone());
        registry.register("magento_call_seconds", "Calls to Magento", magento_calls.clone());
        registry.register("webhooks", "Events of Magento's by what was answered", webhooks.clone());
        registry.register("deliveries", "Tries to tell Magento a state", deliveries.clone());
        registry.register("token_refreshes", "Refreshes of Sage's tokens", refreshes.clone());
        registry.register("sign_ins", "Sign-ins by what came of them", sign_ins.clone());
        registry.register("http_request_seconds", "Requests to Ledger", requests.clone());
        Self {
            registry,
            attempts,
            documents,
            sage_calls,
            magento_calls,
            webhooks,
            deliveries,
            refreshes,
            requests,
            sign_ins,
        }
    }
}

fn timings_of<const N: usize>(make: fn() -> Histogram) -> Timings<N> {
    Family::new_with_constructor(make)
}

/// An attempt of a run has ended; `code` is empty where there is none.
pub fn attempt(event: &str, outcome: &str, code: &str) {
    let labels = [("event", event.to_owned()), ("outcome", outcome.to_owned()), ("code", code.to_owned())];
    METERS.attempts.get_or_create(&labels).inc();
}

/// A document is in Sage, so long after Magento saved it.
pub fn document(event: &str, since_saved: Duration) {
    METERS.documents.get_or_create(&[("event", event.to_owned())]).observe(since_saved.as_secs_f64());
}

/// A call to Sage has ended; no status where there was no answer.
pub fn sage_call(method: &str, path: &str, status: Option<u16>, duration: Duration) {
    METERS.sage_calls.get_or_create(&call(method, path, status)).observe(duration.as_secs_f64());
}

/// A call to Magento has ended; no status where there was no answer.
pub fn magento_call(method: &str, path: &str, status: Option<u16>, duration: Duration) {
    METERS.magento_calls.get_or_create(&call(method, path, status)).observe(duration.as_secs_f64());
}

fn call(method: &str, path: &str, status: Option<u16>) -> Labels<3> {
    [("method", method.to_owned()), ("path", template(path)), ("status", class(status))]
}

/// An event of Magento's was answered.
pub fn webhook(event: &str, status: u16) {
    let labels = [("event", event.to_owned()), ("status", status.to_string())];
    METERS.webhooks.get_or_create(&labels).inc();
}

/// Somebody tried to sign in: `signed_in`, `code_asked`, `wrong_credentials`, `wrong_code`, `limited` or `failed`.
pub fn sign_in(outcome: &str) {
    METERS.sign_ins.get_or_create(&[("outcome", outcome.to_owned())]).inc();
}

/// Magento was told a state: `delivered`, `retrying` or `given_up`.
pub fn delivery(outcome: &str) {
    METERS.deliveries.get_or_create(&[("outcome", outcome.to_owned())]).inc();
}

/// Sage's tokens were refreshed: `refreshed`, `refused` or `failed`.
pub fn refresh(outcome: &str) {
    METERS.refreshes.get_or_create(&[("outcome", outcome.to_owned())]).inc();
}

/// A request was answered, by the route that the router names.
pub fn request(method: &str, route: &str, status: u16, duration: Duration) {
    let labels =
        [("method", method.to_owned()), ("route", route.to_owned()), ("status", class(Some(status)))];
    METERS.requests.get_or_create(&labels).observe(duration.as_secs_f64());
}

/// The class of a status, such as `2xx`.
fn class(status: Option<u16>) -> String {
    status.map_or_else(|| "none".to_owned(), |status| format!("{}xx", status / 100))
}

/// Values that are read at the moment they are asked for.
pub struct Gauges(Registry);

impl Default for Gauges {
    fn default() -> Self {
        Self(Registry::with_prefix("ledger"))
    }
}

impl Gauges {
    /// A value without labels.
    pub fn one(&mut self, name: &str, help: &str, value: f64) {
        let gauge = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
        gauge.set(value);
        self.0.register(name, help, gauge);
    }

    /// Values by a label.
    pub fn many(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Vec<(String, String)>, f64)>,
    ) {
        let family = Family::<Vec<(String, String)>, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, help, family);
    }
}

/// All that this process has counted, and these gauges.
pub fn text(gauges: &Gauges) -> Result<String, fmt::Error> {
    let mut text = String::new();
    encode_registry(&mut text, &METERS.registry)?;
    encode_registry(&mut text, &gauges.0)?;
    encode_eof(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told_with_its_labels() {
        attempt("invoice.created", "failed", "sage_validation");
        sage_call("GET", "/sales_invoices/4bc3", Some(200), Duration::from_millis(30));
        sage_call("POST", "/sales_invoices", None, Duration::from_mins(1));
        let mut gauges = Gauges::default();
        gauges.one("oldest_due_seconds", "How long", 1.5);
        gauges.many("runs", "Open runs", [(vec![("status".to_owned(), "queued".to_owned())], 2.0)]);
        let text = text(&gauges).unwrap();
        for line in [
            r#"ledger_attempts_total{event="invoice.created",outcome="failed",code="sage_validation"} 1"#,
            r#"ledger_sage_call_seconds_count{method="GET",path="/sales_invoices/{id}",status="2xx"} 1"#,
            r#"ledger_sage_call_seconds_bucket{le="0.05",method="GET",path="/sales_invoices/{id}",status="2xx"} 1"#,
            r#"ledger_sage_call_seconds_count{method="POST",path="/sales_invoices",status="none"} 1"#,
            "ledger_oldest_due_seconds 1.5",
            r#"ledger_runs{status="queued"} 2.0"#,
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}

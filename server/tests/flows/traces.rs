//! Traces, as a collector receives them from the real binary.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message;
use tokio::{net::TcpListener, process::Command};

/// The spans that have arrived.
type Collected = Arc<Mutex<Vec<Span>>>;

async fn collect(State(spans): State<Collected>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
    StatusCode::OK
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let KeyValue { value, .. } = span.attributes.iter().find(|attribute| attribute.key == name)?;
    match value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_has_one_trace_from_the_webhook_to_sage_and_back() {
    let collected = Collected::default();
    let router = Router::new().route("/v1/traces", post(collect)).with_state(Arc::clone(&collected));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let demo = Command::new(env!("CARGO_BIN_EXE_ledger"))
        .args(["demo", "--once"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
        .output()
        .await
        .unwrap();
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));

    let spans = collected.lock().unwrap();
    let webhooks = spans.iter().filter(|span| span.name == "webhook");
    let of_invoices: Vec<&Span> =
        webhooks.filter(|span| attribute(span, "event").as_deref() == Some("invoice.created")).collect();
    assert!(!of_invoices.is_empty(), "{} spans", spans.len());
    let whole = of_invoices.iter().filter(|webhook| {
        let trace = spans.iter().filter(|span| span.trace_id == webhook.trace_id);
        let names: BTreeSet<&str> = trace.map(|span| span.name.as_str()).collect();
        ["run", "magento", "plan", "sage", "finish", "delivery"].iter().all(|name| names.contains(name))
    });
    assert!(whole.count() > 3, "some invoices went the whole way");
    let webhook = of_invoices[0];
    let run = spans.iter().find(|span| span.name == "run" && span.trace_id == webhook.trace_id).unwrap();
    assert_eq!(run.parent_span_id, webhook.span_id);
    assert_eq!(attribute(run, "run"), attribute(webhook, "run"));
    let call = spans.iter().find(|span| span.name == "sage").unwrap();
    assert!(attribute(call, "path").is_some() && attribute(call, "status").is_some(), "{call:?}");
    let text = format!("{spans:?}");
    assert!(!text.contains('@') && !text.contains("Bearer"), "neither people nor tokens");
}

//! One trace from the webhook to Sage: its context goes with the run through the store, as W3C Trace Context writes it.

use std::collections::HashMap;

use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header of W3C Trace Context.
const TRACE_PARENT: &str = "traceparent";

/// What is to be kept with a run that this span makes; none where no traces are sent.
pub fn trace_parent(span: &Span) -> Option<String> {
    let mut headers = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut headers);
    headers.remove(TRACE_PARENT)
}

/// The id of the trace, for logs.
pub fn trace_id(trace_parent: &str) -> Option<&str> {
    trace_parent.split('-').nth(1)
}

/// Makes the span a part of the trace that was kept; to be called before anything happens in it.
pub fn continue_trace(span: &Span, trace_parent: Option<&str>) {
    if let Some(parent) = trace_parent.and_then(parse) {
        // Refused only for a span that has begun, and ours has not.
        drop(span.set_parent(parent));
    }
}

fn parse(trace_parent: &str) -> Option<Context> {
    let headers = HashMap::from([(TRACE_PARENT.to_owned(), trace_parent.to_owned())]);
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &headers);
    context.has_active_span().then_some(context)
}

#[cfg(test)]
mod tests {
    use tracing::debug_span;

    use super::*;

    #[test]
    fn what_was_kept_is_read_again() {
        let kept = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = parse(kept).unwrap();
        let context = context.span().span_context().clone();
        assert!(context.is_valid() && context.is_remote() && context.is_sampled());
        assert_eq!(Some(context.trace_id().to_string().as_str()), trace_id(kept));
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        for nonsense in ["", "00", "00-zz-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-1"] {
            assert!(parse(nonsense).is_none(), "{nonsense}");
        }
    }

    #[test]
    fn nothing_is_kept_where_no_traces_are_sent() {
        assert_eq!(trace_parent(&debug_span!("webhook")), None);
    }
}

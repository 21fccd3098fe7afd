//! One trace from the webhook to Sage: its context goes with the run through the store, as W3C Trace Context writes it.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// What is to be kept with a run that this span makes; none where no traces are sent.
pub fn trace_parent(span: &Span) -> Option<String> {
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| {
        let (trace, span, flags) = (context.trace_id(), context.span_id(), context.trace_flags().to_u8());
        format!("00-{trace}-{span}-{flags:02x}")
    })
}

/// The id of the trace, for logs.
pub fn trace_id(trace_parent: &str) -> Option<&str> {
    trace_parent.split('-').nth(1)
}

/// Makes the span a part of the trace that was kept; to be called before anything happens in it.
pub fn continue_trace(span: &Span, trace_parent: Option<&str>) {
    if let Some(parent) = trace_parent.and_then(parse) {
        // Refused only for a span that has begun, and ours has not.
        drop(span.set_parent(Context::new().with_remote_span_context(parent)));
    }
}

fn parse(trace_parent: &str) -> Option<SpanContext> {
    let mut parts = trace_parent.split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(parts.next()?, 16).ok()?);
    Some(SpanContext::new(trace, span, flags, true, TraceState::default()))
}

#[cfg(test)]
mod tests {
    use tracing::debug_span;

    use super::*;

    #[test]
    fn what_was_kept_is_read_again() {
        let kept = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = parse(kept).unwrap();
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

//! Spans for an OpenTelemetry collector, over HTTP: one for each request, with one for each call inside. Made of the account
//! when it is closed, like the log line, so there is nothing in them that the log does not tell.

use std::{
    env,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    Context, KeyValue, global,
    trace::{Span, SpanKind, Status, TraceContextExt, Tracer},
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};

use super::history::{CallMade, Past};

/// Where spans go, by OpenTelemetry's own variables; without either nothing is sent.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// The export of spans. Dropping it sends what is left.
#[derive(Debug)]
pub(super) struct Export(SdkTracerProvider);

impl Export {
    /// Starts it, if the environment says where spans go. Not inside a runtime: it has a thread of its own, which waits.
    pub(super) fn start() -> Option<Self> {
        ENDPOINTS.iter().find(|name| env::var_os(name).is_some())?;
        let exporter = match SpanExporter::builder().with_http().build() {
            Ok(exporter) => exporter,
            Err(error) => {
                tracing::error!(%error, "no spans are sent: the exporter cannot be made");
                return None;
            }
        };
        let resource = Resource::builder().with_service_name("weighbridge").build();
        let provider =
            SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
        global::set_tracer_provider(provider.clone());
        Some(Self(provider))
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last spans may not have arrived");
        }
    }
}

/// Sends what became of one request that came to `door`.
pub(super) fn export(door: &str, past: &Past) {
    let Past { at, id, dialect, action, client, target, outcome, status, calls, losses, took_ms, .. } = past;
    let tracer = global::tracer("weighbridge");
    let began = SystemTime::from(*at);
    let mut attributes = vec![
        KeyValue::new("weighbridge.at", door.to_owned()),
        KeyValue::new("weighbridge.request_id", id.clone()),
        KeyValue::new("weighbridge.dialect", *dialect),
        KeyValue::new("weighbridge.action", action.clone()),
        KeyValue::new("weighbridge.outcome", *outcome),
        KeyValue::new("weighbridge.gateway_ms", past.gateway_ms),
        KeyValue::new("weighbridge.waiting_ms", past.waiting_ms),
    ];
    attributes.extend(client.clone().map(|client| KeyValue::new("weighbridge.client", client)));
    attributes.extend(target.clone().map(|target| KeyValue::new("weighbridge.target", target)));
    attributes.extend(status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))));
    attributes.extend(losses.iter().map(|(field, _)| KeyValue::new("weighbridge.loss", field.clone())));
    let request = tracer.span_builder("request").with_kind(SpanKind::Server);
    let mut request = request.with_start_time(began).with_attributes(attributes).start(&tracer);
    if !past.went_well() {
        request.set_status(Status::error(*outcome));
    }
    let within = Context::new().with_span(request);
    for call in calls {
        export_call(&tracer, &within, began, call);
    }
    within.span().end_with_timestamp(began + milliseconds(*took_ms));
}

fn export_call(tracer: &impl Tracer, within: &Context, request_began: SystemTime, call: &CallMade) {
    let CallMade { target, action, outcome, code, request_id, began_ms, took_ms, params: _ } = call;
    let began = request_began + milliseconds(*began_ms);
    let mut attributes = vec![
        KeyValue::new("weighbridge.target", target.clone()),
        KeyValue::new("weighbridge.action", action.clone()),
        KeyValue::new("weighbridge.outcome", *outcome),
    ];
    let told = [("weighbridge.code", code), ("weighbridge.request_id", request_id)];
    attributes.extend(told.into_iter().filter_map(|(name, text)| Some(KeyValue::new(name, text.clone()?))));
    let span = tracer.span_builder("call").with_kind(SpanKind::Client).with_start_time(began);
    let mut span = span.with_attributes(attributes).start_with_context(tracer, within);
    if *outcome != "done" {
        span.set_status(Status::error(*outcome));
    }
    span.end_with_timestamp(began + milliseconds(*took_ms));
}

fn milliseconds(count: f64) -> Duration {
    Duration::try_from_secs_f64(count / 1e3).unwrap_or_default()
}

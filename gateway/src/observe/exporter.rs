//! Gives spans to an OpenTelemetry collector: OTLP over HTTP, in JSON.
//!
//! ```text
//!   shards ─► queue (bounded; full: dropped, counted) ─► a batch: full, or a second old ─► POST …/v1/traces
//! ```
//!
//! A collector that is away or refuses costs the batch, never more memory; the log says so once a minute.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::trace::{Epoch, Span, SpanSink};
use crate::outbound::Outgoing;

/// Spans that wait for the exporter.
const QUEUE: usize = 4096;
/// Spans of one request.
const BATCH: usize = 512;
/// How long a batch may gather.
const GATHER: Duration = Duration::from_secs(1);
/// How often a failure is told.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// What became of the spans.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The collector has them.
    pub sent: Counter,
    /// Nobody has.
    pub dropped: Counter,
}

/// Sends spans for as long as it is polled.
pub struct Exporter {
    spans: mpsc::Receiver<Span>,
    outgoing: Outgoing,
    url: String,
    epoch: Epoch,
    exported: Exported,
    told_at: Option<Instant>,
}

impl Exporter {
    /// An exporter to the collector at this address, such as `http://127.0.0.1:4318`, and where its spans are put.
    pub fn new(outgoing: Outgoing, endpoint: &str) -> (Self, SpanSink, Exported) {
        let (queue, spans) = mpsc::channel(QUEUE);
        let exported = Exported { sent: Counter::default(), dropped: Counter::default() };
        let sink = SpanSink { queue, dropped: exported.dropped.clone() };
        let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let epoch = Epoch::now();
        let exporter =
            Self { spans, outgoing, url, epoch, exported: exported.clone(), told_at: None };
        (exporter, sink, exported)
    }

    /// Works until nobody can give it a span any more.
    pub async fn run(mut self) {
        while let Some(first) = self.spans.recv().await {
            let mut batch = vec![first];
            let until = Instant::now() + GATHER;
            while batch.len() < BATCH
                && let Ok(Some(span)) = timeout_at(until, self.spans.recv()).await
            {
                batch.push(span);
            }
            let count = batch.len() as u64;
            let request = self.outgoing.post(&self.url).json(&self.body(&batch));
            let answer = request.send().await.and_then(reqwest::Response::error_for_status);
            match answer {
                Ok(_) => {
                    self.exported.sent.inc_by(count);
                }
                Err(error) => {
                    self.exported.dropped.inc_by(count);
                    self.tell(&error.without_url());
                }
            }
        }
    }

    fn tell(&mut self, error: &reqwest::Error) {
        let now = Instant::now();
        if self.told_at.is_none_or(|at| now.duration_since(at) >= TELL_EVERY) {
            self.told_at = Some(now);
            tracing::warn!(%error, "the collector of traces does not take spans; they are dropped");
        }
    }

    /// `ExportTraceServiceRequest` in the JSON of Protobuf, ids in hexadecimal.
    fn body(&self, spans: &[Span]) -> Value {
        let spans: Vec<Value> = spans.iter().map(|span| self.span(span)).collect();
        let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
        let resource = [
            text("service.name", "ringwire"),
            text("service.version", env!("CARGO_PKG_VERSION")),
            json!({"key": "process.pid", "value": {"intValue": std::process::id().to_string()}}),
        ];
        json!({"resourceSpans": [{
            "resource": {"attributes": resource},
            "scopeSpans": [{"scope": {"name": "ringwire"}, "spans": spans}],
        }]})
    }

    fn span(&self, span: &Span) -> Value {
        let number =
            |key: &str, value: u64| json!({"key": key, "value": {"intValue": value.to_string()}});
        let mut attributes = vec![number("ringwire.shard", span.shard.into())];
        attributes.extend(span.about.iter().map(|(key, value)| number(key, *value)));
        let mut told = json!({
            "traceId": format!("{:032x}", span.context.trace_id),
            "spanId": format!("{:016x}", span.context.span_id),
            "name": span.name,
            // SPAN_KIND_INTERNAL
            "kind": 1,
            "startTimeUnixNano": self.epoch.unix_ns(span.start).to_string(),
            "endTimeUnixNano": self.epoch.unix_ns(span.end).to_string(),
            "attributes": attributes,
        });
        if let Some(parent) = span.parent {
            told["parentSpanId"] = format!("{parent:016x}").into();
        }
        told
    }
}

//! Traces for an OpenTelemetry collector, by OTLP over HTTP: from an event to its transaction, and from an interaction to its reply.
//!
//! - `event`: from the first uncommitted event of a shard until its commit. Its children are `flush`, with links to the events of other
//!   shards in the same transaction, `transaction` and `query`.
//! - `interaction`: from a command or a component to its reply. Its children are `query`, `transaction` and `request`.
//!
//! Spans are created per batch, statement or request, never per event, and cost nothing without a configured collector. They name shards,
//! commands, statements and routes, but no guilds, users or texts.
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

use std::{fmt, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use opentelemetry::{
    KeyValue,
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use thiserror::Error;
use tokio::{runtime::Handle, task::spawn_blocking, time::timeout};
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer as _, filter::filter_fn};

use crate::{
    config::Traces,
    support::{
        https::{HttpsClient, client},
        ids::ShardKey,
    },
    telemetry::logging::Also,
};

/// The target of all spans, used for nothing else.
pub const TARGET: &str = "eventide::trace";

/// The timeout for requests to the collector.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit for sending the last spans at shutdown.
const PARTING: Duration = Duration::from_secs(2);
/// The maximum size of a collector's response.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Why traces cannot be sent.
#[derive(Debug, Error)]
#[error("traces cannot be sent to traces.otlp_endpoint: {0}")]
pub struct TracesError(#[from] opentelemetry_otlp::ExporterBuildError);

/// Sends spans. Without a collector it does nothing.
#[derive(Debug, Default)]
pub struct Sending(Option<SdkTracerProvider>);

/// Start sending to the configured collector, if any. Returns the layer through which the log passes spans.
///
/// # Errors
///
/// The collector's URL is invalid.
pub fn start(traces: &Traces) -> Result<(Sending, Option<Also>), TracesError> {
    if traces.otlp_endpoint.is_empty() {
        return Ok((Sending(None), None));
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!(
            "{}/v1/traces",
            traces.otlp_endpoint.trim_end_matches('/')
        ))
        .with_timeout(TIMEOUT)
        .with_http_client(Sender {
            client: client(TIMEOUT),
            runtime: Handle::current(),
        })
        .build()?;
    let resource = Resource::builder_empty()
        .with_service_name("eventide")
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("process.pid", i64::from(std::process::id())),
        ])
        .build();
    let ratio = Sampler::TraceIdRatioBased(f64::from(traces.sample_percent) / 100.0);
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(ratio)))
        .with_resource(resource)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("eventide"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(|metadata| metadata.target() == TARGET));
    Ok((Sending(Some(provider)), Some(layer.boxed())))
}

impl Sending {
    /// Send the remaining spans, for at most 2 s.
    pub async fn end(self) {
        if let Some(provider) = self.0 {
            // The exporter waits for this runtime, so it must not block one of its threads.
            let ended = spawn_blocking(move || provider.shutdown_with_timeout(PARTING));
            if !matches!(ended.await, Ok(Ok(()))) {
                tracing::warn!("the last spans could not be sent to traces.otlp_endpoint");
            }
        }
    }
}

/// The bot's HTTP client, usable from a thread outside the runtime.
struct Sender {
    client: HttpsClient,
    runtime: Handle,
}

impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl HttpClient for Sender {
    fn send_bytes<'s, 'f>(
        &'s self,
        request: Request<Bytes>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let asked = client.request(request.map(Full::new));
            let answer = timeout(TIMEOUT, asked).await??;
            let (head, body) = answer.into_parts();
            let body = timeout(TIMEOUT, Limited::new(body, LONGEST_ANSWER).collect()).await??;
            Ok::<_, HttpError>(Response::from_parts(head, body.to_bytes()))
        });
        Box::pin(async move { sent.await? })
    }
}

/// The oldest uncommitted event of a shard, until its commit.
pub fn event(shard: ShardKey) -> Span {
    info_span!(target: TARGET, parent: None, "event", shard.id = shard.id, shard.count = shard.count, otel.kind = "consumer")
}

/// The flush that commits these `events`, the oldest first.
pub fn flush<'a>(mut events: impl Iterator<Item = &'a Span>) -> Span {
    let Some(first) = events.next() else {
        return Span::none();
    };
    let span = info_span!(target: TARGET, parent: first, "flush");
    if !span.is_disabled() {
        for other in events {
            span.add_link(other.context().span().span_context().clone());
        }
    }
    span
}

/// A database transaction.
pub fn transaction(name: &'static str) -> Span {
    info_span!(target: TARGET, "transaction", otel.name = name, otel.kind = "client", db.system.name = "postgresql")
}

/// A database statement.
pub fn query(name: &'static str) -> Span {
    info_span!(target: TARGET, "query", otel.name = name, otel.kind = "client", db.system.name = "postgresql", db.query.summary = name)
}

/// A command or a component interaction, until its reply.
pub fn interaction(command: &'static str) -> Span {
    info_span!(target: TARGET, parent: None, "interaction", otel.name = command, otel.kind = "server", outcome = tracing::field::Empty)
}

/// A request to Discord on this route, such as `POST channels/{id}/messages`, including waits and retries.
pub fn request(route: &str) -> Span {
    info_span!(target: TARGET, "request", otel.name = route, otel.kind = "client", http.route = route)
}

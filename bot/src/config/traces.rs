//! `[traces]`: traces sent to an OpenTelemetry collector.

use hyper::Uri;

use crate::config::reader::{Reader, Text, Whole};

/// Traces sent to an OpenTelemetry collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traces {
    /// The URL of the OpenTelemetry collector; empty sends no traces.
    pub otlp_endpoint: String,
    /// The percentage of traces that are sent.
    pub sample_percent: u32,
}

impl Traces {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("traces", "Traces sent to an OpenTelemetry collector.");
        Self {
            otlp_endpoint: section.also("OTEL_EXPORTER_OTLP_ENDPOINT").text(
                &Text {
                    name: "otlp_endpoint",
                    default: "",
                    allowed: "an http:// or https:// URL, or \"\" for none",
                    why: "A collector for OTLP over HTTP, such as http://127.0.0.1:4318; spans are sent to /v1/traces below it.",
                },
                endpoint,
            ),
            sample_percent: section.whole(Whole {
                name: "sample_percent",
                default: 100,
                range: 1..=100,
                unit: "percent",
                why: "Share of traces that are sent; each flush and each interaction is one trace.",
            }),
        }
    }
}

/// An HTTP URL without a query, or nothing.
fn endpoint(text: &str) -> Option<String> {
    let is_usable = |uri: Uri| {
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        is_http && uri.host().is_some() && uri.query().is_none()
    };
    (text.is_empty() || text.parse().is_ok_and(is_usable)).then(|| text.to_owned())
}

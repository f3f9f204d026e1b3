//! Reads figures from the metrics, so that the demo shows what an operator's Prometheus would.

/// Parsed metrics.
#[derive(Debug, Default)]
pub struct Figures {
    samples: Vec<(String, String, f64)>,
}

impl Figures {
    /// Parse the text format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
    pub fn parse(text: &str) -> Self {
        let samples = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let (series, value) = line.rsplit_once(' ')?;
                let (name, labels) = series.split_once('{').unwrap_or((series, ""));
                Some((
                    name.to_owned(),
                    labels.trim_end_matches('}').to_owned(),
                    value.parse().ok()?,
                ))
            })
            .collect();
        Self { samples }
    }

    /// The sum of a metric over its labels.
    pub fn sum(&self, name: &str) -> f64 {
        self.samples
            .iter()
            .filter(|(sample, _, _)| sample == name)
            .fold(0.0, |sum, (_, _, value)| sum + value)
    }

    /// A quantile of a histogram since the process started, computed like `histogram_quantile`; `None` without observations.
    pub fn quantile(&self, name: &str, quantile: f64) -> Option<f64> {
        let bucket = format!("{name}_bucket");
        let mut buckets: Vec<(f64, f64)> = self
            .samples
            .iter()
            .filter(|(sample, _, _)| *sample == bucket)
            .filter_map(|(_, labels, count)| {
                let bound = labels.split("le=\"").nth(1)?.split('"').next()?;
                Some((
                    if bound == "+Inf" {
                        f64::INFINITY
                    } else {
                        bound.parse().ok()?
                    },
                    *count,
                ))
            })
            .collect();
        buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let wanted = buckets
            .last()
            .map(|(_, count)| count * quantile)
            .filter(|rank| *rank > 0.0)?;
        let (mut lower, mut below) = (0.0, 0.0);
        for (bound, count) in buckets {
            if count >= wanted {
                let within = (wanted - below) / (count - below);
                return Some(if bound.is_finite() {
                    lower + (bound - lower) * within
                } else {
                    lower
                });
            }
            (lower, below) = (bound, count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Figures;

    const TEXT: &str = r#"# HELP a_total Something.
# TYPE a_total counter
a_total{event="X"} 3
a_total{event="Y"} 4
h_bucket{le="0.1"} 10
h_bucket{le="0.2"} 20
h_bucket{le="+Inf"} 20
h_count 20
"#;

    #[test]
    fn sums_and_quantiles() {
        let figures = Figures::parse(TEXT);
        assert!((figures.sum("a_total") - 7.0).abs() < 1e-9);
        assert!((figures.quantile("h", 0.5).expect("observations") - 0.1).abs() < 1e-9);
        assert!((figures.quantile("h", 0.75).expect("observations") - 0.15).abs() < 1e-9);
        assert_eq!(figures.quantile("missing", 0.5), None);
        assert!(figures.sum("missing").abs() < 1e-9);
    }
}

//! A histogram of the bot's own metrics.

use std::collections::BTreeMap;

use crate::Failure;

/// By bucket, the number of values that are at most as large as it ends. The keys are the ends' bits, which are in the order of the numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histogram(BTreeMap<u64, f64>);

impl Histogram {
    /// The one whose lines begin with `prefix`, up to the value of `le`.
    pub(crate) fn read(metrics: &str, prefix: &str) -> Result<Self, Failure> {
        let mut buckets = BTreeMap::new();
        for line in metrics.lines().filter_map(|line| line.strip_prefix(prefix)) {
            let (end, count) = line.split_once("\"} ").ok_or("a bucket without a count")?;
            buckets.insert(end.parse::<f64>()?.to_bits(), count.parse()?);
        }
        Ok(Self(buckets))
    }

    /// What was added after `before`.
    pub(crate) fn since(mut self, before: &Self) -> Self {
        for (end, count) in &mut self.0 {
            *count -= before.0.get(end).copied().unwrap_or_default();
        }
        self
    }

    /// Add another one of the same buckets.
    pub(crate) fn add(&mut self, more: &Self) {
        for (end, count) in &more.0 {
            *self.0.entry(*end).or_default() += count;
        }
    }

    /// The value that `part` of all are not above, as Prometheus computes it: evenly between the ends of a bucket. `None` without values.
    pub(crate) fn quantile(&self, part: f64) -> Option<f64> {
        let all = *self.0.last_key_value()?.1;
        let wanted = all * part;
        let (mut from, mut below) = (0.0, 0.0);
        for (end, count) in &self.0 {
            let end = f64::from_bits(*end);
            if *count >= wanted && *count > below {
                let share = (wanted - below) / (count - below);
                return Some(if end.is_finite() {
                    from + (end - from) * share
                } else {
                    from
                });
            }
            (from, below) = (end, *count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Histogram;

    #[test]
    fn what_was_added_has_quantiles() {
        let text = |counts: [u32; 3]| {
            let [a, b, c] = counts;
            format!(
                "# HELP h\nh{{le=\"0.1\"}} {a}\nh{{le=\"0.5\"}} {b}\nh{{le=\"+Inf\"}} {c}\nother{{le=\"1\"}} 9\n"
            )
        };
        let read = |counts| Histogram::read(&text(counts), "h{le=\"").expect("a histogram");
        let mut added = read([12, 20, 21]).since(&read([2, 10, 10]));
        assert_eq!(
            added.quantile(0.5).map(|value| (value * 1_000.0).round()),
            Some(55.0)
        );
        added.add(&read([0, 0, 9]));
        assert_eq!(added.quantile(0.99), Some(0.5));
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(read([0, 0, 0]).quantile(0.5), None);
    }
}

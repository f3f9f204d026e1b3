//! What a metric is made of, and the macro that turns the registry's lines into functions.

/// What a metric is, for the registry's own tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations in buckets.
    Histogram,
}

impl Kind {
    /// As Prometheus calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A label of a metric.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Every value that it can have, where that is known beforehand.
    pub values: &'static [&'static str],
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [Label],
    /// The help text.
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets.
    pub buckets: &'static [f64],
}

impl Definition {
    /// What its values are counted in; a counter without a unit counts what its name says.
    pub fn unit(&self) -> &'static str {
        let name = self.name.strip_suffix("_total").unwrap_or(self.name);
        match name.rsplit('_').next() {
            Some("seconds") => "seconds",
            Some("bytes") => "bytes",
            _ => "",
        }
    }
}

/// A line is `/// Help.`, then `kind function = "name" [label, label of VALUES] in BUCKETS;`.
macro_rules! registry {
    ($($(#[doc = $help:literal])+ $kind:ident $function:ident = $name:literal
        $([$($label:ident $(of $values:expr)?),+])? $(in $buckets:ident)?;)+) => {
        /// Every metric that the bot keeps; those of the process are [`PROCESS`].
        pub const REGISTRY: &[Definition] = &[$(Definition {
            name: $name,
            kind: registry!(@kind $kind),
            labels: &[$($(Label { name: stringify!($label), values: registry!(@values $($values)?) }),+)?],
            help: concat!($($help),+).trim_ascii(),
            buckets: registry!(@buckets $($buckets)?),
        }),+];

        $($(#[doc = $help])+
        #[expect(clippy::disallowed_macros, reason = "this is the registry")]
        pub fn $function($($($label: impl Into<::metrics::SharedString>),+)?) -> registry!(@type $kind) {
            ::metrics::$kind!($name $($(, stringify!($label) => $label)+)?)
        })+

        /// Make every counter exist at 0 that has no label, or one whose values are known, and every histogram without a label:
        /// `increase()` does not see a counter's first value, and a query that finds nothing looks like a broken one.
        fn begin_at_zero() {
            $(registry!(@zero $kind $function $([$($label $(of $values)?),+])?);)+
        }
    };
    (@zero counter $function:ident) => { $function().increment(0) };
    (@zero histogram $function:ident) => { drop($function()) };
    (@zero counter $function:ident [$label:ident of $values:expr]) => {
        for value in $values {
            $function(*value).increment(0);
        }
    };
    (@zero $kind:ident $function:ident $($labels:tt)*) => {};
    (@kind counter) => { Kind::Counter };
    (@kind gauge) => { Kind::Gauge };
    (@kind histogram) => { Kind::Histogram };
    (@type counter) => { ::metrics::Counter };
    (@type gauge) => { ::metrics::Gauge };
    (@type histogram) => { ::metrics::Histogram };
    (@values) => { &[] };
    (@values $values:expr) => { $values };
    (@buckets) => { &[] };
    (@buckets $buckets:ident) => { buckets::$buckets };
}
pub(super) use registry;

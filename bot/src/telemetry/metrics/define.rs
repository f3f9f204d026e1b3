//! The definition of a metric, and the macro that turns the lines of the registry into functions.

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only increases.
    Counter,
    /// It increases and decreases.
    Gauge,
    /// It counts observations in buckets.
    Histogram,
}

impl Kind {
    /// The name in Prometheus.
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
    /// The possible values, if they are known in advance.
    pub values: &'static [&'static str],
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [Label],
    /// The help text.
    pub help: &'static str,
    /// The upper bounds of a histogram's buckets.
    pub buckets: &'static [f64],
}

impl Definition {
    /// The unit; for a counter without one, the objects that its name contains.
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
        /// All metrics of the bot; those of the process are in [`PROCESS`].
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

        /// Create every counter without labels, or with a label whose values are known, with the value 0, and every histogram without
        /// labels: `increase()` does not count a counter's first value, and a query without a result looks like a broken one.
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

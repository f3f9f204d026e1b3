//! Every metric, declared once. The doc comment is the help text that Prometheus shows.
//!
//! Names are `eventide_<what>_<unit>[_total]`; durations are seconds and sizes bytes, as
//! <https://prometheus.io/docs/practices/naming/> asks. No guild, user or message id is ever a label, and a metric is by shard
//! or by event type, never by both: their product would be too many series.

use std::sync::OnceLock;

pub use ::metrics::Counter;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

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

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// The help text.
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets.
    buckets: &'static [f64],
}

/// Seconds of something that should take milliseconds.
const SECONDS: &[f64] = &[
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Rows in a flush.
const ROWS: &[f64] = &[
    0.0, 1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0, 25_000.0, 100_000.0,
];

macro_rules! registry {
    ($($(#[doc = $help:literal])+ $kind:ident $function:ident = $name:literal $([$($label:ident),+])? $(in $buckets:ident)?;)+) => {
        /// Every metric of the bot.
        pub const REGISTRY: &[Definition] = &[$(Definition {
            name: $name,
            kind: registry!(@kind $kind),
            labels: &[$($(stringify!($label)),+)?],
            help: concat!($($help),+).trim_ascii(),
            buckets: registry!(@buckets $($buckets)?),
        }),+];

        $($(#[doc = $help])+
        #[expect(clippy::disallowed_macros, reason = "this is the registry")]
        pub fn $function($($($label: impl Into<::metrics::SharedString>),+)?) -> registry!(@type $kind) {
            ::metrics::$kind!($name $($(, stringify!($label) => $label)+)?)
        })+

        /// Make every counter that has no label exist at 0: `increase()` does not see a counter's first value.
        fn begin_at_zero() {
            $(registry!(@zero $kind $function $($($label)+)?);)+
        }
    };
    (@zero counter $function:ident) => { $function().increment(0) };
    (@zero $kind:ident $function:ident $($label:ident)*) => {};
    (@kind counter) => { Kind::Counter };
    (@kind gauge) => { Kind::Gauge };
    (@kind histogram) => { Kind::Histogram };
    (@type counter) => { ::metrics::Counter };
    (@type gauge) => { ::metrics::Gauge };
    (@type histogram) => { ::metrics::Histogram };
    (@buckets) => { &[] };
    (@buckets $buckets:ident) => { $buckets };
}

registry! {
    /// The version that runs, as a label; always 1.
    gauge build_info = "eventide_build_info" [version];

    /// Gateway events received, by type. Types that Discord has added since are counted as `unknown`.
    counter gateway_events_total = "eventide_gateway_events_total" [event];
    /// Events that could not be read and were skipped, by type.
    counter gateway_events_malformed_total = "eventide_gateway_events_malformed_total" [event];
    /// Events that came again although they were counted already, and were skipped.
    counter gateway_events_duplicate_total = "eventide_gateway_events_duplicate_total";
    /// Events that were replayed by Discord after a resume.
    counter gateway_events_replayed_total = "eventide_gateway_events_replayed_total";
    /// Whether the shard is up: 1 with a session that receives events, 0 otherwise.
    gauge shard_up = "eventide_shard_up" [shard];
    /// State of the shard: 0 waiting to connect, 1 connecting, 2 up, 3 stopped because the ledger is full, 4 ended.
    gauge shard_state = "eventide_shard_state" [shard];
    /// Time from the last heartbeat to its acknowledgement.
    gauge shard_latency_seconds = "eventide_shard_latency_seconds" [shard];
    /// How long the oldest event that the shard received and that is not committed has been waiting; 0 when all is committed.
    gauge shard_checkpoint_lag_seconds = "eventide_shard_checkpoint_lag_seconds" [shard];
    /// Sessions started with IDENTIFY, of which Discord allows about 1,000 a day.
    counter gateway_identifies_total = "eventide_gateway_identifies_total";
    /// Sessions resumed.
    counter gateway_resumes_total = "eventide_gateway_resumes_total";
    /// Connections that ended, by close code; `none` where there was no close frame.
    counter gateway_closes_total = "eventide_gateway_closes_total" [code];
    /// Times that events were missed, by reason: the session was lost, or a resume did not begin where the checkpoint ended.
    counter gateway_gaps_total = "eventide_gateway_gaps_total" [reason];
    /// Messages of before a change of the number of shards that came so late that they may not have been counted.
    counter reshard_late_messages_total = "eventide_reshard_late_messages_total";
    /// Messages that were read back after a gap, and counted.
    counter backfill_messages_total = "eventide_backfill_messages_total";
    /// Pages of messages that were asked for to read back.
    counter backfill_requests_total = "eventide_backfill_requests_total";
    /// Channels that were read back to their end.
    counter backfill_channels_total = "eventide_backfill_channels_total";
    /// Channels that could not be read back, or not to their end, by reason.
    counter backfill_unread_channels_total = "eventide_backfill_unread_channels_total" [reason];
    /// Servers of the shard that are read back, or wait for it; their new messages count after the missed ones.
    gauge shard_backfill_guilds = "eventide_shard_backfill_guilds" [shard];
    /// Messages of the shard that wait until those before them are read back.
    gauge shard_backfill_held = "eventide_shard_backfill_held" [shard];
    /// Heartbeats that told Discord of events that were not committed yet, because the flush before it took too long.
    counter gateway_heartbeats_ahead_total = "eventide_gateway_heartbeats_ahead_total";
    /// How long a shard paused reading so that a heartbeat would not run ahead of the checkpoint.
    histogram gateway_heartbeat_hold_seconds = "eventide_gateway_heartbeat_hold_seconds" in SECONDS;

    /// Rows deleted of servers that removed the bot.
    counter purged_rows_total = "eventide_purged_rows_total";
    /// Servers that removed the bot and of which nothing is stored any more.
    counter purged_guilds_total = "eventide_purged_guilds_total";

    /// Messages that earned as if in no category, or as if their authors had no roles, because Discord did not tell in time.
    counter levels_guessed_total = "eventide_levels_guessed_total";

    /// Interactions, by command and by what became of them; `ok` is an answer as it was asked for.
    counter interactions_total = "eventide_interactions_total" [command, outcome];
    /// Time from the start of an interaction's work to the answer that Discord took, by command.
    histogram interaction_seconds = "eventide_interaction_seconds" [command] in SECONDS;

    /// Time to draw a rank card and write it as PNG.
    histogram card_seconds = "eventide_card_seconds" in SECONDS;
    /// Rank cards that were asked for, by outcome: `drawn`, `cached`, `busy` (answered as text) or `failed`.
    counter cards_total = "eventide_cards_total" [outcome];
    /// Avatars that cards needed, by outcome: `cached`, `fetched`, or why there is none: `unconnected`, `timeout`, `status`, `type`,
    /// `too_large`, `unreadable`, `busy`, or `failed_before` within the last minute.
    counter avatars_total = "eventide_avatars_total" [outcome];

    /// What is left of the day's identifies, for all processes; 0 waits for the next day.
    gauge gateway_identifies_remaining = "eventide_gateway_identifies_remaining";

    /// Shards of the whole fleet.
    gauge fleet_shard_count = "eventide_fleet_shard_count";
    /// The number of shards that it is changed to while they run; 0 when it is not.
    gauge fleet_reshard_to = "eventide_fleet_reshard_to";
    /// Processes in the fleet, as this one saw it last.
    gauge fleet_processes = "eventide_fleet_processes";
    /// Shards that this process has.
    gauge fleet_shards = "eventide_fleet_shards";
    /// Shards that this process has taken.
    counter fleet_shards_taken_total = "eventide_fleet_shards_taken_total";
    /// Shards that this process has given away, or has closed because it stops.
    counter fleet_shards_given_total = "eventide_fleet_shards_given_total";
    /// Shards that this process lost because it was taken for dead.
    counter fleet_shards_lost_total = "eventide_fleet_shards_lost_total";
    /// Looks at the fleet that failed, by class of the error.
    counter fleet_looks_failed_total = "eventide_fleet_looks_failed_total" [class];

    /// Rows that wait in ledgers for their next flush.
    gauge ledger_rows = "eventide_ledger_rows";
    /// Age of the oldest change that is not committed.
    gauge ledger_age_seconds = "eventide_ledger_age_seconds";
    /// Memory that ledgers and flushes under way hold.
    gauge ledger_bytes = "eventide_ledger_bytes";
    /// Memory that they may hold before shards stop reading.
    gauge ledger_limit_bytes = "eventide_ledger_limit_bytes";
    /// Times that a shard stopped reading because the ledger was full.
    counter ledger_full_total = "eventide_ledger_full_total";

    /// Duration of a flush, from the start of its first try to its commit.
    histogram flush_seconds = "eventide_flush_seconds" in SECONDS;
    /// Rows that a flush wrote.
    histogram flush_rows = "eventide_flush_rows" in ROWS;
    /// Rows written by flushes.
    counter flush_rows_total = "eventide_flush_rows_total";
    /// Messages counted in rows written by flushes; divided by the rows it is the coalescing ratio.
    counter flush_messages_total = "eventide_flush_messages_total";
    /// Stored last awards that flushes had to read, because the member was not remembered.
    counter flush_reads_total = "eventide_flush_reads_total";
    /// Tries of a flush that failed, by class of the error. None of its changes is lost: it is tried again.
    counter flush_failures_total = "eventide_flush_failures_total" [class];
    /// Flushes found to be applied although their COMMIT was not confirmed.
    counter flush_already_applied_total = "eventide_flush_already_applied_total";
    /// Flushes of a shard that another process has taken; their changes are dropped here and replayed there.
    counter flush_fenced_total = "eventide_flush_fenced_total";

    /// Connections to PostgreSQL that are open.
    gauge pool_size = "eventide_pool_size";
    /// Connections that may be open.
    gauge pool_max_size = "eventide_pool_max_size";
    /// Connections in use.
    gauge pool_in_use = "eventide_pool_in_use";
    /// Tasks that wait for a connection.
    gauge pool_waiting = "eventide_pool_waiting";
    /// How long tasks waited for a connection.
    histogram pool_wait_seconds = "eventide_pool_wait_seconds" in SECONDS;
    /// Connections made.
    counter pool_connections_created_total = "eventide_pool_connections_created_total";
    /// Duration of queries, by the statement's name.
    histogram query_seconds = "eventide_query_seconds" [query] in SECONDS;
    /// Queries that took longer than `database.slow_query_ms`, by the statement's name.
    counter slow_queries_total = "eventide_slow_queries_total" [query];
    /// Rows that queries returned or touched, by the statement's name.
    counter query_rows_total = "eventide_query_rows_total" [query];
    /// Queries that failed, by class of the SQLSTATE; `connection` where the connection was lost.
    counter query_errors_total = "eventide_query_errors_total" [class];
    /// Reads that the replica of `database.read_url` did not answer, and the primary did.
    counter read_fallbacks_total = "eventide_read_fallbacks_total";
    /// Duration of committed transactions, by name.
    histogram transaction_seconds = "eventide_transaction_seconds" [transaction] in SECONDS;

    /// Effects that flushes, commands and workers added to the outbox, by kind: `level_up`, `roles`, `notice`, `punishment`, `warned` or `mod_log`.
    counter effects_added_total = "eventide_effects_added_total" [kind];
    /// Effects that Discord has, by kind.
    counter effects_delivered_total = "eventide_effects_delivered_total" [kind];
    /// Effects that nobody wanted any more when it was their turn, by kind: the setting is off, or the member has left.
    counter effects_cancelled_total = "eventide_effects_cancelled_total" [kind];
    /// Tries that failed and are repeated, by kind.
    counter effects_retried_total = "eventide_effects_retried_total" [kind];
    /// Times that an effect failed so often that those after it went before it, or that it has to wait for a permission, by kind.
    counter effects_set_aside_total = "eventide_effects_set_aside_total" [kind];
    /// Effects that were given up, by kind and reason: `forbidden`, `gone`, `closed`, `invalid` or `expired`.
    counter effects_failed_total = "eventide_effects_failed_total" [kind, reason];
    /// Times that announcements or rewards were switched off in a server because they failed again and again, by kind.
    counter effects_switched_off_total = "eventide_effects_switched_off_total" [kind];
    /// Time from the commit of the cause to the last try, of effects that were delivered, by kind.
    histogram effect_delay_seconds = "eventide_effect_delay_seconds" [kind] in SECONDS;
    /// Effects that wait to be delivered, of all processes, counted up to 100,000.
    gauge outbox_rows = "eventide_outbox_rows";
    /// How long the oldest of them has waited.
    gauge outbox_oldest_seconds = "eventide_outbox_oldest_seconds";
    /// Whether this process is told of changed settings: 1 or 0. While it is not, it reads them anew every second.
    gauge settings_listening = "eventide_settings_listening";
    /// Times that the connection that tells of changed settings was lost, or could not be made.
    counter settings_reconnects_total = "eventide_settings_reconnects_total";
    /// Changes of settings that this process was told of.
    counter settings_invalidations_total = "eventide_settings_invalidations_total";

    /// Questions about a guild that were answered from memory.
    counter guild_cache_hits_total = "eventide_guild_cache_hits_total";
    /// Questions about a guild for which Discord had to be asked.
    counter guild_cache_misses_total = "eventide_guild_cache_misses_total";
    /// Guilds whose names, roles or channels are kept in memory.
    gauge guild_cache_guilds = "eventide_guild_cache_guilds";

    /// Requests to Discord's REST API, by route and what came: `2xx` to `5xx`, `429`, `timeout`, `unconnected` or `broken`.
    counter rest_requests_total = "eventide_rest_requests_total" [route, outcome];
    /// Duration of those requests, by route, without their waits.
    histogram rest_request_seconds = "eventide_rest_request_seconds" [route] in SECONDS;
    /// How long requests waited for their bucket: for the requests before them, and for Discord's limit of it.
    histogram rest_bucket_wait_seconds = "eventide_rest_bucket_wait_seconds" in SECONDS;
    /// How long requests waited for the whole bot's limit after their bucket was free.
    histogram rest_global_wait_seconds = "eventide_rest_global_wait_seconds" in SECONDS;
    /// Requests that wait to be sent, by priority.
    gauge rest_waiting = "eventide_rest_waiting" [priority];
    /// Requests refused at once because too many of their priority or bucket waited already, by priority.
    counter rest_full_total = "eventide_rest_full_total" [priority];
    /// Answers 429, by scope: `user`, `shared`, `global` or `cloudflare`.
    counter rest_rate_limited_total = "eventide_rest_rate_limited_total" [scope];
    /// Answers 401, 403 and 429 of the last 10 minutes, of which Discord allows 10,000 before it shuts the address out.
    gauge rest_invalid_requests = "eventide_rest_invalid_requests";
    /// Whether the brake on invalid requests holds everything but interactions: 1 or 0.
    gauge rest_brake = "eventide_rest_brake";
}

/// Install the recorder for this process, once; every later call gives the same handle.
///
/// # Errors
///
/// Another recorder has been installed by somebody else.
pub fn install() -> Result<&'static PrometheusHandle, BuildError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle);
    }
    let mut builder = PrometheusBuilder::new();
    for metric in REGISTRY.iter().filter(|metric| metric.kind == Kind::Histogram) {
        // A histogram without buckets would become a summary, which cannot be added up over processes.
        builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), metric.buckets)?;
    }
    let handle = builder.install_recorder()?;
    describe();
    begin_at_zero();
    build_info(env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(HANDLE.get_or_init(|| handle))
}

fn describe() {
    for metric in REGISTRY {
        match metric.kind {
            Kind::Counter => ::metrics::describe_counter!(metric.name, metric.help),
            Kind::Gauge => ::metrics::describe_gauge!(metric.name, metric.help),
            Kind::Histogram => ::metrics::describe_histogram!(metric.name, metric.help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, REGISTRY};

    #[test]
    fn names_follow_the_rule() {
        for metric in REGISTRY {
            assert!(metric.name.starts_with("eventide_"), "{}", metric.name);
            assert_eq!(
                metric.kind == Kind::Counter,
                metric.name.ends_with("_total"),
                "{}: counters, and only counters, end in _total",
                metric.name
            );
            assert_eq!(
                metric.kind == Kind::Histogram,
                !metric.buckets.is_empty(),
                "{}",
                metric.name
            );
            assert!(
                metric.help.ends_with('.'),
                "{}: the help is a sentence",
                metric.name
            );
        }
    }

    #[test]
    fn no_name_twice() {
        let mut names: Vec<_> = REGISTRY.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), REGISTRY.len());
    }
}

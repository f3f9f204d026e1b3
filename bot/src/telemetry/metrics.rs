//! All metrics, each declared once. The doc comment is the help text in Prometheus, and `docs/metrics.md` is generated from it.
//!
//! Names are `eventide_<what>_<unit>[_total]`; durations are in seconds and sizes in bytes, as in
//! <https://prometheus.io/docs/practices/naming/>. IDs of guilds, users or messages are never labels. A metric has a label for the shard or
//! for the event type, but never both, which would be too many series.
//!
//! The function of a metric looks up its labels. Code that runs for each event keeps the handle instead, as `pipeline/gateway/intake.rs`
//! does.

mod buckets;
mod define;
pub mod labels;
pub mod process;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

pub use ::metrics::Counter;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use self::define::registry;
pub use self::define::{Definition, Kind, Label};
use crate::support::version;

/// The parts of the pool.
const SHARES: &[&str] = &["flushes", "others", "replica"];

registry! {
    /// The running version, the commit from which it was built, and its schema, as labels; always 1.
    gauge build_info = "eventide_build_info" [version, commit, schema];

    /// Gateway events received, by type. Types unknown to this version count as `unknown`.
    counter gateway_events_total = "eventide_gateway_events_total" [event];
    /// Events that could not be read and were skipped, by type.
    counter gateway_events_malformed_total = "eventide_gateway_events_malformed_total" [event];
    /// Events that arrived again after they were counted, and were skipped.
    counter gateway_events_duplicate_total = "eventide_gateway_events_duplicate_total";
    /// Events that arrived out of order and were put in their place.
    counter gateway_events_reordered_total = "eventide_gateway_events_reordered_total";
    /// Events that Discord replayed after a resume.
    counter gateway_events_replayed_total = "eventide_gateway_events_replayed_total";
    /// Whether the shard is up: 1 with a session that receives events, 0 otherwise.
    gauge shard_up = "eventide_shard_up" [shard];
    /// State of the shard: 0 waiting to connect, 1 connecting, 2 up, 3 stopped because the ledger is full, 4 ended.
    gauge shard_state = "eventide_shard_state" [shard];
    /// Time from the last heartbeat to its acknowledgement.
    gauge shard_latency_seconds = "eventide_shard_latency_seconds" [shard];
    /// Age of the oldest event that the shard received and has not committed; 0 if everything is committed.
    gauge shard_checkpoint_lag_seconds = "eventide_shard_checkpoint_lag_seconds" [shard];
    /// Sessions started with IDENTIFY; Discord allows about 1,000 a day.
    counter gateway_identifies_total = "eventide_gateway_identifies_total";
    /// Times that Discord did not answer an IDENTIFY or RESUME within `gateway.ready_timeout_seconds`.
    counter gateway_unanswered_total = "eventide_gateway_unanswered_total";
    /// Connections closed because the gateway broke the protocol; the log says how.
    counter gateway_violations_total = "eventide_gateway_violations_total";
    /// Connections whose first heartbeat could not be predicted and may have acknowledged uncommitted events: a bug.
    counter gateway_unexpected_draws_total = "eventide_gateway_unexpected_draws_total";
    /// Sessions resumed.
    counter gateway_resumes_total = "eventide_gateway_resumes_total";
    /// Closed connections, by close code; `none` without a close frame, `other` for an undocumented code.
    counter gateway_closes_total = "eventide_gateway_closes_total" [code of labels::CLOSE_CODES];
    /// Gaps in which events were missed, by reason: the session was lost or abandoned, or a resume did not continue at the checkpoint.
    counter gateway_gaps_total = "eventide_gateway_gaps_total" [reason of labels::GAP_REASONS];
    /// Messages from before a change of the number of shards that arrived too late and may not have been counted.
    counter reshard_late_messages_total = "eventide_reshard_late_messages_total";
    /// Messages that were read back after a gap and counted.
    counter backfill_messages_total = "eventide_backfill_messages_total";
    /// Pages of messages requested for reading back.
    counter backfill_requests_total = "eventide_backfill_requests_total";
    /// Channels that were read back completely.
    counter backfill_channels_total = "eventide_backfill_channels_total";
    /// Channels that were not read back, or not completely, by reason.
    counter backfill_unread_channels_total = "eventide_backfill_unread_channels_total" [reason];
    /// Servers of the shard that are being read back, or wait for it; their new messages are counted after the missed ones.
    gauge shard_backfill_guilds = "eventide_shard_backfill_guilds" [shard];
    /// Messages of the shard that wait until earlier ones are read back.
    gauge shard_backfill_held = "eventide_shard_backfill_held" [shard];
    /// Heartbeats that acknowledged uncommitted events, because the preceding flush took too long or the machine was too busy. The events
    /// are committed as soon as possible.
    counter gateway_heartbeats_ahead_total = "eventide_gateway_heartbeats_ahead_total";
    /// How long a shard paused reading so that a heartbeat would not acknowledge uncommitted events.
    histogram gateway_heartbeat_hold_seconds = "eventide_gateway_heartbeat_hold_seconds" in HOLD;

    /// Changes that PostgreSQL rejected and that were put into quarantine, by kind; `eventide quarantine` lists and applies them.
    counter quarantined_total = "eventide_quarantined_total" [kind];
    /// Changes in quarantine, of all processes.
    gauge quarantine_rows = "eventide_quarantine_rows";

    /// Tasks that panicked, by name: bugs. The process ends, or the task restarts.
    counter tasks_panicked_total = "eventide_tasks_panicked_total" [task];

    /// How far a clock is ahead of this host's, by source: `discord` or `database`. A difference from Discord's clock of 2 s or more is
    /// corrected.
    gauge clock_offset_seconds = "eventide_clock_offset_seconds" [source of labels::CLOCK_SOURCES];

    /// Deleted rows of servers that removed the bot.
    counter purged_rows_total = "eventide_purged_rows_total";
    /// Servers that removed the bot and whose data was deleted.
    counter purged_guilds_total = "eventide_purged_guilds_total";

    /// Messages that earned XP as if they had no category, or their authors no roles, because Discord did not answer in time.
    counter levels_guessed_total = "eventide_levels_guessed_total";

    /// Interactions, by command and outcome; `ok` is a normal answer.
    counter interactions_total = "eventide_interactions_total" [command, outcome];
    /// Time from receiving an interaction to the answer that Discord accepted, by command.
    histogram interaction_seconds = "eventide_interaction_seconds" [command] in ANSWER;

    /// Time to draw a rank card and encode it as PNG.
    histogram card_seconds = "eventide_card_seconds" in DRAWING;
    /// Requested rank cards, by outcome: `drawn`, `cached`, `busy` (answered as text) or `failed`.
    counter cards_total = "eventide_cards_total" [outcome of labels::CARD_OUTCOMES];
    /// Avatars for cards, by outcome: `cached`, `fetched`, or the reason why there is none: `unconnected`, `timeout`, `status`, `type`,
    /// `too_large`, `unreadable`, `busy`, or `failed_before` within the last minute.
    counter avatars_total = "eventide_avatars_total" [outcome of labels::AVATAR_OUTCOMES];
    /// Memory used by cached rank cards.
    gauge card_cache_bytes = "eventide_card_cache_bytes";
    /// Memory used by cached avatars.
    gauge avatar_cache_bytes = "eventide_avatar_cache_bytes";

    /// Identifies left today for all processes; at 0, shards wait for the next day.
    gauge gateway_identifies_remaining = "eventide_gateway_identifies_remaining";

    /// Shards of the whole fleet.
    gauge fleet_shards_configured = "eventide_fleet_shards_configured";
    /// The number of shards that the fleet is changing to; 0 if it is not.
    gauge fleet_reshard_to = "eventide_fleet_reshard_to";
    /// Processes in the fleet, as of this process's last update.
    gauge fleet_processes = "eventide_fleet_processes";
    /// Shards of this process.
    gauge fleet_shards = "eventide_fleet_shards";
    /// Shards that this process has taken over.
    counter fleet_shards_taken_total = "eventide_fleet_shards_taken_total";
    /// Shards that this process has given away, or has closed because it stopped.
    counter fleet_shards_given_total = "eventide_fleet_shards_given_total";
    /// Shards that this process lost because it was considered dead.
    counter fleet_shards_lost_total = "eventide_fleet_shards_lost_total";
    /// Shards of the fleet without a process, as of this process's last update.
    gauge fleet_shards_free = "eventide_fleet_shards_free";
    /// Updates of the fleet that failed, by class of the error.
    counter fleet_looks_failed_total = "eventide_fleet_looks_failed_total" [class of labels::ERROR_CLASSES];

    /// Rows in ledgers, waiting for their next flush.
    gauge ledger_rows = "eventide_ledger_rows";
    /// Age of the oldest change that is not committed.
    gauge ledger_age_seconds = "eventide_ledger_age_seconds";
    /// Memory held by ledgers and by flushes in progress.
    gauge ledger_bytes = "eventide_ledger_bytes";
    /// Memory that ledgers and flushes may use before shards stop reading.
    gauge ledger_limit_bytes = "eventide_ledger_limit_bytes";
    /// Times that a shard stopped reading because the ledger was full.
    counter ledger_full_total = "eventide_ledger_full_total";

    /// Duration of a flush, from the start of its first attempt to its commit.
    histogram flush_seconds = "eventide_flush_seconds" in FLUSH;
    /// Rows that a flush wrote.
    histogram flush_rows = "eventide_flush_rows" in ROWS;
    /// Rows written by flushes.
    counter flush_rows_total = "eventide_flush_rows_total";
    /// Messages counted in rows written by flushes; divided by the rows, this is the coalescing ratio.
    counter flush_messages_total = "eventide_flush_messages_total";
    /// Last awards that flushes had to read because the member was not cached.
    counter flush_reads_total = "eventide_flush_reads_total";
    /// Attempts of a flush that failed, by class of the error. Nothing is lost: the flush is retried.
    counter flush_failures_total = "eventide_flush_failures_total" [class of labels::ERROR_CLASSES];
    /// Flushes found to be applied although their COMMIT was not confirmed.
    counter flush_already_applied_total = "eventide_flush_already_applied_total";
    /// Flushes of a shard that another process has taken over; their changes are dropped here and replayed there.
    counter flush_fenced_total = "eventide_flush_fenced_total";

    /// Open connections to PostgreSQL, by share of the pool.
    gauge pool_size = "eventide_pool_size" [share of SHARES];
    /// Maximum number of connections, by share.
    gauge pool_max_size = "eventide_pool_max_size" [share of SHARES];
    /// Idle connections, by share.
    gauge pool_available = "eventide_pool_available" [share of SHARES];
    /// Connections in use, by share.
    gauge pool_in_use = "eventide_pool_in_use" [share of SHARES];
    /// Tasks waiting for a connection, by share.
    gauge pool_waiting = "eventide_pool_waiting" [share of SHARES];
    /// How long tasks waited for a connection, whether or not they got one, by share.
    histogram pool_wait_seconds = "eventide_pool_wait_seconds" [share of SHARES] in POOL;
    /// Times that a task got no connection within `database.connection_timeout_ms`, by share.
    counter pool_timeouts_total = "eventide_pool_timeouts_total" [share of SHARES];
    /// Connections opened.
    counter pool_connections_created_total = "eventide_pool_connections_created_total";
    /// Times that an existing connection was reused.
    counter pool_connections_recycled_total = "eventide_pool_connections_recycled_total";
    /// Connections that PostgreSQL refused or that could not be opened, by class of the SQLSTATE; `tls` if one side did not accept a
    /// certificate, `connection` if there was no answer.
    counter pool_connect_failures_total = "eventide_pool_connect_failures_total" [class of labels::ERROR_CLASSES];
    /// Duration of queries, by the statement's name.
    histogram query_seconds = "eventide_query_seconds" [query] in QUERY;
    /// Queries that took longer than `database.slow_query_ms`, by the statement's name.
    counter slow_queries_total = "eventide_slow_queries_total" [query];
    /// Rows that queries returned or affected, by the statement's name.
    counter query_rows_total = "eventide_query_rows_total" [query];
    /// Queries that failed, by class of the SQLSTATE; `connection` if the connection was lost, `silence` if there was no answer in time.
    counter query_errors_total = "eventide_query_errors_total" [class of labels::ERROR_CLASSES];
    /// Reads that the primary answered although there is a replica (`database.read_url`), by reason: it was `unreachable`, `behind` by more than
    /// `database.read_max_lag_seconds` or by an `unknown` time, `promoted`, `foreign` (another database), or had `diverged`.
    counter read_fallbacks_total = "eventide_read_fallbacks_total" [reason of labels::READ_FALLBACKS];
    /// Maximum age of the replica's data. It is not updated while that is unknown.
    gauge replica_lag_seconds = "eventide_replica_lag_seconds";
    /// Whether leaderboards are read from the replica: 1 or 0. Without a replica there is no value.
    gauge replica_usable = "eventide_replica_usable";
    /// Duration of committed transactions, by name.
    histogram transaction_seconds = "eventide_transaction_seconds" [transaction] in QUERY;
    /// Transactions that were rolled back or whose COMMIT was not confirmed, by name.
    counter transaction_failures_total = "eventide_transaction_failures_total" [transaction];
    /// Transactions that were retried after such a failure, by name.
    counter transaction_retries_total = "eventide_transaction_retries_total" [transaction];
    /// Start of the last backup that `eventide backup` completed, in seconds since 1970; without one, when the schema was created.
    gauge backup_last_timestamp_seconds = "eventide_backup_last_timestamp_seconds";

    /// Effects that flushes, commands and workers added to the outbox, by kind.
    counter effects_added_total = "eventide_effects_added_total" [kind];
    /// Effects accepted by Discord, by kind.
    counter effects_delivered_total = "eventide_effects_delivered_total" [kind];
    /// Effects that were no longer wanted when they were due, by kind: the setting is off, or the member has left.
    counter effects_cancelled_total = "eventide_effects_cancelled_total" [kind];
    /// Failed attempts that are retried, by kind.
    counter effects_retried_total = "eventide_effects_retried_total" [kind];
    /// Times that an effect was set aside because it failed repeatedly or has to wait for a permission, by kind. Later effects then go
    /// first.
    counter effects_set_aside_total = "eventide_effects_set_aside_total" [kind];
    /// Effects that were abandoned, by kind and reason: `forbidden`, `gone`, `closed`, `invalid` or `expired`.
    counter effects_failed_total = "eventide_effects_failed_total" [kind, reason];
    /// Times that announcements or rewards were switched off in a server after repeated failures, by kind.
    counter effects_switched_off_total = "eventide_effects_switched_off_total" [kind];
    /// Time from the commit of the cause to the last attempt, for delivered effects, by kind.
    histogram effect_delay_seconds = "eventide_effect_delay_seconds" [kind] in DELIVERY;
    /// Effects waiting for delivery, of all processes, counted up to 100,000.
    gauge outbox_rows = "eventide_outbox_rows";
    /// How long the oldest of them has waited, except those that were set aside.
    gauge outbox_oldest_seconds = "eventide_outbox_oldest_seconds";
    /// Timers that fired, and runs of periodic jobs that succeeded, by kind.
    counter timers_fired_total = "eventide_timers_fired_total" [kind];
    /// Failed attempts of timers and jobs that are retried, by kind.
    counter timers_retried_total = "eventide_timers_retried_total" [kind];
    /// Timers that were abandoned, by kind. `eventide timers list --failed` shows the reasons.
    counter timers_failed_total = "eventide_timers_failed_total" [kind];
    /// How long fired timers, and jobs that started, had been due.
    histogram timer_lateness_seconds = "eventide_timer_lateness_seconds" in LATENESS;
    /// Waiting timers and jobs, due or not, of all processes, counted up to 100,000.
    gauge timers_waiting = "eventide_timers_waiting";
    /// How long the oldest of them has been due.
    gauge timers_overdue_seconds = "eventide_timers_overdue_seconds";
    /// Whether this process receives notifications of changed settings: 1 or 0. Without them, it reloads settings every second.
    gauge settings_listening = "eventide_settings_listening";
    /// Times that the connection for settings notifications was lost or could not be opened.
    counter settings_reconnects_total = "eventide_settings_reconnects_total";
    /// Notifications of changed settings that this process received.
    counter settings_invalidations_total = "eventide_settings_invalidations_total";

    /// Lookups of a guild's settings answered from memory. Lookups for messages are not counted.
    counter settings_cache_hits_total = "eventide_settings_cache_hits_total";
    /// Lookups of a guild's settings that needed the database.
    counter settings_cache_misses_total = "eventide_settings_cache_misses_total";
    /// Guilds whose settings are cached.
    gauge settings_cache_guilds = "eventide_settings_cache_guilds";
    /// Memory used by cached settings.
    gauge settings_cache_bytes = "eventide_settings_cache_bytes";

    /// Lookups of a guild answered from memory.
    counter guild_cache_hits_total = "eventide_guild_cache_hits_total";
    /// Lookups of a guild that needed a request to Discord.
    counter guild_cache_misses_total = "eventide_guild_cache_misses_total";
    /// Guilds whose names, roles or channels are cached.
    gauge guild_cache_guilds = "eventide_guild_cache_guilds";

    /// Log lines that were dropped because standard error was not read.
    counter log_lines_dropped_total = "eventide_log_lines_dropped_total";

    /// Connections to the HTTP port that were closed because there were too many.
    counter http_connections_closed_total = "eventide_http_connections_closed_total";

    /// Requests to the website, by page and class of the status (`2xx` to `5xx`).
    counter web_requests_total = "eventide_web_requests_total" [page, class];
    /// Time that the website takes to answer, by page.
    histogram web_request_seconds = "eventide_web_request_seconds" [page] in ANSWER;
    /// Requests to the website that were refused because their client had sent too many.
    counter web_limited_total = "eventide_web_limited_total";
    /// Connections to the website that were closed because there were too many.
    counter web_connections_closed_total = "eventide_web_connections_closed_total";

    /// Requests to Discord's REST API, by route and result: `401`, `403`, `429`, `2xx` to `5xx` for other statuses, or `timeout`,
    /// `unconnected` or `broken`.
    counter rest_requests_total = "eventide_rest_requests_total" [route, outcome of labels::REST_OUTCOMES];
    /// Duration of requests to Discord's REST API, by route, without waiting for limits.
    histogram rest_request_seconds = "eventide_rest_request_seconds" [route] in REQUEST;
    /// How long requests waited for their bucket: for earlier requests, and for Discord's limit.
    histogram rest_bucket_wait_seconds = "eventide_rest_bucket_wait_seconds" in LIMIT;
    /// How long requests waited for the global limit after their bucket was free.
    histogram rest_global_wait_seconds = "eventide_rest_global_wait_seconds" in LIMIT;
    /// Requests waiting to be sent, by priority.
    gauge rest_waiting = "eventide_rest_waiting" [priority];
    /// Requests refused because too many of their priority or bucket were already waiting, by priority.
    counter rest_full_total = "eventide_rest_full_total" [priority];
    /// Responses with 429, by scope: `user`, `shared`, `global` or `cloudflare`.
    counter rest_rate_limited_total = "eventide_rest_rate_limited_total" [scope];
    /// Responses with 401, 403 or 429 in the last 10 minutes; Discord bans the address at 10,000.
    gauge rest_invalid_requests = "eventide_rest_invalid_requests";
    /// Successful responses that could not be read, by route: Discord has changed something unknown to this version.
    counter rest_unreadable_total = "eventide_rest_unreadable_total" [route];
    /// Whether the brake on invalid requests stops all requests but interactions: 1 or 0.
    gauge rest_brake = "eventide_rest_brake";
    /// Whether Discord refuses the token: 1 or 0. Only answers to interactions are sent until a probe finds that it is accepted.
    gauge rest_token_refused = "eventide_rest_token_refused";
}

/// Metrics of the process, which are read for each scrape.
pub const PROCESS: &[Definition] = &[
    of_the_process(
        "process_cpu_seconds_total",
        Kind::Counter,
        "CPU time of the process, in user mode and in the kernel.",
    ),
    of_the_process(
        "process_resident_memory_bytes",
        Kind::Gauge,
        "Resident memory of the process.",
    ),
    of_the_process(
        "process_virtual_memory_bytes",
        Kind::Gauge,
        "Virtual memory of the process, most of which is not in RAM.",
    ),
    of_the_process(
        "process_open_fds",
        Kind::Gauge,
        "Open file descriptors of the process.",
    ),
    of_the_process(
        "process_max_fds",
        Kind::Gauge,
        "Maximum number of open file descriptors.",
    ),
    of_the_process("process_threads", Kind::Gauge, "Threads of the process."),
    of_the_process(
        "process_start_time_seconds",
        Kind::Gauge,
        "When the process was started, in seconds since 1970.",
    ),
];

const fn of_the_process(name: &'static str, kind: Kind, help: &'static str) -> Definition {
    Definition {
        name,
        kind,
        labels: &[],
        help,
        buckets: &[],
    }
}

/// All metrics that a page can contain.
pub fn all() -> impl Iterator<Item = &'static Definition> {
    REGISTRY.iter().chain(PROCESS)
}

/// Install the recorder for this process. Later calls return the same handle.
///
/// # Errors
///
/// A different recorder is already installed.
pub fn install() -> Result<&'static PrometheusHandle, BuildError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle);
    }
    let mut builder = PrometheusBuilder::new();
    for metric in REGISTRY.iter().filter(|metric| metric.kind == Kind::Histogram) {
        // A histogram without buckets would become a summary, which cannot be aggregated over processes.
        builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), metric.buckets)?;
    }
    let handle = builder.install_recorder()?;
    describe();
    begin_at_zero();
    for name in ["flush", "fleet"] {
        transaction_retries_total(name).increment(0);
    }
    rest_token_refused().set(0.0);
    Ok(HANDLE.get_or_init(|| handle))
}

/// Set the running version and its schema.
pub fn say_what_runs(schema: &str) {
    build_info(env!("CARGO_PKG_VERSION"), version::COMMIT, schema.to_owned()).set(1.0);
}

/// The page for Prometheus: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
pub fn page(handle: &PrometheusHandle) -> String {
    let mut page = handle.render();
    process::write(&mut page);
    page
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

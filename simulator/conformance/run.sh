#!/usr/bin/env bash
# Runs discord.py and discord.js, unchanged, against the simulator. Prints "N passed, N failed" and fails if any did.
# The libraries come from PyPI and the npm registry and are kept below target/conformance.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
work=$target/conformance
log=$work/results.log
simulator_pid=

fail() {
    echo "conformance: $1" >&2
    exit 1
}

stop_simulator() {
    if [ -n "$simulator_pid" ]; then
        kill "$simulator_pid" 2>/dev/null || true
        wait "$simulator_pid" 2>/dev/null || true
        simulator_pid=
    fi
}
trap stop_simulator EXIT

command -v python3 >/dev/null || fail "python3 is missing: apt-get install python3 python3-venv"
command -v npm >/dev/null || fail "npm is missing: apt-get install nodejs npm"

# python_env NAME PACKAGE...: a virtual environment with these packages, made once.
python_env() {
    local name=$1
    shift
    local stamp
    stamp="$work/$name/$(echo "$*" | tr -c 'a-zA-Z0-9.=\n' '-').installed"
    if [ ! -e "$stamp" ]; then
        echo "installing $* into $work/$name"
        rm -rf "${work:?}/$name"
        python3 -m venv "$work/$name" || fail "no virtual environment: apt-get install python3-venv"
        "$work/$name/bin/pip" install --quiet --disable-pip-version-check "$@"
        touch "$stamp"
    fi
}

# start_simulator ARGUMENT...: starts it on free ports and sets rest_url.
start_simulator() {
    local out=$work/simulator.out
    : >"$out"
    "$target/debug/discord-simulator" --gateway 127.0.0.1:0 --rest 127.0.0.1:0 "$@" >"$out" 2>"$work/simulator.err" &
    simulator_pid=$!
    for _ in $(seq 100); do
        rest_url=$(sed -n 's#^REST *\(http://[^/]*\)/.*#\1#p' "$out")
        [ -n "$rest_url" ] && return
        kill -0 "$simulator_pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$work/simulator.err" >&2
    fail "the simulator did not start"
}

# check NAME COMMAND...: a client against a fresh simulator. Each line "ok - …" or "not ok - …" is a test.
check() {
    local name=$1
    shift
    echo "== $name"
    if ! timeout 120 "$@" "$rest_url" 2>&1 | tee "$work/client.log"; then
        echo "not ok - $name ran to its end" | tee -a "$work/client.log"
    fi
    cat "$work/client.log" >>"$log"
    stop_simulator
}

mkdir -p "$work/javascript"
: >"$log"
# As the tests do, so that nothing is compiled again after them.
cargo build --quiet --manifest-path "$root/Cargo.toml" --workspace --bin discord-simulator --test it
python_env python-zlib 'discord.py==2.7.1'
python_env python-zstd 'discord.py==2.7.1' 'zstandard==0.25.0'
cp "$here/package.json" "$here/package-lock.json" "$here/client.mjs" "$work/javascript/"
if ! cmp -s "$here/package-lock.json" "$work/javascript/installed-lock.json"; then
    echo "installing discord.js into $work/javascript"
    (cd "$work/javascript" && npm ci --silent --no-fund --no-audit)
    cp "$here/package-lock.json" "$work/javascript/installed-lock.json"
fi

for compression in zlib zstd; do
    start_simulator --guilds 12 --members 600 --seed 5
    check "discord.py, $compression" "$work/python-$compression/bin/python" "$here/client.py" "$compression"
done
start_simulator --guilds 12 --members 600 --seed 5 --shards 2
check "discord.js, 2 shards" node "$work/javascript/client.mjs"

passed=$(grep -c '^ok - ' "$log" || true)
failed=$(grep -c '^not ok - ' "$log" || true)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

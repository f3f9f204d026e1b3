#!/bin/sh
# run.sh: checks the dashboards against Grafana's types, which come from the npm registry and are kept below target.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${CARGO_TARGET_DIR:-$here/../../../target}/dashboards
mkdir -p "$work"
for file in package.json package-lock.json; do
    cmp -s "$here/$file" "$work/$file" || rm -rf "$work/node_modules"
    cp "$here/$file" "$work/$file"
done
[ -d "$work/node_modules" ] || (cd "$work" && npm ci --silent --no-audit --no-fund)
node "$here/check.mjs" "$here/../../../dashboards" "$work/node_modules"

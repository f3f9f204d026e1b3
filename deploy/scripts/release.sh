#!/bin/sh
# release.sh: builds the binary so that anybody who builds the same commit with the same Rust and the same C compiler gets the same
# bytes, wherever their directories are, and packs it with what an installation needs. Prints the sums. The Makefile calls it.
set -eu
cd "$(dirname "$0")/../.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
host=$(rustc --version --verbose | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-$PWD/target}
case $target in
/*) ;;
*) target=$PWD/$target ;;
esac
cargo_home=${CARGO_HOME:-$HOME/.cargo}

if [ -z "${EVENTIDE_COMMIT:-}" ]; then
    EVENTIDE_COMMIT=$(git rev-parse --short=12 HEAD)
    if [ -n "$(git status --porcelain)" ]; then
        echo "there are uncommitted changes: this build could not be reproduced" >&2
        exit 1
    fi
fi
# The time in the archive; compilers that write one down take it too.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
# What this machine's owner has set would change the code.
unset CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_INCREMENTAL CC CXX CPPFLAGS CXXFLAGS LDFLAGS
# The directories of this machine get names that are the same everywhere. The later wins where one is within the other.
RUSTFLAGS="--remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$PWD=/eventide --remap-path-prefix=$target=/target"
CFLAGS="-ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$PWD=/eventide -ffile-prefix-map=$target=/target"
export EVENTIDE_COMMIT SOURCE_DATE_EPOCH RUSTFLAGS CFLAGS LC_ALL=C TZ=UTC

cargo build --locked --profile dist --package eventide --bin eventide --no-default-features

if "$target/dist/eventide" demo --help >/dev/null 2>&1; then
    echo "the binary has the demo, and so the simulator, in it" >&2
    exit 1
fi

name=eventide-$version-$host
place=$target/package
rm -rf "$place"
mkdir -p "$place/$name/systemd"
install -m 755 "$target/dist/eventide" "$place/$name/eventide"
install -m 644 LICENSE config.example.toml deploy/README.md "$place/$name/"
install -m 644 deploy/systemd/* "$place/$name/systemd/"
(
    cd "$place"
    tar --create --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u+w,go-w "$name" |
        gzip --no-name --best >"$name.tar.gz"
    cp "$name/eventide" eventide
    rm -r "$name"
)
python3 deploy/scripts/sbom.py --target "$host" --out "$place/$name.cdx.json" >/dev/null
(
    cd "$place"
    sha256sum eventide "$name.tar.gz" "$name.cdx.json" | tee SHA256SUMS
)
echo "in $place; made by $(rustc --version), $(cc --version | head -1)"

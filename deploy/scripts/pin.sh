#!/bin/sh
# pin.sh: writes the digests of the images that the tags lead to today into deploy/, beside the tags (IMAGE:TAG@sha256:…), so that each
# build and start uses the same images. Run it again to take newer ones, and read the difference before you commit it. Needs Docker with
# buildx, and the registries.
set -eu
cd "$(dirname "$0")/.."

command -v docker >/dev/null || { echo "pin.sh needs docker" >&2; exit 1; }

# digest IMAGE:TAG: of the list of all platforms.
digest() {
    docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"
}

# pin FILE IMAGE:TAG: IMAGE:TAG, with or without a digest, gets today's.
pin() {
    found=$(digest "$2")
    case $found in
    sha256:????????????????????????????????????????????????????????????????) ;;
    *)
        echo "$2: the registry gave no digest" >&2
        exit 1
        ;;
    esac
    name=$(printf '%s' "$2" | sed 's/[.]/[.]/g')
    sed "s|$name\(@sha256:[0-9a-f]\{64\}\)\{0,1\}|$2@$found|" "$1" >"$1.new"
    cat "$1.new" >"$1"
    rm "$1.new"
    echo "$1: $2@$found"
}

# The two that have their version in an argument are pinned by it.
argument() {
    sed -n "s/^ARG $1=//p" Dockerfile
}

# pin_argument NAME IMAGE SUFFIX: an argument VERSION becomes VERSION-SUFFIX@DIGEST in the FROM line that uses it.
pin_argument() {
    version=$(argument "$1")
    found=$(digest "$2:$version$3")
    sed "s|^FROM $2:[^ ]* |FROM $2:\${$1}$3@$found |" Dockerfile >Dockerfile.new
    cat Dockerfile.new >Dockerfile
    rm Dockerfile.new
    echo "Dockerfile: $2:$version$3@$found"
}

pin_argument RUST_VERSION rust -slim-bookworm
pin_argument POSTGRES_VERSION postgres -bookworm
pin Dockerfile gcr.io/distroless/cc-debian12:nonroot
for file in compose.yaml $(find kubernetes -name '*.yaml'); do
    sed -n 's/^ *image: *\([a-z0-9./-]*:[A-Za-z0-9._-]*\).*/\1/p' "$file" | grep -v '^eventide' | sort -u | while read -r image; do
        pin "$file" "$image"
    done
done

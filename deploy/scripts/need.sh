#!/bin/sh
# need.sh THING...: makes sure that each is there, and installs what is missing from Debian's packages, saying so first: as root,
# or by sudo where that asks for no password. Otherwise it names the one command to type. The Makefile calls it.
#
#   cargo      Rust's build tool (never installed from here)
#   lints      cargo fmt and cargo clippy
#   compiler   a C compiler, for the linker and for zstd
#   postgres   PostgreSQL's programs, 15 or later; no cluster is made or started
#   pgbouncer  PgBouncer, for tests
#   prometheus Prometheus and promtool, for tests; none is started
#   valgrind   Valgrind, to count instructions
#   faketime   libfaketime, to set the clock of one process
#   python     Python 3 with venv
#   systemd    systemd-analyze, which reads units; systemd need not run
#   node       Node.js with npm
#   chromium   Chromium, for tests of the website
set -eu

oldest_postgres=15

fail() {
    echo "$1" >&2
    exit 1
}

# as_root COMMAND...: runs it as root, or fails.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

can_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }
}

updated=false

# The lists of a fresh machine are empty or old.
update() {
    $updated || apt update >/dev/null
    updated=true
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes "$@"
}

# install WHAT PACKAGE...
install() {
    what=$1
    shift
    can_install || fail "$what is missing; type: sudo apt-get install --no-install-recommends $*"
    echo "$what is missing: installing $* with apt-get"
    update
    apt install --no-install-recommends "$@"
}

# Whether a directory of programs has PostgreSQL in a version that will do.
is_postgres() {
    [ -x "$1/postgres" ] && [ -x "$1/initdb" ] || return 1
    major=$("$1/postgres" --version 2>/dev/null | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p')
    [ "${major:-0}" -ge "$oldest_postgres" ]
}

has_postgres() {
    found=$(command -v postgres) && is_postgres "$(dirname "$found")" && return
    for directory in /usr/lib/postgresql/*/bin; do
        is_postgres "$directory" && return
    done
    return 1
}

need_postgres() {
    has_postgres && return
    can_install ||
        fail "PostgreSQL's programs are missing; type: sudo apt-get install --no-install-recommends postgresql"
    update
    major=$(apt-cache search --names-only '^postgresql-[0-9]+$' | sed 's/^postgresql-\([0-9]*\) .*/\1/' | sort -n | tail -1)
    [ "${major:-0}" -ge "$oldest_postgres" ] ||
        fail "this system's packages have no PostgreSQL $oldest_postgres; see https://wiki.postgresql.org/wiki/Apt"
    echo "PostgreSQL's programs are missing: installing postgresql-$major with apt-get (no cluster is made or started)"
    # The package would make a cluster and start it; the bot makes its own. The file goes away again: a later wish for such a
    # cluster is not ours to refuse.
    folder=/etc/postgresql-common/createcluster.d
    for made in /etc/postgresql-common "$folder"; do
        [ -d "$made" ] || as_root mkdir "$made"
    done
    echo "create_main_cluster = false" | as_root tee "$folder/eventide.conf" >/dev/null
    status=0
    apt install --no-install-recommends "postgresql-$major" || status=$?
    as_root rm -f "$folder/eventide.conf"
    as_root rmdir "$folder" /etc/postgresql-common 2>/dev/null || true
    [ "$status" -eq 0 ] && has_postgres || fail "apt-get could not install postgresql-$major"
}

need() {
    case $1 in
    cargo)
        command -v cargo >/dev/null || fail "cargo is missing; see https://rustup.rs"
        ;;
    lints)
        cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
        command -v rustup >/dev/null || install "cargo fmt or cargo clippy" rustfmt rust-clippy
        echo "cargo fmt or cargo clippy is missing: adding them with rustup"
        rustup component add rustfmt clippy
        ;;
    compiler)
        command -v cc >/dev/null && echo '#include <stdlib.h>' | cc -fsyntax-only -x c - 2>/dev/null && return
        install "a C compiler" gcc libc6-dev
        ;;
    postgres) need_postgres ;;
    pgbouncer)
        PATH=$PATH:/usr/sbin command -v pgbouncer >/dev/null && return
        install PgBouncer pgbouncer
        # The tests start their own.
        as_root systemctl disable --now --quiet pgbouncer 2>/dev/null || true
        ;;
    prometheus)
        command -v prometheus >/dev/null && command -v promtool >/dev/null && return
        # The package would start one on port 9090. This is how Debian is told not to; where somebody has said something else, that holds.
        policy=/usr/sbin/policy-rc.d
        ours=false
        if [ ! -e "$policy" ] && can_install; then
            ours=true
            printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
            as_root chmod 755 "$policy"
        fi
        status=0
        (install Prometheus prometheus) || status=$?
        if $ours; then
            as_root rm -f "$policy"
        fi
        [ "$status" -eq 0 ] || exit "$status"
        # Nor at the machine's next start.
        as_root systemctl disable --quiet prometheus 2>/dev/null || true
        ;;
    valgrind)
        command -v valgrind >/dev/null && return
        install Valgrind valgrind
        ;;
    faketime)
        for library in /usr/lib/*/faketime/libfaketimeMT.so.1; do
            [ -e "$library" ] && return
        done
        install libfaketime faketime
        ;;
    python)
        # ensurepip is what Debian splits off into python3-venv.
        python3 -c 'import ensurepip, venv' 2>/dev/null && return
        install "Python with venv" python3 python3-venv
        ;;
    systemd)
        command -v systemd-analyze >/dev/null && return
        install systemd-analyze systemd
        ;;
    node)
        command -v node >/dev/null && command -v npm >/dev/null && return
        install "Node.js" nodejs npm
        ;;
    chromium)
        command -v chromium >/dev/null && return
        install Chromium chromium
        ;;
    *) fail "need.sh does not know $1" ;;
    esac
}

for thing in "$@"; do
    need "$thing"
done

#!/bin/sh
# nightly.sh DIRECTORY [HH:MM]: a backup every day at that time (03:15 by TZ, else UTC), and at once where there is none, for containers
# without cron. One that failed is tried again every 15 minutes; `eventide backup` leaves nothing of it. Keeps EVENTIDE_BACKUPS (14).
# SIGTERM ends it, also during a backup, which then removes what it has written.
set -u

directory=$1
at=${2:-03:15}
keep=${EVENTIDE_BACKUPS:-14}

child=
# A shell runs a trap only between commands, unless it waits for one in the background.
run() {
    "$@" &
    child=$!
    wait "$child"
    status=$?
    child=
    return "$status"
}

stop() {
    if [ -n "$child" ]; then
        kill -TERM "$child" 2>/dev/null
        wait "$child"
    fi
    exit 0
}
trap stop TERM INT HUP

# Seconds until it is that time again.
wait_seconds() {
    now=$(date +%s)
    next=$(date --date="$at" +%s) || exit 64
    [ "$next" -gt "$now" ] || next=$(date --date="tomorrow $at" +%s)
    echo $((next - now))
}

has_backup() {
    for manifest in "$directory"/*.manifest.json; do
        [ -e "$manifest" ] && return
    done
    return 1
}

# A time that is none ends the script here.
wait_seconds >/dev/null
has_backup && run sleep "$(wait_seconds)"
while :; do
    if run eventide backup --quiet --out "$directory/" --keep "$keep"; then
        run sleep "$(wait_seconds)"
    else
        run sleep 900
    fi
done

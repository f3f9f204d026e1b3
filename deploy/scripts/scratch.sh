#!/bin/sh
# Prints the directory in which tests keep their servers. It is in memory if there is enough: a run copies a thousand PostgreSQL clusters,
# which takes a third of the processor time there that it takes on a disk. Otherwise it is the directory for temporary files.
set -eu

# A run uses less than half of this.
needed_gib=4
memory=/dev/shm
directory="$memory/eventide-tests-$(id -u)"

if [ -z "${TMPDIR:-}" ] && [ -w "$memory" ] && ! grep -q "^[^ ]* $memory [^ ]* [^ ]*noexec" /proc/mounts; then
    room=$(df --output=avail --block-size=1G "$memory" 2>/dev/null | tail -n 1)
    available=$(awk '$1 == "MemAvailable:" { print int($2 / 1048576) }' /proc/meminfo)
    if [ "${room:-0}" -ge "$needed_gib" ] && [ "${available:-0}" -ge $((2 * needed_gib)) ]; then
        # PostgreSQL's account reads what root's tests make.
        [ -d "$directory" ] || mkdir -m 711 "$directory"
        if [ -O "$directory" ] && [ ! -L "$directory" ]; then
            # Tests that were killed leave theirs.
            find "$directory" -mindepth 1 -maxdepth 1 -mmin +720 -exec rm -rf {} +
            echo "$directory"
            exit
        fi
    fi
fi
echo "${TMPDIR:-/tmp}"

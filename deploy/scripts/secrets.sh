#!/bin/sh
# secrets.sh: asks for the bot's token, invents the passwords, and writes them into deploy/secrets/, one a file, for deploy/compose.yaml.
# What is there already stays. A token can also come from standard input: secrets.sh < token
set -eu
cd "$(dirname "$0")/.."

# The files can be read by everybody, because the containers' users are others than this machine's; nobody but you can get into the
# directory.
umask 077
mkdir -p secrets
chmod 700 secrets
cd secrets

# keep NAME: writes standard input to a new file, without a newline at the end, and never half of it.
keep() {
    tr -d '\r\n' >"$1.new"
    chmod 444 "$1.new"
    mv "$1.new" "$1"
    echo "deploy/secrets/$1 is written"
}

password() {
    head -c 24 /dev/urandom | od -A n -t x1 | tr -d ' \n'
}

if [ ! -s discord_token ]; then
    if [ -t 0 ]; then
        printf 'The token, from Discord'"'"'s Developer Portal (Bot, Reset Token); it is not shown: '
        trap 'stty echo' EXIT INT TERM
        stty -echo
        token=
        # Ctrl-D ends it without a line.
        read -r token || true
        stty echo
        trap - EXIT INT TERM
        echo
    else
        token=
        read -r token || [ -n "$token" ] || {
            echo "there is no token on standard input: secrets.sh < FILE" >&2
            exit 1
        }
    fi
    case $token in
    '')
        echo "nothing was given: start it again and paste the token, then press Enter" >&2
        exit 1
        ;;
    *.*.*) ;;
    *)
        echo "that is no token: Discord's have three parts with dots between them" >&2
        exit 1
        ;;
    esac
    printf '%s' "$token" | keep discord_token
fi
[ -s postgres_password ] || password | keep postgres_password
[ -s grafana_password ] || password | keep grafana_password
if [ ! -s database_password ] || [ ! -s database_url ]; then
    password | keep database_password
    printf 'postgresql://eventide:%s@postgres:5432/eventide' "$(cat database_password)" | keep database_url
fi

#!/bin/sh
# Runs once, when PostgreSQL's container makes its cluster: the bot's role, which is no superuser, and its database. The password comes
# from a secret, so it stands in no configuration.
set -eu

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres <<'SQL'
\set password `cat /run/secrets/database_password`
CREATE ROLE eventide LOGIN PASSWORD :'password';
-- For `eventide doctor`: what the server spends its time on.
GRANT pg_read_all_stats TO eventide;
CREATE DATABASE eventide OWNER eventide;
\connect eventide
CREATE EXTENSION pg_stat_statements;
SQL

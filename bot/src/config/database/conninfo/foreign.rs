//! Formats and parameters of other programs, each with what to write instead.

/// A format or a parameter of another program.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The beginning of the whole text, or the name of a parameter, in lower case.
    written: &'static str,
    /// The program that accepts it.
    program: &'static str,
    /// What to do instead, in the imperative.
    instead: &'static str,
    is_parameter: bool,
}

const fn start(written: &'static str, program: &'static str, instead: &'static str) -> Foreign {
    Foreign {
        written,
        program,
        instead,
        is_parameter: false,
    }
}

const fn parameter(written: &'static str, program: &'static str, instead: &'static str) -> Foreign {
    Foreign {
        written,
        program,
        instead,
        is_parameter: true,
    }
}

const POSTGRESQL: &str = "write postgresql://";
const UNQUOTED: &str = "write the address without quotation marks";
const WRONG_SERVER: &str = "Eventide needs PostgreSQL: write postgresql://";
const POOLER: &str = "remove it, and set database.pooler = \"transaction\" and database.direct_url if the address leads to a pooler";
const POOL_SIZE: &str = "remove it, and set database.pool_size (PG_POOL_SIZE)";
const CONNECTING: &str = "remove it, and set database.connection_timeout_ms (PG_CONNECTION_TIMEOUT_MS)";
const STATEMENTS: &str = "remove it, and set database.statement_timeout_ms";
const IDLE: &str = "remove it, and set database.idle_timeout_ms (PG_IDLE_TIMEOUT_MS)";
const SCHEMA: &str = "remove it, and set database.schema (DB_SCHEMA)";
const TLS: &str = "write sslmode=verify-full or sslmode=disable, or set DATABASE_SSL=no-verify for TLS without verification";
const REMOVE: &str = "remove it";

/// How addresses for other programs begin. The first match counts.
static STARTS: [Foreign; 24] = [
    start(
        "psql ",
        "psql",
        "write the address alone, without psql and without quotation marks",
    ),
    start("export ", "a shell", "write the address alone"),
    start("set ", "a shell", "write the address alone"),
    start("database_url=", "a .env file", "write the address alone"),
    start("'", "a shell", UNQUOTED),
    start("\"", "a shell", UNQUOTED),
    start("`", "a chat", UNQUOTED),
    start("<", "a chat", "write the address without angle brackets"),
    start("postgresql+", "SQLAlchemy", POSTGRESQL),
    start("postgres+", "SQLAlchemy", POSTGRESQL),
    start(
        "jdbc:",
        "JDBC",
        "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, without jdbc:",
    ),
    start(
        "prisma",
        "Prisma",
        "write the database's own address, which begins with postgresql://",
    ),
    start(
        "pgsql:",
        "PHP and Laravel",
        "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
    ),
    start("psql:", "django-environ", POSTGRESQL),
    start("postgis:", "Django", POSTGRESQL),
    start("pg:", "node-postgres", POSTGRESQL),
    start("cockroach", "CockroachDB", WRONG_SERVER),
    start("mysql", "MySQL", WRONG_SERVER),
    start("mariadb", "MariaDB", WRONG_SERVER),
    start("sqlite", "SQLite", WRONG_SERVER),
    start("file:", "SQLite", WRONG_SERVER),
    start("mongodb", "MongoDB", WRONG_SERVER),
    start("redis", "Redis", WRONG_SERVER),
    start(
        "http",
        "a browser",
        "write the database's own address, which begins with postgresql://",
    ),
];

/// Parameters that libpq does not have, in lower case.
static PARAMETERS: [Foreign; 48] = [
    parameter("pgbouncer", "Prisma", POOLER),
    parameter("schema", "Prisma", SCHEMA),
    parameter("connection_limit", "Prisma", POOL_SIZE),
    parameter("pool_timeout", "Prisma", CONNECTING),
    parameter("socket_timeout", "Prisma", STATEMENTS),
    parameter("statement_cache_size", "Prisma and asyncpg", POOLER),
    parameter("sslaccept", "Prisma", TLS),
    parameter(
        "sslidentity",
        "Prisma",
        "remove it, and set database.ssl_cert_file and database.ssl_key_file",
    ),
    parameter("ssl", "node-postgres and asyncpg", TLS),
    parameter("uselibpqcompat", "node-postgres", REMOVE),
    parameter("max", "node-postgres", POOL_SIZE),
    parameter("idletimeoutmillis", "node-postgres", IDLE),
    parameter("connectiontimeoutmillis", "node-postgres", CONNECTING),
    parameter("query_timeout", "node-postgres", STATEMENTS),
    parameter("statement_timeout", "node-postgres", STATEMENTS),
    parameter("prepared_statement_cache_size", "SQLAlchemy", POOLER),
    parameter("async_fallback", "SQLAlchemy", REMOVE),
    parameter("pool_size", "SQLAlchemy", POOL_SIZE),
    parameter("max_overflow", "SQLAlchemy", POOL_SIZE),
    parameter("pool_recycle", "SQLAlchemy", IDLE),
    parameter("pool_pre_ping", "SQLAlchemy", REMOVE),
    parameter("command_timeout", "asyncpg", STATEMENTS),
    parameter("currentschema", "JDBC", SCHEMA),
    parameter("preparethreshold", "JDBC", POOLER),
    parameter("applicationname", "JDBC", "write application_name"),
    parameter("targetservertype", "JDBC", "write target_session_attrs"),
    parameter("logintimeout", "JDBC", "write connect_timeout"),
    parameter("connecttimeout", "JDBC", "write connect_timeout"),
    parameter("sockettimeout", "JDBC", STATEMENTS),
    parameter("tcpkeepalive", "JDBC", "write keepalives=1"),
    parameter("sslfactory", "JDBC", TLS),
    parameter("rewritebatchedinserts", "JDBC", REMOVE),
    parameter("stringtype", "JDBC", REMOVE),
    parameter("conn_max_age", "Django", IDLE),
    parameter("conn_health_checks", "Django", REMOVE),
    parameter("disable_server_side_cursors", "Django", POOLER),
    parameter("atomic_requests", "Django", REMOVE),
    parameter("pool", "Rails", POOL_SIZE),
    parameter("encoding", "Rails", REMOVE),
    parameter("prepared_statements", "Rails", POOLER),
    parameter("charset", "Doctrine", REMOVE),
    parameter("serverversion", "Doctrine", REMOVE),
    parameter("search_path", "pgx", SCHEMA),
    parameter("pool_max_conns", "pgx", POOL_SIZE),
    parameter("default_query_exec_mode", "pgx", POOLER),
    parameter("binary_parameters", "lib/pq", POOLER),
    parameter("supa", "Supabase", REMOVE),
    parameter("workaround", "Supabase", POOLER),
];

/// `sslmode=no-verify`, which is specific to node-postgres.
static NO_VERIFY: Foreign = parameter(
    "sslmode=no-verify",
    "node-postgres",
    "remove it, and set DATABASE_SSL=no-verify",
);

impl Foreign {
    /// The format with which a text begins.
    pub(super) fn start_of(text: &str) -> Option<&'static Self> {
        STARTS.iter().find(|start| {
            let beginning = text.trim_start().get(..start.written.len());
            beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(start.written))
        })
    }

    /// The parameter of another program.
    pub(super) fn parameter(key: &str, value: &str) -> Option<&'static Self> {
        if key == "sslmode" && value.eq_ignore_ascii_case("no-verify") {
            return Some(&NO_VERIFY);
        }
        PARAMETERS
            .iter()
            .find(|parameter| parameter.written.eq_ignore_ascii_case(key))
    }

    /// A text for the operator: what it is, and what to do.
    pub(super) fn in_words(&self) -> String {
        let Self {
            written,
            program,
            instead,
            is_parameter,
        } = self;
        let what = if *is_parameter {
            format!("an address with the parameter {written}")
        } else {
            format!("text that begins with {}", written.trim_end())
        };
        format!("{what}, which is for {program}: {instead} (value not shown)")
    }
}

#[cfg(test)]
mod tests;

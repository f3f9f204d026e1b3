use super::{Foreign, PARAMETERS, STARTS};
use crate::config::database::conninfo::{Conninfo, KNOWN, UNSUPPORTED};

#[test]
fn what_other_programs_take_is_named_with_what_to_write() {
    for (text, words) in [
        (
            "postgresql://h/d?pgbouncer=true",
            &["pgbouncer", "Prisma", "database.pooler"][..],
        ),
        (
            "postgresql://h/d?sslmode=require&schema=public",
            &["schema", "Prisma", "DB_SCHEMA"],
        ),
        (
            "postgresql://h/d?ssl=no-verify",
            &["ssl", "node-postgres", "DATABASE_SSL=no-verify"],
        ),
        (
            "postgresql://h/d?sslmode=no-verify",
            &["sslmode=no-verify", "DATABASE_SSL=no-verify"],
        ),
        (
            "postgresql://h/d?currentSchema=x",
            &["currentschema", "JDBC", "DB_SCHEMA"],
        ),
        (
            "host=h pool_max_conns=3",
            &["pool_max_conns", "pgx", "PG_POOL_SIZE"],
        ),
        ("psql 'postgresql://u:p@h/d'", &["psql", "address alone"]),
        ("PSQL \"postgresql://u:p@h/d\"", &["psql", "address alone"]),
        ("'postgresql://u:p@h/d'", &["quotation marks"]),
        (
            "DATABASE_URL=postgresql://u:p@h/d",
            &["database_url=", "address alone"],
        ),
        (
            "export DATABASE_URL='postgresql://u:p@h/d'",
            &["export", "address alone"],
        ),
        (
            "postgresql+asyncpg://u:p@h/d",
            &["SQLAlchemy", "write postgresql://"],
        ),
        (
            "postgres+psycopg2://u:p@h/d",
            &["SQLAlchemy", "write postgresql://"],
        ),
        (
            "jdbc:postgresql://h/d?user=u&password=p",
            &["JDBC", "without jdbc:"],
        ),
        ("postgis://u:p@h/d", &["Django", "write postgresql://"]),
        ("psql://u:p@h/d", &["django-environ", "write postgresql://"]),
        ("pgsql:host=h;dbname=d", &["PHP", "postgresql://USER"]),
        ("mysql://u:p@h/d", &["MySQL", "needs PostgreSQL"]),
        ("https://x.supabase.co", &["own address"]),
    ] {
        let fault = Conninfo::parse(text)
            .err()
            .unwrap_or_else(|| panic!("{text} is taken"));
        let told = fault.in_words();
        for word in words {
            assert!(told.contains(word), "{text}: {told}");
        }
        assert!(told.contains("not shown") && !told.contains('\n'), "{told}");
    }
}

#[test]
fn nothing_that_is_understood_here_counts_as_foreign() {
    for key in KNOWN.iter().chain(&UNSUPPORTED) {
        assert_eq!(Foreign::parameter(key, ""), None, "{key}");
        assert_eq!(Foreign::start_of(&format!("{key}=x")), None, "{key}");
    }
    for scheme in ["postgresql://", "postgres://"] {
        assert_eq!(Foreign::start_of(scheme), None);
    }
}

#[test]
fn names_are_compared_in_lower_case() {
    for Foreign { written, .. } in STARTS.iter().chain(&PARAMETERS) {
        assert_eq!(*written, written.to_lowercase());
    }
}

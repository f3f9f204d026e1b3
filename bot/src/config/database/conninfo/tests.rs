use proptest::prelude::*;

use super::{Conninfo, Fault, Place};

/// The servers as `host@address:port`, and the parameters as `key=value`.
fn told(text: &str) -> (Vec<String>, Vec<String>) {
    let info = Conninfo::parse(text).unwrap_or_else(|fault| unreachable!("{text}: {fault:?}"));
    let places = info
        .places
        .iter()
        .map(|Place { host, address, port }| match address {
            Some(address) => format!("{host}@{address}:{port}"),
            None => format!("{host}:{port}"),
        })
        .collect();
    let parameters = info
        .parameters
        .iter()
        .filter(|(key, _)| !matches!(**key, "host" | "hostaddr" | "port"))
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    (places, parameters)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn reads_every_form_that_libpq_documents() {
    for (text, places, parameters) in [
        ("postgresql://", &[":5432"][..], &[][..]),
        ("postgresql://localhost", &["localhost:5432"], &[]),
        ("postgres://localhost:5433", &["localhost:5433"], &[]),
        (
            "postgresql://localhost/mydb",
            &["localhost:5432"],
            &["dbname=mydb"],
        ),
        ("postgresql://user@localhost", &["localhost:5432"], &["user=user"]),
        (
            "postgresql://user:secret@localhost",
            &["localhost:5432"],
            &["password=secret", "user=user"],
        ),
        (
            "postgresql://other@localhost/otherdb?connect_timeout=10&application_name=myapp",
            &["localhost:5432"],
            &[
                "application_name=myapp",
                "connect_timeout=10",
                "dbname=otherdb",
                "user=other",
            ],
        ),
        (
            "postgresql://host1:123,host2:456/somedb?target_session_attrs=any&application_name=myapp",
            &["host1:123", "host2:456"],
            &[
                "application_name=myapp",
                "dbname=somedb",
                "target_session_attrs=any",
            ],
        ),
        (
            "postgresql://a,b:5433/d?target_session_attrs=primary&load_balance_hosts=random",
            &["a:5432", "b:5433"],
            &[
                "dbname=d",
                "load_balance_hosts=random",
                "target_session_attrs=primary",
            ],
        ),
        (
            "postgresql:///mydb?host=localhost&port=5433",
            &["localhost:5433"],
            &["dbname=mydb"],
        ),
        (
            "postgresql://[2001:db8::1234]/database",
            &["2001:db8::1234:5432"],
            &["dbname=database"],
        ),
        (
            "postgresql://[::1]:5433,h:5434/d",
            &["::1:5433", "h:5434"],
            &["dbname=d"],
        ),
        (
            "postgresql:///dbname?host=/var/lib/postgresql",
            &["/var/lib/postgresql:5432"],
            &["dbname=dbname"],
        ),
        (
            "postgresql://%2Fvar%2Flib%2Fpostgresql/dbname",
            &["/var/lib/postgresql:5432"],
            &["dbname=dbname"],
        ),
        (
            "postgresql://user@localhost:5433/mydb?options=-c%20synchronous_commit%3Doff",
            &["localhost:5433"],
            &["dbname=mydb", "options=-c synchronous_commit=off", "user=user"],
        ),
        (
            "postgresql://us%40er:p%3Aa%2Fs%25s+%C3%A4@h/d%20b",
            &["h:5432"],
            &["dbname=d b", "password=p:a/s%s+ä", "user=us@er"],
        ),
        ("postgresql://u:a:b@h", &["h:5432"], &["password=a:b", "user=u"]),
        ("postgresql://h?ssl=true", &["h:5432"], &["sslmode=require"]),
        (
            "postgresql://h/d?sslmode=verify-full&sslrootcert=/ca.pem&sslcert=c&sslkey=k&passfile=p",
            &["h:5432"],
            &[
                "dbname=d",
                "passfile=p",
                "sslcert=c",
                "sslkey=k",
                "sslmode=verify-full",
                "sslrootcert=/ca.pem",
            ],
        ),
        (
            "host=localhost port=5432 dbname=mydb connect_timeout=10",
            &["localhost:5432"],
            &["connect_timeout=10", "dbname=mydb"],
        ),
        (
            r"  host = h  password='it\'s a \\ b' user=a\ b  dbname='' ",
            &["h:5432"],
            &["dbname=", r"password=it's a \ b", "user=a b"],
        ),
        (
            "host=a,b hostaddr=10.0.0.1,10.0.0.2 port=1,2 sslmode=verify-ca",
            &["a@10.0.0.1:1", "b@10.0.0.2:2"],
            &["sslmode=verify-ca"],
        ),
        ("hostaddr=::1 user=u", &["@::1:5432"], &["user=u"]),
        ("host=a,b,c port=7", &["a:7", "b:7", "c:7"], &[]),
        ("host=/run/pg,h port=,5433", &["/run/pg:5432", "h:5433"], &[]),
        ("user=u", &[":5432"], &["user=u"]),
    ] {
        let (found_places, found_parameters) = told(text);
        assert_eq!(found_places, places, "{text}");
        assert_eq!(found_parameters, parameters, "{text}");
    }
}

#[test]
fn refuses_what_libpq_refuses_and_what_would_be_weaker_than_asked() {
    for (text, fault) in [
        ("", Fault::Form),
        ("   ", Fault::Form),
        ("nonsense", Fault::Form),
        ("host=h unknown=1", Fault::Parameter),
        ("password='open", Fault::Form),
        ("postgresql://h/%", Fault::Percent),
        ("postgresql://h/%4", Fault::Percent),
        ("postgresql://h/%zz", Fault::Percent),
        ("postgresql://h/%00", Fault::Form),
        ("postgresql://h?nonsense", Fault::Parameter),
        ("postgresql://h?=1", Fault::Parameter),
        ("postgresql://bot:p@ss-w0rd@host/db", Fault::Unescaped),
        ("postgresql://bot:p/ss-w0rd@host/db", Fault::Unescaped),
        ("postgresql://bot:5432/ss-w0rd@host/db", Fault::Unescaped),
        ("postgresql://bot:p/s#w0rd?@host/db", Fault::Unescaped),
        ("postgresql://h/d?user=me@server", Fault::Unescaped),
        ("postgresql://[::1", Fault::Value("host")),
        ("postgresql://[::1]x", Fault::Value("host")),
        ("postgresql://h:port/d", Fault::Value("port")),
        ("postgresql://h:0/d", Fault::Value("port")),
        ("postgresql://h:65536/d", Fault::Value("port")),
        ("hostaddr=h", Fault::Value("hostaddr")),
        ("host=h sslmode=verify", Fault::Value("sslmode")),
        ("host=h connect_timeout=soon", Fault::Value("connect_timeout")),
        (
            "host=h target_session_attrs=master",
            Fault::Value("target_session_attrs"),
        ),
        ("host=h gssencmode=require", Fault::Value("gssencmode")),
        ("service=mine", Fault::Unsupported("service")),
        ("host=h sslcrl=f", Fault::Unsupported("sslcrl")),
        (
            "host=h require_auth=scram-sha-256",
            Fault::Unsupported("require_auth"),
        ),
        ("host=a,b port=1,2,3", Fault::Counts),
        ("host=a,b hostaddr=::1", Fault::Counts),
    ] {
        assert_eq!(Conninfo::parse(text).err(), Some(fault), "{text}");
    }
}

#[test]
fn numbers_are_read_as_libpq_reads_them() {
    let info = Conninfo::parse("host=h tcp_user_timeout=2500 keepalives=0 connect_timeout=-1").expect("read");
    assert_eq!(info.number("tcp_user_timeout"), Some(2500));
    assert_eq!(info.number("keepalives"), Some(0));
    assert_eq!(info.number("connect_timeout"), Some(0));
    assert_eq!(info.number("keepalives_idle"), None);
}

fn hex(byte: u8) -> String {
    format!("{byte:02X}")
}

proptest! {
    /// Both forms carry a password of any characters.
    #[test]
    fn a_password_of_any_characters_survives_both_forms(password in "[^\0]{1,30}") {
        let encoded = password.bytes().fold(String::new(), |text, byte| text + "%" + &hex(byte));
        let uri = Conninfo::parse(&format!("postgresql://u:{encoded}@h/d")).expect("a URI");
        prop_assert_eq!(uri.get("password"), Some(password.as_str()));
        let escaped = password.replace('\\', r"\\").replace('\'', r"\'");
        let pairs = Conninfo::parse(&format!("host=h password='{escaped}' user=u")).expect("pairs");
        prop_assert_eq!(pairs.get("password"), Some(password.as_str()));
    }

    /// A password was pasted into a URI unescaped: either all of it is the password, or none of it is shown.
    #[test]
    fn an_unescaped_password_is_read_in_whole_or_refused_unseen(password in "[!-~äß€ ]{0,24}") {
        match Conninfo::parse(&format!("postgresql://bot:{password}@db.example:5432/levels?sslmode=require")) {
            Ok(info) => {
                prop_assert_eq!(info.places.len(), 1);
                prop_assert_eq!(info.places[0].host.as_str(), "db.example");
                prop_assert_eq!((info.get("user"), info.get("dbname")), (Some("bot"), Some("levels")));
                let read = info.get("password").unwrap_or_default();
                prop_assert!(read == password || password.contains('%'), "{}", read);
            }
            // The text consists of constants and contains nothing of the address.
            Err(fault) => prop_assert!(
                matches!(fault, Fault::Unescaped | Fault::Percent | Fault::Form),
                "{:?}",
                fault
            ),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), rest in any::<String>()) {
        for text in [text.clone(), format!("postgres://{rest}"), format!("host=h {text}"), format!("postgres://u:{text}@h/{rest}")] {
            if let Err(fault) = Conninfo::parse(&text) {
                prop_assert!(fault.in_words().contains("not shown"));
            }
        }
    }

    /// Valid addresses with a random edit; no message reveals the password.
    #[test]
    fn damaged_addresses_are_read_or_refused_without_the_password(
        address in prop::sample::select(&[
            "postgresql://user:PASSWORD@host:5432,other:5433/db?sslmode=verify-full&options=-c%20a%3Db&connect_timeout=10",
            "postgres://user:PASSWORD@[2001:db8::1]:5432/db?target_session_attrs=primary&keepalives_idle=30",
            "host=h,g port=5432,5433 user=u password='PASSWORD' dbname=d sslmode=require tcp_user_timeout=5000",
            "host=/run/postgresql hostaddr=127.0.0.1 password=PASSWORD application_name='a b\\' c'",
        ][..]),
        at in any::<prop::sample::Index>(),
        length in 0..6_usize,
        with in prop_oneof![any::<String>(), "[%@:/?&=, \\\\'\\[\\]0-9a-f]{0,8}"],
    ) {
        let mut characters: Vec<char> = address.chars().collect();
        let from = at.index(characters.len());
        let to = (from + length).min(characters.len());
        characters.splice(from..to, with.chars());
        let damaged: String = characters.into_iter().collect();
        match Conninfo::parse(&damaged) {
            Ok(info) => {
                prop_assert!(!info.places.is_empty());
                prop_assert!(info.places.iter().all(|place| place.port > 0));
                for key in ["connect_timeout", "keepalives_idle", "tcp_user_timeout"] {
                    let _number = info.number(key);
                }
            }
            Err(fault) => {
                let told = format!("{fault:?} {}", fault.in_words());
                prop_assert!(told.contains("not shown") && !told.contains("PASSWORD"), "{}", told);
            }
        }
    }
}

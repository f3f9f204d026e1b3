use proptest::prelude::*;

use super::{Wanted, find};

const FILE: &str = "\
# a comment
broken line
db.example.com:5432:app:eventide:first
*:5433:*:eventide:any:host
[\\:\\:1]:*:*:*:never
\\:\\:1:*:*:*:six
h:*:a\\:b:\\*:star\\\\
localhost:*:*:*:local
";

#[test]
fn the_first_line_that_fits_is_taken() {
    for (host, port, database, user, password) in [
        ("db.example.com", 5432, "app", "eventide", Some("first")),
        ("db.example.com", 5432, "other", "eventide", None),
        ("db.example.com", 5433, "other", "eventide", Some("any:host")),
        ("::1", 1, "d", "u", Some("six")),
        ("h", 1, "a:b", "*", Some("star\\")),
        ("h", 1, "a:b", "u", None),
        ("localhost", 5432, "d", "u", Some("local")),
    ] {
        let wanted = Wanted {
            host,
            port,
            database,
            user,
        };
        assert_eq!(find(FILE, wanted).as_deref(), password, "{wanted:?}");
    }
}

fn escaped(field: &str) -> String {
    field.replace('\\', "\\\\").replace(':', "\\:")
}

proptest! {
    /// For any file, the result is a password from it, or none.
    #[test]
    fn any_file_is_read(text in prop_oneof![any::<String>(), "([a-z*\\\\:#]{0,8}:){3,5}[a-z\\\\:]{0,5}\r?\n?"]) {
        let wanted = Wanted { host: "h", port: 1, database: "d", user: "u" };
        if let Some(password) = find(&text, wanted) {
            prop_assert!(!password.is_empty() && password.len() < text.len());
        }
    }

    /// A password escaped as libpq requires is found, whatever precedes it in the file.
    #[test]
    fn what_was_written_is_found(
        before in "(#[ -~]{0,20}\n|[a-z]{0,5}:1:\n|\n){0,3}",
        // A line that begins with # is a comment.
        host in "[ -~&&[^*#]][ -~&&[^*]]{0,7}",
        user in "[a-zé:\\\\*]{1,8}",
        password in "[ -~]{1,12}",
    ) {
        let file = format!("{before}{}:*:*:{}:{}\n", escaped(&host), escaped(&user), escaped(&password));
        let wanted = Wanted { host: &host, port: 5432, database: "any", user: &user };
        // An escaped star is literal, and a plain star matches everything.
        prop_assert_eq!(find(&file, wanted), Some(password), "{}", file);
    }
}

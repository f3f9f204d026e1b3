use super::{Kind, Sql};

fn texts(sql: &str) -> Vec<String> {
    Sql::read(sql)
        .statements
        .into_iter()
        .map(|statement| statement.text)
        .collect()
}

#[test]
fn statements_end_at_semicolons_that_are_not_inside_something() {
    let sql = r#"-- a; comment
SELECT 'it''s; one', E'\'; two', "a "";"" b" /* ; /* ; */ ; */ FROM t -- ;
;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $body$ SELECT 1; SELECT $$;$$ $body$;;
 SELECT $1 + 2.5e3, 'ä;ö' ;
SELECT 3"#;
    let found = texts(sql);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("SELECT 'it''s") && found[0].ends_with("FROM t"));
    assert!(found[1].ends_with("$body$"), "{}", found[1]);
    assert_eq!(found[2], "SELECT $1 + 2.5e3, 'ä;ö'");
    assert_eq!(found[3], "SELECT 3");
    let lines: Vec<usize> = Sql::read(sql)
        .statements
        .iter()
        .map(|statement| statement.line)
        .collect();
    assert_eq!(lines, [2, 4, 5, 6]);
}

#[test]
fn what_does_not_end_is_one_statement() {
    for sql in [
        "SELECT 'a; b",
        "SELECT \"a; b",
        "SELECT $x$ a; b",
        "SELECT 1 /* a; b",
    ] {
        assert_eq!(texts(sql).len(), 1, "{sql}");
    }
    for sql in ["", "-- nothing\n", " ;; /* */ ;", "/* a"] {
        assert!(texts(sql).is_empty(), "{sql}");
    }
}

#[test]
fn words_are_folded_and_quoted_names_are_not() {
    let sql = Sql::read("CREATE Index CONCURRENTLY \"Concurrently\" ON Änderung (a)");
    let statement = &sql.statements[0];
    assert!(statement.has("concurrently"));
    assert_eq!(statement.tokens[3].kind, Kind::Quoted("Concurrently".to_owned()));
    assert_eq!(statement.tokens[5].kind, Kind::Word("änderung".to_owned()));
    assert_eq!(
        statement.without("concurrently"),
        "CREATE Index  \"Concurrently\" ON Änderung (a)"
    );
}

#[test]
fn the_head_is_the_first_comment() {
    let sql = Sql::read("-- One.\n-- eventide: no-transaction\n\n-- Two.\nSELECT 1");
    assert_eq!(sql.head, ["One.", "eventide: no-transaction"]);
    assert!(sql.says("eventide: no-transaction") && !sql.says("Two."));
}

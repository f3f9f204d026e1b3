use super::Renamer;

#[test]
fn the_schema_is_renamed_where_it_is_named_and_nowhere_else() {
    for (from, to, script, expected) in [
        (
            "public",
            "copy",
            "CREATE TABLE public.t (a text DEFAULT 'public.t', public bigint);",
            "CREATE TABLE \"copy\".t (a text DEFAULT 'public.t', public bigint);",
        ),
        (
            "public",
            "copy",
            "-- Name: t; Schema: public.x\nALTER TABLE ONLY public.t ADD CONSTRAINT c CHECK ((a > 0));",
            "-- Name: t; Schema: public.x\nALTER TABLE ONLY \"copy\".t ADD CONSTRAINT c CHECK ((a > 0));",
        ),
        (
            "public",
            "copy",
            "COPY public.t (a, b) FROM stdin;\npublic.t\t'x\n\\.x\n\\.\n\nGRANT USAGE ON SCHEMA public TO public;",
            "COPY \"copy\".t (a, b) FROM stdin;\npublic.t\t'x\n\\.x\n\\.\n\nGRANT USAGE ON SCHEMA \"copy\" TO public;",
        ),
        (
            "public",
            "back\\slash",
            "SELECT pg_catalog.setval('public.s', 1); SELECT 'public.s';",
            "SELECT pg_catalog.setval( E'\"back\\\\slash\".s', 1); SELECT 'public.s';",
        ),
        (
            "it's",
            "two",
            "SELECT pg_catalog.setval('\"it''s\".s', 1); SELECT 'a''b', E'\\'\"it''s\".t', \"it's\".t;",
            "SELECT pg_catalog.setval('\"two\".s', 1); SELECT 'a''b', E'\\'\"it''s\".t', \"two\".t;",
        ),
        (
            "a\"b\nc",
            "two",
            "ALTER TABLE \"a\"\"b\nc\".\"a\"\"b\nc\" x;",
            "ALTER TABLE \"two\".\"a\"\"b\nc\" x;",
        ),
        (
            "public",
            "copy",
            "CREATE FUNCTION public.f() AS $_$ BEGIN public.x; $1 END $_$; CREATE TRIGGER t EXECUTE FUNCTION public.f();",
            "CREATE FUNCTION \"copy\".f() AS $_$ BEGIN public.x; $1 END $_$; CREATE TRIGGER t EXECUTE FUNCTION \"copy\".f();",
        ),
    ] {
        for size in [1, 2, 3, 7, script.len()] {
            let mut renamer = Renamer::new(from, to);
            let passed: Vec<u8> = script
                .as_bytes()
                .chunks(size)
                .flat_map(|piece| renamer.pass(piece))
                .collect();
            assert_eq!(String::from_utf8_lossy(&passed), expected, "{size}");
        }
    }
}

//! CSV files as found in practice.

use std::borrow::Cow;

use proptest::prelude::*;

use super::split;
use crate::features::levels::import::{
    fields::{Field, Format},
    source::reading::{rows, told},
};

fn read(text: &str) -> Vec<String> {
    told(rows(text.as_bytes(), Format::Auto, Vec::new()).expect("readable"))
}

#[test]
fn the_usual_headers_and_delimiters() {
    let expected = ["197038439483310086/175928847299117063 4567 12"];
    for delimiter in [",", ";", "\t", "|"] {
        for text in [
            "user_id,guild_id,xp,messages\n175928847299117063,197038439483310086,4567,12\n",
            "\u{feff}\"User ID\",\"Server ID\",Experience,Message Count\r\n\"175928847299117063\",\"197038439483310086\",4567,12",
            "\n\nname,userID,guildID,level,xp,msgs\n\n\"O\"\"Brien\",175928847299117063,197038439483310086,9,4567,12\n\n",
        ] {
            assert_eq!(read(&text.replace(',', delimiter)), expected, "{text}");
        }
    }
    let told_delimiter =
        "sep=;\nuser;server;points;messages\n175928847299117063;197038439483310086;4567;12\n";
    assert_eq!(read(told_delimiter), expected);
}

#[test]
fn a_column_of_names_hides_no_ids() {
    for text in [
        "user,id,server,guild_id,xp\nada,175928847299117063,Home,197038439483310086,4567\n",
        "guild_id,member,xp,discord_id\n197038439483310086,ada,4567,175928847299117063\n",
    ] {
        assert_eq!(
            read(text),
            ["197038439483310086/175928847299117063 4567 -"],
            "{text}"
        );
    }
    // Without any ID the message quotes the name.
    let told = read("user,id,guild_id,xp\nada,3,197038439483310086,1\n");
    assert!(told[0].contains("\"ada\" is no user id"), "{told:?}");
}

#[test]
fn mee6_csv() {
    let text = "id,username,discriminator,xp,level,messages\n175928847299117063,\"a, b\",0001,4567,9,12\n";
    let rows = rows(text.as_bytes(), Format::Mee6, Vec::new()).expect("readable");
    // The guild comes from the command line.
    assert_eq!(told(rows), ["line 2: no guild ID: pass --guild"]);
}

#[test]
fn bad_lines_are_named_and_the_rest_is_read() {
    let text = "guild,user,xp,name\n\
                197038439483310086,175928847299117063,1,fine\n\
                197038439483310086,175928847299117064,2,a, comma\n\
                197038439483310086,175928847299117065,3,\"open\n\
                197038439483310086,175928847299117066,4,fine\n\
                197038439483310086,175928847299117067,five,fine\n\
                197038439483310086,175928847299117068,6,\"two\nlines\"\n\
                197038439483310086,175928847299117069,7\n";
    assert_eq!(
        read(text),
        [
            "197038439483310086/175928847299117063 1 -",
            "line 3: 5 fields where the header has 4",
            "line 4: quotation marks that do not pair up",
            "197038439483310086/175928847299117066 4 -",
            "line 6: xp \"five\": not a number",
            "197038439483310086/175928847299117068 6 -",
            "line 9: 3 fields where the header has 4",
        ]
    );
}

#[test]
fn a_line_without_end_is_one_bad_line() {
    let text = format!(
        "guild,user,xp\n{}\n197038439483310086,175928847299117063,1\n",
        "x".repeat(200_000)
    );
    assert_eq!(
        read(&text),
        [
            "line 2: the line is longer than 64 KiB",
            "197038439483310086/175928847299117063 1 -"
        ]
    );
}

#[test]
fn a_header_without_the_columns_is_refused_with_what_to_do() {
    let refused = rows(b"a,b,c\n1,2,3\n", Format::Auto, Vec::new())
        .expect_err("no columns")
        .to_string();
    assert!(
        refused.contains("a, b, c") && refused.contains("--map"),
        "{refused}"
    );
    let mapped = vec![(Field::User, "who".to_owned())];
    let refused = rows(b"a,xp\n1,2\n", Format::Auto, mapped)
        .expect_err("no such column")
        .to_string();
    assert!(refused.contains("no column \"who\""), "{refused}");
    assert!(
        rows(b"\xff\xfeu\0s\0", Format::Auto, Vec::new())
            .expect_err("UTF-16")
            .to_string()
            .contains("UTF-16")
    );
    assert!(
        rows(b" \n", Format::Auto, Vec::new())
            .expect_err("empty")
            .to_string()
            .contains("empty")
    );
}

/// A field in RFC 4180 syntax.
fn written(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}

proptest! {
    #[test]
    fn what_is_quoted_comes_back(fields in prop::collection::vec("[^\\n]*", 1..6)) {
        let record = fields.iter().map(|field| written(field)).collect::<Vec<_>>().join(",");
        let read = split(record.as_bytes(), b',').expect("closed");
        let expected: Vec<Cow<'_, [u8]>> = fields.iter().map(|field| Cow::Borrowed(field.as_bytes())).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn any_bytes_are_read_to_the_end(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        // Any result is fine, as long as there is no panic.
        drop(rows(&bytes, Format::Auto, Vec::new()).map(told));
        let text = [b"user,guild,xp\n".as_slice(), &bytes].concat();
        drop(told(rows(&text, Format::Csv, Vec::new()).expect("a header and some lines")));
    }

    #[test]
    fn any_lines_of_marks_are_read(text in "[\",;a1\n\r]{0,300}") {
        let text = format!("user,guild,xp\n{text}");
        drop(told(rows(text.as_bytes(), Format::Csv, Vec::new()).expect("a header and some lines")));
    }
}

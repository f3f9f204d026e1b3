//! JSON files as found in practice.

use proptest::prelude::*;

use crate::features::levels::import::{
    fields::{Field, Format, parse_map},
    source::{
        SourceError,
        reading::{rows, told},
    },
};

const G: &str = "197038439483310086";
const U: &str = "175928847299117063";
const V: &str = "275928847299117063";

fn read_as(text: &str, format: Format, mapped: Vec<(Field, String)>) -> Vec<String> {
    let text = text.replace("$G", G).replace("$U", U).replace("$V", V);
    told(rows(text.as_bytes(), format, mapped).expect("readable"))
}

fn read(text: &str) -> Vec<String> {
    read_as(text, Format::Auto, Vec::new())
}

fn both() -> Vec<String> {
    vec![format!("{G}/{U} 4567 -"), format!("{G}/{V} 100 -")]
}

#[test]
fn the_tutorials_shapes() {
    for text in [
        r#"{"$G": {"$U": {"xp": 4567, "level": 9}, "$V": {"xp": 100, "level": 1}}}"#,
        r#"{"$G": {"$U": 4567, "$V": "100"}}"#,
        r#"{"$G-$U": {"points": 4567}, "$G-$V": {"points": 100}}"#,
        r#"{"$G-$U": {"user": "$U", "guild": "$G", "points": 4567}, "$G-$V": {"user": "$V", "guild": "$G", "points": 100}}"#,
        r#"{"guilds": {"$G": {"name": "x", "users": {"$U": {"xp": 4567}, "$V": {"exp": 100}}, "settings": {"xp": 3}}}}"#,
        r#"{"$G": {"prefix": "!", "members": [{"id": "$U", "xp": 4567}, {"id": "$V", "xp": 100}]}}"#,
        r#"{"users": {"$U": {"guild_id": "$G", "levels": {"xp": 4567}}, "$V": {"guild": "$G", "levels": {"xp": 100}}}}"#,
        r#"[{"user_id": "$U", "guild_id": "$G", "xp": 4567}, {"user_id": $V, "guild_id": $G, "xp": 100.0}]"#,
        r#"{"_default": {"1": {"user": $U, "guild": $G, "xp": 4567}, "2": {"user": $V, "guild": $G, "xp": 100}}}"#,
        "{\"userID\":\"$U\",\"guildID\":\"$G\",\"xp\":4567}\n{\"_id\":{\"$oid\":\"5f\"},\"userID\":\"$V\",\"guildID\":\"$G\",\"xp\":{\"$numberLong\":\"100\"}}\n",
        "\u{feff} [[{\"user\": {\"id\": \"$U\", \"name\": \"x\"}, \"server\": \"$G\", \"totalXp\": 4567, \"xp\": 2}], [{\"uid\": \"$V\", \"serverId\": \"$G\", \"xp\": 100}]]",
    ] {
        assert_eq!(read(text), both(), "{text}");
    }
}

#[test]
fn mee6_pages_in_any_number() {
    let page = |user: &str, xp: u32| {
        format!(
            r#"{{"admin": false, "guild": {{"id": "$G", "name": "A", "leaderboard_url": ""}}, "page": 0,
             "player": {{"id": "$U", "xp": 1, "level": 0}},
             "players": [{{"avatar": "", "detailed_xp": [42, 1100, 4567], "discriminator": "0", "guild_id": "$G", "id": "{user}",
                           "level": 9, "message_count": 7, "monetize_xp_boost": 0, "username": "x", "xp": {xp}}}],
             "role_rewards": [{{"rank": 5, "role": {{"id": "1", "level": 5}}}}], "user_guild_settings": null,
             "xp_per_message": [15, 25], "xp_rate": 1.0}}"#
        )
    };
    let (one, two) = (page("$U", 4567), page("$V", 100));
    let expected = [format!("{G}/{U} 4567 7"), format!("{G}/{V} 100 7")];
    for format in [Format::Auto, Format::Json, Format::Mee6] {
        assert_eq!(read_as(&one, format, Vec::new()), expected[..1]);
        assert_eq!(read_as(&format!("[{one},{two}]"), format, Vec::new()), expected);
        assert_eq!(read_as(&format!("{one}\n{two}"), format, Vec::new()), expected);
        assert_eq!(read_as(&format!("{one}{two}"), format, Vec::new()), expected);
    }
}

#[test]
fn other_bots() {
    let no_guild = |at: &str| format!("{at}: no guild ID: pass --guild");
    // None of them names the guild.
    for (text, format, at) in [
        (
            r#"{"users": {"$U": {"xp": 4567, "cooldown": 0, "hidden": false}}, "settings": {"gain": {"xp": 5}, "rewards": [{"id": "1", "level": 5}]}}"#,
            Format::Polaris,
            "line 1 ($.users.175928847299117063)",
        ),
        (
            r#"{"levels": [{"userId": "$U", "xp": 4567, "level": 9, "messageCount": 7, "tag": "x"}], "multipliers": [{"level": 1}]}"#,
            Format::Lurkr,
            "line 1 ($.levels[0])",
        ),
        (r#"[{"id": "$U", "xp": 4567}]"#, Format::Xpd, "line 1 ($[0])"),
    ] {
        assert_eq!(read_as(text, format, Vec::new()), [no_guild(at)], "{text}");
        assert_eq!(read(text), [no_guild(at)], "{text}");
    }
    assert!(matches!(
        rows(b"a,b\n", Format::Lurkr, Vec::new()),
        Err(SourceError::Kind { .. })
    ));
}

#[test]
fn reds_levelup_tatsu_enmap_and_quick_db() {
    let user = "\"xp\": 4567.0, \"voice\": 60, \"messages\": 7, \"level\": 9, \"stars\": 1";
    for text in [
        // LevelUp of vrt-cogs, before and now, and Red's own storage of members.
        format!(
            r#"{{"configs": {{"$G": {{"users": {{"$U": {{{user}}}}}, "levelroles": {{"5": $V}}, "xp": [3, 6], "ignoredchannels": [],
                "algorithm": {{"base": 100, "exp": 2.0}}}}}}, "ignored_guilds": []}}"#
        ),
        format!(r#"{{"117117117": {{"GUILD": {{"$G": {{"users": {{"$U": {{{user}}}}}, "xp": [3, 6]}}}}, "GLOBAL": {{}}}}}}"#),
        format!(r#"{{"117117117": {{"MEMBER": {{"$G": {{"$U": {{{user}}}}}}}}}}}"#),
        r#"{"guild_id": "$G", "rankings": [{"rank": 1, "score": 4567, "messages": 7, "user_id": "$U"}]}"#.to_owned(),
        r#"{"name": "points", "exportDate": 1, "version": "5.8.5", "keys": [
            {"key": "$G-$U", "value": {"user": "$U", "guild": "$G", "points": 4567, "level": 9, "messages": 7}}]}"#
            .to_owned(),
        r#"{"name": "points", "keys": [
            {"key": "$G-$U", "value": "{\"user\":\"$U\",\"guild\":\"$G\",\"points\":4567,\"level\":9,\"messages\":7}"}]}"#
            .to_owned(),
        r#"[{"id": "user_$G_$U", "value": {"xp": 4567, "messages": 7}}, {"id": "prefix_$G", "value": "!"}]"#.to_owned(),
    ] {
        assert_eq!(read(&text), [format!("{G}/{U} 4567 7")], "{text}");
    }
    let text = r#"[{"ID": "xp_$G_$U", "data": "4567"}, {"ID": "level_$G_$U", "data": "9"}, {"ID": "money_$G_$U", "data": 3},
                  {"ID": "xp_$G_$V", "data": 100}]"#;
    assert_eq!(read(text), both());
    assert_eq!(
        read(r#"[{"key": "$G-$U", "value": "{broken"}]"#),
        ["line 1 ($[0].value): text that is not JSON where a member is expected"]
    );
}

#[test]
fn an_error_between_pages_is_reported() {
    let page = |page: u32, user: &str| {
        format!(
            r#"{{"page": {page}, "guild": {{"id": "$G"}}, "players": [{{"id": "{user}", "guild_id": "$G", "xp": 5}}]}}"#
        )
    };
    let (one, two) = (page(0, "$U"), page(1, "$V"));
    for error in [
        r#"{"error": {"message": "Unauthorized"}, "status_code": 401}"#,
        r#"{"message": "You are being rate limited.", "retry_after": 3.2, "global": false}"#,
        r#"{"message": "401: Unauthorized", "code": 0}"#,
    ] {
        let told = |place: &str| {
            format!(
                "{place}: an error of the server that the file comes from, where members are expected: fetch this page again"
            )
        };
        let members = [format!("{G}/{U} 5 -"), format!("{G}/{V} 5 -")];
        let [first, second] = members;
        assert_eq!(
            read(&format!("{one}\n{error}\n{two}")),
            [first.clone(), told("line 2"), second.clone()]
        );
        assert_eq!(
            read(&format!("[{one},{error},{two}]")),
            [first, told("line 1 ($[1])"), second]
        );
        assert_eq!(read(error), [told("line 1")]);
    }
    let gap = read(&format!("{one}\n{}", page(3, "$V")));
    assert_eq!(
        gap[2],
        "line 2: missing pages: 1 to 2; fetch them, and import the file with all pages"
    );
}

#[test]
fn a_name_hides_no_id() {
    for text in [
        r#"[{"user": "ada", "id": "$U", "server": "Home", "guild_id": "$G", "xp": 4567}]"#,
        r#"[{"id": "$U", "user": "ada", "guild": "$G", "xp": 4567}]"#,
        r#"[{"member": "ada#1", "id": $U, "guild": "$G", "xp": 4567}]"#,
    ] {
        assert_eq!(read(text), both()[..1], "{text}");
    }
}

#[test]
fn names_can_be_said() {
    let mapped = parse_map("user_id=who,guild_id=where,xp=karma").expect("a mapping");
    let text = r#"{"things": [{"who": "$U", "where": "$G", "karma": 4567, "xp": 1, "id": 3}]}"#;
    assert_eq!(read_as(text, Format::Json, mapped), [format!("{G}/{U} 4567 -")]);
}

#[test]
fn bad_rows_are_named_and_the_rest_is_read() {
    let text = "[\n{\"user_id\": \"$U\", \"guild_id\": \"$G\", \"xp\": -1},\n5,\n\
                {\"guild_id\": \"$G\", \"xp\": 5},\n{\"user_id\": \"$U\", \"guild_id\": \"$G\"},\n\
                {\"user_id\": null, \"xp\": null},\n{\"user_id\": 1.23e17, \"guild_id\": \"$G\", \"xp\": 5},\n\
                {\"note\": \"not a member\"},\n{\"user_id\": \"$U\", \"guild_id\": \"$G\", \"xp\": 4567}\n]";
    assert_eq!(
        read(text),
        [
            "line 2 ($[0]): xp -1: less than 0".to_owned(),
            "line 3 ($[1]): a number where a member is expected".to_owned(),
            "line 4 ($[2]): no user id".to_owned(),
            "line 5 ($[3]): no XP and no level".to_owned(),
            "line 6 ($[4]): no user id".to_owned(),
            "line 7 ($[5]): the user id 1.23e17 was rounded by the tool that wrote it: export ids as text"
                .to_owned(),
            format!("{G}/{U} 4567 -"),
        ]
    );
}

#[test]
fn broken_json_is_named_by_its_place() {
    for (text, place) in [
        ("[{\"id\": 1,\n\"xp\" 5}]", "from line 2, column 6"),
        ("[{\"id\": 1, \"xp\": 5}", "from line 1"),
        ("{\"a\": 1} nonsense", "from line 1"),
    ] {
        let refused = rows(text.as_bytes(), Format::Auto, Vec::new())
            .expect_err(text)
            .to_string();
        assert!(
            refused.contains(place) && refused.lines().count() == 1,
            "{refused}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(
        rows(deep.as_bytes(), Format::Auto, Vec::new())
            .expect_err("too deep")
            .to_string()
            .contains("recursion")
    );
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let name = prop_oneof![
        Just(G.to_owned()),
        Just(U.to_owned()),
        prop::sample::select(vec![
            "xp",
            "level",
            "id",
            "user_id",
            "guild",
            "users",
            "players",
            "settings",
            "$numberLong",
            "1",
            "x"
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        name.clone().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_to_the_end(value in json()) {
        let text = serde_json::to_vec(&value).expect("JSON");
        // A bare value is not treated as JSON but as a CSV of one line.
        if value.is_object() || value.is_array() {
            drop(told(rows(&text, Format::Json, Vec::new()).expect("it is JSON")));
        }
    }

    #[test]
    fn any_bytes_are_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..500), cut in 0..200_usize) {
        drop(rows(&[b"[".as_slice(), &bytes].concat(), Format::Json, Vec::new()).map(told));
        let page = format!(r#"{{"{G}": {{"{U}": {{"xp": 4567, "level": 9}}}}}}"#);
        drop(rows(&page.as_bytes()[..cut.clamp(1, page.len())], Format::Json, Vec::new()).map(told));
    }
}

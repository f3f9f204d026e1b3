use super::GuildNews;

fn guild(event_type: &str, data: &str) -> Option<u64> {
    let text = format!(r#"{{"t":"{event_type}","s":1,"op":0,"d":{data}}}"#);
    let news = GuildNews::scan(event_type, &text).ok().flatten();
    news.map(|news| news.guild_id.get())
}

#[test]
fn the_guild_is_found_wherever_it_stands() {
    assert_eq!(
        guild(
            "CHANNEL_UPDATE",
            r#"{"id":"5","name":"\"guild_id\":\"6\"","guild_id":"7","permission_overwrites":[{"id":"8"}]}"#
        ),
        Some(7)
    );
    assert_eq!(
        guild(
            "GUILD_ROLE_UPDATE",
            r#"{"role":{"id":"5","guild_id":"6"},"guild_id":"7"}"#
        ),
        Some(7)
    );
    assert_eq!(
        guild(
            "GUILD_UPDATE",
            r#"{"roles":[{"id":"7"}],"emojis":[{"id":"8"}],"id":"9"}"#
        ),
        Some(9)
    );
    assert_eq!(guild("GUILD_DELETE", r#"{"id":"9","unavailable":true}"#), Some(9));
}

/// A channel of direct messages is neither an error nor an event of a guild.
#[test]
fn channels_of_direct_messages_are_in_no_guild() {
    for data in [
        r#"{"id":"5","type":1,"recipients":[{"id":"8"}]}"#,
        r#"{"id":"5","type":1,"guild_id":null}"#,
    ] {
        let text = format!(r#"{{"t":"CHANNEL_CREATE","s":1,"op":0,"d":{data}}}"#);
        let news = GuildNews::scan("CHANNEL_CREATE", &text);
        assert!(matches!(news, Ok(None)), "{data}");
        assert!(GuildNews::scan("GUILD_ROLE_CREATE", &text).is_err(), "{data}");
    }
}

#[test]
fn without_a_guild_there_is_no_news() {
    for data in [
        "{}",
        "[]",
        "null",
        r#"{"guild_id":"x"}"#,
        r#"{"guild_id":null}"#,
        r#"{"guild_id":"0"}"#,
    ] {
        assert_eq!(guild("CHANNEL_UPDATE", data), None, "{data}");
        assert_eq!(guild("THREAD_UPDATE", data), None, "{data}");
    }
    assert_eq!(guild("GUILD_UPDATE", r#"{"guild_id":"7"}"#), None);
}

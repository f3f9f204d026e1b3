use twilight_model::id::Id;

use super::GuildCreate;

/// `VIEW_CHANNEL`, `READ_MESSAGE_HISTORY` and `CONNECT`.
const ALL: u64 = 1 << 10 | 1 << 16 | 1 << 20;

fn guild(everyone: u64, channels: &str, threads: &str) -> GuildCreate {
    let text = format!(
        r#"{{"t":"GUILD_CREATE","s":2,"op":0,"d":{{"id":"100","owner_id":"1","joined_at":"2023-01-02T03:04:05.678000+00:00",
        "unavailable":false,"roles":[{{"id":"100","permissions":"{everyone}"}},{{"id":"101","permissions":"{ALL}"}}],
        "members":[{{"user":{{"id":"7","bot":true}},"roles":["102"]}},{{"user":{{"id":"8"}},"roles":["101"]}}],
        "channels":[{channels}],"threads":[{threads}]}}}}"#
    );
    GuildCreate::parse(&text)
        .expect("a valid payload")
        .expect("it is available")
}

fn channel(id: u64, kind: u8, last: u64, overwrites: &str) -> String {
    format!(
        r#"{{"id":"{id}","type":{kind},"last_message_id":"{last}","permission_overwrites":[{overwrites}]}}"#
    )
}

fn read(guild: &GuildCreate, after: u64) -> Vec<(u64, u64, bool)> {
    guild
        .newer_than(Id::new(after), Some(Id::new(7)))
        .into_iter()
        .map(|newest| {
            (
                newest.channel_id.get(),
                newest.message_id.get(),
                newest.has_history,
            )
        })
        .collect()
}

#[test]
fn channels_that_had_traffic() {
    let channels = [
        channel(1, 0, 50, ""),
        channel(2, 0, 51, ""),
        channel(3, 5, 60, ""),
        // A category has no messages, and the last one of a forum is a thread.
        channel(4, 4, 60, ""),
        channel(5, 15, 60, ""),
        r#"{"id":"6","type":0,"last_message_id":null}"#.to_owned(),
        r#"{"id":"7","type":0}"#.to_owned(),
    ]
    .join(",");
    let thread = r#"{"id":"9","type":11,"parent_id":"5","last_message_id":"52"}"#;
    let guild = guild(ALL, &channels, thread);
    assert_eq!(read(&guild, 50), [(2, 51, true), (3, 60, true), (9, 52, true)]);
    assert_eq!(guild.newest(), Some(Id::new(60)));
    assert_eq!(
        guild.before_joining().map(snowflake_time),
        Some(1_672_628_645_678)
    );
}

/// A channel created during the gap is newer than the start of the gap, and so are all of its messages.
#[test]
fn channels_and_threads_that_were_made_meanwhile() {
    let channels = [
        channel(70, 0, 75, ""),
        r#"{"id":"71","type":0,"last_message_id":null}"#.to_owned(),
        // If the last message was deleted, its ID remains.
        channel(2, 0, 72, ""),
    ]
    .join(",");
    let threads = [
        // The first message of a forum post has the ID of the post.
        r#"{"id":"73","type":11,"parent_id":"5","last_message_id":"73"}"#,
        r#"{"id":"74","type":12,"parent_id":"70","last_message_id":"76"}"#,
        r#"{"id":"77","type":10,"parent_id":"70","last_message_id":null}"#,
    ]
    .join(",");
    let guild = guild(ALL, &channels, &threads);
    assert_eq!(
        read(&guild, 60),
        [(70, 75, true), (2, 72, true), (73, 73, true), (74, 76, true)]
    );
}

fn snowflake_time(id: Id<twilight_model::id::marker::MessageMarker>) -> i64 {
    crate::support::ids::millis(id)
}

#[test]
fn what_the_bot_does_not_see_is_not_missed() {
    let deny = |permission: u64| format!(r#"{{"id":"100","type":0,"allow":"0","deny":"{permission}"}}"#);
    let mine = |permission: u64| format!(r#"{{"id":"7","type":1,"allow":"{permission}","deny":"0"}}"#);
    let channels = [
        channel(1, 0, 50, &deny(1 << 10)),
        channel(2, 0, 50, &format!("{},{}", deny(1 << 10), mine(1 << 10))),
        channel(3, 0, 50, &deny(1 << 16)),
        channel(4, 2, 50, ""),
        channel(5, 2, 50, &deny(1 << 20)),
        // This is the role of another member.
        channel(
            6,
            0,
            50,
            &format!(
                r#"{},{{"id":"101","type":0,"allow":"{ALL}","deny":"0"}}"#,
                deny(1 << 10)
            ),
        ),
    ]
    .join(",");
    let thread = r#"{"id":"9","type":11,"parent_id":"3","last_message_id":"52"}"#;
    let guild = guild(ALL, &channels, thread);
    assert_eq!(
        read(&guild, 1),
        [
            (2, 50, true),
            (3, 50, false),
            (4, 50, true),
            (5, 50, false),
            (9, 52, false)
        ]
    );
    // The bot is identified because it is the only bot.
    assert_eq!(guild.newer_than(Id::new(1), None).len(), 5);
    // An unknown member: all channels are included.
    assert_eq!(guild.newer_than(Id::new(1), Some(Id::new(9))).len(), 7);
}

#[test]
fn administrators_see_all() {
    let channels = channel(1, 0, 50, r#"{"id":"100","type":0,"allow":"0","deny":"1024"}"#);
    assert_eq!(read(&guild(8, &channels, ""), 1), [(1, 50, true)]);
}

#[test]
fn a_guild_that_is_not_there() {
    let text = r#"{"t":"GUILD_CREATE","s":2,"op":0,"d":{"id":"100","unavailable":true}}"#;
    assert!(GuildCreate::parse(text).expect("valid").is_none());
    assert_eq!(GuildCreate::id_of(text).expect("valid"), Id::new(100));
    assert!(GuildCreate::id_of("{}").is_err());
}

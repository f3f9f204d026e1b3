//! Members who join are welcomed when they are admitted, and only once.

use eventide::postgres::Statement;
use serde_json::json;
use tokio_postgres::types::Type;
use twilight_model::id::{Id, marker::MessageMarker};

use crate::support::{
    asking::{Here, here_with},
    until,
};

/// A time in seconds of a fixed day, as Discord writes it. It is later than the simulator's messages.
fn at(seconds: u64) -> String {
    format!(
        "2036-11-23T{:02}:{:02}:{:02}.000000+00:00",
        12 + seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn tell(here: &Here, event: &str, user: u64, joined: u64, pending: bool) {
    let data = json!({
        "guild_id": here.guild().to_string(), "user": {"id": user.to_string(), "username": "somebody"}, "roles": [],
        "joined_at": at(joined), "pending": pending,
    });
    here.discord
        .control()
        .dispatch(Some(here.guild()), event, &data.to_string());
}

/// Somebody writes a message at such a time.
fn said(here: &Here, user: u64, seconds: u64) {
    let noon = 2_111_054_400_000;
    let id = eventide::support::ids::at_millis::<MessageMarker>(
        noon + i64::try_from(seconds * 1_000).expect("few"),
    );
    let data = json!({
        "id": id.expect("a message's ID").to_string(), "guild_id": here.guild().to_string(),
        "channel_id": here.channel().to_string(), "type": 0, "author": {"id": user.to_string(), "username": "somebody"},
    });
    here.discord
        .control()
        .dispatch(Some(here.guild()), "MESSAGE_CREATE", &data.to_string());
}

/// The members whom the bot has welcomed, in order.
fn welcomed(here: &Here) -> Vec<u64> {
    let messages = here.discord.control().bot_messages();
    let texts = messages.iter().filter_map(|message| message["content"].as_str());
    texts
        .filter_map(|text| text.strip_prefix("welcome ")?.parse().ok())
        .collect()
}

/// Wait for a welcome after which no earlier one can be missing: a server's welcomes are in the order of the events.
async fn welcomed_until(here: &Here, last: u64, joined: u64) -> Vec<u64> {
    tell(here, "GUILD_MEMBER_ADD", last, joined, false);
    let mut all = until("the last one is welcomed", async || {
        let all = welcomed(here);
        (all.last() == Some(&last)).then_some(all)
    })
    .await;
    all.pop();
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_is_welcomed_when_they_are_let_in_and_once() {
    let here = here_with(|config| config.discord.member_events = true).await;
    let choose = Statement::new("test", &[Type::INT8, Type::INT8], "INSERT INTO guild_settings (guild_id, welcome_channel_id, welcome_template) VALUES ($1, $2, 'welcome {user.id}')
              ON CONFLICT (guild_id) DO UPDATE
              SET welcome_channel_id = excluded.welcome_channel_id, welcome_template = excluded.welcome_template");
    let (guild, channel) = (here.guild().cast_signed(), here.channel().cast_signed());
    let store = here.scene.store();
    store.query(choose, &[&guild, &channel]).await.expect("chosen");
    until("the bot has heard of it", async || {
        let known = here.bot.settings.of(&store, Id::new(here.guild())).await.ok()?;
        known.welcome.is_some().then_some(())
    })
    .await;
    let [screened, twice, old, patient] = [1, 2, 3, 4].map(|rank| here.member(rank));
    let marks: Vec<u64> = (5..10).map(|rank| here.member(rank)).collect();
    let [slow, late] = [10, 11].map(|rank| here.member(rank));

    // They are not welcomed before they are admitted. Other changes, and changes of other members, are no arrivals.
    tell(&here, "GUILD_MEMBER_ADD", screened, 0, true);
    tell(&here, "GUILD_MEMBER_UPDATE", screened, 0, true);
    tell(&here, "GUILD_MEMBER_UPDATE", old, 0, false);
    tell(&here, "GUILD_MEMBER_ADD", patient, 0, true);
    tell(&here, "GUILD_MEMBER_ADD", twice, 0, false);
    assert_eq!(welcomed_until(&here, marks[0], 1).await, [twice]);
    tell(&here, "GUILD_MEMBER_UPDATE", screened, 0, false);
    tell(&here, "GUILD_MEMBER_UPDATE", screened, 0, false);
    assert_eq!(
        welcomed_until(&here, marks[1], 2).await,
        [twice, marks[0], screened]
    );

    // Members who return soon are not welcomed again, screened or not; after some minutes they are. This survives a restart.
    let here = Box::pin(here.restarted()).await;
    for (member, pending) in [(twice, false), (screened, true)] {
        tell(&here, "GUILD_MEMBER_REMOVE", member, 0, false);
        tell(&here, "GUILD_MEMBER_ADD", member, 120, pending);
        tell(&here, "GUILD_MEMBER_UPDATE", member, 120, false);
    }
    tell(&here, "GUILD_MEMBER_UPDATE", patient, 0, false);
    tell(&here, "GUILD_MEMBER_REMOVE", twice, 0, false);
    assert_eq!(welcomed_until(&here, marks[2], 130).await[4..], [patient]);
    tell(&here, "GUILD_MEMBER_ADD", twice, 601, false);
    tell(&here, "GUILD_MEMBER_REMOVE", old, 0, false);
    tell(&here, "GUILD_MEMBER_ADD", old, 601, true);
    assert_eq!(welcomed_until(&here, marks[3], 602).await[6..], [twice]);

    // A member who was screened for long is welcomed when admitted, and not again when they return soon after. That time is that of the
    // newest message.
    tell(&here, "GUILD_MEMBER_ADD", slow, 610, true);
    said(&here, slow, 2_900);
    tell(&here, "GUILD_MEMBER_UPDATE", slow, 610, false);
    tell(&here, "GUILD_MEMBER_REMOVE", slow, 610, false);
    tell(&here, "GUILD_MEMBER_ADD", slow, 2_910, false);
    assert_eq!(welcomed_until(&here, late, 2_911).await[8..], [slow]);

    // Old entries are deleted.
    welcomed_until(&here, marks[4], 7_000).await;
    let kept = Statement::new(
        "test",
        &[],
        "SELECT user_id, pending FROM member_arrival ORDER BY user_id",
    );
    let rows = store.query(kept, &[]).await.expect("read");
    let rows: Vec<(u64, bool)> = rows
        .iter()
        .map(|row| (row.get::<_, i64>(0).cast_unsigned(), row.get(1)))
        .collect();
    let mut expected = vec![(marks[4], false), (old, true)];
    expected.sort_unstable();
    assert_eq!(rows, expected);
    store.close();
    here.end().await;
}

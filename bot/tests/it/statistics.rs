//! What servers count by the hour: exactly, only where they chose it, and for as long as they want it.

use std::collections::BTreeSet;

use discord_simulator::{Guild, Hours, SimulatorConfig};
use eventide::support::ids;
use serde_json::{Value, json};
use twilight_model::id::{Id, marker::MessageMarker};

use crate::support::{
    Scene,
    asking::{Here, here_with},
    bot::{discord, settle_exactly, spawn},
    session::{Session, every_session_is_stored},
    until,
};

/// The beginning of an hour in the year 2036, after the simulator's messages.
const NOON: i64 = 2_111_054_400_000;
const HOUR: i64 = 3_600_000;

async fn choose(session: &Session, guild: u64, settings: &Value) {
    session
        .execute(&format!(
            "INSERT INTO guild_section (guild_id, section, settings) VALUES ({guild}, 'statistics', '{settings}')
             ON CONFLICT (guild_id, section) DO UPDATE SET settings = excluded.settings"
        ))
        .await;
}

/// The messages in the table, in the form of the oracle's.
async fn messages(session: &Session) -> Hours {
    let sql = "SELECT guild_id, channel_id, extract(epoch FROM begins_at)::int8 / 3600, amount FROM statistic
               WHERE kind = 'message' AND NOT is_day AND command = ''";
    let rows = session.client.query(sql, &[]).await.expect("rows");
    let number = |row: &tokio_postgres::Row, column| row.get::<_, i64>(column).cast_unsigned();
    rows.iter()
        .map(|row| {
            let key = (number(row, 0), number(row, 1), number(row, 2));
            (key, number(row, 3))
        })
        .collect()
}

/// Everything but messages in a guild's rows: kind, command, hours after [`NOON`], and how often.
async fn others(session: &Session, guild: u64) -> Vec<(String, String, i64, i64)> {
    let sql =
        "SELECT kind, command, (extract(epoch FROM begins_at)::int8 * 1000 - $2) / $3, amount FROM statistic
               WHERE guild_id = $1 AND kind <> 'message' ORDER BY kind, begins_at, command";
    let rows = session
        .client
        .query(sql, &[&guild.cast_signed(), &NOON, &HOUR])
        .await
        .expect("rows");
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_counted_exactly_through_kills() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        shards: 2,
        guilds: 20,
        members: 2_000,
        // Some hours of messages.
        generate_gap_ms: 1_000.0,
        ..SimulatorConfig::default()
    })
    .await;
    let control = discord.control();
    let connection = scene.postgres.connection();
    let store = scene.store();
    let session = Session::open(&connection.clone().into()).await;
    let chosen: Vec<u64> = discord
        .world()
        .guilds()
        .iter()
        .step_by(2)
        .map(Guild::id)
        .collect();
    for guild in &chosen {
        choose(&session, *guild, &json!({"enabled": true})).await;
    }
    for _kill in 0..3 {
        let mut bot = spawn(&discord, &connection);
        every_session_is_stored(&discord, &store).await;
        let before = control.stats();
        control.generate(6_000);
        until("the bot receives", async || {
            (control.stats().delivered > before.delivered + 1_000).then_some(())
        })
        .await;
        bot.kill().await.expect("SIGKILL");
    }
    let mut bot = spawn(&discord, &connection);
    until("the bot has caught up", async || control.drained().then_some(())).await;
    settle_exactly(&discord, &store).await;
    let mut expected = discord.oracle().hours();
    let all = expected.len();
    expected.retain(|(guild, _, _), _| chosen.contains(guild));
    assert!(!expected.is_empty() && expected.len() < all);
    let hours: BTreeSet<u64> = expected.keys().map(|(_, _, hour)| *hour).collect();
    assert!(hours.len() > 2, "{hours:?}");
    assert_eq!(messages(&session).await, expected);
    bot.kill().await.expect("an end");
    session.close().await;
    scene.stop().await;
}

/// An event of a member, in the year 2036.
fn tell(here: &Here, event: &str, user: u64) {
    let data = json!({
        "guild_id": here.guild().to_string(), "user": {"id": user.to_string(), "username": "somebody"}, "roles": [],
        "joined_at": "2036-11-23T12:20:00.000000+00:00",
    });
    let control = here.discord.control();
    control.dispatch(Some(here.guild()), event, &data.to_string());
}

/// A message of the guild, this long after [`NOON`].
fn say(here: &Here, after: i64) {
    let id: Id<MessageMarker> = ids::at_millis(NOON + after).expect("an ID");
    let data = json!({
        "id": id.to_string(), "guild_id": here.guild().to_string(), "channel_id": here.channel().to_string(), "type": 0,
        "author": {"id": here.member(1).to_string(), "username": "somebody"},
    });
    let control = here.discord.control();
    control.dispatch(Some(here.guild()), "MESSAGE_CREATE", &data.to_string());
}

/// Wait until the member's messages up to now are in the table.
async fn counted(here: &Here, session: &Session, messages: i64) {
    until("the messages are counted", async || {
        let sql = "SELECT coalesce(sum(message_count), 0)::int8 FROM member_xp WHERE guild_id = $1 AND user_id = $2";
        let ids = [here.guild().cast_signed(), here.member(1).cast_signed()];
        let row = session.client.query_one(sql, &[&ids[0], &ids[1]]).await.ok()?;
        (row.get::<_, i64>(0) == messages).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_counted_unless_the_server_chose_it() {
    let here = here_with(|config| config.discord.member_events = true).await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    say(&here, 0);
    tell(&here, "GUILD_MEMBER_ADD", here.member(2));
    here.asked("ping", json!([])).await;
    counted(&here, &session, 1).await;
    assert_eq!(messages(&session).await, Hours::new());
    assert_eq!(others(&session, here.guild()).await, []);

    let options = json!([
        {"name": "setting", "type": 3, "value": "statistics.enabled"}, {"name": "value", "type": 3, "value": "on"}
    ]);
    let set = here.manage("settings", "", options, Value::Null).await;
    assert!(set.contains("On"), "{set}");
    until("the bot knows the setting", async || {
        let settings = here.bot.settings.of(&here.bot.store, Id::new(here.guild())).await;
        let sections = format!("{:?}", settings.expect("settings").sections);
        sections.contains("\"statistics\"").then_some(())
    })
    .await;
    // Two hours, in the same flush or not; a departure has the hour of the newest message before it, and a ban is none.
    for after in [1, HOUR - 1, HOUR, HOUR + 1] {
        say(&here, after);
    }
    tell(&here, "GUILD_MEMBER_ADD", here.member(3));
    tell(&here, "GUILD_BAN_ADD", here.member(3));
    tell(&here, "GUILD_MEMBER_REMOVE", here.member(3));
    counted(&here, &session, 5).await;
    let hour = (NOON / HOUR).cast_unsigned();
    let key = |hours| (here.guild(), here.channel(), hour + hours);
    assert_eq!(messages(&session).await, Hours::from([(key(0), 2), (key(1), 2)]));
    until("the members are counted", async || {
        let others = others(&session, here.guild()).await;
        let word = |word: &str| (word.to_owned(), String::new());
        let expected = [("join", 0), ("leave", 1)].map(|(kind, hour)| {
            let (kind, command) = word(kind);
            (kind, command, hour, 1)
        });
        (others == expected).then_some(())
    })
    .await;
    // A replayed command is counted once.
    let request =
        discord_simulator::InteractionRequest::command(here.guild(), here.member(4), "ping", &json!([]));
    let asked = here.ask(&request).await;
    let here = Box::pin(here.restarted()).await;
    assert!(here.discord.control().interact_again(asked.id));
    say(&here, HOUR + 2);
    counted(&here, &session, 6).await;
    let commands: Vec<_> = others(&session, here.guild()).await;
    let commands: Vec<(&str, i64)> = commands
        .iter()
        .filter(|(kind, ..)| kind == "command")
        .map(|(_, command, _, amount)| (command.as_str(), *amount))
        .collect();
    assert_eq!(
        commands.first().map(|(command, _)| *command),
        Some("ping"),
        "{commands:?}"
    );
    session.close().await;
    here.end().await;
}

/// The job adds up old hours, once, and deletes what is older than the server wants.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_hours_become_days_and_older_ones_are_deleted() {
    let here = here_with(|_| {}).await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let guild = here.guild();
    choose(&session, guild, &json!({"enabled": true, "days": 40})).await;
    choose(&session, guild + 1, &json!({"enabled": true, "days": 0})).await;
    session
        .execute(&format!(
            "INSERT INTO statistic (guild_id, kind, begins_at, is_day, channel_id, command, amount)
             SELECT g, k, date_trunc('day', now(), 'UTC') + make_interval(days => -d, hours => h), false,
                    CASE k WHEN 'message' THEN 7 ELSE 0 END, CASE k WHEN 'command' THEN 'rank' ELSE '' END, 2
             FROM unnest(ARRAY[{guild}, {guild} + 1]) AS g, unnest(ARRAY['message', 'command', 'join']) AS k,
                  generate_series(0, 59) AS d, generate_series(0, 5) AS h"
        ))
        .await;
    // A day that is there already, to which late hours are added.
    session
        .execute(&format!(
            "INSERT INTO statistic (guild_id, kind, begins_at, is_day, channel_id, command, amount)
             VALUES ({guild}, 'join', date_trunc('day', now(), 'UTC') - interval '20 days', true, 0, '', 100)"
        ))
        .await;
    session.make_due("statistics").await;
    until("the job has run", async || {
        let sql =
            "SELECT count(*) FROM timer WHERE kind = 'statistics' AND due_at > now() + interval '30 minutes'";
        (session.client.query_one(sql, &[]).await.ok()?.get::<_, i64>(0) == 1).then_some(())
    })
    .await;
    let sql = "SELECT guild_id - $1, kind, is_day, count(*), sum(amount)::int8,
                      bool_and(channel_id = CASE kind WHEN 'message' THEN 7 ELSE 0 END)
                      AND bool_and(command = CASE kind WHEN 'command' THEN 'rank' ELSE '' END)
               FROM statistic GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
    let rows = session
        .client
        .query(sql, &[&guild.cast_signed()])
        .await
        .expect("rows");
    let mut found = Vec::new();
    for row in &rows {
        assert!(row.get::<_, bool>(5), "channels and commands are kept");
        let key: (i64, String, bool) = (row.get(0), row.get(1), row.get(2));
        found.push((key, row.get::<_, i64>(3), row.get::<_, i64>(4)));
    }
    // 15 days of hours stay: today, and 14 before it.
    let expected = |guild, kind: &str, days, extra| {
        let key = |is_day| (guild, kind.to_owned(), is_day);
        [
            (key(false), 15 * 6, 15 * 12),
            (key(true), days, days * 12 + extra),
        ]
    };
    let all = found.iter().filter(|((guild, ..), ..)| *guild == 1).cloned();
    let kept: Vec<_> = ["command", "join", "message"]
        .into_iter()
        .flat_map(|kind| expected(1, kind, 45, 0))
        .collect();
    assert_eq!(all.collect::<Vec<_>>(), kept);
    let own: Vec<_> = found
        .into_iter()
        .filter(|((guild, ..), ..)| *guild == 0)
        .collect();
    for ((_, kind, is_day), rows, amount) in own {
        if is_day {
            // Between 25 and 26 days, by the time of day at which the test runs.
            let extra = if kind == "join" { 100 } else { 0 };
            assert!((25..=26).contains(&rows), "{kind}: {rows}");
            assert!(
                (25 * 12..=26 * 12).contains(&(amount - extra)),
                "{kind}: {amount}"
            );
        } else {
            assert_eq!((rows, amount), (15 * 6, 15 * 12), "{kind}");
        }
    }
    session.close().await;
    here.end().await;
}

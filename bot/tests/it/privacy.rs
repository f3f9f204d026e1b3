//! Stored data about a member: exporting it, and erasing it permanently.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use discord_simulator::{InteractionRequest, InteractionState, Rate, Simulator, SimulatorConfig};
use eventide::{
    app::{bot::Bot, features::tables},
    config::Config,
    discord::shards::ShardState,
    features::{
        levels::{
            pending::{Earns, MemberMessage},
            rows::member_xp,
        },
        privacy::rows::member,
    },
    pipeline::{
        ledger::Ledger,
        rows::shard_checkpoint::{self, Advance, Fence},
        writer::transaction::flush,
    },
    postgres::{Statement, Store},
    settings::Settings,
    support::ids::{self, MemberKey, ShardKey},
};
use serde_json::{Value, json};
use twilight_model::id::{Id, marker::InteractionMarker};

use crate::support::{
    PATIENCE, Scene, asking,
    boards::assert_counted,
    bot::{config_for, discord, start},
    effects::member_data,
    ledger::small_ledger,
    session::Session,
    until,
};

/// A row of the member in each table: all are exported, and all except the record of the erasure and what belongs to the server are
/// deleted.
const A_ROW_IN_EACH: &str =
    "INSERT INTO request (guild_id, request_id, actor_id, action, details, members, created_at)
     VALUES (1, 9, 7, 'xp_give', '{\"user_id\": \"1\", \"amount\": 5}', 1, now());
     INSERT INTO member_xp (guild_id, user_id, xp, by_xp) VALUES (1, 1, 5, xp_place(5)), (1, 2, 5, xp_place(5));
     INSERT INTO outbox (guild_id, lane_id, kind, user_id, body) VALUES (1, 1, 'roles', 1, '{}'), (1, 2, 'roles', 2, '{}'),
                                                                        (1, 1, 'mod_action', 1, '{}');
     INSERT INTO backfill_message VALUES (1, 10, 3, 1), (1, 11, 3, 2);
     INSERT INTO member_card (guild_id, user_id, colour, asked_id) VALUES (1, 1, 255, 3), (1, 2, 255, 3);
     INSERT INTO member_arrival VALUES (1, 1, true, now()), (1, 2, true, now());
     INSERT INTO given_role VALUES (1, 1, 6), (1, 2, 6);
     INSERT INTO audit_xp VALUES (1, 9, 1, 5), (1, 9, 2, 5);
     INSERT INTO member_week VALUES (1, 1, 2900, 5), (1, 2, 2900, 5);
     INSERT INTO member_warnings (guild_id, user_id, warnings, points, warned_at) VALUES (1, 1, 1, 1, now());
     INSERT INTO mod_case (guild_id, case_id, kind, user_id, moderator_id, reason, created_at)
     VALUES (1, 1, 'warning', 1, 7, 'spam', now());
     INSERT INTO case_note VALUES (1, 1, 3, 7, 'mod', 'seen', now());
     INSERT INTO quarantine (guild_id, user_id, kind, body, sqlstate, reason)
     VALUES (1, 1, 'member', '{}', '23514', 'refused'), (1, 2, 'member', '{}', '23514', 'refused');
     INSERT INTO temp_role VALUES (1, 1, 6, 9, now());
     INSERT INTO board_opt_out VALUES (1, 1), (1, 2);
     INSERT INTO guild_staff VALUES (1, 1), (1, 2);
     INSERT INTO web_session (digest, user_id, name, locale) VALUES ('\\x01', 1, 'ada', 'de');
     INSERT INTO report (guild_id, report_id, user_id, staff_channel_id, created_at) VALUES (1, 20, 1, 3, now()), (1, 21, 2, 3, now());
     INSERT INTO report_entry VALUES (1, 20, 2, 'rude', now(), 'en-US'), (1, 21, 1, 'rude', now(), 'en-US');
     INSERT INTO appeal (guild_id, appeal_id, user_id, appeal, created_at) VALUES (1, 30, 1, 'sorry', now()), (1, 31, 2, 'sorry', now());
     INSERT INTO appeal_vote VALUES (1, 31, 1, true), (1, 31, 2, false);
     INSERT INTO erased VALUES (1, 1, 4)";

/// Every table about members is exported and erased.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_about_members_is_exported_and_erased() {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    let rows = session
        .client
        .query(
            "SELECT DISTINCT table_name::text FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
             WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND column_name ~ '(user|member|moderator|author)_id$'",
            &[],
        )
        .await
        .expect("read");
    let there: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let declared = tables_of_members();
    let erased = declared.values().filter(|is_erased| **is_erased).count();
    assert!(there.len() >= erased, "{there:?}");
    for table in &there {
        assert!(declared.contains_key(table.as_str()), "{table} is not exported");
    }
    let key = MemberKey {
        guild_id: Id::new(1),
        user_id: Id::new(1),
    };
    session.execute(A_ROW_IN_EACH).await;
    let store = scene.store();
    let told = member::export(&store, key, &member_data()).await.expect("told");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    for table in declared.keys() {
        assert_eq!(told[*table].as_array().map(Vec::len), Some(1), "{table}: {told}");
        let row = &told[*table][0];
        let named = if *table == "request" { &row["details"] } else { row };
        assert!(named["user_id"] == 1 || named["user_id"] == "1", "{table}: {row}");
    }
    assert!(told["mod_case"][0].get("severity").is_some(), "{told}");
    assert!(erase(&store, key, Id::new(5)).await);
    assert!(!erase(&store, key, Id::new(5)).await, "a replay");
    assert!(!erase(&store, key, Id::new(3)).await, "an older one");
    // An erasure does not save a member from a ban that waits.
    let kept = session
        .client
        .execute(
            "DELETE FROM outbox WHERE user_id = 1 AND kind = 'mod_action'",
            &[],
        )
        .await;
    assert_eq!(kept.expect("deleted"), 1);
    let left: Value = serde_json::from_str(&member::export(&store, key, &member_data()).await.expect("told"))
        .expect("JSON");
    for (table, is_erased) in &declared {
        let expected = usize::from(!is_erased);
        assert_eq!(
            left[*table].as_array().map(Vec::len),
            Some(expected),
            "{table}: {left}"
        );
    }
    // The record of the erasure, and what moderators recorded.
    let kept = [
        "case_note",
        "erased",
        "member_warnings",
        "mod_case",
        "report",
        "temp_role",
    ];
    assert!(kept.iter().all(|table| !declared[table]));
    for table in [
        "member_xp",
        "outbox",
        "backfill_message",
        "member_card",
        "member_arrival",
        "audit_xp",
        "member_week",
        "quarantine",
    ] {
        let others = session
            .client
            .query_one(&format!("SELECT count(*) FROM {table}"), &[])
            .await
            .expect("counted");
        assert_eq!(others.get::<_, i64>(0), 1, "another member's row in {table}");
    }
    assert_counted(&session.client).await;
    session.close().await;
    scene.stop().await;
}

/// The tables about members, and whether an erasure empties them.
fn tables_of_members() -> BTreeMap<&'static str, bool> {
    let of_members = tables().into_iter().filter(|table| table.member.is_some());
    of_members
        .map(|table| (table.name, table.erase().is_some()))
        .collect()
}

async fn erase(store: &Store, key: MemberKey, asked: Id<InteractionMarker>) -> bool {
    let erased = store.transaction("test", move |tx| {
        Box::pin(async move { member::erase(tx, key, asked, &member_data()).await })
    });
    erased.await.expect("erased")
}

/// A shard that flushes messages of one member.
struct Shard {
    store: Store,
    settings: Settings,
    ledger: Ledger,
    revision: i64,
    fence: Fence,
}

const KEY: MemberKey = MemberKey {
    guild_id: Id::new(7),
    user_id: Id::new(8),
};

impl Shard {
    const ID: ShardKey = ShardKey { count: 1, id: 0 };

    async fn new(store: Store) -> Self {
        let taken = store.transaction("take", |tx| {
            Box::pin(async move { shard_checkpoint::take(tx, Self::ID).await })
        });
        let taken = taken.await.expect("taken");
        let settings = Settings::new(&Config::defaults().levels);
        Self {
            store,
            settings,
            ledger: small_ledger(),
            revision: 0,
            fence: taken.fence,
        }
    }

    fn message(&mut self, at: i64) {
        let message = MemberMessage {
            at,
            channel_id: Id::new(9),
            earns: Earns::Xp {
                xp: 20,
                cooldown: 60_000,
            },
        };
        self.ledger.member_message(KEY, message);
    }

    async fn flush(&mut self) {
        self.revision += 1;
        let advance = Advance {
            shard: Self::ID,
            fence: self.fence,
            revision: self.revision,
            session: None,
            last_message_id: None,
        };
        let work = Arc::new(vec![(advance, self.ledger.take())]);
        flush(&self.store, &self.settings, work).await.expect("flushed");
    }

    /// XP and messages, and whether an erasure is remembered.
    async fn stored(&self) -> (u64, u64, bool) {
        let rows = member_xp::all(&self.store).await.expect("rows");
        let row = rows.first().map(|(_, row)| *row).unwrap_or_default();
        let erased = Statement::new("test", &[], "SELECT FROM erased WHERE NOT is_over");
        let erased = self.store.query(erased, &[]).await.expect("rows");
        (row.xp, row.messages, !erased.is_empty())
    }
}

/// Messages from before the erasure stay erased after backfill or replay; newer ones count, and in the end the erasure is deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_before_does_not_come_back() {
    let scene = Scene::new().await;
    let mut shard = Shard::new(scene.store()).await;
    let asked: Id<InteractionMarker> = ids::at_millis(1_790_000_000_000).expect("an id");
    let at = ids::millis(asked);
    shard.message(at - 100_000);
    shard.flush().await;
    assert_eq!(shard.stored().await, (20, 1, false));
    assert!(erase(&shard.store, KEY, asked).await);
    assert_eq!(shard.stored().await, (0, 0, true));
    // One that is late, and one of the same moment.
    shard.message(at - 5);
    shard.flush().await;
    shard.message(at);
    shard.flush().await;
    assert_eq!(shard.stored().await, (0, 0, true));
    shard.message(at + 1);
    shard.flush().await;
    assert_eq!(shard.stored().await.1, 1, "the member is back");
    // A replay of the erasure does not delete new data.
    assert!(!erase(&shard.store, KEY, asked).await);
    shard.message(at - 7);
    shard.flush().await;
    assert_eq!(shard.stored().await.1, 1);
    shard.message(at + 61 * 60 * 1_000);
    shard.flush().await;
    let (xp, messages, remembered) = shard.stored().await;
    assert_eq!((messages, remembered), (2, false));
    assert!(xp >= 20);
    scene.stop().await;
}

/// Every column of every table is searched for the ID of a member who erased everything, including within JSON.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_column_knows_who_was_erased() {
    let here = asking::here().await;
    let (guild, member) = (here.guild(), here.member(3));
    let id = member.to_string();
    let resolved = json!({"users": {id.clone(): {"id": id.clone(), "username": "somebody"}}});
    let who = json!({"name": "member", "type": 6, "value": id.clone()});
    for (path, amount) in [("give", 500), ("take", 20), ("set", 400)] {
        let options = json!([{"name": "amount", "type": 4, "value": amount}, who]);
        here.manage("xp", path, options, resolved.clone()).await;
    }
    let colour =
        json!([{"name": "mine", "type": 1, "options": [{"name": "colour", "type": 3, "value": "#3ba55d"}]}]);
    here.ask(&InteractionRequest::command(guild, member, "card", &colour))
        .await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    assert!(naming(&session, &id).await.contains(&"request".to_owned()));
    let press = InteractionRequest::component(guild, member, "privacy:delete", &[], json!({"id": "1"}));
    here.ask(&press).await;
    assert_eq!(
        naming(&session, &id).await,
        ["erased"],
        "the record of the erasure alone"
    );
    session.close().await;
    here.end().await;
}

/// The tables with a row that contains an ID.
async fn naming(session: &Session, id: &str) -> Vec<String> {
    let tables = session
        .client
        .query(
            "SELECT table_name::text FROM information_schema.tables
             WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1",
            &[],
        )
        .await
        .expect("read");
    let mut naming = Vec::new();
    for table in tables.iter().map(|row| row.get::<_, String>(0)) {
        let sql = format!("SELECT count(*) FROM {table} AS t WHERE to_jsonb(t)::text ~ '\\m{id}\\M'");
        let found = session.client.query_one(&sql, &[]).await.expect("searched");
        if found.get::<_, i64>(0) > 0 {
            naming.push(table);
        }
    }
    naming
}

struct Here {
    scene: Scene,
    discord: Simulator,
    bot: Bot,
}

impl Here {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let discord = discord(SimulatorConfig {
            guilds: 1,
            members: 20,
            ..SimulatorConfig::default()
        })
        .await;
        let bot = start(&config_for(&discord), scene.postgres.connection()).await;
        until("the shard is up", async || {
            let up = bot
                .shards
                .list()
                .iter()
                .all(|shard| shard.state() == ShardState::Up);
            up.then_some(())
        })
        .await;
        Self { scene, discord, bot }
    }

    async fn ask(&self, request: &InteractionRequest) -> InteractionState {
        let control = self.discord.control();
        let asked = control.ask(request, Duration::from_secs(10));
        asked.await.expect("an answer")
    }
}

fn content(state: &InteractionState) -> String {
    let reply = state.reply().expect("a reply");
    reply["content"].as_str().expect("text").to_owned()
}

/// As a member has it: a file, a question back, and an erasure under load that nothing undoes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_has_everything_erased() {
    let here = Here::new().await;
    let control = here.discord.control();
    let guild = here.discord.world().guilds()[0].id();
    let member = here.discord.world().member_id(guild, 0).expect("a member");
    control.set_rate(Rate::PerSecond(1_000.0));
    let key = MemberKey {
        guild_id: Id::new(guild),
        user_id: Id::new(member),
    };
    let store = here.scene.store();
    until("the member has XP", async || {
        (member_xp::xp_of(&store, key).await.ok()? > 0).then_some(())
    })
    .await;
    control.set_rate(Rate::Paused);
    let part = |name: &str| json!([{"name": name, "type": 1, "options": []}]);
    let export = InteractionRequest::command(guild, member, "privacy", &part("export"));
    let state = here.ask(&export).await;
    let data = &state.callback.as_ref().expect("an answer")["data"];
    assert_eq!(data["flags"], 64, "for the asker alone: {data}");
    assert!(content(&state).contains("everything that is stored"), "{state:?}");

    let delete = InteractionRequest::command(guild, member, "privacy", &part("delete"));
    let state = here.ask(&delete).await;
    let reply = state.reply().expect("a reply");
    let button = &reply["components"][0]["components"][0];
    assert_eq!(
        (&button["style"], &button["custom_id"]),
        (&json!(4), &json!("privacy:delete"))
    );
    assert!(
        member_xp::xp_of(&store, key).await.expect("read") > 0,
        "not before it is confirmed"
    );
    let press = |id: &str| InteractionRequest::component(guild, member, id, &[], json!({"id": "1"}));
    for stale in ["privacy", "privacy:gone", "privacy:delete:2"] {
        assert!(content(&here.ask(&press(stale)).await).contains("older version"));
    }
    // Everybody writes meanwhile.
    control.set_rate(Rate::PerSecond(1_000.0));
    let state = here.ask(&press("privacy:delete")).await;
    assert!(content(&state).contains("have been erased"), "{state:?}");
    control.set_rate(Rate::Paused);
    let erased = member::export(&store, key, &member_data()).await.expect("told");
    assert!(erased.contains("\"interaction_id\""), "{erased}");
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    assert_counted(&session.client).await;
    session.close().await;
    here.bot.drain(PATIENCE).await.expect("a clean end");
    here.scene.stop().await;
}

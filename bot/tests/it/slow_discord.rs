//! A Discord that is slow to return a guild's channels: other shards do not wait for it.

use discord_simulator::{InteractionRequest, RestFault, RestFaultKind, Simulator, SimulatorConfig};
use eventide::postgres::{Statement, Store};
use serde_json::json;

use crate::support::{
    PATIENCE, Scene,
    asking::{ADMINISTRATOR, IN_TIME, text},
    bot::{config_for, discord, page, start, up},
    until,
};

/// Members who are not in the simulator's world, one on each shard.
const WAITS: u64 = 5;
const OVERTAKES: u64 = 6;

/// A rule that depends on the category, in a guild.
async fn rule(discord: &Simulator, guild: u64) {
    let category = "333333333333333333";
    let options = json!([{"name": "multiplier", "type": 1, "options": [
        {"name": "factor", "type": 10, "value": 3.0},
        {"name": "channel", "type": 7, "value": category},
    ]}]);
    let member = discord.world().member_id(guild, 1).expect("a member");
    let mut request = InteractionRequest::command(guild, member, "levels", &options);
    request.member_permissions = Some(ADMINISTRATOR.to_owned());
    request.data["resolved"] = json!({"channels": {category: {"id": category, "type": 4}}});
    let state = discord.control().ask(&request, IN_TIME).await.expect("an answer");
    assert!(text(&state).contains("The multiplier for"), "{state:?}");
}

fn send(discord: &Simulator, guild: u64, user: u64, number: u64) {
    let control = discord.control();
    let id = (control.now_ms() - 1_420_070_400_000 + number * 60_000) << 22;
    let channel = discord.world().guilds().iter().find(|found| found.id() == guild);
    let channel = channel.expect("a guild").channels()[0].id;
    let message = json!({
        "id": id.to_string(), "channel_id": channel.to_string(), "guild_id": guild.to_string(), "type": 0,
        "author": {"id": user.to_string(), "username": "somebody"}, "member": {"roles": []},
    });
    control.dispatch(Some(guild), "MESSAGE_CREATE", &message.to_string());
}

/// How many messages of both members are committed, at one moment.
async fn counted(store: &Store) -> (i64, i64) {
    let statement = Statement::new(
        "counted",
        &[],
        "SELECT coalesce(sum(message_count) FILTER (WHERE user_id = 5), 0)::bigint, \
              coalesce(sum(message_count) FILTER (WHERE user_id = 6), 0)::bigint FROM member_xp",
    );
    let rows = store.query(statement, &[]).await.expect("rows");
    (rows[0].get(0), rows[0].get(1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_guilds_slow_answer_holds_up_no_other_shard() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        shards: 2,
        guilds: 12,
        members: 400,
        ..SimulatorConfig::default()
    })
    .await;
    let mut config = config_for(&discord);
    // Both shards share the lane.
    config.ledger.writers = 1;
    let bot = start(&config, scene.postgres.connection()).await;
    up(&discord, 2).await;
    let store = scene.store();
    let of_shard = |shard: u64| {
        let guilds = discord.world().guilds().iter().map(discord_simulator::Guild::id);
        guilds
            .filter(move |id| (id >> 22) % 2 == shard)
            .collect::<Vec<_>>()
    };
    let (slow, other) = (of_shard(0), of_shard(1)[0]);
    for guild in &slow {
        rule(&discord, *guild).await;
    }
    discord.control().add_fault(RestFault {
        route: "GET /guilds/{id}/channels".to_owned(),
        count: None,
        delay_ms: 60_000,
        kind: RestFaultKind::None,
    });

    // Each guild is waited for once. On a machine that stalls meanwhile, the wait can end before the other shard's message is seen, so
    // there are several.
    let mut overtaken = false;
    for (round, guild) in (1..).zip(&slow) {
        send(&discord, *guild, WAITS, round);
        send(&discord, other, OVERTAKES, round);
        let rounds = i64::try_from(round).expect("few");
        until("both are counted", async || {
            let (slowly, quickly) = counted(&store).await;
            overtaken |= quickly == rounds && slowly < rounds;
            (slowly == rounds && quickly == rounds).then_some(())
        })
        .await;
        if overtaken {
            break;
        }
    }
    assert!(overtaken, "the other shard's messages wait for the slow guild's");
    // Messages of a guild whose answer is late earn as if in no category, which is counted, and do not wait for it again.
    let (waits, _) = counted(&store).await;
    send(&discord, slow[0], WAITS, 100);
    until("it is counted at once", async || {
        (counted(&store).await.0 > waits).then_some(())
    })
    .await;
    let page = page(&bot, "/metrics").await;
    assert!(page.contains("eventide_levels_guessed_total"), "{page}");
    discord.control().clear_faults();
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

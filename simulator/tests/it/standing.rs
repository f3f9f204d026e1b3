//! What the bot may do, and what Discord answers when it may not.

use discord_simulator::{Simulator, SimulatorConfig};
use serde_json::{Value, json};

use super::{
    client::{Client, Dispatch},
    http::call,
    small, start,
};

const VIEW_CHANNEL: u64 = 1 << 10;
const SEND_MESSAGES: u64 = 1 << 11;
const MANAGE_ROLES: u64 = 1 << 28;
const GUILDS: u64 = 1;

async fn quiet() -> Simulator {
    let mut config: SimulatorConfig = small();
    config.rest.enforce = false;
    start(config).await
}

/// Status and Discord's code; 0 where there is none.
async fn outcome(simulator: &Simulator, method: &str, path: &str, body: Option<Value>) -> (u16, u64) {
    let path = format!("/api/v10/{path}");
    let answer = call(&simulator.rest_url(), method, &path, body).await;
    (answer.status, answer.json()["code"].as_u64().unwrap_or(0))
}

async fn answer(simulator: &Simulator, method: &str, path: &str, body: Option<Value>) -> Value {
    let path = format!("/api/v10/{path}");
    call(&simulator.rest_url(), method, &path, body).await.json()
}

async fn send(simulator: &Simulator, channel: u64) -> (u16, u64) {
    let path = format!("channels/{channel}/messages");
    outcome(simulator, "POST", &path, Some(json!({"content": "hello"}))).await
}

async fn next(client: &mut Client, event: &str) -> Dispatch {
    loop {
        let came = client.dispatch().await;
        if came.event == event {
            return came;
        }
    }
}

#[tokio::test]
async fn roles_are_given_by_the_hierarchy() {
    let simulator = quiet().await;
    let control = simulator.control();
    let guild = &simulator.world().guilds()[0];
    let user = simulator.world().member_id(guild.id(), 3).unwrap();
    let give = async |role: u64| {
        let path = format!("guilds/{}/members/{user}/roles/{role}", guild.id());
        outcome(&simulator, "PUT", &path, None).await
    };
    let role = guild.roles()[3].id;
    assert_eq!(give(role).await, (204, 0));
    assert_eq!(give(guild.bot_role().id).await, (400, 50_028), "managed");
    assert_eq!(give(guild.id()).await, (400, 50_028), "everybody's");
    assert_eq!(give(1).await, (404, 10_011));

    assert!(control.set_bot_position(guild.id(), guild.roles()[3].position));
    assert_eq!(give(role).await, (403, 50_013), "as high as the bot's");
    assert!(control.set_role_position(guild.id(), role, 0));
    assert_eq!(give(role).await, (204, 0));
    assert!(control.set_bot_permissions(guild.id(), VIEW_CHANNEL | SEND_MESSAGES));
    assert_eq!(give(role).await, (403, 50_013), "without the permission");
    assert!(control.set_role_permissions(guild.id(), guild.id(), MANAGE_ROLES));
    assert_eq!(give(role).await, (204, 0), "everybody has it");
    let member = format!("guilds/{}/members/{user}", guild.id());
    let above = json!({"roles": [guild.roles()[1].id.to_string()]});
    assert_eq!(
        outcome(&simulator, "PATCH", &member, Some(above)).await,
        (403, 50_013)
    );

    assert!(control.set_role_managed(guild.id(), role, true));
    assert_eq!(give(role).await, (400, 50_028));
    assert!(control.delete_role(guild.id(), role));
    assert_eq!(give(role).await, (404, 10_011));
    assert!(!control.member_roles(guild.id(), user).unwrap().contains(&role));
    assert!(!control.delete_role(guild.id(), role), "once");
    let new = control.create_role(guild.id(), "new", 1).unwrap();
    assert_eq!(give(new).await, (204, 0));

    assert!(control.set_member_left(guild.id(), user, true));
    assert_eq!(give(new).await, (404, 10_007));
    assert!(control.set_member_left(guild.id(), user, false));
    assert_eq!(give(new).await, (204, 0));
    assert!(control.set_bot_roles(guild.id(), &[]));
    assert_eq!(give(new).await, (403, 50_013), "above everybody's role");
    simulator.stop().await;
}

#[tokio::test]
async fn messages_are_refused_as_discord_does() {
    let simulator = quiet().await;
    let control = simulator.control();
    let world = simulator.world();
    let guild = &world.guilds()[0];
    let channel = guild.channels()[1].id;
    assert_eq!(send(&simulator, channel).await.0, 200);
    assert!(control.deny_in_channel(channel, SEND_MESSAGES));
    assert_eq!(send(&simulator, channel).await, (403, 50_013));
    assert!(control.deny_in_channel(channel, VIEW_CHANNEL));
    assert_eq!(send(&simulator, channel).await, (403, 50_001));
    let path = format!("channels/{channel}");
    assert_eq!(outcome(&simulator, "GET", &path, None).await, (403, 50_001));
    assert_eq!(send(&simulator, guild.channels()[0].id).await.0, 200);
    assert!(control.deny_in_channel(channel, 0));
    assert_eq!(send(&simulator, channel).await.0, 200);
    assert!(control.delete_channel(channel));
    assert_eq!(send(&simulator, channel).await, (404, 10_003));
    let path = format!("guilds/{}/channels", guild.id());
    let listed = answer(&simulator, "GET", &path, None).await;
    assert_eq!(listed.as_array().unwrap().len(), guild.channels().len() - 1);

    let user = world.member_id(guild.id(), 2).unwrap();
    let open = json!({"recipient_id": user.to_string()});
    let direct = answer(&simulator, "POST", "users/@me/channels", Some(open)).await;
    let direct: u64 = direct["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(send(&simulator, direct).await.0, 200);
    assert!(control.set_direct_closed(user, true));
    assert_eq!(send(&simulator, direct).await, (403, 50_007));
    assert!(control.set_direct_closed(user, false));
    assert_eq!(send(&simulator, direct).await.0, 200);

    assert!(control.kick_bot(guild.id()));
    assert_eq!(send(&simulator, guild.channels()[0].id).await, (403, 50_001));
    let path = format!("guilds/{}", guild.id());
    assert_eq!(outcome(&simulator, "GET", &path, None).await, (404, 10_004));
    assert!(!control.deny_in_channel(1, 0) && !control.kick_bot(1));
    simulator.stop().await;
}

#[tokio::test]
async fn embeds_and_files_need_permissions_of_their_own() {
    const EMBED_LINKS: u64 = 1 << 14;
    const ATTACH_FILES: u64 = 1 << 15;
    let simulator = quiet().await;
    let control = simulator.control();
    let channel = simulator.world().guilds()[0].channels()[1].id;
    let path = format!("channels/{channel}/messages");
    let embed = json!({"embeds": [{"title": "Level 5"}]});
    let file = json!({"content": "x", "_files": [{"name": "card.png", "size": 3}]});
    let post = async |body: &Value| outcome(&simulator, "POST", &path, Some(body.clone())).await.0;
    for (denied, statuses) in [
        (0, (200, 200)),
        (EMBED_LINKS, (403, 200)),
        (ATTACH_FILES, (200, 403)),
    ] {
        assert!(control.deny_in_channel(channel, denied));
        assert_eq!((post(&embed).await, post(&file).await), statuses);
    }
    let sent = answer(&simulator, "POST", &path, Some(json!({"content": "x"}))).await;
    let edited = format!("{path}/{}", sent["id"].as_str().unwrap());
    assert!(control.deny_in_channel(channel, EMBED_LINKS));
    assert_eq!(
        outcome(&simulator, "PATCH", &edited, Some(embed.clone())).await,
        (403, 50_013)
    );
    simulator.stop().await;
}

/// Each change has its event, and what comes later shows it as well.
#[tokio::test]
async fn changes_are_told() {
    let simulator = quiet().await;
    let control = simulator.control();
    let guild = &simulator.world().guilds()[0];
    let (role, channel) = (guild.roles()[2].id, guild.channels()[0].id);
    let mut client = Client::login(&simulator, GUILDS, [0, 1]).await;

    control.set_role_position(guild.id(), role, 40);
    let told = next(&mut client, "GUILD_ROLE_UPDATE").await.data;
    assert_eq!(told["guild_id"], guild.id().to_string());
    assert_eq!(
        (&told["role"]["id"], &told["role"]["position"]),
        (&json!(role.to_string()), &json!(40))
    );
    let made = control.create_role(guild.id(), "new", 2).unwrap();
    let told = next(&mut client, "GUILD_ROLE_CREATE").await.data;
    assert_eq!(told["role"]["id"], made.to_string());
    control.delete_role(guild.id(), made);
    let told = next(&mut client, "GUILD_ROLE_DELETE").await.data;
    assert_eq!(told["role_id"], made.to_string());
    control.deny_in_channel(channel, VIEW_CHANNEL);
    let told = next(&mut client, "CHANNEL_UPDATE").await.data;
    assert_eq!(
        told["permission_overwrites"],
        json!([{"id": guild.id().to_string(), "type": 0, "allow": "0", "deny": "1024"}])
    );
    // Of the bot itself it is told without the intent for members.
    control.set_bot_roles(guild.id(), &[role]);
    let told = next(&mut client, "GUILD_MEMBER_UPDATE").await.data;
    assert_eq!(told["roles"], json!([role.to_string()]));
    assert_eq!(told["user"]["id"], simulator.world().bot_id().to_string());
    control.rename_guild(guild.id(), "Another");
    assert_eq!(next(&mut client, "GUILD_UPDATE").await.data["name"], "Another");

    let mut other = Client::connect(&simulator).await;
    other.identify(GUILDS, [0, 1]).await;
    let creates = other.ready().await;
    let create = creates
        .iter()
        .find(|create| create.data["id"].as_str() == Some(&guild.id().to_string()));
    let create = &create.unwrap().data;
    assert_eq!(create["name"], "Another");
    assert_eq!(create["members"][0]["roles"], json!([role.to_string()]));

    control.delete_channel(channel);
    let told = next(&mut client, "CHANNEL_DELETE").await.data;
    assert_eq!(told["id"], channel.to_string());
    control.kick_bot(guild.id());
    let told = next(&mut client, "GUILD_DELETE").await.data;
    assert_eq!(told, json!({"id": guild.id().to_string()}));
    simulator.stop().await;
}

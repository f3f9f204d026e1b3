//! The panel of a server's settings, welcomes, and text commands.

use discord_simulator::InteractionRequest;
use serde_json::{Value, json};

use crate::support::{
    asking::{ADMINISTRATOR, Here, here, here_with, text},
    until,
};

fn shown(reply: &Value) -> String {
    reply["data"]["content"].as_str().unwrap_or_default().to_owned()
}

async fn press(here: &Here, mut request: InteractionRequest) -> Value {
    request.member_permissions = Some(ADMINISTRATOR.to_owned());
    here.callback(&request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_changed_in_the_panel() {
    let here = here().await;
    let (guild, user) = (here.guild(), here.member(0));
    let asked = here.managing("settings", "", json!([]), json!({}));
    let state = here.ask(&asked).await;
    assert!(text(&state).contains("Log channel: none"), "{state:?}");
    let message = state.original.expect("a message");
    let channel = here.discord.world().guilds()[0].channels()[0].id.to_string();
    let choose =
        |id: &str, values: &[&str]| InteractionRequest::component(guild, user, id, values, message.clone());

    let answer = press(&here, choose("settings:log", &[&channel])).await;
    assert_eq!(answer["type"], 7, "the panel itself changes");
    assert!(
        shown(&answer).contains(&format!("Log channel: <#{channel}>")),
        "{answer}"
    );
    let answer = press(&here, choose("settings:welcome", &[&channel])).await;
    assert!(
        shown(&answer).contains("Welcome to {server}, {user}!"),
        "{answer}"
    );
    let answer = press(&here, choose("settings:language", &["de"])).await;
    assert!(shown(&answer).contains("Language: German"), "{answer}");

    let form = press(&here, choose("settings:text", &[])).await;
    assert_eq!(
        (&form["type"], &form["data"]["custom_id"]),
        (&json!(9), &json!("settings:text"))
    );
    let filled = |id: &str, field: &str, value: &str| {
        let rows = json!([{"type": 18, "component": {"type": 4, "custom_id": field, "value": value}}]);
        InteractionRequest {
            message: Some(json!({"id": "1"})),
            ..InteractionRequest::modal(guild, user, id, &rows)
        }
    };
    let answer = press(&here, filled("settings:text", "text", "Hello {user.name}")).await;
    assert!(shown(&answer).contains("Hello {user.name}"), "{answer}");
    let answer = press(&here, filled("settings:text", "text", "Hello {nobody}")).await;
    assert!(shown(&answer).contains("cannot be used"), "{answer}");
    let answer = press(&here, filled("settings:prefix", "prefix", "?")).await;
    assert!(shown(&answer).contains("`?`"), "{answer}");
    let answer = press(&here, filled("settings:prefix", "prefix", "too long")).await;
    assert!(shown(&answer).contains("up to 5 characters"), "{answer}");

    // Members without permission are refused when they use it; unknown components get a message.
    let mut request = choose("settings:log", &[]);
    request.member_permissions = Some("0".to_owned());
    let answer = here.ask(&request).await.callback.expect("an answer");
    assert!(shown(&answer).contains("Manage Server"), "{answer}");
    let answer = press(&here, choose("settings:yesterday", &[])).await;
    assert!(shown(&answer).contains("older version"), "{answer}");
    let answer = press(&here, choose("settings:log", &[])).await;
    assert!(shown(&answer).contains("Log channel: none"), "{answer}");

    // Public replies are in the server's language, German. Private ones are in the member's, if there is a catalogue for it.
    for (locale, command, expected) in [
        ("fr", "about", "Zählt"),
        ("en-US", "about", "Zählt"),
        ("fr", "help", "**Befehle**"),
        ("en-US", "help", "**Commands**"),
    ] {
        let mut request = InteractionRequest::command(guild, here.member(2), command, &json!([]));
        request.locale = Some(locale.to_owned());
        let answer = text(&here.ask(&request).await);
        assert!(answer.contains(expected), "{locale} {command}: {answer}");
    }
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_is_welcomed_once() {
    let here = here_with(|config| config.discord.member_events = true).await;
    let (guild, control) = (here.guild(), here.discord.control());
    let channel = here.discord.world().guilds()[0].channels()[0].id.to_string();
    let message = json!({"id": "1"});
    let choose =
        InteractionRequest::component(guild, here.member(0), "settings:welcome", &[&channel], message);
    press(&here, choose).await;
    let come = |user: u64, bot: bool| {
        let member = json!({
            "guild_id": guild.to_string(), "user": {"id": user.to_string(), "username": "somebody", "bot": bot}, "roles": [],
        });
        control.dispatch(Some(guild), "GUILD_MEMBER_ADD", &member.to_string());
    };
    come(here.member(4), true);
    come(here.member(3), false);
    let welcomes = || {
        let messages = control.bot_messages();
        messages.into_iter().filter(|message| {
            message["content"]
                .as_str()
                .is_some_and(|said| said.starts_with("Welcome to"))
        })
    };
    until("somebody is welcomed", async || welcomes().next()).await;
    // Later welcomes are delivered later, so there is no second one before.
    come(here.member(5), false);
    until("the next one is welcomed", async || {
        (welcomes().count() >= 2).then_some(())
    })
    .await;
    let all: Vec<Value> = welcomes().collect();
    assert_eq!(all.len(), 2);
    assert!(
        all[0]["content"]
            .as_str()
            .is_some_and(|said| said.contains(&format!("<@{}>", here.member(3))))
    );
    assert_eq!(
        all[0]["mentions"].as_array().map_or(0, Vec::len),
        0,
        "nobody is pinged"
    );
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_can_be_written() {
    let here = here_with(|config| config.discord.message_content = true).await;
    let (guild, control) = (here.guild(), here.discord.control());
    let channel = here.discord.world().guilds()[0].channels()[0].id;
    let id = (control.now_ms() - 1_420_070_400_000) << 22;
    let write = |at: u64, content: &str| {
        let user = here.member(3);
        let message = json!({
            "id": (id + at).to_string(), "channel_id": channel.to_string(), "guild_id": guild.to_string(), "type": 0,
            "content": content, "mentions": [], "author": {"id": user.to_string(), "username": "somebody"},
            "member": {"roles": [], "nick": null},
        });
        control.dispatch(Some(guild), "MESSAGE_CREATE", &message.to_string());
    };
    let answers = || {
        let messages = control.bot_messages();
        let answered = messages
            .into_iter()
            .filter(|message| message["message_reference"].is_object() || message["nonce"].is_string());
        answered.collect::<Vec<_>>()
    };
    write(1, "no command");
    write(2, "!help");
    write(3, "!rank");
    let all = until("two are answered", async || {
        Some(answers()).filter(|all| all.len() >= 2)
    })
    .await;
    assert_eq!(all.len(), 2, "{all:?}");
    let said: Vec<&str> = all
        .iter()
        .filter_map(|message| message["content"].as_str())
        .collect();
    assert!(said.iter().any(|said| said.contains("`/rank`")), "{said:?}");
    here.end().await;
}

/// If the bot may write but neither embed nor attach, it replies with text.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn written_commands_are_answered_without_embeds_and_files_where_these_are_denied() {
    const EMBED_LINKS: u64 = 1 << 14;
    const ATTACH_FILES: u64 = 1 << 15;
    let here = here_with(|config| config.discord.message_content = true).await;
    let (guild, control) = (here.guild(), here.discord.control());
    let channel = here.discord.world().guilds()[0].channels()[0].id;
    assert!(control.deny_in_channel(channel, EMBED_LINKS | ATTACH_FILES));
    let id = (control.now_ms() - 1_420_070_400_000) << 22;
    let user = here.member(3);
    let write = |at: u64, content: &str| {
        let message = json!({
            "id": (id + at).to_string(), "channel_id": channel.to_string(), "guild_id": guild.to_string(), "type": 0,
            "content": content, "mentions": [], "author": {"id": user.to_string(), "username": "somebody"},
            "member": {"roles": [], "nick": null},
        });
        control.dispatch(Some(guild), "MESSAGE_CREATE", &message.to_string());
    };
    let answers = || {
        let messages = control.bot_messages().into_iter();
        messages.filter(|message| message["message_reference"].is_object())
    };
    // The first message gives XP, without which there is nothing to draw.
    write(1, "hello");
    for (at, command) in [(2, "!rank"), (3, "!leaderboard"), (4, "!help")] {
        write(at, command);
        let count = usize::try_from(at).expect("small") - 1;
        let answer = until("it is answered", async || answers().nth(count - 1)).await;
        assert!(
            answer["content"].as_str().is_some_and(|said| !said.is_empty()),
            "{answer}"
        );
        assert_eq!(
            (&answer["embeds"], &answer["attachments"]),
            (&json!([]), &json!([]))
        );
    }
    here.end().await;
}

//! Unchanged twilight.

#![expect(clippy::disallowed_methods, reason = "the texts are short")]

use discord_simulator::{Control, InteractionRequest, Simulator, SimulatorConfig, Traffic};
use serde_json::json;
use tokio::time::timeout;
use twilight_gateway::{ConfigBuilder, Event, EventTypeFlags, Intents, Shard, ShardId, StreamExt as _};
use twilight_http::Client;
use twilight_model::{
    http::interaction::{InteractionResponse, InteractionResponseData, InteractionResponseType},
    id::Id,
};

use super::{PATIENCE, small, start};

fn shard(simulator: &Simulator) -> Shard {
    twilight_tls();
    let config = ConfigBuilder::new("Bot sim-token".to_owned(), Intents::all())
        .proxy_url(simulator.gateway_url())
        .build();
    Shard::with_config(ShardId::ONE, config)
}

fn http(simulator: &Simulator) -> Client {
    let host = simulator.rest_url().trim_start_matches("http://").to_owned();
    Client::builder()
        .token("Bot sim-token".to_owned())
        .proxy(host, true)
        .build()
}

async fn next(shard: &mut Shard) -> Event {
    timeout(PATIENCE, shard.next_event(EventTypeFlags::all()))
        .await
        .expect("an event comes in time")
        .expect("the shard goes on")
        .expect("twilight understands every event")
}

#[tokio::test]
async fn twilight_logs_in_reads_everything_and_resumes_by_itself() {
    let traffic = Traffic {
        other: 0.4,
        ..Traffic::default()
    };
    let simulator = start(SimulatorConfig { traffic, ..small() }).await;
    let control = simulator.control();
    let mut shard = shard(&simulator);
    let (mut guilds, mut ids) = (0, Vec::new());
    while guilds < 8 {
        guilds += u32::from(matches!(next(&mut shard).await, Event::GuildCreate(_)));
    }
    for (round, interrupt) in (1..).zip([cut, ask_to_reconnect]) {
        control.generate(1_000);
        let goal = ids.len() + 300;
        while ids.len() < goal {
            ids.extend(message_id(&next(&mut shard).await));
        }
        assert_eq!(interrupt(&control), 1);
        assert!(
            control
                .wait_until(|stats| stats.generated == round * 1_000, PATIENCE)
                .await
        );
        let mut resumed = false;
        while !resumed {
            let event = next(&mut shard).await;
            resumed = matches!(event, Event::Resumed);
            ids.extend(message_id(&event));
        }
        let last = control.sessions()[0].last_seq;
        assert_eq!(shard.session().unwrap().sequence(), last);
    }
    assert!(
        ids.windows(2).all(|pair| pair[0] < pair[1]),
        "in order and without repetition"
    );
    let stats = control.stats();
    assert_eq!((stats.identifies.len(), stats.resumes), (1, 2));
    simulator.stop().await;
}

fn cut(control: &Control) -> usize {
    control.reset(None)
}

fn ask_to_reconnect(control: &Control) -> usize {
    control.reconnect(None)
}

fn message_id(event: &Event) -> Option<u64> {
    match event {
        Event::MessageCreate(message) => Some(message.id.get()),
        _ => None,
    }
}

#[tokio::test]
async fn twilight_http_talks_to_rest() {
    twilight_tls();
    let simulator = start(small()).await;
    let http = http(&simulator);
    let me = http.current_user().await.unwrap().model().await.unwrap();
    let application = http
        .current_user_application()
        .await
        .unwrap()
        .model()
        .await
        .unwrap();
    assert_eq!(
        (me.id.get(), application.id.get()),
        (simulator.world().bot_id(), simulator.world().bot_id())
    );
    let info = http.gateway().authed().await.unwrap().model().await.unwrap();
    assert_eq!(info.url, simulator.gateway_url());
    let guild = &simulator.world().guilds()[0];
    let model = http
        .guild(Id::new(guild.id()))
        .await
        .unwrap()
        .model()
        .await
        .unwrap();
    assert_eq!(model.roles.len(), guild.roles().len() + 1);
    let channels = http
        .guild_channels(Id::new(guild.id()))
        .await
        .unwrap()
        .models()
        .await
        .unwrap();
    assert_eq!(channels.len(), guild.channels().len());
    let members = http
        .guild_members(Id::new(guild.id()))
        .limit(10)
        .await
        .unwrap()
        .models()
        .await
        .unwrap();
    assert_eq!(members.len(), 10);
    let roles = http
        .roles(Id::new(guild.id()))
        .await
        .unwrap()
        .models()
        .await
        .unwrap();
    assert_eq!(roles.len(), guild.roles().len() + 1);
    let sent = http
        .create_message(channels[0].id)
        .content("hello")
        .await
        .unwrap()
        .model()
        .await
        .unwrap();
    let read = http
        .channel_messages(channels[0].id)
        .await
        .unwrap()
        .models()
        .await
        .unwrap();
    assert_eq!(read[0].id, sent.id);
    let user = simulator.world().member_id(guild.id(), 0).unwrap();
    let direct = http
        .create_private_channel(Id::new(user))
        .await
        .unwrap()
        .model()
        .await
        .unwrap();
    assert_eq!(direct.recipients.unwrap()[0].id.get(), user);

    simulator.stop().await;
}

#[tokio::test]
async fn twilight_answers_a_command() {
    twilight_tls();
    let simulator = start(small()).await;
    let control = simulator.control();
    let http = http(&simulator);
    let application = http
        .current_user_application()
        .await
        .unwrap()
        .model()
        .await
        .unwrap();
    let guild = &simulator.world().guilds()[0];
    let user = simulator.world().member_id(guild.id(), 0).unwrap();
    let mut shard = shard(&simulator);
    while !matches!(next(&mut shard).await, Event::Ready(_)) {}
    let interactions = http.interaction(application.id);
    interactions
        .create_global_command()
        .chat_input("rank", "Shows a rank")
        .await
        .unwrap();
    let options = json!([{"name": "page", "type": 4, "value": 2}]);
    let id = control
        .interact(&InteractionRequest::command(guild.id(), user, "rank", &options))
        .unwrap();
    let interaction = loop {
        if let Event::InteractionCreate(interaction) = next(&mut shard).await {
            break interaction;
        }
    };
    assert_eq!(interaction.id.get(), id);
    let data = InteractionResponseData {
        content: Some("Level 3".to_owned()),
        ..InteractionResponseData::default()
    };
    let response = InteractionResponse {
        kind: InteractionResponseType::ChannelMessageWithSource,
        data: Some(data),
    };
    interactions
        .create_response(interaction.id, &interaction.token, &response)
        .await
        .unwrap();
    let edited = interactions
        .update_response(&interaction.token)
        .content(Some("Level 4"))
        .await
        .unwrap()
        .model()
        .await
        .unwrap();
    assert_eq!(edited.content, "Level 4");
    assert_eq!(
        control.interaction(id).unwrap().reply().unwrap()["content"],
        "Level 4"
    );
    simulator.stop().await;
}

/// twilight builds a TLS connector even where none is used, and brings no provider for it.
fn twilight_tls() {
    // It is an error when another test was first.
    drop(rustls::crypto::ring::default_provider().install_default());
}

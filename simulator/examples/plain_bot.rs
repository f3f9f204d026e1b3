//! A level bot as tutorials write them: a task for each event, an upsert for each message, a pool of ten connections, and `/rank`.
//!
//! A template for a bot on the simulator, and the baseline of `make bench`. It counts every message while nothing goes wrong. What it
//! does not do is the subject of larger bots: a restart loses the tasks that wait, a replayed event counts twice, and nothing bounds the
//! number of tasks.
//!
//! ```sh
//! cargo run --release -p discord-simulator -- --rate 500
//! cargo run --release -p discord-simulator --example plain_bot -- --database postgresql://localhost/plain
//! ```

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, SystemTime},
};

use clap::Parser;
use deadpool_postgres::{Manager, Pool};
use tokio::task::JoinSet;
use tokio_postgres::NoTls;
use twilight_gateway::{
    ConfigBuilder, Event, EventTypeFlags, Intents, Shard, ShardId, StreamExt as _, queue::InMemoryQueue,
};
use twilight_http::Client;
use twilight_model::{
    application::interaction::{Interaction, InteractionData},
    channel::{Message, message::MessageType},
    http::interaction::{InteractionResponse, InteractionResponseData, InteractionResponseType},
    id::{Id, marker::ApplicationMarker},
};

const CONNECTIONS: usize = 10;

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS plain_level (
        guild_id      BIGINT      NOT NULL,
        user_id       BIGINT      NOT NULL,
        xp            BIGINT      NOT NULL,
        message_count BIGINT      NOT NULL,
        last_award_at TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (guild_id, user_id)
    )";

/// XP comes at most once a minute.
const COUNT: &str = "
    INSERT INTO plain_level AS old (guild_id, user_id, xp, message_count, last_award_at)
    VALUES ($1, $2, $3, 1, $4)
    ON CONFLICT (guild_id, user_id) DO UPDATE SET
        message_count = old.message_count + 1,
        xp = old.xp + CASE WHEN excluded.last_award_at >= old.last_award_at + INTERVAL '1 minute' THEN excluded.xp ELSE 0 END,
        last_award_at = CASE WHEN excluded.last_award_at >= old.last_award_at + INTERVAL '1 minute'
                             THEN excluded.last_award_at ELSE old.last_award_at END";

const RANK: &str = "
    SELECT mine.xp, mine.message_count,
           1 + (SELECT count(*) FROM plain_level other WHERE other.guild_id = mine.guild_id AND other.xp > mine.xp)
    FROM plain_level mine WHERE mine.guild_id = $1 AND mine.user_id = $2";

/// A plain level bot.
#[derive(Parser)]
struct Arguments {
    /// The bot's token.
    #[arg(long, default_value = "sim-token")]
    token: String,
    /// Host and port of Discord's REST API, without TLS.
    #[arg(long, default_value = "127.0.0.1:4481")]
    rest: String,
    /// The PostgreSQL database to count in.
    #[arg(long)]
    database: tokio_postgres::Config,
}

/// What a handler needs.
struct Context {
    http: Client,
    application: Id<ApplicationMarker>,
    pool: Pool,
}

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    // twilight builds a TLS connector even where none is used; a provider that is there already is as good.
    drop(rustls::crypto::ring::default_provider().install_default());

    let manager = Manager::new(arguments.database, NoTls);
    let pool = Pool::builder(manager).max_size(CONNECTIONS).build()?;
    client(&pool).await?.batch_execute(TABLE).await?;

    let http = Client::builder()
        .token(format!("Bot {}", arguments.token))
        .proxy(arguments.rest, true)
        .build();
    let application = http.current_user_application().await?.model().await?.id;
    http.interaction(application)
        .create_global_command()
        .chat_input("rank", "Show your level")
        .await?;

    let gateway = http.gateway().authed().await?.model().await?;
    let limit = gateway.session_start_limit;
    let queue = InMemoryQueue::new(
        limit.max_concurrency,
        limit.remaining,
        Duration::from_millis(limit.reset_after),
        limit.total,
    );
    let config = ConfigBuilder::new(
        format!("Bot {}", arguments.token),
        Intents::GUILDS | Intents::GUILD_MESSAGES,
    )
    .proxy_url(gateway.url)
    .queue(queue)
    .build();

    let context = Arc::new(Context {
        http,
        application,
        pool,
    });
    let mut shards = JoinSet::new();
    for number in 0..gateway.shards {
        let shard = Shard::with_config(ShardId::new(number, gateway.shards), config.clone());
        shards.spawn(run(shard, Arc::clone(&context)));
    }
    shards.join_all().await;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a task that nobody awaits is what tutorials do, and what this bot is measured for"
)]
async fn run(mut shard: Shard<InMemoryQueue>, context: Arc<Context>) {
    let wanted = EventTypeFlags::MESSAGE_CREATE | EventTypeFlags::INTERACTION_CREATE;
    while let Some(event) = shard.next_event(wanted).await {
        match event {
            Ok(event) => drop(tokio::spawn(handle(event, Arc::clone(&context)))),
            Err(error) => tracing::warn!(%error, "an event could not be received"),
        }
    }
}

async fn handle(event: Event, context: Arc<Context>) {
    let handled = match event {
        Event::MessageCreate(message) => count(&message, &context).await,
        Event::InteractionCreate(interaction) => answer(&interaction, &context).await,
        _ => Ok(()),
    };
    if let Err(error) = handled {
        tracing::error!(error, "an event could not be handled");
    }
}

async fn count(message: &Message, context: &Context) -> Result<(), Failure> {
    let Some(guild) = message.guild_id else {
        return Ok(());
    };
    let is_talk = matches!(message.kind, MessageType::Regular | MessageType::Reply);
    if !is_talk || message.author.bot || message.webhook_id.is_some() {
        return Ok(());
    }
    let client = client(&context.pool).await?;
    let statement = client.prepare_cached(COUNT).await?;
    let (guild, user) = (guild.get().cast_signed(), message.author.id.get().cast_signed());
    let xp = fastrand::i64(15..=25);
    let sent = u64::try_from(message.timestamp.as_micros())?;
    let sent = SystemTime::UNIX_EPOCH + Duration::from_micros(sent);
    client.execute(&statement, &[&guild, &user, &xp, &sent]).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this bot's texts are short")]
async fn answer(interaction: &Interaction, context: &Context) -> Result<(), Failure> {
    let is_rank =
        matches!(&interaction.data, Some(InteractionData::ApplicationCommand(data)) if data.name == "rank");
    let (true, Some(guild), Some(user)) = (is_rank, interaction.guild_id, interaction.author_id()) else {
        return Ok(());
    };
    let client = client(&context.pool).await?;
    let statement = client.prepare_cached(RANK).await?;
    let (guild, user) = (guild.get().cast_signed(), user.get().cast_signed());
    let row = client.query_opt(&statement, &[&guild, &user]).await?;
    drop(client);
    let text = row.map_or_else(
        || "You have no XP yet.".to_owned(),
        |row| {
            let (xp, messages, rank): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
            format!("Rank {rank}: {xp} XP, {messages} messages")
        },
    );
    let response = InteractionResponse {
        kind: InteractionResponseType::ChannelMessageWithSource,
        data: Some(InteractionResponseData {
            content: Some(text),
            ..InteractionResponseData::default()
        }),
    };
    context
        .http
        .interaction(context.application)
        .create_response(interaction.id, &interaction.token, &response)
        .await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this bot has no store, only a pool")]
async fn client(pool: &Pool) -> Result<deadpool_postgres::Object, Failure> {
    Ok(pool.get().await?)
}

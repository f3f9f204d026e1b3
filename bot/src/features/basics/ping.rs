//! `/ping`: the latency of the gateway, of Discord's API and of the database.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::{
    discord::rest::Priority,
    interactions::{CommandContext, CommandError, Services, command::Command, reply::Reply},
    support::i18n::Language,
};

/// Time limit for each measurement. Shorter than the time within which a reply is guaranteed.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Ping;

impl Command for Ping {
    fn name(&self) -> &'static str {
        "ping"
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let language = context.language();
        let shards = services.shards.list();
        let shard = shards.iter().find(|shard| shard.key() == context.shard);
        let gateway = shard.and_then(|shard| shard.latency());
        let gateway = gateway.map_or_else(
            || language.text("ping-not-yet"),
            |latency| milliseconds(latency, language),
        );
        let request = services.rest.builders().gateway();
        let rest = measured(services.rest.send(Priority::Command, request), language);
        let database = measured(services.store.ping(), language);
        let (rest, database) = tokio::join!(rest, database);
        let values = [
            ("gateway", gateway.into()),
            ("rest", rest.into()),
            ("database", database.into()),
        ];
        Ok(Reply::public(language.filled("ping-reply", &values)))
    }
}

/// Runs `work` and formats how long it took, or that it failed.
async fn measured<T, E>(work: impl Future<Output = Result<T, E>>, language: Language) -> String {
    let began = Instant::now();
    match timeout(PATIENCE, work).await {
        Ok(Ok(_)) => milliseconds(began.elapsed(), language),
        Ok(Err(_)) | Err(_) => language.text("ping-away"),
    }
}

fn milliseconds(time: Duration, language: Language) -> String {
    let number = language.number(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    language.filled("ping-milliseconds", &[("milliseconds", number.into())])
}

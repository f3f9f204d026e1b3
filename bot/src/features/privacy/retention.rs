//! Deleting what is stored of servers that removed the bot, when `privacy.retention_days` are over.

use std::time::Duration;

use tokio::sync::watch;

use crate::{
    features::privacy::rows::departures::{self, Step},
    postgres::Store,
    support::shutdown::stopped_within,
    telemetry::metrics,
};

/// How often it is looked for such servers.
const EVERY: Duration = Duration::from_mins(10);
/// Between two steps: a flush goes before.
const PAUSE: Duration = Duration::from_millis(50);

/// Delete what is due, again and again, until `stop` is true.
pub async fn keep(store: Store, retention: Duration, mut stop: watch::Receiver<bool>) {
    metrics::purged_rows_total().increment(0);
    metrics::purged_guilds_total().increment(0);
    loop {
        let pause = match departures::purge(&store, retention).await {
            Ok(Step::Rows(rows)) => {
                metrics::purged_rows_total().increment(rows);
                PAUSE
            }
            Ok(Step::Done(guild_id)) => {
                metrics::purged_guilds_total().increment(1);
                tracing::info!(
                    guild.id = guild_id.get(),
                    "deleted the data of a server that removed the bot"
                );
                PAUSE
            }
            Ok(Step::Nothing) => EVERY,
            Err(error) => {
                tracing::debug!(%error, "the data of servers that removed the bot could not be deleted; retrying");
                EVERY
            }
        };
        if stopped_within(&mut stop, pause).await {
            return;
        }
    }
}

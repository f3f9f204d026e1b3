//! A server's statistics for programs.

use serde_json::{Value as Json, json};

use super::{page::beginning, reading};
use crate::{
    interactions::{Services, page::Page},
    support::{clock::host_time, text::moment::rfc3339},
    web::{
        answer::{Answer, Fault},
        api::{self, Part},
        context::Context,
        period::Period,
        route::Access,
    },
};

#[derive(Debug)]
pub(crate) struct StatisticsApi;

impl Page for StatisticsApi {
    fn path(&self) -> &'static str {
        "/api/v1/servers/{guild}/statistics"
    }

    fn access(&self) -> Access {
        Access::Public
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = api::admit(context, Part::Statistics).await?;
        let from = beginning(Period::of(context)?, host_time());
        let counts = reading::all(&services.store, guild_id, from).await?;
        let counts = counts.iter().map(|count| {
            json!({
                "kind": count.kind, "begins_at": rfc3339(count.begins_at), "span": if count.is_day { "day" } else { "hour" },
                "channel_id": count.channel_id.map(|id| id.to_string()),
                "command": (!count.command.is_empty()).then_some(&count.command), "amount": count.amount,
            })
        });
        Ok(Answer::json(
            &json!({"from": rfc3339(from), "counts": counts.collect::<Json>()}),
        ))
    }
}

//! The leaderboard for programs.

use serde_json::{Value as Json, json};

use super::{
    rows::leaderboard::{self, Order},
    rules::week::week_of,
};
use crate::{
    interactions::{Services, page::Page},
    support::{clock::host_time, ids},
    web::{
        answer::{Answer, Fault},
        api::{self, Part},
        context::Context,
        route::Access,
    },
};

/// Members in an answer.
const A_PAGE: u32 = 100;
/// The last page.
const LAST: u64 = 1_000_000;

#[derive(Debug)]
pub(crate) struct LeaderboardApi;

impl Page for LeaderboardApi {
    fn path(&self) -> &'static str {
        "/api/v1/servers/{guild}/leaderboard"
    }

    fn access(&self) -> Access {
        Access::Public
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = api::admit(context, Part::Leaderboard).await?;
        let order = match context.query().get("by") {
            None | Some("xp") => Order::Xp,
            Some("messages") => Order::Messages,
            Some("week") => Order::Week(week_of(ids::to_millis(host_time()))),
            Some(_) => return Err(Fault::Bad(context.text("web-bad-order"))),
        };
        let written = context.query().get("page").unwrap_or("1");
        let page = written.parse().ok().filter(|page| (1..=LAST).contains(page));
        let page: u64 = page.ok_or_else(|| Fault::Bad(context.text("web-bad-page")))?;
        let skip = (page - 1) * u64::from(A_PAGE);
        let curve = services.settings.of(&services.store, guild_id).await?.curve;
        let board = leaderboard::page(&services.store, guild_id, order, skip, A_PAGE).await?;
        // Without as many members, the last page there is would follow again.
        let lines = board.lines.iter().filter(|_| board.skipped == skip);
        let members = lines.map(|line| {
            json!({
                "user_id": line.standing.user_id.to_string(), "rank": line.rank, "value": line.value, "xp": line.standing.xp,
                "level": curve.level_of(line.standing.xp), "messages": line.standing.message_count,
            })
        });
        Ok(Answer::json(
            &json!({"members": members.collect::<Json>(), "total": board.members}),
        ))
    }
}

//! The leaderboard for programs: what the website shows, so without members who have chosen to be hidden.

use serde_json::{Value as Json, json};

use super::{
    rows::{
        leaderboard::Order,
        public_board::{self, From},
    },
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
        let from = match context.query().get("after") {
            None => From::Start,
            Some(key) => From::after(key).ok_or_else(|| Fault::Bad(context.text("web-bad-page")))?,
        };
        let curve = services.settings.of(&services.store, guild_id).await?.curve;
        let page = public_board::page(&services.store, guild_id, order, from, A_PAGE).await?;
        let next = page.lines.last().filter(|_| page.has_below).map(From::key);
        let members = page.lines.iter().map(|line| {
            json!({
                "user_id": line.standing.user_id.to_string(), "rank": line.rank, "value": line.value, "xp": line.standing.xp,
                "level": curve.level_of(line.standing.xp), "messages": line.standing.message_count,
            })
        });
        Ok(Answer::json(
            &json!({"members": members.collect::<Json>(), "next": next}),
        ))
    }
}

//! The website, as browsers see it: TCP connections to the real bot.

mod attacks;
mod boards;
mod command_forms;
mod every_setting;
mod hidden;
mod limits;
mod ranked;
mod section_pages;
mod sign_in;
mod transfer;
mod weeks;

use eventide::{
    config::{Config, Secret},
    discord::rest::Priority,
};
use serde_json::Value;
use twilight_model::id::Id;

use crate::support::{
    asking::{Here, here_with},
    browser::{Browser, URL},
    session::Session,
    until,
};

/// A world of a few guilds, and a bot with a website.
async fn website() -> Here {
    website_with(|_| {}).await
}

async fn website_with(configure: impl FnOnce(&mut Config)) -> Here {
    here_with(|config| {
        config.web.listen = Some("127.0.0.1:0".parse().expect("an address"));
        URL.clone_into(&mut config.web.url);
        config.web.client_secret = Some(Secret::new("sim-secret"));
        config.web.requests_per_minute = 100_000;
        configure(config);
    })
    .await
}

fn browser(here: &Here) -> Browser {
    Browser::of(here)
}

async fn database(here: &Here) -> Session {
    Session::open(&here.scene.postgres.connection().into()).await
}

/// Let these people see a server's leaderboard, and wait until the bot knows.
async fn show_board(here: &Here, visibility: &str) {
    let guild = here.guild();
    let sql = format!(
        "INSERT INTO guild_section (guild_id, section, settings) VALUES ({guild}, 'levels', '{{\"leaderboard\": \"{visibility}\"}}')
         ON CONFLICT (guild_id, section) DO UPDATE SET settings = excluded.settings"
    );
    database(here).await.execute(&sql).await;
    until("the bot knows who sees the leaderboard", async || {
        let settings = here.bot.settings.of(&here.bot.store, Id::new(guild)).await;
        let sections = format!("{:?}", settings.expect("settings").sections);
        sections.contains(visibility).then_some(())
    })
    .await;
}

fn board(here: &Here) -> String {
    format!("/servers/{}/leaderboard", here.guild())
}

/// Give the first members of the guild XP: the first 1,000, the others 10 less each, but the third as much as the second.
async fn give_xp(here: &Here, members: u32) {
    let guild = here.guild();
    let rows: Vec<String> = (0..members)
        .map(|rank| {
            let xp = if rank == 2 { 990 } else { 1_000 - 10 * rank };
            format!("({guild}, {}, {xp}, {})", here.member(rank), 2 * members - rank)
        })
        .collect();
    let sql = format!(
        "INSERT INTO member_xp (guild_id, user_id, xp, message_count) VALUES {}",
        rows.join(", ")
    );
    database(here).await.execute(&sql).await;
}

/// A user's name, by which searches find them.
async fn username(here: &Here, user: u64) -> String {
    let rest = &here.bot.rest;
    let answer = rest
        .send(Priority::Command, rest.builders().user(Id::new(user)))
        .await;
    let user: Value = answer.expect("an answer").model().expect("JSON");
    user["username"].as_str().expect("a name").to_owned()
}

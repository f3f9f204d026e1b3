//! Pages for the staff of a server and for operators, and the API for programs.

mod appeals;
mod every_form;
mod numbers;
mod reports;
mod scheduled;
mod staff;

use eventide::config::{Config, Secret};

use crate::support::{
    asking::{Here, here_with},
    browser::URL,
    moderators::Stage,
};

const KICK: u64 = 1 << 1;
const BAN: u64 = 1 << 2;
const MANAGE_SERVER: u64 = 1 << 5;
const SEE: u64 = 1 << 10;
const SEND: u64 = 1 << 11;
const TIME_OUT: u64 = 1 << 40;

const SCRIPT: &str = "<script>alert(1)</script>";

/// A world and a bot with a website on which nobody can sign in by themselves.
async fn here_with_website(configure: impl FnOnce(&mut Config)) -> Here {
    here_with(|config| {
        config.web.listen = Some("127.0.0.1:0".parse().expect("an address"));
        URL.clone_into(&mut config.web.url);
        configure(config);
    })
    .await
}

/// A server with moderators, whose bot may do everything that moderation needs, and has a website.
async fn stage_with_website() -> Stage {
    let stage = Stage::with(|config| {
        config.web.listen = Some("127.0.0.1:0".parse().expect("an address"));
        URL.clone_into(&mut config.web.url);
        config.web.client_secret = Some(Secret::new("sim-secret"));
        config.web.requests_per_minute = 100_000;
    })
    .await;
    let all = SEE | SEND | KICK | BAN | TIME_OUT | MANAGE_SERVER;
    assert!(stage.control().set_bot_permissions(stage.guild(), all));
    stage
}

/// The second server, in which the moderators of the first one are no staff.
fn other_guild(stage: &Stage) -> u64 {
    stage.discord.world().guilds()[1].id()
}

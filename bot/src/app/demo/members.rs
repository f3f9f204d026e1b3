//! What simulated members do besides writing messages: some use commands, and some servers announce levels.

use discord_simulator::{Control, InteractionRequest, Simulator, World};
use serde_json::{Value, json};

use crate::{
    config::Announce,
    postgres::{Store, StoreError, request::Request},
    settings::change::{self, Change},
    support::ids,
};

/// The number of servers in which levels are announced. Discord accepts 5 messages in 5 s per channel, which more servers would exceed.
const ANNOUNCING: usize = 3;
/// The number of members per server who use commands.
const ASKERS: u32 = 50;

/// Members who use commands.
pub struct Members<'a> {
    control: Control,
    world: &'a World,
    asked: usize,
}

impl<'a> Members<'a> {
    /// Before the first command.
    pub fn new(simulator: &'a Simulator) -> Self {
        Self {
            control: simulator.control(),
            world: simulator.world(),
            asked: 0,
        }
    }

    /// Use another command, without waiting for the response.
    pub fn ask(&mut self) {
        let turn = self.asked;
        self.asked += 1;
        let guilds = self.world.guilds();
        let Some(guild) = guilds.get(turn % guilds.len().max(1)) else {
            return;
        };
        let rank = u32::try_from(turn / guilds.len()).unwrap_or(0) % ASKERS;
        let Some(member) = self.world.member_id(guild.id(), rank) else {
            return;
        };
        let text = json!([{"name": "text", "type": 5, "value": true}]);
        let (name, options) = match turn % 10 {
            // This command draws an image, which takes some milliseconds of CPU.
            0 => ("rank", Value::Null),
            1 | 4 | 7 => ("leaderboard", Value::Null),
            2 | 5 | 8 => ("rank", text),
            3 => ("help", Value::Null),
            _ => ("ping", Value::Null),
        };
        // This returns `None` before the commands are registered, and while a server's shard is disconnected.
        self.control
            .interact(&InteractionRequest::command(guild.id(), member, name, &options));
    }
}

/// Let some servers announce levels.
///
/// # Errors
///
/// Their settings cannot be written.
pub async fn announce(world: &World, store: &Store) -> Result<(), StoreError> {
    let guilds = world.guilds();
    for guild in guilds.iter().skip(guilds.len() / 10).take(ANNOUNCING) {
        let Some(guild_id) = ids::from_db(guild.id().cast_signed()) else {
            continue;
        };
        let here = Change::Announce(Some(Announce::SameChannel));
        let request = Request::of_operator(guild_id, "settings", &json!({"set": ["announce=same_channel"]}));
        change::change(store, request, vec![here]).await?;
    }
    Ok(())
}

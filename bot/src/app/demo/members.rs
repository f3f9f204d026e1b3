//! What members of the simulated world do beside writing: some ask for commands, and in some servers levels are announced.

use discord_simulator::{Control, InteractionRequest, Simulator, World};
use serde_json::{Value, json};

use crate::{
    config::Announce,
    postgres::{Store, StoreError},
    settings::change::{self, Change},
    support::ids,
};

/// Servers in which levels are announced: Discord takes 5 messages in 5 s a channel, which busier ones would go beyond.
const ANNOUNCING: usize = 3;
/// Who asks, in each server in turn.
const ASKERS: u32 = 50;

/// Members who ask for commands.
pub struct Members<'a> {
    control: Control,
    world: &'a World,
    asked: usize,
}

impl<'a> Members<'a> {
    /// Nobody has asked yet.
    pub fn new(simulator: &'a Simulator) -> Self {
        Self {
            control: simulator.control(),
            world: simulator.world(),
            asked: 0,
        }
    }

    /// One more asks, and waits for no answer.
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
            // Drawn: each picture is some milliseconds of CPU.
            0 => ("rank", Value::Null),
            1 | 4 | 7 => ("leaderboard", Value::Null),
            2 | 5 | 8 => ("rank", text),
            3 => ("help", Value::Null),
            _ => ("ping", Value::Null),
        };
        // None before the commands are registered, and while a server's shard is away.
        self.control
            .interact(&InteractionRequest::command(guild.id(), member, name, &options));
    }
}

/// Have some servers announce levels.
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
        change::change(store, guild_id, vec![here], None).await?;
    }
    Ok(())
}

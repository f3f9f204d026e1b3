//! The world: guilds, people, channels and roles, all following from the seed.
//!
//! People are not stored. A person's id, names and picture follow from their index, and the members of a guild are
//! found by an arithmetic walk over all people, so that a world of a million members costs no more memory than its
//! sampling tables.

mod arithmetic;
mod guild;
mod names;
mod skew;

use arithmetic::{inverse, prime_from, sizes};
use guild::Walk;
pub use guild::{Channel, Guild, Role};
use rustc_hash::FxHashMap;
pub(crate) use skew::Skew;
use skew::zipf_weight;

use crate::{
    config::SimulatorConfig,
    snowflake::{self, mix},
};

/// Accounts are made from 2016-05 to 2022-03, so that their ids have 18 digits.
const USERS_FROM_MS: u64 = 1_462_000_000_000;
const USERS_SPAN_MS: u64 = 184_000_000_000;
const BOTS_FROM_MS: u64 = 1_461_000_000_000;
/// Guilds are made from 2017-07 on, one about every hour.
const GUILDS_FROM_MS: u64 = 1_500_000_000_000;
const GUILD_SPACING_MS: u64 = 3_600_000;
/// React, see channels, send messages with links, files and foreign emoji, read the history, talk, use commands.
const EVERYBODY_MAY: u64 =
    1 << 6 | 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 18 | 1 << 20 | 1 << 21 | 1 << 31;
/// See channels, send messages also in threads, with links and files, read the history, manage roles.
const BOT_MAY: u64 = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 28 | 1 << 38;
/// How many bots post in the guilds.
pub(crate) const BOTS: u32 = 24;
/// How many texts the messages are made from.
const TEXTS: u64 = 1_024;

/// Guilds, people, channels and roles.
pub struct World {
    seed: u64,
    people: u64,
    guilds: Vec<Guild>,
    guild_index: FxHashMap<u64, u32>,
    channel_index: FxHashMap<u64, (u32, u16)>,
    by_traffic: Vec<f64>,
    bot_id: u64,
    pub(crate) texts: Vec<String>,
}

impl World {
    pub(crate) fn new(config: &SimulatorConfig) -> Self {
        let seed = mix(config.seed ^ 0x5eed);
        let count = config.guilds.max(1);
        let weights: Vec<f64> = (0..count)
            .map(|rank| zipf_weight(rank, config.traffic.guild_skew))
            .collect();
        let sizes = sizes(&weights, config.members);
        let largest = sizes.iter().copied().max().unwrap_or(1);
        let people =
            prime_from(u64::from(config.members.max(2)).div_ceil(4) * 3).max(prime_from(u64::from(largest)));
        let mut world = Self {
            seed,
            people,
            guilds: Vec::new(),
            guild_index: FxHashMap::default(),
            channel_index: FxHashMap::default(),
            by_traffic: weights,
            bot_id: snowflake::at_ms(BOTS_FROM_MS + mix(seed) % 1_000_000) | 7,
            texts: (0..TEXTS).map(|at| text(mix(seed ^ (at << 20)))).collect(),
        };
        for (index, size) in (0..count).zip(sizes) {
            let guild = world.make_guild(index, size, config);
            world.guild_index.insert(guild.id, index);
            for (at, channel) in (0_u16..).zip(&guild.channels) {
                world.channel_index.insert(channel.id, (index, at));
            }
            world.guilds.push(guild);
        }
        world
    }

    fn make_guild(&self, index: u32, size: u32, config: &SimulatorConfig) -> Guild {
        let hash = mix(self.seed ^ (u64::from(index) << 32) ^ 0x9411d);
        let shards = u64::from(config.shards.max(1));
        // The shard of a guild is `(id >> 22) % shards`, so its millisecond is nudged until every shard has its turn.
        let made = GUILDS_FROM_MS + u64::from(index) * GUILD_SPACING_MS + hash % (GUILD_SPACING_MS / 2);
        let wanted = u64::from(index) % shards;
        let since = made - snowflake::EPOCH_MS;
        let made = made + (wanted + shards - since % shards) % shards;
        let id = snowflake::at_ms(made) | (hash % 4_096);
        let size_of_guild = config.guild_size;
        let channel_count = size_of_guild.map_or(4 + hash % 9, |size| size.channels.max(1).into());
        let channels = (0..channel_count)
            .map(|at| Channel {
                id: snowflake::at_ms(made + 1 + at) | (mix(hash ^ at) % 4_096),
                name: names::CHANNELS[at_most(at, names::CHANNELS.len())].to_owned(),
            })
            .collect();
        let role_count = u32::try_from(8 + (hash >> 8) % 9).unwrap_or(5);
        let role_count = size_of_guild.map_or(role_count, |size| size.roles.into());
        let roles = std::iter::once(Role {
            id,
            name: "@everyone".to_owned(),
            position: 0,
            permissions: EVERYBODY_MAY,
            color: 0,
            managed: false,
        })
        .chain((0..role_count).map(|at| Role {
            id: snowflake::at_ms(made + 1_000 + u64::from(at)) | (mix(hash ^ u64::from(at) ^ 0x801e) % 4_096),
            name: names::ROLES[at_most(u64::from(at), names::ROLES.len())].to_owned(),
            position: role_count - at,
            permissions: if at == 0 { 8 } else { 0 },
            color: u32::try_from(mix(hash ^ u64::from(at)) % 0x00ff_ffff).unwrap_or(0),
            managed: false,
        }))
        .collect();
        let bot_role = Role {
            id: snowflake::at_ms(made + 2_000) | (mix(hash ^ 0xb07) % 4_096),
            name: "eventide-sim".to_owned(),
            position: role_count + 1,
            permissions: BOT_MAY,
            color: 0,
            managed: true,
        };
        let step = 1 + (hash >> 16) % (self.people - 1);
        Guild {
            id,
            name: guild_name(hash),
            member_count: size,
            channels,
            roles,
            bot_role,
            walk: Walk {
                offset: (hash >> 20) % self.people,
                step,
                inverse: inverse(step, self.people),
            },
            speakers: Skew::zipf(size, config.traffic.member_skew),
        }
    }

    /// The guilds, the one with the most traffic first.
    pub fn guilds(&self) -> &[Guild] {
        &self.guilds
    }

    /// A guild by its id.
    pub fn guild(&self, id: u64) -> Option<&Guild> {
        self.guild_index(id).map(|index| &self.guilds[index as usize])
    }

    /// The name of a guild.
    pub fn guild_name(&self, id: u64) -> Option<&str> {
        self.guild(id).map(Guild::name)
    }

    /// The name under which a person is shown in a guild: nickname, display name or username.
    pub fn member_name(&self, guild_id: u64, user_id: u64) -> Option<String> {
        let guild = self.guild_index(guild_id)?;
        let member = self.member_index(guild, user_id)?;
        let person = self.person_of(guild, member);
        let raw = self
            .nick(guild, member)
            .or_else(|| self.display_name(person))
            .map_or_else(|| self.username(person), str::to_owned);
        Some(raw.replace("\\\"", "\""))
    }

    /// The user id of a member of a guild, the most talkative member being 0.
    pub fn member_id(&self, guild_id: u64, rank: u32) -> Option<u64> {
        let guild = self.guild_index(guild_id)?;
        (rank < self.guilds[guild as usize].member_count).then(|| self.user_id(self.person_of(guild, rank)))
    }

    /// The id of the bot's user and of its application.
    pub const fn bot_id(&self) -> u64 {
        self.bot_id
    }

    pub(crate) fn guild_index(&self, id: u64) -> Option<u32> {
        self.guild_index.get(&id).copied()
    }

    pub(crate) fn guild_at(&self, index: u32) -> &Guild {
        &self.guilds[index as usize]
    }

    pub(crate) fn channel_index(&self, id: u64) -> Option<(u32, u16)> {
        self.channel_index.get(&id).copied()
    }

    /// A sampler of the guilds that a predicate admits, and the indexes that its ranks stand for.
    pub(crate) fn guild_sampler(&self, admit: impl Fn(&Guild) -> bool) -> (Skew, Vec<u32>) {
        let (weights, indexes): (Vec<f64>, Vec<u32>) = (0_u32..)
            .zip(&self.guilds)
            .filter(|(_, guild)| admit(guild))
            .map(|(index, _)| (self.by_traffic[index as usize], index))
            .unzip();
        (Skew::of_weights(&weights), indexes)
    }

    /// The person behind a member of a guild.
    pub(crate) fn person_of(&self, guild: u32, member: u32) -> u64 {
        let walk = &self.guild_at(guild).walk;
        (walk.offset + walk.step * u64::from(member)) % self.people
    }

    /// The member of a guild that a user is.
    pub(crate) fn member_index(&self, guild: u32, user_id: u64) -> Option<u32> {
        let person = self.person(user_id)?;
        let guild = self.guild_at(guild);
        let away = (person + self.people - guild.walk.offset) % self.people;
        let member = away * guild.walk.inverse % self.people;
        u32::try_from(member)
            .ok()
            .filter(|&member| member < guild.member_count)
    }

    /// How many people there are.
    pub(crate) const fn people(&self) -> u64 {
        self.people
    }

    const fn user_spacing_ms(&self) -> u64 {
        USERS_SPAN_MS / self.people
    }

    pub(crate) fn user_id(&self, person: u64) -> u64 {
        let hash = mix(self.seed ^ person ^ 0x00aa_55e7);
        let spacing = self.user_spacing_ms();
        snowflake::at_ms(USERS_FROM_MS + person * spacing + hash % spacing) | (hash >> 50)
    }

    /// The person with a user id.
    pub(crate) fn person(&self, user_id: u64) -> Option<u64> {
        let person = snowflake::time_ms(user_id).checked_sub(USERS_FROM_MS)? / self.user_spacing_ms();
        (person < self.people && self.user_id(person) == user_id).then_some(person)
    }

    /// The channel of the direct messages between a person and the bot.
    pub(crate) fn direct_channel(&self, person: u64) -> u64 {
        self.user_id(person) + (3_600_000 << 22)
    }

    /// The person whose direct channel this is.
    pub(crate) fn person_of_direct_channel(&self, channel: u64) -> Option<u64> {
        self.person(channel.checked_sub(3_600_000 << 22)?)
    }

    pub(crate) fn other_bot_id(&self, bot: u32) -> u64 {
        let hash = mix(self.seed ^ u64::from(bot) ^ 0xb07);
        snowflake::at_ms(BOTS_FROM_MS + 2_000_000 + u64::from(bot % BOTS) * 100_000) | (hash >> 50)
    }

    pub(crate) fn webhook_id(&self, guild: u32, channel: u16) -> u64 {
        self.guild_at(guild).channels[usize::from(channel)].id + (77_000 << 22)
    }

    pub(crate) fn person_hash(&self, person: u64) -> u64 {
        mix(self.seed ^ person.wrapping_mul(3) ^ 0xfeed_f00d)
    }

    pub(crate) fn member_hash(&self, guild: u32, member: u32) -> u64 {
        mix(self.seed ^ (u64::from(guild) << 32) ^ u64::from(member) ^ 0x00c0_ffee)
    }

    /// A username; it needs no escaping.
    pub(crate) fn username(&self, person: u64) -> String {
        let (adjective, noun, number) = self.username_parts(person);
        format!("{adjective}_{noun}{number}")
    }

    pub(crate) fn username_parts(&self, person: u64) -> (&'static str, &'static str, u64) {
        let hash = self.person_hash(person);
        (
            names::ADJECTIVES[at_most(hash, names::ADJECTIVES.len())],
            names::NOUNS[at_most(hash >> 8, names::NOUNS.len())],
            person,
        )
    }

    /// A display name, escaped for JSON, where the person has one.
    pub(crate) fn display_name(&self, person: u64) -> Option<&'static str> {
        let hash = self.person_hash(person) >> 16;
        (hash % 10 < 7).then(|| names::DISPLAY_NAMES[at_most(hash >> 8, names::DISPLAY_NAMES.len())])
    }

    /// A nickname, escaped for JSON, where the member has one.
    pub(crate) fn nick(&self, guild: u32, member: u32) -> Option<&'static str> {
        let hash = self.member_hash(guild, member) >> 16;
        (hash % 10 < 2).then(|| names::DISPLAY_NAMES[at_most(hash >> 8, names::DISPLAY_NAMES.len())])
    }

    /// The roles that a member has from the beginning, as indexes into the guild's roles.
    pub(crate) fn role_indexes(&self, guild: u32, member: u32) -> impl Iterator<Item = usize> {
        let hash = self.member_hash(guild, member) >> 24;
        let roles = self.guild_at(guild).roles.len();
        // Talkative members of large servers collect roles; the mean is about five.
        let wanted = usize::try_from(hash % 11).unwrap_or(0);
        // Neither everybody's role nor the administrators'.
        let first = 2 + at_most(hash >> 4, roles.div_ceil(3));
        (first..roles).take(wanted)
    }
}

fn guild_name(hash: u64) -> String {
    let adjective = names::ADJECTIVES[at_most(hash >> 12, names::ADJECTIVES.len())];
    let noun = names::NOUNS[at_most(hash >> 24, names::NOUNS.len())];
    let mut name = format!("The {adjective} {noun}s");
    if hash.is_multiple_of(5) {
        name.push_str(" ✦");
    }
    name
}

fn at_most(hash: u64, len: usize) -> usize {
    usize::try_from(hash % (len.max(1) as u64)).unwrap_or(0)
}

/// A message's text, escaped for JSON: mostly short, sometimes long.
fn text(hash: u64) -> String {
    let words = match hash % 16 {
        0..8 => 3 + hash / 16 % 8,
        8..13 => 10 + hash / 16 % 25,
        13..15 => 30 + hash / 16 % 60,
        _ => 90 + hash / 16 % 150,
    };
    let mut text = String::new();
    for at in 0..words {
        let hash = mix(hash ^ (at + 1));
        if at > 0 {
            text.push(' ');
        }
        text.push_str(names::WORDS[at_most(hash, names::WORDS.len())]);
        if (hash >> 32).is_multiple_of(9) {
            text.push_str(names::SPICE[at_most(hash >> 40, names::SPICE.len())]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(shards: u32) -> World {
        World::new(&SimulatorConfig {
            shards,
            guilds: 50,
            members: 5_000,
            ..SimulatorConfig::default()
        })
    }

    #[test]
    fn ids_are_safe_snowflakes_and_lead_back() {
        let world = world(4);
        for (index, guild) in (0_u32..).zip(world.guilds()) {
            assert!(guild.id > 1 << 53);
            for member in 0..guild.member_count {
                let id = world.user_id(world.person_of(index, member));
                assert!((100_000_000_000_000_000..1_000_000_000_000_000_000).contains(&id));
                assert_eq!(world.member_index(index, id), Some(member));
            }
            assert_eq!(world.member_index(index, world.bot_id()), None);
        }
    }

    #[test]
    fn every_shard_has_guilds_and_all_members_are_placed() {
        let world = world(16);
        let shards: std::collections::BTreeSet<u64> =
            world.guilds().iter().map(|guild| (guild.id >> 22) % 16).collect();
        assert_eq!(shards.len(), 16);
        let placed: u32 = world.guilds().iter().map(Guild::member_count).sum();
        assert!(placed >= 5_000);
        let ids: std::collections::BTreeSet<u64> = world
            .guilds()
            .iter()
            .flat_map(|guild| guild.channels.iter().map(|channel| channel.id))
            .collect();
        assert_eq!(ids.len(), world.channel_index.len());
    }

    #[test]
    fn texts_are_valid_json_strings() {
        for text in &world(1).texts {
            let parsed: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert!(parsed.chars().count() <= 2_000);
        }
    }
}

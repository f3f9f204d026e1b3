//! Identifiers and times: the only place that converts between Discord's snowflakes, PostgreSQL's `BIGINT` and timestamps.
//!
//! A snowflake is an unsigned 64-bit number whose upper bit stays 0 until the year 2084, so the cast keeps the order:
//! <https://discord.com/developers/docs/reference#snowflakes>.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

/// Milliseconds from the Unix epoch to Discord's, the first second of 2015.
const DISCORD_EPOCH_MS: i64 = 1_420_070_400_000;

/// Milliseconds since the Unix epoch.
pub type Millis = i64;

/// A member of a guild, ordered like the primary key of `member_xp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberKey {
    /// The guild.
    pub guild_id: Id<GuildMarker>,
    /// The user.
    pub user_id: Id<UserMarker>,
}

/// A shard and the total number of shards.
///
/// <https://discord.com/developers/docs/events/gateway#sharding>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardKey {
    /// The total number of shards.
    pub count: u32,
    /// This shard, from 0.
    pub id: u32,
}

impl ShardKey {
    /// Whether it receives a guild's events: <https://docs.discord.com/developers/events/gateway#sharding>.
    pub fn receives(self, guild_id: Id<GuildMarker>) -> bool {
        (guild_id.get() >> 22) % u64::from(self.count) == u64::from(self.id)
    }
}

impl fmt::Display for ShardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.id, self.count)
    }
}

/// A snowflake as `BIGINT`.
pub const fn to_db<T>(id: Id<T>) -> i64 {
    id.get().cast_signed()
}

/// A `BIGINT` as snowflake; `None` for 0, which is not a snowflake.
pub const fn from_db<T>(value: i64) -> Option<Id<T>> {
    Id::new_checked(value.cast_unsigned())
}

/// A time in milliseconds since the Unix epoch; 0 for earlier times.
pub fn to_millis(time: SystemTime) -> Millis {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// The inverse of [`to_millis`]. Times before 1970 do not occur: Discord's snowflakes begin in 2015.
pub fn to_time(millis: Millis) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis.max(0).cast_unsigned())
}

/// When the object with this ID was created, in milliseconds since the Unix epoch.
pub const fn millis<T>(id: Id<T>) -> Millis {
    (id.get() >> 22).cast_signed() + DISCORD_EPOCH_MS
}

/// The lowest ID of an object created at this time, in milliseconds since the Unix epoch; `None` for times before Discord.
pub const fn at_millis<T>(at: Millis) -> Option<Id<T>> {
    if at <= DISCORD_EPOCH_MS {
        return None;
    }
    Id::new_checked((at - DISCORD_EPOCH_MS).cast_unsigned() << 22)
}

/// A number in the form of an ID of this time, for what Discord does not number. Its lower 22 bits are random.
pub fn made_at<T>(at: SystemTime) -> Id<T> {
    let since = (to_millis(at) - DISCORD_EPOCH_MS).max(1).cast_unsigned();
    Id::new(since << 22 | u64::from(fastrand::u32(..1 << 22)))
}

/// The lowest ID has 17 digits. A number with fewer is a mistake, such as a level in place of a role.
const LEAST_ID: u64 = 10_000_000_000_000_000;

/// Parse an ID as people write it: digits. Above 2^63, which Discord reaches in 2084, it would be negative as a `BIGINT`.
pub fn written<T>(text: &str) -> Option<Id<T>> {
    let number = text.parse().ok()?;
    (LEAST_ID..=i64::MAX.cast_unsigned())
        .contains(&number)
        .then(|| Id::new_checked(number))?
}

#[cfg(test)]
mod tests;

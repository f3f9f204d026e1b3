//! The one list of what features keep of events until a flush writes it.
//!
//! Ledger and writer pass changes on to every part of the list, and know no feature. The parts are written in the order of the list, which
//! is the order in which rows are locked (docs/invariants.md).

use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{Id, marker::GuildMarker},
};

use crate::{
    discord::{
        events::{member_news::Coming, message_create::Unreadable},
        guilds::Guilds,
    },
    features::{
        levels::{members::Members, policy::XpPolicy},
        moderation::{by_hand::Entries, rejoins::Rejoins},
        privacy::guild_changes::GuildChanges,
        statistics::counts::Counts,
        welcome::moves::Moves,
    },
    flush::{self, Batch as _, Flush, Kept, Part as _, Pending as _, SetAside, Written as _},
    pipeline::{reactions::Reactions, rows::shard_checkpoint::Advanced},
    postgres::{Store, StoreError},
    support::ids::MemberKey,
};

/// Generate the types that contain all parts.
macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident: $pending:ty,)+) => {
        /// The changes of one shard that are not in a batch yet.
        #[derive(Debug)]
        pub struct Pending {
            $($(#[$doc])* pub $name: $pending,)+
        }

        /// The changes that one flush takes out of one shard.
        #[derive(Clone, Debug, Default)]
        pub struct Batch {
            $($(#[$doc])* pub $name: BatchOf<$pending>,)+
        }

        /// What the transaction of a batch finds out for its shard.
        #[derive(Clone, Debug, Default)]
        pub struct Learned {
            $($(#[$doc])* pub $name: Vec<flush::Learned<$pending>>,)+
        }

        /// The changes of a transaction. They can be divided, and each division can be written without the others.
        #[derive(Clone, Default)]
        pub(super) struct Parts<'a> {
            $($name: <BatchOf<$pending> as flush::Batch>::Part<'a>,)+
        }

        /// What writing them resulted in.
        #[derive(Debug, Default)]
        pub(super) struct Written {
            $($name: <BatchOf<$pending> as flush::Batch>::Written,)+
        }

        impl Pending {
            pub(super) fn on_member(&mut self, coming: &Coming) -> usize {
                let mut grown = 0;
                $(grown += self.$name.on_member(coming);)+
                grown
            }

            /// The events that the parts read, with the intents for them.
            pub(super) fn events() -> Vec<(EventType, Intents)> {
                [$(<$pending as flush::Pending>::events()),+].concat()
            }

            pub(super) fn on_event(&mut self, event_type: &str, text: &str) -> Result<usize, Unreadable> {
                let mut grown = 0;
                $(grown += self.$name.on_event(event_type, text)?;)+
                Ok(grown)
            }

            pub(super) fn on_guild(&mut self, guild_id: Id<GuildMarker>, is_there: bool) -> usize {
                let mut grown = 0;
                $(grown += self.$name.on_guild(guild_id, is_there);)+
                grown
            }

            pub(super) fn changes(&self) -> usize {
                let mut changes = 0;
                $(changes += flush::Pending::changes(&self.$name);)+
                changes
            }

            pub(super) fn concerns(&self, key: &MemberKey) -> bool {
                $(if self.$name.concerns(key) {
                    return true;
                })+
                false
            }

            pub(super) fn take(&mut self) -> Batch {
                Batch { $($name: self.$name.take(),)+ }
            }

            pub(super) fn settle(&mut self, learned: Learned) -> usize {
                let mut freed = 0;
                $(freed += self.$name.settle(learned.$name);)+
                freed
            }

            pub(super) fn forget(&mut self) {
                $(self.$name.forget();)+
            }
        }

        impl Batch {
            /// The kinds of changes in quarantine.
            pub(super) const KINDS: &[&[&str]] = &[$(<BatchOf<$pending> as flush::Batch>::KINDS),+];

            /// The number of changes.
            pub fn changes(&self) -> usize {
                let mut changes = 0;
                $(changes += flush::Batch::changes(&self.$name);)+
                changes
            }

            pub(super) fn is_open(&self) -> bool {
                $(if self.$name.is_open() {
                    return true;
                })+
                false
            }

            pub(super) async fn resolve(&mut self, store: &Store) -> Result<(), StoreError> {
                $(self.$name.resolve(store).await?;)+
                Ok(())
            }

            /// Read a change out of quarantine. `None` if this version does not know its kind or cannot read it.
            pub(super) fn read(kept: &Kept) -> Option<Self> {
                $(if let Some($name) = BatchOf::<$pending>::read(kept) {
                    return Some(Self { $name, ..Self::default() });
                })+
                None
            }
        }

        impl<'a> Parts<'a> {
            fn add(&mut self, index: usize, batch: &'a Batch) {
                $(batch.$name.add_to(index, &mut self.$name);)+
            }

            fn sort(&mut self) {
                $(self.$name.sort();)+
            }

            pub(super) fn changes(&self) -> usize {
                let mut changes = 0;
                $(changes += flush::Part::changes(&self.$name);)+
                changes
            }

            /// Two halves, the first of which must be written first.
            pub(super) fn halves(mut self) -> (Self, Self) {
                let mut rest = self.changes() / 2;
                let second = Self { $($name: self.$name.split(&mut rest),)+ };
                (self, second)
            }

            /// The changes as data, for the quarantine.
            pub(super) fn set_aside(&self) -> Vec<SetAside> {
                let mut changes = Vec::new();
                $(changes.extend(self.$name.set_aside());)+
                changes
            }

            pub(super) async fn write(self, flush: &mut Flush<'_, '_>) -> Result<Written, StoreError> {
                Ok(Written { $($name: self.$name.write(flush).await?,)+ })
            }
        }

        impl Written {
            pub(super) fn and(&mut self, later: Self) {
                $(self.$name.and(later.$name);)+
            }

            /// The transaction is committed. Returns what each shard of these batches has to know.
            pub(super) fn committed(self, store: &Store, batches: usize) -> Vec<Learned> {
                let mut learned = vec![Learned::default(); batches];
                $(for (index, found) in self.$name.committed(store) {
                    learned[index].$name.push(found);
                })+
                learned
            }
        }
    };
}

parts! {
    /// Guilds that removed the bot or have it again: `guild_departed`.
    guilds: GuildChanges,
    /// Members who come and leave: `member_arrival`.
    moves: Moves,
    /// Members who send messages: `erased`, `member_xp`.
    members: Members,
    /// Moderation without the bot's commands: `mod_guild`, `mod_case`.
    by_hand: Entries,
    /// Members who come back, and their cases: `mod_case`.
    rejoins: Rejoins,
    /// What happens by the hour: `statistic`.
    statistics: Counts,
    /// What follows from other events.
    reactions: Reactions,
}

impl Pending {
    /// No changes. The last awards of about `cache_entries` members are cached; `guilds` knows the bot's own ID.
    pub fn new(cache_entries: usize, policy: XpPolicy, guilds: Option<Guilds>) -> Self {
        Self {
            guilds: GuildChanges::default(),
            moves: Moves::default(),
            statistics: Counts::new(policy.settings().clone()),
            members: Members::new(cache_entries, policy),
            by_hand: Entries::new(guilds),
            rejoins: Rejoins::default(),
            reactions: Reactions::default(),
        }
    }
}

/// The batch of a part.
type BatchOf<P> = <P as flush::Pending>::Batch;

impl<'a> Parts<'a> {
    /// The changes of the batches whose checkpoints have moved.
    pub(super) fn of(batches: impl Iterator<Item = &'a Batch>, advanced: &[Advanced]) -> Self {
        let mut parts = Self::default();
        for (index, batch) in batches.enumerate() {
            if advanced[index] == Advanced::Now {
                parts.add(index, batch);
            }
        }
        parts.sort();
        parts
    }

    /// The changes of one batch.
    pub(super) fn of_one(batch: &'a Batch) -> Self {
        Self::of(std::iter::once(batch), &[Advanced::Now])
    }
}

//! The bot does nothing for members that Discord would not let them do themselves: every command, by members with every permission and
//! rank.

use std::collections::BTreeSet;

use discord_simulator::{InteractionRequest, InteractionState};
use eventide::postgres::Store;
use serde_json::Value;

use super::asked::{Leaf, Roles, answered, given, leaves};
use crate::support::{
    asking::{Here, here_in},
    effects::delivered,
    session::Session,
    until,
};

const KICK: u64 = 1 << 1;
const BAN: u64 = 1 << 2;
const ADMINISTRATOR: u64 = 1 << 3;
const MANAGE_SERVER: u64 = 1 << 5;
const MANAGE_NICKNAMES: u64 = 1 << 27;
const MANAGE_ROLES: u64 = 1 << 28;
const TIME_OUT: u64 = 1 << 40;

/// The permissions that matter, without `ADMINISTRATOR`, which is all of them.
const EVERYTHING: u64 = MANAGE_SERVER | MANAGE_NICKNAMES | MANAGE_ROLES | TIME_OUT | KICK | BAN;

/// The positions of the actors' roles, below and above that of their targets.
const BELOW: u32 = 5;
const ABOVE: u32 = 20;
/// The position of the targets' role. It is also the role given to commands.
const RANK: u32 = 10;
const PRIZE_RANK: u32 = 11;

/// Points that lead to a ban, fewer than the points that are given.
const BAN_AT: i64 = 50;
const POINTS: i64 = 99;

/// Enough acting members and targets that no rate limit is reached.
const RING: u32 = 100;

#[derive(Clone, Copy, Debug)]
struct Actor {
    permissions: u64,
    rank: u32,
    role: u64,
}

/// The consequence of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Led {
    Reward,
    BanThreshold,
    KickThreshold,
    TimeoutThreshold,
    /// XP, or rules for earning it, if a level gives the reward.
    Xp,
    Prize,
    Ban,
    /// The member was removed, and not banned.
    Removal,
    Timeout,
    /// The role of the member who is acted on is taken.
    Role,
    Nick,
}

impl Led {
    const ALL: [Self; 11] = [
        Self::Reward,
        Self::BanThreshold,
        Self::KickThreshold,
        Self::TimeoutThreshold,
        Self::Xp,
        Self::Prize,
        Self::Ban,
        Self::Removal,
        Self::Timeout,
        Self::Role,
        Self::Nick,
    ];

    /// Whether Discord would let the member do it.
    const fn may(self, actor: Actor) -> bool {
        let (permission, below) = match self {
            Self::Reward | Self::Role => (MANAGE_ROLES, RANK),
            Self::Nick => (MANAGE_NICKNAMES, RANK),
            Self::Xp | Self::Prize => (MANAGE_ROLES, PRIZE_RANK),
            Self::BanThreshold => (BAN, 0),
            Self::KickThreshold => (KICK, 0),
            Self::TimeoutThreshold => (TIME_OUT, 0),
            Self::Ban => (BAN, RANK),
            Self::Removal => (KICK, RANK),
            Self::Timeout => (TIME_OUT, RANK),
        };
        actor.permissions & permission != 0 && actor.rank > below
    }
}

/// The state before and after a command.
#[expect(clippy::struct_excessive_bools, reason = "facts that are compared")]
#[derive(Debug, PartialEq, Eq)]
struct State {
    rewards: i64,
    thresholds: BTreeSet<String>,
    xp_rules: String,
    xp: i64,
    has_prize: bool,
    is_banned: bool,
    has_left: bool,
    is_in_timeout: bool,
    has_role: bool,
    nick: Option<String>,
}

struct Matrix {
    here: Here,
    session: Session,
    store: Store,
    roles: Roles,
    prize: u64,
    next: u32,
}

impl Matrix {
    async fn new() -> Self {
        let here = here_in(1, 2 * RING + 20, |_| {}).await;
        let session = Session::open(&here.scene.postgres.connection().into()).await;
        let store = here.scene.store();
        let control = here.discord.control();
        let guild = here.guild();
        let roles = Roles {
            low: control.create_role(guild, "acted on", RANK).expect("a role"),
        };
        let prize = control.create_role(guild, "prize", PRIZE_RANK).expect("a role");
        assert!(control.set_bot_permissions(guild, ADMINISTRATOR) && control.set_bot_position(guild, 50));
        let matrix = Self {
            here,
            session,
            store,
            roles,
            prize,
            next: 0,
        };
        matrix.restore().await;
        matrix
    }

    /// A prize at level 1, a ban at one point, and nothing else.
    async fn restore(&self) {
        let (guild, prize) = (self.here.guild(), self.prize);
        self.session
            .execute(&format!(
                "DELETE FROM level_role WHERE role_id <> {prize};
                 INSERT INTO level_role (guild_id, role_id, level) VALUES ({guild}, {prize}, 1) ON CONFLICT DO NOTHING;
                 DELETE FROM warning_threshold;
                 INSERT INTO warning_threshold (guild_id, points, action) VALUES ({guild}, {BAN_AT}, 'ban');
                 DELETE FROM xp_multiplier; DELETE FROM xp_boost; DELETE FROM guild_settings;
                 UPDATE member_xp SET xp = 0;"
            ))
            .await;
        until("the bot knows", async || {
            let settings = self
                .here
                .bot
                .settings
                .of(&self.store, twilight_model::id::Id::new(guild))
                .await
                .ok()?;
            (settings.rewards.roles().len() == 1).then_some(())
        })
        .await;
    }

    async fn state(&self, target: u64) -> State {
        let number =
            async |sql: &str| -> i64 { self.session.client.query_one(sql, &[]).await.expect(sql).get(0) };
        let rules = "SELECT coalesce((SELECT string_agg(concat_ws(',', xp_min, xp_max, cooldown_seconds, role_mode, curve, curve_factors,
                         nullif(rewards, 'stack')), ';') FROM guild_settings), '')
                     || coalesce((SELECT string_agg(m::text, ';' ORDER BY m) FROM xp_multiplier AS m), '')
                     || coalesce((SELECT string_agg(b::text, ';' ORDER BY b) FROM xp_boost AS b), '')";
        let thresholds = self
            .session
            .client
            .query(
                &format!("SELECT action || points FROM warning_threshold WHERE points <> {BAN_AT}"),
                &[],
            )
            .await
            .expect("read");
        let control = self.here.discord.control();
        let held = control.member_roles(self.here.guild(), target);
        State {
            rewards: number("SELECT count(*) FROM level_role").await,
            thresholds: thresholds.iter().map(|row| row.get(0)).collect(),
            xp_rules: self
                .session
                .client
                .query_one(rules, &[])
                .await
                .expect(rules)
                .get(0),
            xp: number("SELECT coalesce(sum(xp), 0)::int8 FROM member_xp").await,
            has_prize: held.as_ref().is_some_and(|roles| roles.contains(&self.prize)),
            has_role: held.is_some_and(|roles| roles.contains(&self.roles.low)),
            nick: control.nick_of(self.here.guild(), target),
            is_banned: control.is_banned(self.here.guild(), target),
            has_left: control.has_left(self.here.guild(), target) == Some(true),
            is_in_timeout: control.timeout_of(self.here.guild(), target).is_some(),
        }
    }

    /// Let a member use a command on another one, and determine its consequence.
    async fn run(
        &mut self,
        leaf: &Leaf,
        actor: Actor,
        kind: Option<u64>,
    ) -> (BTreeSet<Led>, InteractionState) {
        let (guild, control) = (self.here.guild(), self.here.discord.control());
        let user = self.here.member(10 + self.next % RING);
        let target = loop {
            self.next += 1;
            let target = self.here.member(10 + RING + self.next % RING);
            if control.has_left(guild, target) == Some(false) {
                break target;
            }
        };
        assert!(control.set_member_roles(guild, target, &[self.roles.low]));
        let chosen = leaf.all().filter(|option| match kind {
            None => true,
            Some(kind) => option["required"] == true || option["type"] == kind,
        });
        let options: Vec<Value> = chosen
            .map(|option| {
                let mut given = given(&self.here, self.roles, option);
                match option["type"].as_u64() {
                    Some(6) => given["value"] = target.to_string().into(),
                    // More points than a ban takes, and more XP than the prize.
                    Some(4) if option["name"] == "points" => given["value"] = POINTS.into(),
                    Some(4) if option["name"] == "amount" => given["value"] = 1_000.into(),
                    _ => {}
                }
                given
            })
            .collect();
        let mut request: InteractionRequest = leaf.ask(&self.here, options);
        // Only now, because a member who would have used it was given a manager's role, and it can be the same member.
        assert!(control.set_member_roles(guild, user, &[actor.role]));
        request.user_id = user;
        request.member_permissions = Some(actor.permissions.to_string());
        self.session
            .execute("DELETE FROM warning; DELETE FROM mod_case; DELETE FROM member_warnings")
            .await;
        let before = self.state(target).await;
        let state = answered(&self.here, &request).await;
        // Work that continues after the reply says so until its end: an edit may only tell how far it is.
        let goes_on = |state: &InteractionState| {
            state.reply().is_some_and(|reply| {
                let text = reply["content"].as_str().unwrap_or_default();
                text.ends_with('…')
            })
        };
        if goes_on(&state) {
            let ended = |state: &InteractionState| !goes_on(state);
            control
                .wait_interaction(state.id, ended, crate::support::PATIENCE)
                .await
                .expect("it ends");
        }
        delivered(&self.store).await;
        let after = self.state(target).await;
        let mut led = BTreeSet::new();
        let mut add = |what, is_so: bool| {
            if is_so {
                led.insert(what);
            }
        };
        let new: BTreeSet<_> = after.thresholds.difference(&before.thresholds).collect();
        let has = |action: &str| new.iter().any(|threshold| threshold.starts_with(action));
        add(Led::Reward, after.rewards > before.rewards);
        add(Led::BanThreshold, has("ban"));
        add(Led::KickThreshold, has("kick"));
        add(Led::TimeoutThreshold, has("timeout"));
        add(Led::Xp, after.xp > before.xp || after.xp_rules != before.xp_rules);
        add(Led::Prize, after.has_prize && !before.has_prize);
        add(Led::Ban, after.is_banned && !before.is_banned);
        add(
            Led::Removal,
            after.has_left && !before.has_left && !after.is_banned,
        );
        add(Led::Timeout, after.is_in_timeout && !before.is_in_timeout);
        add(Led::Role, before.has_role && !after.has_role);
        add(Led::Nick, before.nick != after.nick);
        if before != after {
            self.restore().await;
        }
        (led, state)
    }

    fn actors(&self, rank: u32) -> Vec<Actor> {
        let sets = [
            0,
            TIME_OUT,
            MANAGE_SERVER,
            MANAGE_SERVER | TIME_OUT | KICK,
            MANAGE_SERVER | MANAGE_ROLES,
            EVERYTHING,
        ];
        let (guild, control) = (self.here.guild(), self.here.discord.control());
        sets.into_iter()
            .map(|permissions| {
                let role = control.create_role(guild, "actors", rank).expect("a role");
                assert!(control.set_role_permissions(guild, role, permissions));
                Actor {
                    permissions,
                    rank,
                    role,
                }
            })
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_below_cause_nothing_that_they_could_not_do_themselves() {
    nobody_causes_what_they_could_not_do_themselves(BELOW).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_above_cause_nothing_that_they_could_not_do_themselves() {
    nobody_causes_what_they_could_not_do_themselves(ABOVE).await;
}

/// The commands are those that are registered, so a new one is tested as well.
async fn nobody_causes_what_they_could_not_do_themselves(rank: u32) {
    let mut matrix = Box::pin(Matrix::new()).await;
    let mut seen = BTreeSet::new();
    let leaves = leaves(&matrix.here);
    for actor in matrix.actors(rank) {
        for leaf in &leaves {
            // With everything, and about a member or a role alone.
            let kinds = [None, Some(6), Some(8)];
            let has = |kind: &Option<u64>| {
                kind.is_none_or(|kind| leaf.options.iter().any(|option| option["type"] == kind))
            };
            for kind in kinds.into_iter().filter(has) {
                let mut leaf = leaf.clone();
                for action in actions_of(&leaf) {
                    if let Some(action) = &action {
                        only_choice(&mut leaf, action);
                    }
                    let (led, state) = matrix.run(&leaf, actor, kind).await;
                    let beyond: Vec<_> = led.iter().filter(|led| !led.may(actor)).collect();
                    assert!(beyond.is_empty(), "{beyond:?} by {actor:?}: {leaf:?}, {state:?}");
                    seen.extend(led);
                }
            }
        }
    }
    // Otherwise this could not notice anything.
    let anyone = Actor {
        permissions: EVERYTHING,
        rank,
        role: 0,
    };
    let possible = Led::ALL.into_iter().filter(|led| led.may(anyone));
    assert_eq!(seen, possible.collect(), "those who may, do");
    matrix.session.close().await;
    matrix.store.close();
    matrix.here.end().await;
}

/// The choices of an option `action`, each of which is tried, or else no choice.
fn actions_of(leaf: &Leaf) -> Vec<Option<Value>> {
    let action = leaf.options.iter().find(|option| option["name"] == "action");
    let choices = action.and_then(|action| action["choices"].as_array());
    choices.map_or_else(
        || vec![None],
        |choices| {
            choices
                .iter()
                .map(|choice| Some(choice["value"].clone()))
                .collect()
        },
    )
}

/// Restrict the option `action` to one choice, and remove a duration that it does not allow.
fn only_choice(leaf: &mut Leaf, action: &Value) {
    for option in &mut leaf.options {
        if option["name"] == "action" {
            option["choices"] = serde_json::json!([{"name": action, "value": action}]);
        }
    }
    if action != "timeout" {
        leaf.options.retain(|option| option["name"] != "duration");
    }
}

//! Roles given for levels: they follow changes of XP, returning members, and changes of roles.

use discord_simulator::Control;
use eventide::postgres::Statement;
use serde_json::{Value, json};

use crate::support::{
    asking::{Here, here, here_with, text},
    until,
};

fn option(kind: u64, name: &str, value: impl Into<Value>) -> Value {
    json!({"name": name, "type": kind, "value": value.into()})
}

fn member(user: u64) -> (Value, Value) {
    let id = user.to_string();
    let users = json!({"users": {id.clone(): {"id": id.clone(), "username": "somebody"}}});
    (option(6, "member", id), users)
}

/// A server in which the levels 1, 2 and 3, at 50, 100 and 150 XP, give roles.
struct Server {
    here: Here,
    roles: [u64; 3],
}

impl Server {
    async fn new(here: Here) -> Self {
        let control = here.discord.control();
        let roles = [1_u32, 2, 3].map(|level| {
            let role = control.create_role(here.guild(), &format!("level {level}"), level);
            role.expect("a role")
        });
        let server = Self { here, roles };
        let curve = json!([option(3, "kind", "linear"), option(10, "step", 50.0)]);
        server.levels("curve", curve).await;
        for (level, role) in (1..).zip(roles) {
            let said = server.reward(level, role).await;
            assert!(said.contains(&format!("Level {level} now gives")), "{said}");
        }
        server
    }

    fn control(&self) -> Control {
        self.here.discord.control()
    }

    async fn levels(&self, path: &str, options: Value) -> String {
        self.here.manage("levels", path, options, json!({})).await
    }

    async fn reward(&self, level: u64, role: u64) -> String {
        let id = role.to_string();
        let resolved = json!({"roles": {id.clone(): {"id": id.clone(), "name": "a role"}}});
        let options = json!([option(4, "level", level), option(8, "role", id)]);
        self.here.manage("levels", "reward add", options, resolved).await
    }

    async fn demotion(&self, when: &str) {
        self.levels("reward demotion", json!([option(3, "remove", when)]))
            .await;
    }

    async fn xp(&self, path: &str, user: u64, amount: u64) {
        let (member, users) = member(user);
        let options = json!([option(4, "amount", amount), member]);
        let said = self.here.manage("xp", path, options, users).await;
        assert!(said.contains("now"), "{said}");
    }

    /// By the owner, who may give XP for any role.
    async fn given_by_the_owner(&self, user: u64, amount: u64) {
        let (member, users) = member(user);
        let options = json!([option(4, "amount", amount), member]);
        let asked = self.here.managing("xp", "give", options, users);
        assert!(text(&self.here.ask(&asked).await).contains("now"));
    }

    /// The levels whose roles a member has.
    fn of(&self, user: u64) -> Vec<usize> {
        let has = self.control().member_roles(self.here.guild(), user);
        let has = has.unwrap_or_default();
        (1..)
            .zip(self.roles)
            .filter(|(_, role)| has.contains(role))
            .map(|(level, _)| level)
            .collect()
    }

    async fn has(&self, user: u64, levels: &[usize]) {
        until("the member has the roles", async || {
            (self.of(user) == levels).then_some(())
        })
        .await;
    }

    /// Wait until there are no pending effects.
    async fn settled(&self) {
        let waiting = Statement::new("test", &[], "SELECT count(*) FROM outbox WHERE failed_at IS NULL");
        let store = self.here.scene.store();
        until("nothing waits", async || {
            let rows = store.query(waiting, &[]).await.ok()?;
            (rows[0].get::<_, i64>(0) == 0).then_some(())
        })
        .await;
        store.close();
    }

    async fn reset(&self) {
        let (user, guild) = (self.here.next_member(), self.here.guild());
        let mut asked = self.here.managing("levels", "reset", json!([]), json!({}));
        asked.user_id = user;
        let state = self.here.ask(&asked).await;
        let message = state.original.expect("a message");
        let yes = format!("levels:reset:{user}");
        let mut press = discord_simulator::InteractionRequest::component(guild, user, &yes, &[], message);
        press.member_permissions = Some("8".to_owned());
        let before = self.changes().await;
        self.here.ask(&press).await;
        self.is_done(before).await;
    }

    async fn undo(&self) {
        let before = self.changes().await;
        self.levels("undo", json!([])).await;
        self.is_done(before).await;
    }

    /// Wait until one more change of XP than `before` is done.
    async fn is_done(&self, before: i64) {
        until("the change is done", async || {
            (self.changes().await > before).then_some(())
        })
        .await;
    }

    /// Changes of XP that are done; none while one is under way.
    async fn changes(&self) -> i64 {
        let changes = Statement::new(
            "test",
            &[],
            "SELECT count(*) FROM request WHERE members > 0 AND NOT EXISTS (SELECT FROM mass_change)",
        );
        let store = self.here.scene.store();
        let rows = store.query(changes, &[]).await.expect("read");
        store.close();
        rows[0].get(0)
    }

    /// The final message of a sync.
    async fn sync(&self, options: Value, end: &str) -> String {
        // By the owner.
        let sync = self.here.managing("levels", "reward sync", options, json!({}));
        let state = self.here.ask(&sync).await;
        if text(&state).contains(end) {
            return text(&state);
        }
        until("the sync has ended", async || {
            let state = self.control().interaction(state.id)?;
            let mut edits = state.edits.iter().filter_map(|edit| edit["content"].as_str());
            edits.find(|said| said.contains(end)).map(str::to_owned)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_follow_when_xp_is_taken_reset_and_taken_back() {
    let server = Server::new(here().await).await;
    let (user, by_hand) = (server.here.member(1), server.here.member(2));
    let guild = server.here.guild();
    server.xp("give", user, 160).await;
    server.has(user, &[1, 2, 3]).await;
    // Roles given by hand are never removed.
    assert!(
        server
            .control()
            .set_member_roles(guild, by_hand, &[server.roles[2]])
    );
    server.xp("give", by_hand, 60).await;
    server.has(by_hand, &[1, 3]).await;

    // As it is from the beginning: an undo takes them, and nothing else does.
    server.xp("take", user, 100).await;
    server.settled().await;
    assert_eq!(server.of(user), [1, 2, 3], "kept");
    server.undo().await;
    server.xp("give", user, 50).await;
    server.settled().await;
    server.undo().await;
    server.settled().await;
    assert_eq!(server.of(user), [1, 2, 3], "160 XP again");

    server.demotion("always").await;
    server.xp("take", user, 100).await;
    server.has(user, &[1]).await;
    server.undo().await;
    server.has(user, &[1, 2, 3]).await;
    server.reset().await;
    server.has(user, &[]).await;
    server.has(by_hand, &[3]).await;
    server.undo().await;
    server.has(user, &[1, 2, 3]).await;
    server.has(by_hand, &[1, 3]).await;

    server.demotion("never").await;
    server.reset().await;
    server.settled().await;
    assert_eq!(server.of(user), [1, 2, 3]);

    // With one role alone, no setting is needed.
    server.undo().await;
    server
        .levels("reward mode", json!([option(3, "keep", "replace")]))
        .await;
    server.sync(json!([]), "Done:").await;
    server.has(user, &[3]).await;
    server.xp("take", user, 100).await;
    server.has(user, &[1]).await;
    server.here.end().await;
}

/// By default, an undo removes the roles that the undone change has given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_takes_what_was_given_by_mistake() {
    let server = Server::new(here().await).await;
    let user = server.here.member(1);
    server.xp("give", user, 60).await;
    server.xp("give", user, 100).await;
    server.has(user, &[1, 2, 3]).await;
    server.undo().await;
    server.has(user, &[1]).await;

    // A sync gives missing roles, and only removes surplus ones on request.
    server.xp("give", user, 100).await;
    server.has(user, &[1, 2, 3]).await;
    server.xp("take", user, 60).await;
    server.settled().await;
    let (guild, control) = (server.here.guild(), server.control());
    assert!(control.set_member_roles(guild, user, &[server.roles[0], server.roles[2]]));
    let said = server.sync(json!([option(5, "dry-run", true)]), "would be").await;
    assert!(said.contains("One member would be checked"), "{said}");
    server.settled().await;
    assert_eq!(server.of(user), [1, 3], "nothing was changed");
    let said = server.sync(json!([]), "Done:").await;
    assert!(said.contains("one member has"), "{said}");
    assert_eq!(server.of(user), [1, 2, 3]);
    server.sync(json!([option(5, "take", true)]), "Done:").await;
    assert_eq!(server.of(user), [1, 2]);
    server.here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_who_come_back_have_their_roles_again() {
    let server = Server::new(here_with(|config| config.discord.member_events = true).await).await;
    let (user, guild, control) = (server.here.member(1), server.here.guild(), server.control());
    server.xp("give", user, 110).await;
    server.has(user, &[1, 2]).await;
    let leave_and_return = || {
        assert!(control.set_member_left(guild, user, true));
        assert!(control.set_member_roles(guild, user, &[]));
        assert!(control.set_member_left(guild, user, false));
    };
    leave_and_return();
    server.has(user, &[1, 2]).await;
    server
        .levels("reward rejoin", json!([option(5, "give", false)]))
        .await;
    leave_and_return();
    // The other member's roles are delivered after those that this one would have received.
    server.xp("give", server.here.member(2), 60).await;
    server.has(server.here.member(2), &[1]).await;
    server.settled().await;
    assert_eq!(server.of(user), [0_usize; 0]);
    server.xp("give", user, 50).await;
    server.has(user, &[1, 2, 3]).await;
    server.here.end().await;
}

/// A role above the bot's is refused as a reward; one that is moved above it later is named and set aside, and given once that is possible.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_set_aside_comes_when_roles_move() {
    let here = here_with(|config| config.effects.failures_until_off = 1).await;
    let server = Server::new(here).await;
    let (guild, control) = (server.here.guild(), server.control());
    let bot_role = control.bot_role(guild).expect("a role");
    let managed = control.create_role(guild, "an integration's", 1).expect("a role");
    assert!(control.set_role_managed(guild, managed, true));
    for (role, why) in [
        (guild, "Everyone already has this role"),
        (managed, "Only Discord can give it"),
        (bot_role, ""),
    ] {
        let said = server.reward(5, role).await;
        assert!(
            said.contains(why) && !said.contains("now gives"),
            "{role}: {said}"
        );
    }
    assert!(control.set_role_position(guild, server.roles[1], 60));
    let user = server.here.member(1);
    server.given_by_the_owner(user, 160).await;
    server.has(user, &[1, 3]).await;
    let list = async || server.levels("reward list", json!([])).await;
    until("the list names it", async || {
        let trouble = format!(
            "⚠️ <@&{}>: This role is not below my highest role",
            server.roles[1]
        );
        list().await.contains(&trouble).then_some(())
    })
    .await;
    let said = server.sync(json!([]), "waits").await;
    assert!(said.contains("not below my highest role"), "{said}");
    // No retry by hand is needed, because of the event.
    assert!(control.set_role_position(guild, server.roles[1], 2));
    server.has(user, &[1, 2, 3]).await;
    assert!(!list().await.contains("⚠️"));
    server.here.end().await;
}

/// Deleted roles and channels disappear from settings, whether or not the bot received the event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_roles_and_channels_are_in_no_settings() {
    let server = Server::new(here().await).await;
    let (guild, control) = (server.here.guild(), server.control());
    let channels: Vec<u64> = server.here.discord.world().guilds()[0].channels()[1..5]
        .iter()
        .map(|channel| channel.id)
        .collect();
    let store = server.here.scene.store();
    let choose = format!(
        "WITH a AS (INSERT INTO xp_multiplier (guild_id, target_kind, target_id, percent)
                    VALUES ({guild}, 'role', {role}, 200), ({guild}, 'channel', {}, 0), ({guild}, 'channel', {}, 0))
         UPDATE guild_settings SET announce = 'channel', announce_channel_id = {}, log_channel_id = {}",
        channels[0],
        channels[1],
        channels[2],
        channels[3],
        role = server.roles[0],
    );
    let sql: &'static str = choose.leak();
    let choose = Statement::new("test", &[], sql);
    store.query(choose, &[]).await.expect("chosen");
    let named = async || {
        let named = Statement::new(
            "test",
            &[],
            "SELECT target_id FROM xp_multiplier UNION SELECT role_id FROM level_role
                  UNION SELECT announce_channel_id FROM guild_settings WHERE announce_channel_id IS NOT NULL
                  UNION SELECT log_channel_id FROM guild_settings WHERE log_channel_id IS NOT NULL",
        );
        let rows = store.query(named, &[]).await.expect("read");
        let mut named: Vec<u64> = rows
            .iter()
            .map(|row| row.get::<_, i64>(0).cast_unsigned())
            .collect();
        named.sort_unstable();
        named
    };
    let are_left = async |mut left: Vec<u64>| {
        left.sort_unstable();
        until("what is left", async || (named().await == left).then_some(())).await;
    };
    let [first, second, third] = server.roles;
    assert!(control.delete_role(guild, first));
    assert!(control.delete_channel(channels[0]));
    are_left(vec![second, third, channels[1], channels[2], channels[3]]).await;

    // The bot is disconnected, so its events are not received.
    let Server { here, roles } = server;
    let deleted = || {
        assert!(control.delete_role(guild, second));
        assert!(control.delete_channel(channels[1]));
        assert!(control.delete_channel(channels[2]));
        control.kill_sessions(None);
    };
    let here = Box::pin(here.restarted_after(deleted)).await;
    let server = Server { here, roles };
    let shown = server.levels("show", json!([])).await;
    for gone in [second, channels[1], channels[2]] {
        assert!(!shown.contains(&gone.to_string()), "{gone}: {shown}");
    }
    assert!(shown.contains("the channel was deleted"), "{shown}");
    are_left(vec![third, channels[3]]).await;
    store.close();
    server.here.end().await;
}

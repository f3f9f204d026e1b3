//! A bot that receives commands, and Discord's view of the replies.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use discord_simulator::{InteractionRequest, InteractionState, Simulator, SimulatorConfig};
use eventide::{app::bot::Bot, config::Config, discord::shards::ShardState};
use serde_json::{Value, json};

use super::{
    PATIENCE, Scene,
    bot::{config_for, discord, quick_limits, start},
    until,
};

/// How long an answer may take on a busy machine.
pub(crate) const IN_TIME: Duration = Duration::from_secs(10);

/// Discord's permissions of those who manage a server, and of moderators.
pub(crate) const ADMINISTRATOR: &str = "8";

/// The same as a role's permission.
const EVERYTHING: u64 = 1 << 3;

/// Members that tests name.
const OWN: u32 = 10;

pub(crate) struct Here {
    pub(crate) scene: Scene,
    pub(crate) discord: Simulator,
    pub(crate) config: Config,
    pub(crate) bot: Bot,
    pub(crate) managers: AtomicU32,
    /// The role of members who manage the server in tests, with every permission and above most others.
    pub(crate) managing_role: u64,
}

/// A world of a few guilds, and a bot in it.
pub(crate) async fn here() -> Here {
    here_with(|_| {}).await
}

/// The same with another configuration.
pub(crate) async fn here_with(configure: impl FnOnce(&mut Config)) -> Here {
    here_in(4, 200, configure).await
}

/// The same with this many guilds and members.
pub(crate) async fn here_in(guilds: u32, members: u32, configure: impl FnOnce(&mut Config)) -> Here {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        guilds,
        members,
        rest: quick_limits(),
        ..SimulatorConfig::default()
    })
    .await;
    let mut config = config_for(&discord);
    configure(&mut config);
    let bot = start(&config, scene.postgres.connection()).await;
    until("the shard is up and the commands are registered", async || {
        let up = bot
            .shards
            .list()
            .iter()
            .all(|shard| shard.state() == ShardState::Up);
        (up && !discord.control().commands(None).is_empty()).then_some(())
    })
    .await;
    let guild = discord.world().guilds()[0].id();
    let control = discord.control();
    let managing_role = control.create_role(guild, "managers", 40).expect("a role");
    assert!(control.set_role_permissions(guild, managing_role, EVERYTHING));
    Here {
        scene,
        discord,
        config,
        bot,
        managers: AtomicU32::new(0),
        managing_role,
    }
}

impl Here {
    pub(crate) fn guild(&self) -> u64 {
        self.discord.world().guilds()[0].id()
    }

    pub(crate) fn member(&self, rank: u32) -> u64 {
        let id = self.discord.world().member_id(self.guild(), rank);
        id.expect("a member")
    }

    pub(crate) async fn ask(&self, request: &InteractionRequest) -> InteractionState {
        let state = self.discord.control().ask(request, IN_TIME).await;
        state.expect("an answer")
    }

    /// The first response if it is not necessarily a message: a modal, or choices.
    pub(crate) async fn callback(&self, request: &InteractionRequest) -> Value {
        let control = self.discord.control();
        let id = control.interact(request).expect("asked");
        let answered = control
            .wait_interaction(id, |state| state.callback.is_some(), IN_TIME)
            .await;
        answered.and_then(|state| state.callback).expect("an answer")
    }

    pub(crate) async fn asked(&self, name: &str, options: Value) -> String {
        let request = InteractionRequest::command(self.guild(), self.member(0), name, &options);
        text(&self.ask(&request).await)
    }

    /// The reply to a member with these permissions for a subcommand, such as `reward add`, with options in Discord's format.
    pub(crate) async fn manage(&self, command: &str, path: &str, options: Value, resolved: Value) -> String {
        let mut request = self.managing(command, path, options, resolved);
        request.user_id = self.next_member();
        text(&self.ask(&request).await)
    }

    /// A different member who manages the server each time, so that the rate limit is not reached.
    pub(crate) fn next_member(&self) -> u64 {
        let world = self.discord.world();
        let all = (0..).take_while(|rank| world.member_id(self.guild(), *rank).is_some());
        let others = u32::try_from(all.count()).expect("few") - OWN;
        let user = self.member(OWN + self.managers.fetch_add(1, Ordering::Relaxed) % others);
        let control = self.discord.control();
        assert!(control.set_member_roles(self.guild(), user, &[self.managing_role]));
        user
    }

    /// A channel of the guild.
    pub(crate) fn channel(&self) -> u64 {
        self.discord.world().guilds()[0].channels()[0].id
    }

    /// The question.
    pub(crate) fn managing(
        &self,
        command: &str,
        path: &str,
        options: Value,
        resolved: Value,
    ) -> InteractionRequest {
        let mut nested = options;
        let names: Vec<&str> = path.split(' ').filter(|name| !name.is_empty()).collect();
        for (depth, name) in names.iter().enumerate().rev() {
            let kind = if depth + 1 == names.len() { 1 } else { 2 };
            nested = json!([{"name": name, "type": kind, "options": nested}]);
        }
        let mut request = InteractionRequest::command(self.guild(), self.member(0), command, &nested);
        request.data["resolved"] = resolved;
        request.member_permissions = Some(ADMINISTRATOR.to_owned());
        request
    }

    /// Stop the bot, and start another.
    pub(crate) async fn restarted(self) -> Self {
        Box::pin(self.restarted_after(|| {})).await
    }

    /// Stop the bot, do this, and start another one with a new session, which does not receive what happened meanwhile.
    pub(crate) async fn restarted_after(self, between: impl FnOnce()) -> Self {
        let Self {
            scene,
            discord,
            config,
            bot,
            managers,
            managing_role,
        } = self;
        bot.drain(PATIENCE).await.expect("a clean end");
        between();
        let bot = start(&config, scene.postgres.connection()).await;
        until("the shard is up again", async || {
            let shards = bot.shards.list();
            let up = shards.iter().all(|shard| shard.state() == ShardState::Up);
            (up && !shards.is_empty()).then_some(())
        })
        .await;
        Self {
            scene,
            discord,
            config,
            bot,
            managers,
            managing_role,
        }
    }

    pub(crate) async fn end(self) {
        self.bot.drain(PATIENCE).await.expect("a clean end");
        self.scene.stop().await;
    }
}

pub(crate) fn text(state: &InteractionState) -> String {
    let reply = state.reply().expect("a reply");
    assert_eq!(
        reply["mentions"].as_array().map_or(0, Vec::len),
        0,
        "nobody is pinged"
    );
    reply["content"].as_str().expect("text").to_owned()
}

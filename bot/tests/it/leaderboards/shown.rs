//! Leaderboards as shown to members.

use std::{collections::BTreeMap, time::Duration};

use discord_simulator::{InteractionRequest, InteractionState, Rate, Simulator, SimulatorConfig};
use eventide::{
    app::bot::Bot,
    discord::shards::ShardState,
    features::levels::{
        rows::leaderboard::{self, Order},
        rules::week::{begin_of, week_of},
    },
    postgres::embedded::StopMode,
    settings::values::curve::Curve,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use twilight_model::id::Id;

use super::{GUILD, Has, Members, WEEK, assert_boards, flush, sorted};
use crate::support::{
    PATIENCE, Scene,
    asking::ADMINISTRATOR,
    boards::assert_counted,
    bot::{config_for, discord, settle_exactly, start},
    gone,
    session::Session,
    until,
};

fn text(state: &InteractionState) -> (String, String) {
    let reply = state.reply().expect("a reply");
    assert_eq!(reply["mentions"].as_array().map_or(0, Vec::len), 0);
    let callback = &state.callback.as_ref().expect("an answer")["data"];
    let mentions = &callback["allowed_mentions"]["parse"];
    assert_eq!(mentions.as_array().map_or(0, Vec::len), 0, "no one is notified");
    let embed = &reply["embeds"][0];
    let content = reply["content"].as_str().unwrap_or_default();
    let lines = embed["description"].as_str().unwrap_or(content);
    let footer = embed["footer"]["text"].as_str().unwrap_or_default();
    (lines.to_owned(), footer.to_owned())
}

/// A guild of which members have written.
struct Stage {
    scene: Scene,
    discord: Simulator,
    bot: Bot,
    members: Members,
}

impl Stage {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let discord = discord(SimulatorConfig {
            guilds: 2,
            members: 90,
            ..SimulatorConfig::default()
        })
        .await;
        let bot = start(&config_for(&discord), scene.postgres.connection()).await;
        until("the shard is up", async || {
            let up = bot
                .shards
                .list()
                .iter()
                .all(|shard| shard.state() == ShardState::Up);
            up.then_some(())
        })
        .await;
        Self {
            scene,
            discord,
            bot,
            members: Members::new(),
        }
    }

    fn guild(&self) -> u64 {
        self.discord.world().guilds()[0].id()
    }

    fn member(&self, rank: u32) -> u64 {
        let id = self.discord.world().member_id(self.guild(), rank);
        id.expect("a member")
    }

    fn leaderboard(&self, user: u64, options: &Value) -> InteractionRequest {
        InteractionRequest::command(self.guild(), user, "leaderboard", options)
    }

    fn press(&self, user: u64, id: &str, values: &[&str]) -> InteractionRequest {
        let message = json!({"id": "1", "author": {"id": "2"}, "content": ""});
        InteractionRequest::component(self.guild(), user, id, values, message)
    }

    async fn ask(&self, request: &InteractionRequest) -> InteractionState {
        let control = self.discord.control();
        let asked = control.ask(request, Duration::from_secs(10));
        asked.await.expect("an answer")
    }

    /// Let members write, until all of it is counted.
    async fn write(&mut self) {
        let control = self.discord.control();
        control.set_rate(Rate::PerSecond(2_000.0));
        until("many have XP", async || {
            (self.discord.oracle().sent() > 3_000).then_some(())
        })
        .await;
        settle_exactly(&self.discord, &self.scene.store()).await;
        let (guild, expected) = (self.guild(), self.discord.oracle().expected());
        let states = expected.iter().filter(|(key, _)| key.0 == guild);
        self.members = states
            .map(|(key, state)| {
                let has = Has {
                    xp: state.xp,
                    messages: state.message_count,
                    weeks: BTreeMap::new(),
                };
                (key.1, has)
            })
            .collect();
    }

    fn pages(&self) -> usize {
        self.members.len().div_ceil(10)
    }

    /// The expected text of a page for this user.
    fn lines(&self, order: Order, page: usize, asker: u64) -> String {
        let all = sorted(&self.members, order);
        let on_page = all.iter().skip((page - 1) * 10).take(10);
        let lines: Vec<String> = on_page
            .map(|(user, value)| {
                let rank = 1 + all.iter().filter(|(_, other)| other > value).count();
                let what = match order {
                    Order::Messages if *value == 1 => "1 message".to_owned(),
                    Order::Messages => format!("{value} messages"),
                    _ => format!("{value} XP"),
                };
                let mark = if *user == asker { "▸ " } else { "" };
                let level = Curve::Mee6.level_of(self.members[user].xp);
                format!("{mark}**#{rank}** <@{user}> · level {level} · {what}")
            })
            .collect();
        lines.join("\n")
    }

    async fn end(self) {
        let session = Session::open(&self.scene.postgres.connection().into()).await;
        assert_counted(&session.client).await;
        session.close().await;
        self.bot.drain(PATIENCE).await.expect("a clean end");
        self.scene.stop().await;
    }
}

/// The text without thousands separators, and without the names, which Discord may return too late.
fn plain(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("> (") {
        Some((before, after)) => {
            let rest = after.split_once(") · ").map_or("", |(_, rest)| rest);
            format!("{before}> · {rest}")
        }
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n").replace(',', "")
}

/// A client shows a mention of an unknown member as a number, so the name is shown next to it. It is requested once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_named_beside_their_mentions() {
    let mut stage = Stage::new().await;
    stage.write().await;
    let mut request = stage.leaderboard(stage.member(0), &json!([]));
    // Moderators may ask more often.
    request.member_permissions = Some(ADMINISTRATOR.to_owned());
    let named = until("every member has a name", async || {
        let (page, _) = text(&stage.ask(&request).await);
        let named = page.lines().filter(|line| line.contains("> (")).count();
        (named == 10).then_some(page)
    })
    .await;
    let guild = stage.guild();
    for line in named.lines() {
        let (_, after) = line.split_once("<@").expect("a mention");
        let (id, name) = after.split_once("> (").expect("a name");
        let known = stage
            .discord
            .world()
            .member_name(guild, id.parse().expect("an ID"));
        let known = known.expect("a member").replace(['_', '-'], "");
        let name = name.split_once(") · ").expect("a level").0;
        assert_eq!(name.replace(['\\', '_', '-'], ""), known);
    }
    let asked = || {
        stage
            .discord
            .control()
            .rest_calls("GET /guilds/{id}/members/{id}")
            .len()
    };
    let before = asked();
    stage.ask(&request).await;
    assert_eq!(asked(), before, "names are remembered");
    stage.end().await;
}

/// Leaderboards as shown to members, compared with the simulator's oracle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaderboard_as_members_see_it() {
    let mut stage = Stage::new().await;
    let asker = |stage: &Stage, rank| stage.member(rank);
    let request = stage.leaderboard(asker(&stage, 0), &json!([]));
    let (empty, _) = text(&stage.ask(&request).await);
    assert!(empty.contains("No one is on the leaderboard yet"), "{empty}");
    stage.write().await;
    let (all, pages) = (stage.members.len(), stage.pages());
    assert!(pages >= 3, "{all} members");

    let (first, footer) = text(&stage.ask(&request).await);
    assert_eq!(plain(&first), stage.lines(Order::Xp, 1, request.user_id));
    assert_eq!(footer, format!("Page 1 of {pages} · {all} members"));
    let options =
        json!([{"name": "by", "type": 3, "value": "messages"}, {"name": "page", "type": 4, "value": 2}]);
    let request = stage.leaderboard(asker(&stage, 1), &options);
    let (second, footer) = text(&stage.ask(&request).await);
    assert_eq!(plain(&second), stage.lines(Order::Messages, 2, request.user_id));
    assert!(footer.starts_with("Page 2 of "), "{footer}");
    // All of it was earned this week, and the page is beyond the last.
    let options =
        json!([{"name": "by", "type": 3, "value": "week"}, {"name": "page", "type": 4, "value": 1_000_000}]);
    let request = stage.leaderboard(asker(&stage, 1), &options);
    let (last, _) = text(&stage.ask(&request).await);
    assert_eq!(plain(&last), stage.lines(Order::Xp, pages, request.user_id));
    for bad in [
        json!([{"name": "by", "type": 3, "value": "gold"}]),
        json!([{"name": "page", "type": 4, "value": 0}]),
        json!([{"name": "page", "type": 3, "value": "x"}]),
    ] {
        let request = stage.leaderboard(asker(&stage, 3), &bad);
        let (refused, _) = text(&stage.ask(&request).await);
        assert!(refused.contains("choose one from the list"), "{refused}");
    }
    let german = InteractionRequest {
        locale: Some("de".to_owned()),
        ..stage.leaderboard(asker(&stage, 4), &json!([]))
    };
    assert!(text(&stage.ask(&german).await).1.starts_with("Seite 1 von "));
    stage.end().await;
}

/// If another member uses a button, the message is edited, and no new one is sent. Unknown buttons get a reply, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_buttons_of_a_leaderboard() {
    let mut stage = Stage::new().await;
    let early = stage.press(stage.member(2), "leaderboard:me:xp", &[]);
    let (refused, _) = text(&stage.ask(&early).await);
    assert!(refused.contains("not on this leaderboard"), "{refused}");
    stage.write().await;
    let (anyone, pages) = (stage.member(2), stage.pages());
    let standing = sorted(&stage.members, Order::Messages);
    let (somebody, _) = standing[standing.len() / 2];
    for (user, id, values, order, page) in [
        (anyone, "leaderboard:to:xp:2", &[][..], Order::Xp, 2),
        (anyone, "leaderboard:last:xp", &[], Order::Xp, pages),
        (anyone, "leaderboard:first:messages", &[], Order::Messages, 1),
        (anyone, "leaderboard:order", &["messages"], Order::Messages, 1),
        (
            somebody,
            "leaderboard:me:messages",
            &[],
            Order::Messages,
            standing.len() / 2 / 10 + 1,
        ),
    ] {
        let answer = stage.ask(&stage.press(user, id, values)).await;
        assert_eq!(
            answer.callback.as_ref().expect("an answer")["type"],
            7,
            "an update"
        );
        assert_eq!(plain(&text(&answer).0), stage.lines(order, page, user));
    }
    for (id, values, said) in [
        ("leaderboard:to:xp:0", &[][..], "older version"),
        ("leaderboard:to:gold:1", &[], "older version"),
        ("leaderboard", &[], "older version"),
        ("leaderboard:order", &["gold"], "older version"),
    ] {
        let (refused, _) = text(&stage.ask(&stage.press(stage.member(3), id, values)).await);
        assert!(refused.contains(said), "{id}: {refused}");
    }
    // While the database is unavailable there is a message about it, and the page works afterwards.
    let postmaster = Pid::from_raw(stage.scene.postgres.pid());
    kill(postmaster, Signal::SIGQUIT).expect("a signal");
    gone(&stage.scene.postgres.connection()).await;
    let request = stage.press(anyone, "leaderboard:to:xp:2", &[]);
    let control = stage.discord.control();
    let id = control.interact(&request).expect("asked");
    let answered = control.wait_interaction(id, |state| state.reply().is_some(), PATIENCE);
    let (away, _) = text(&answered.await.expect("an answer"));
    assert!(away.contains("The database is not responding"), "{away}");
    stage
        .scene
        .postgres
        .restart(StopMode::Immediate)
        .await
        .expect("a restart");
    until("the page is there again", async || {
        let (page, _) = text(&stage.ask(&request).await);
        (plain(&page) == stage.lines(Order::Xp, 2, anyone)).then_some(())
    })
    .await;
    stage.end().await;
}

/// The week of a command is that of its own ID: the boards of two weeks do not mix at the second between them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_week_begins_empty() {
    assert_eq!(week_of(begin_of(WEEK)), WEEK);
    let scene = Scene::new().await;
    let store = scene.store();
    let mut members = Members::new();
    let all: BTreeMap<u64, Vec<(i32, u64)>> = (1..=30).map(|user| (user, vec![(WEEK, user * 9)])).collect();
    flush(&store, &mut members, &all).await;
    let board = async |week| {
        let page = leaderboard::page(&store, Id::new(GUILD), Order::Week(week), 0, 10).await;
        page.expect("a page")
    };
    assert_eq!(board(WEEK).await.members, 30);
    assert_eq!(board(WEEK + 1).await.members, 0);
    // One batch with messages from both weeks: only those of the new week count in it.
    let straddling = BTreeMap::from([(3, vec![(WEEK, 500), (WEEK + 1, 20), (WEEK, 40), (WEEK + 1, 15)])]);
    flush(&store, &mut members, &straddling).await;
    let (old, new) = (board(WEEK).await, board(WEEK + 1).await);
    assert_eq!((old.members, new.members), (29, 1));
    assert_eq!((new.lines[0].value, new.lines[0].standing.xp), (35, 27 + 575));
    assert_boards(&store, &members).await;
    scene.stop().await;
}

//! A guild's own rules, and XP changed by moderators.

mod managing;
mod weeks;

use discord_simulator::InteractionState;
use eventide::{features::levels::rows::member_xp, postgres::Statement, support::ids::MemberKey};
use serde_json::{Value, json};
use tokio_postgres::types::Type;
use twilight_model::id::Id;

use crate::support::{
    asking::{Here, here},
    until,
};

/// Unused message IDs, a minute apart.
struct Messages(u64);

impl Messages {
    fn new(here: &Here) -> Self {
        Self((here.discord.control().now_ms() - 1_420_070_400_000) << 22)
    }

    /// A message by a member with these roles.
    fn send(&mut self, here: &Here, user: u64, channel: u64, roles: &[u64]) {
        self.0 += 60_000 << 22;
        let roles: Vec<String> = roles.iter().map(u64::to_string).collect();
        let guild = here.guild();
        let message = json!({
            "id": self.0.to_string(), "channel_id": channel.to_string(), "guild_id": guild.to_string(), "type": 0,
            "author": {"id": user.to_string(), "username": "somebody"}, "member": {"roles": roles},
        });
        let control = here.discord.control();
        control.dispatch(Some(guild), "MESSAGE_CREATE", &message.to_string());
    }
}

async fn xp_of(here: &Here, user: u64) -> (u64, u64) {
    let rows = member_xp::all(&here.scene.store()).await.expect("rows");
    let key = MemberKey {
        guild_id: Id::new(here.guild()),
        user_id: Id::new(user),
    };
    rows.iter()
        .find(|(other, _)| *other == key)
        .map_or((0, 0), |(_, row)| (row.xp, row.messages))
}

/// Wait until this many messages of a member are counted, and return what they earned.
async fn earned(here: &Here, user: u64, messages: u64) -> u64 {
    until("the messages are counted", async || {
        let (xp, counted) = xp_of(here, user).await;
        (counted >= messages).then_some(xp)
    })
    .await
}

fn option(kind: u64, name: &str, value: impl Into<Value>) -> Value {
    json!({"name": name, "type": kind, "value": value.into()})
}

fn role(id: u64) -> (Value, Value) {
    let id = id.to_string();
    (
        option(8, "role", id.clone()),
        json!({"roles": {id.clone(): {"id": id}}}),
    )
}

fn channel(id: u64) -> (Value, Value) {
    let id = id.to_string();
    (
        option(7, "channel", id.clone()),
        json!({"channels": {id.clone(): {"id": id, "type": 0}}}),
    )
}

fn member(id: u64) -> (Value, Value) {
    let id = id.to_string();
    let users = json!({id.clone(): {"id": id.clone(), "username": "somebody"}});
    (option(6, "member", id), json!({"users": users}))
}

/// Every message earns exactly 20.
async fn plain_rules(here: &Here) {
    let said = here
        .manage(
            "levels",
            "xp",
            json!([option(4, "least", 20), option(4, "most", 20)]),
            json!({}),
        )
        .await;
    assert!(said.contains("earns 20 XP"), "{said}");
    let said = here
        .manage("levels", "cooldown", json!([option(4, "seconds", 0)]), json!({}))
        .await;
    assert!(said.contains("Every message"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_earn_by_the_guilds_rules() {
    let here = here().await;
    let mut messages = Messages::new(&here);
    plain_rules(&here).await;
    let channels: Vec<u64> = here.discord.world().guilds()[0]
        .channels()
        .iter()
        .map(|c| c.id)
        .collect();
    let (usual, special) = (channels[0], channels[1]);
    let control = here.discord.control();
    let made = |name| control.create_role(here.guild(), name, 1).expect("a role");
    let (booster, outcast, category) = (made("booster"), made("outcast"), 333_333_333_333_333_333);
    for (target, factor) in [
        (role(booster), 2.0),
        (role(outcast), 0.0),
        (channel(category), 3.0),
    ] {
        let (target, resolved) = target;
        let said = here
            .manage(
                "levels",
                "multiplier",
                json!([option(10, "factor", factor), target]),
                resolved,
            )
            .await;
        assert!(said.contains("The multiplier for"), "{said}");
    }
    assert!(here.discord.control().move_channel(special, Some(category)));

    let (plain, favoured, silent, elsewhere) =
        (here.member(1), here.member(2), here.member(3), here.member(4));
    messages.send(&here, plain, usual, &[]);
    messages.send(&here, favoured, usual, &[booster]);
    messages.send(&here, silent, usual, &[booster, outcast]);
    messages.send(&here, elsewhere, special, &[booster]);
    assert_eq!(earned(&here, plain, 1).await, 20);
    assert_eq!(earned(&here, favoured, 1).await, 40);
    assert_eq!(earned(&here, silent, 1).await, 0, "it counts, and earns nothing");
    assert_eq!(
        earned(&here, elsewhere, 1).await,
        120,
        "in a category, which Discord was asked about"
    );

    // The channel leaves its category, and the next message there earns as anywhere.
    assert!(here.discord.control().move_channel(special, None));
    messages.send(&here, plain, special, &[]);
    assert_eq!(earned(&here, plain, 2).await, 40);

    // A boost of a day, by the messages' own times: these are minutes after each other.
    let boost = json!([option(10, "factor", 2.5), option(4, "hours", 24)]);
    let said = here.manage("levels", "boost", boost, json!({})).await;
    assert!(said.contains("×2.5"), "{said}");
    messages.send(&here, plain, usual, &[]);
    assert_eq!(earned(&here, plain, 3).await, 90);
    let shown = here.manage("levels", "show", json!([]), json!({})).await;
    for part in ["20 XP", "×2", "×0", "×2.5", "not announced"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(
        !shown.contains("×3"),
        "Discord does not know the category: {shown}"
    );
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xp_is_given_taken_and_taken_back() {
    let here = here().await;
    let (user, other) = (here.member(1), here.member(2));
    let amount = |xp: u64| option(4, "amount", xp);
    let said = async |path: &str, xp: Option<u64>, who: u64| {
        let (member, resolved) = member(who);
        let options = match xp {
            Some(xp) => json!([amount(xp), member]),
            None => json!([member]),
        };
        here.manage("xp", path, options, resolved).await
    };
    let given = said("give", Some(5_000), user).await;
    assert!(given.contains("had 0 XP and now has 5,000: level 10"), "{given}");
    let taken = said("take", Some(6_000), user).await;
    assert!(taken.contains("now has 0"), "never below 0: {taken}");
    assert!(said("set", Some(300), other).await.contains("now has 300"));
    assert!(said("reset", None, other).await.contains("now has 0"));
    assert!(said("set", Some(70), other).await.contains("now has 70"));

    // The newest change is taken back, and then the one before it, by its name.
    let undone = here.manage("levels", "undo", json!([]), json!({})).await;
    assert!(
        undone.contains("Undoing") || undone.contains("Undone"),
        "{undone}"
    );
    until("it is taken back", async || {
        (xp_of(&here, other).await.0 == 0).then_some(())
    })
    .await;

    let mut typing = here.managing("levels", "undo", json!([]), json!({}));
    typing.kind = 4;
    typing.data["options"][0]["options"] =
        json!([{"name": "change", "type": 3, "value": "", "focused": true}]);
    let choices = here.callback(&typing).await["data"]["choices"].clone();
    let choices = choices.as_array().expect("a list");
    let reset = choices.iter().find(|choice| {
        choice["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("reset · @"))
    });
    let change = option(3, "change", reset.expect("the reset")["value"].clone());
    here.manage("levels", "undo", json!([change]), json!({})).await;
    until("it is taken back", async || {
        (xp_of(&here, other).await.0 == 300).then_some(())
    })
    .await;

    // Everyone with a role; others are not affected.
    let control = here.discord.control();
    let role_id = control.create_role(here.guild(), "writers", 1).expect("a role");
    let (role, resolved) = role(role_id);
    let asked = here.managing("xp", "give", json!([amount(10), role]), resolved);
    let state = here.ask(&asked).await;
    assert!(first(&state).contains("Looking for"), "{state:?}");
    let state = edited(&here, state.id).await;
    assert!(
        state.edits[0]["content"]
            .as_str()
            .is_some_and(|said| said.contains("No one has")),
        "{state:?}"
    );
    here.end().await;
}

/// The first response, which may have been edited since.
fn first(state: &InteractionState) -> &str {
    let callback = state.callback.as_ref().expect("an answer");
    callback["data"]["content"].as_str().unwrap_or_default()
}

async fn edited(here: &Here, id: u64) -> InteractionState {
    let control = here.discord.control();
    until("the answer is changed", async || {
        control.interaction(id).filter(|state| !state.edits.is_empty())
    })
    .await
}

/// An interaction that is handled again, by a process that does not know of the first time, changes nothing again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_replayed_is_done_once() {
    use std::collections::BTreeSet;

    use eventide::{
        config::Config,
        discord::guilds::authority::XpPermit,
        features::levels::{
            adjust::{Granted, Mass, XpAdjustment, grant, reset, take_back},
            rows::rank_buckets,
        },
        postgres::request::{Actor, Request},
        settings::Settings,
    };

    let scene = crate::support::Scene::new().await;
    let store = scene.store();
    // So that every change moves members between buckets.
    rank_buckets::tend(&store, Id::new(1)).await.expect("ranked");
    let settings = Settings::new(&Config::defaults().levels);
    let request = |interaction: u64, action: &'static str| Request {
        guild_id: Id::new(1),
        request_id: Id::new(interaction << 22),
        actor: Actor::Member(Id::new(9)),
        action,
        details: "{}".to_owned(),
    };
    let told = tokio::sync::watch::Sender::new(0);
    let users: BTreeSet<_> = (1..=3).map(Id::new).collect();
    let permit = XpPermit::of_operator();
    for time in 0..3 {
        let given = grant(
            &store,
            &settings,
            request(1, "xp_give"),
            users.clone(),
            XpAdjustment::Give(permit, 50),
        )
        .await;
        let given = given.expect("done");
        assert_eq!(matches!(given, Granted::Now(_)), time == 0, "{given:?}");
    }
    for time in 0..2 {
        let done = reset(&store, &settings, request(2, "levels_reset"), &told).await;
        let expected = if time == 0 { Mass::Done(3) } else { Mass::Before };
        assert_eq!(done.expect("done"), expected);
    }
    let sum = async || {
        let rows = member_xp::all(&store).await.expect("rows");
        rows.iter().map(|(_, row)| row.xp).sum::<u64>()
    };
    assert_eq!(sum().await, 0);
    for time in 0..2 {
        let back = take_back(
            &store,
            &settings,
            request(3, "levels_undo"),
            request(2, "").request_id,
            permit,
            &told,
        )
        .await;
        let expected = if time == 0 { Mass::Done(3) } else { Mass::Before };
        assert_eq!(back.expect("done"), expected);
    }
    let again = take_back(
        &store,
        &settings,
        request(4, "levels_undo"),
        request(2, "").request_id,
        permit,
        &told,
    )
    .await;
    assert_eq!(again.expect("done"), Mass::Nothing, "once only");
    assert_eq!(sum().await, 150);
    // Many at the same time.
    let gifts = (10..40_u64).map(|interaction| {
        grant(
            &store,
            &settings,
            request(interaction, "xp_give"),
            users.clone(),
            XpAdjustment::Give(permit, 1),
        )
    });
    for done in futures_util::future::join_all(gifts).await {
        assert!(matches!(done.expect("done"), Granted::Now(_)));
    }
    assert_eq!(sum().await, 150 + 3 * 30);
    let tiers = Statement::new(
        "tiers",
        &[Type::INT8],
        "SELECT count(*) FROM member_xp WHERE by_xp <> xp_place(xp) AND guild_id = $1",
    );
    let wrong: i64 = store.query(tiers, &[&1_i64]).await.expect("rows")[0].get(0);
    assert_eq!(wrong, 0);
    store.close();
    scene.stop().await;
}

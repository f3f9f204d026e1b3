//! The rank card as Discord receives it.

use std::ops::Deref;

use discord_simulator::{InteractionRequest, Rate, RestFault, RestFaultKind};
use eventide::{config::Config, settings::values::curve::Curve};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    Scene,
    asking::{self, here_in},
    bot::settle_exactly,
    until,
};

/// Manage Server.
const MANAGER: &str = "32";
const NOBODY: &str = "0";

struct Here(asking::Here);

/// With members who have XP.
async fn here(change: impl FnOnce(&mut Config)) -> Here {
    let here = Box::pin(here_in(2, 40, change)).await;
    let discord = &here.discord;
    discord.control().set_rate(Rate::PerSecond(2_000.0));
    until("all have XP", async || {
        (discord.oracle().expected().len() == 40).then_some(())
    })
    .await;
    settle_exactly(discord, &here.scene.store()).await;
    Here(here)
}

impl Deref for Here {
    type Target = asking::Here;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Here {
    async fn rank(&self, asker: u32, options: Value) -> Value {
        let request = InteractionRequest::command(self.guild(), self.member(asker), "rank", &options);
        self.ask(&request).await.reply().expect("a reply").clone()
    }

    /// The reply with an image. A bot that cannot draw in time answers with text, which happens on a busy machine.
    async fn pictured(&self, asker: u32) -> Value {
        until("a picture comes", async || {
            let reply = self.rank(asker, json!([])).await;
            let pictures = reply["attachments"].as_array().map_or(0, Vec::len);
            (pictures == 1).then_some(reply)
        })
        .await
    }

    async fn card(&self, asker: u32, permissions: &str, options: Value) -> String {
        let request = InteractionRequest {
            member_permissions: Some(permissions.to_owned()),
            ..InteractionRequest::command(self.guild(), self.member(asker), "card", &options)
        };
        let state = self.ask(&request).await;
        let flags = &state.callback.as_ref().expect("an answer")["data"]["flags"];
        assert_eq!(*flags, 64, "seen by the asker alone");
        let reply = state.reply().expect("a reply");
        reply["content"].as_str().expect("text").to_owned()
    }

    /// Members whose bars are not empty, as they are at the start of a level. XP differs from run to run.
    fn amid_a_level<const N: usize>(&self) -> [u32; N] {
        let expected = self.discord.oracle().expected();
        let curve = Curve::default();
        let is_amid = |rank: &u32| {
            let xp = expected[&(self.guild(), self.member(*rank))].xp;
            let level = curve.level_of(xp);
            let (from, to) = (curve.xp_at(level), curve.xp_at(level + 1));
            (xp - from) * 1_000 >= to - from
        };
        let ranks: Vec<_> = (0..10).filter(is_amid).take(N).collect();
        ranks.try_into().expect("enough members")
    }

    /// The colour of the bar of the last picture, at its left end.
    fn bar(&self) -> [u8; 3] {
        let picture = self.picture();
        picture.at(264 + 15, 193)
    }

    fn picture(&self) -> Picture {
        let files = self.discord.control().sent_files();
        let file = files.last().expect("a file");
        assert_eq!(file.name, "rank.png");
        Picture::read(&file.content)
    }

    async fn end(self) {
        self.0.end().await;
    }
}

/// The image that was sent, decoded.
#[derive(PartialEq, Eq)]
struct Picture {
    width: u32,
    pixels: Vec<u8>,
}

impl Picture {
    fn read(png: &[u8]) -> Self {
        let reader = png::Decoder::new(std::io::Cursor::new(png)).read_info();
        let mut reader = reader.expect("a PNG");
        assert_eq!(reader.info().size(), (940, 280));
        let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
        reader.next_frame(&mut pixels).expect("whole");
        Self { width: 940, pixels }
    }

    fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let at = usize::try_from((y * self.width + x) * 4).expect("small");
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }
}

fn as_text() -> Value {
    json!([{"name": "text", "type": 5, "value": true}])
}

fn sub(name: &str, options: &Value) -> Value {
    json!([{"name": name, "type": 1, "options": options}])
}

fn colour(text: &str) -> Value {
    json!([{"name": "colour", "type": 3, "value": text}])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rank_is_a_picture_with_a_description_and_text_on_request() {
    let here = here(|_| ()).await;
    let text = here.rank(0, as_text()).await;
    let words = text["content"].as_str().expect("text");
    assert!(
        words.contains("is level **") && text["attachments"] == json!([]),
        "{words}"
    );

    let reply = here.pictured(0).await;
    assert_eq!(reply["content"], "");
    let attachments = reply["attachments"].as_array().expect("a list");
    assert_eq!(attachments.len(), 1);
    let alt = attachments[0]["description"].as_str().expect("a description");
    assert!(alt.starts_with("Rank card of ") && alt.ends_with('.'), "{alt}");
    let state = here.discord.oracle().expected();
    let xp = state[&(here.guild(), here.member(0))].xp;
    assert!(alt.replace(',', "").contains(&format!("{xp} XP in all")), "{alt}");
    let picture = here.picture();

    // The same card again, and in the asker's language.
    here.pictured(0).await;
    assert!(here.picture() == picture);
    let german = InteractionRequest {
        locale: Some("de".to_owned()),
        ..InteractionRequest::command(here.guild(), here.member(0), "rank", &json!([]))
    };
    let state = here.ask(&german).await;
    let reply = state.reply().expect("a reply");
    let alt = reply["attachments"][0]["description"]
        .as_str()
        .expect("a description");
    assert!(alt.starts_with("Rangkarte von "), "{alt}");
    assert!(here.picture() != picture, "its labels are in German");
    here.end().await;
}

/// The picture of a member whose avatar cannot be had has a letter in its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_cdn_the_card_has_a_letter() {
    let with = here(|_| ()).await;
    let asked = |here: &Here, rank: u32, avatar: &Value| {
        let user = here.member(rank).to_string();
        let options = json!([{"name": "member", "type": 6, "value": user}]);
        let mut request = InteractionRequest::command(here.guild(), here.member(1), "rank", &options);
        let chosen = json!({"id": user, "username": "ada", "global_name": "Ada", "avatar": avatar});
        request.data["resolved"] = json!({"users": {user: chosen}});
        request
    };
    let avatar = json!("0123456789abcdef0123456789abcdef");
    with.ask(&asked(&with, 0, &avatar)).await;
    let picture = with.picture();
    with.ask(&asked(&with, 0, &Value::Null)).await;
    let letter = with.picture();
    assert!(picture != letter);
    // Only the disc is another.
    for (x, y) in [(20, 20), (300, 193), (600, 250), (900, 60)] {
        assert_eq!(picture.at(x, y), letter.at(x, y));
    }
    with.ask(&asked(&with, 0, &json!("../../../etc/passwd"))).await;
    assert!(with.picture() == letter, "what is no hash is not asked for");
    with.end().await;

    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let without = here(|config| config.discord.cdn_url = base).await;
    without.ask(&asked(&without, 0, &avatar)).await;
    let fallen_back = without.picture();
    without.ask(&asked(&without, 0, &Value::Null)).await;
    assert!(without.picture() == fallen_back);
    without.end().await;
}

/// A bot without *Attach Files*, a body that Discord does not take, and a Discord that cannot keep the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_is_refused_is_text_instead() {
    let here = here(|_| ()).await;
    for status in [400, 403, 413, 500] {
        here.discord.control().add_fault(RestFault {
            route: "POST /interactions/{id}/{token}/callback".to_owned(),
            count: Some(1),
            delay_ms: 0,
            kind: RestFaultKind::Status(status),
        });
        let reply = here.rank(0, json!([])).await;
        let words = reply["content"].as_str().expect("text");
        assert!(
            words.contains("is level **") && reply["attachments"] == json!([]),
            "{status}: {reply}"
        );
    }
    here.pictured(0).await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn colours_of_the_server_and_of_members() {
    let here = here(|_| ()).await;
    let [first, second, third, fourth] = here.amid_a_level();
    here.pictured(first).await;
    let [red, green, blue] = here.bar();
    assert!(blue > red && blue > green, "Discord's blue");

    let refused = here.card(first, NOBODY, sub("server", &colour("#ED4245"))).await;
    assert!(refused.contains("Manage Server"), "{refused}");
    let reset = json!([{"name": "server", "type": 5, "value": true}]);
    let refused = here.card(first, NOBODY, sub("reset", &reset)).await;
    assert!(refused.contains("Manage Server"), "{refused}");
    let said = here.card(first, MANAGER, sub("server", &colour("#ED4245"))).await;
    assert!(said.contains("#ED4245"), "{said}");
    here.pictured(second).await;
    let [red, green, blue] = here.bar();
    assert!(red > green && red > blue, "the server's red");

    let unread = here.card(third, NOBODY, sub("mine", &colour("greenish"))).await;
    assert!(
        unread.contains("`#RRGGBB`") && !unread.contains("greenish"),
        "{unread}"
    );
    here.card(third, NOBODY, sub("mine", &colour("3b5"))).await;
    here.pictured(third).await;
    let [red, green, blue] = here.bar();
    assert!(green > red && green > blue, "the member's green");
    here.pictured(second).await;
    let [red, green, _] = here.bar();
    assert!(red > green, "another's is as it was");

    here.card(third, NOBODY, sub("reset", &json!([]))).await;
    here.pictured(third).await;
    let [red, green, _] = here.bar();
    assert!(red > green, "the server's again");
    here.card(fourth, MANAGER, sub("reset", &reset)).await;
    here.pictured(fourth).await;
    let [red, _, blue] = here.bar();
    assert!(blue > red, "the bot's again");
    here.end().await;
}

/// An interaction that is replayed after a later one changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_choice_does_not_undo_a_newer() {
    use eventide::{
        features::levels::rows::member_card,
        postgres::request::{Actor, Request},
        settings::{change::change_card_colour, table, values::colour::Colour},
        support::ids::MemberKey,
    };
    use twilight_model::id::Id;

    let scene = Scene::new().await;
    let store = scene.store();
    let (guild_id, user_id) = (Id::new(7), Id::new(8));
    let key = MemberKey { guild_id, user_id };
    let (red, green) = (Colour::new(255, 0, 0), Colour::new(0, 255, 0));
    for (asked, colour, after) in [
        (10, Some(red), Some(red)),
        (10, Some(green), Some(red)),
        (9, None, Some(red)),
        (11, None, None),
        (10, Some(green), None),
        (12, Some(green), Some(green)),
    ] {
        member_card::put_colour(&store, key, colour, Id::new(asked))
            .await
            .expect("written");
        let request = Request {
            guild_id,
            request_id: Id::new(asked),
            actor: Actor::Member(user_id),
            action: "card_server",
            details: "{}".to_owned(),
        };
        change_card_colour(&store, request, colour)
            .await
            .expect("written");
        assert_eq!(
            member_card::colour(&store, key).await.expect("read"),
            after,
            "{asked}"
        );
        let settings = table::read(&store, &[guild_id]).await.expect("read");
        assert_eq!(settings[0].card_colour, after.map(Colour::to_db), "{asked}");
    }
    scene.stop().await;
}

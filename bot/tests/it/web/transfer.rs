//! Every setting of a server goes into its file, and to another server.

use std::collections::{BTreeMap, HashMap};

use eventide::{
    app::features,
    discord::guilds::authority::{RewardPermit, XpPermit},
    postgres::request::Request,
    settings::{
        change, columns,
        command_settings::{self, CommandSetting, Permits},
        section::{Section, Setting, field::Kind},
    },
};
use serde_json::{Value, json};
use twilight_model::id::Id;

use super::website;
use crate::support::{asking::Here, browser::Browser, forms::forms};

/// What a server has that settings name.
struct Place {
    guild: u64,
    role: u64,
    channel: u64,
}

impl Place {
    /// The server at this place in the world, with a role of this name.
    fn of(here: &Here, index: usize, role: &str) -> Self {
        let guild = &here.discord.world().guilds()[index];
        let role = here.discord.control().create_role(guild.id(), role, 1);
        Self {
            guild: guild.id(),
            role: role.expect("a role"),
            channel: guild.channels()[0].id,
        }
    }

    fn path(&self, page: &str) -> String {
        format!("/servers/{}/settings/{page}", self.guild)
    }

    /// A value of every setting of a section, other than the default.
    fn chosen(&self, here: &Here, left_out: u64) -> Vec<(Setting, Value)> {
        let usual = here.bot.settings.defaults();
        let sections = columns::SECTIONS.into_iter().chain(features::sections());
        let settings = sections.flat_map(Section::settings).map(|setting| {
            let usual = setting.usual(usual);
            let value = match setting.field.kind {
                Kind::Switch => json!(usual != true),
                Kind::Limit(most) => json!(if usual == most { 0 } else { most }),
                Kind::Text(_) | Kind::Template(_) | Kind::Mark(_) => json!("x"),
                Kind::Channel | Kind::ChannelOr(_) => json!(self.channel),
                Kind::Roles(most) => {
                    assert!(most > 1, "{setting} has no place for two roles");
                    json!([left_out, self.role])
                }
                Kind::Choice(words) => {
                    let mut words = words.all.iter().rev();
                    json!(words.find(|word| usual != **word).expect("two words"))
                }
            };
            (setting, value)
        });
        settings.collect()
    }

    /// A value of every setting that commands change.
    fn by_commands(&self, left_out: u64) -> Vec<(String, Value)> {
        let (role, channel) = (self.role, self.channel);
        let boost = json!(["server", 200, 1_462_015_105_000_i64, 1_462_018_705_000_i64]);
        let values = [
            ("xp.range".to_owned(), json!([1, 2])),
            ("xp.cooldown".to_owned(), json!(61)),
            ("xp.curve".to_owned(), json!(["linear", [250]])),
            ("xp.role_mode".to_owned(), json!("sum")),
            (format!("xp.multiplier:role:{role}"), json!(150)),
            (format!("xp.multiplier:role:{left_out}"), json!(150)),
            (format!("xp.multiplier:channel:{channel}"), json!(50)),
            ("xp.boost:9".to_owned(), boost),
            ("rewards.mode".to_owned(), json!("replace")),
            ("rewards.demotion".to_owned(), json!("always")),
            ("rewards.rejoin".to_owned(), json!(false)),
            (format!("rewards.level:role:{role}"), json!(5)),
            ("cards.colour".to_owned(), json!("#123456")),
        ];
        for setting in &command_settings::ALL {
            let is_of =
                |name: &str| CommandSetting::find(name).is_some_and(|(found, _)| found.name == setting.name);
            assert!(
                values.iter().any(|(name, _)| is_of(name)),
                "{} needs a value",
                setting.name
            );
        }
        values.into()
    }

    /// The settings in the file of this server.
    async fn exported(&self, visitor: &mut Browser) -> BTreeMap<String, Value> {
        let file = visitor.get(&self.path("export")).await;
        let file: Value = serde_json::from_str(file.is(200).text()).expect("JSON");
        serde_json::from_value(file["settings"].clone()).expect("an object")
    }
}

/// A user who manages both servers.
fn manager(here: &Here, places: [&Place; 2]) -> u64 {
    let (world, control) = (here.discord.world(), here.discord.control());
    let [one, other] = places.map(|place| place.guild);
    let mut members = (1..).map_while(|rank| world.member_id(one, rank));
    let user = members.find(|user| world.member_name(other, *user).is_some());
    let user = user.expect("a member of both");
    for guild in [one, other] {
        let role = control.create_role(guild, "both", 40).expect("a role");
        assert!(control.set_role_permissions(guild, role, 1 << 3));
        assert!(control.set_member_roles(guild, user, &[role]));
    }
    user
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_setting_is_exported_and_copied() {
    let here = website().await;
    let (from, to) = (Place::of(&here, 0, "Regulars"), Place::of(&here, 1, "regulars"));
    let only_here = here.discord.control().create_role(from.guild, "Founders", 1);
    let only_here = only_here.expect("a role");
    let manager = manager(&here, [&from, &to]);

    let (chosen, by_commands) = (from.chosen(&here, only_here), from.by_commands(only_here));
    let role = Id::new(from.role);
    let permits = Permits {
        xp: Some(XpPermit::of_operator()),
        rewards: HashMap::from([(role, RewardPermit::of_operator(role))]),
    };
    let request = Request::of_operator(Id::new(from.guild), "test", &json!({}));
    let by_command = by_commands.iter().map(|(name, value)| {
        let (setting, key) = CommandSetting::find(name).expect("a setting");
        let change = setting.change(key, Some(value), &permits, request.request_id);
        change.unwrap_or_else(|| panic!("{name}: {value}"))
    });
    let changes = chosen
        .iter()
        .map(|(setting, value)| setting.change(Some(value.clone())));
    let changes = changes.chain(by_command).collect();
    change::change(&here.bot.store, request, changes)
        .await
        .expect("changed");
    let mut visitor = Browser::of(&here);
    visitor.sign_in(&here, manager).await;
    let threshold = [("form", "0"), ("points", "5"), ("action", "kick")];
    visitor.submit(&from.path("thresholds"), &threshold).await.is(200);

    // The file has all of it, with IDs as texts, except what is only for a time.
    let exported = from.exported(&mut visitor).await;
    let mut expected: BTreeMap<String, Value> = chosen
        .iter()
        .map(|(setting, value)| (setting.to_string(), setting.field.kind.exported(value)))
        .collect();
    expected.extend(by_commands);
    expected.retain(|name, _| !name.starts_with("xp.boost:"));
    let threshold = "warnings.threshold:5".to_owned();
    let kick = json!({"points": 5, "action": "kick", "duration_seconds": null, "window_days": null});
    expected.insert(threshold, kick);
    assert_eq!(exported, expected);

    // In the other server, roles and channels of the same names take the places of those in the file.
    let transfer = to.path("transfer");
    let source = from.guild.to_string();
    let shown = visitor.submit(&transfer, &[("from", &source)]).await;
    let left_out = format!("xp.multiplier:role:{only_here}");
    shown
        .is(200)
        .shows(&format!("These settings are left out: {left_out}<"));
    assert!(to.exported(&mut visitor).await.is_empty(), "it is a question");
    let form = forms(&shown).into_iter().find(|form| !form.buttons.is_empty());
    let form = form.expect("the question");
    let fields = form.fields.iter().map(|field| (&*field.name, &*field.value));
    let fields: Vec<(&str, &str)> = fields.chain([("apply", "1")]).collect();
    visitor.post(&transfer, &fields).await.is(303);

    expected.remove(&left_out);
    let expected = serde_json::to_string(&expected)
        .expect("JSON")
        .replace(&format!("\"{only_here}\","), "")
        .replace(&from.role.to_string(), &to.role.to_string())
        .replace(&from.channel.to_string(), &to.channel.to_string());
    let expected: BTreeMap<String, Value> = serde_json::from_str(&expected).expect("JSON");
    assert_eq!(to.exported(&mut visitor).await, expected);
    visitor
        .submit(&transfer, &[("from", &source)])
        .await
        .is(200)
        .shows("Nothing would change.");
    here.end().await;
}

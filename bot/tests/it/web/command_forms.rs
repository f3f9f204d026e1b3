//! Forms that do what commands do: with their checks, their records, and their refusals.

use eventide::discord::rest::Priority;
use twilight_model::id::Id;

use super::{browser, database, website};
use crate::support::{asking::Here, browser::Browser, session::Session, until};

const MANAGE_SERVER: u64 = 1 << 5;
const MANAGE_ROLES: u64 = 1 << 28;

fn path(here: &Here, page: &str) -> String {
    format!("/servers/{}/settings/{page}", here.guild())
}

/// A member with these permissions, signed in.
async fn with_permissions(here: &Here, rank: u32, permissions: u64) -> Browser {
    let (control, guild) = (here.discord.control(), here.guild());
    let role = control.create_role(guild, "staff", 2).expect("a role");
    assert!(control.set_role_permissions(guild, role, permissions));
    assert!(control.set_member_roles(guild, here.member(rank), &[role]));
    let mut browser = browser(here);
    browser.sign_in(here, here.member(rank)).await;
    browser
}

/// Give a role these permissions, and wait until the bot knows.
async fn allow(here: &Here, role: u64, permissions: u64) {
    let (control, guild) = (here.discord.control(), here.guild());
    assert!(control.set_role_permissions(guild, role, permissions));
    until("the bot knows", async || {
        let dangers = here
            .bot
            .guilds
            .dangers_of(Id::new(guild), Id::new(role), Priority::Command);
        let dangers = dangers.await.expect("known");
        (dangers.is_some() == (permissions != 0)).then_some(())
    })
    .await;
}

async fn read(session: &Session, sql: &str) -> String {
    session.client.query_one(sql, &[]).await.expect(sql).get(0)
}

const RANGE: &str =
    "SELECT coalesce(string_agg(concat_ws('-', xp_min, xp_max), ','), 'none') FROM guild_settings";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_the_command() {
    let here = website().await;
    let session = database(&here).await;
    let user = here.next_member();
    let mut manager = browser(&here);
    manager.sign_in(&here, user).await;
    let xp = path(&here, "xp");
    // What the command refuses, and what Discord would not send.
    for (least, most, status) in [
        ("20", "10", 409),
        ("1", "99999", 422),
        ("x", "2", 422),
        ("", "2", 422),
    ] {
        let refused = manager
            .submit(&xp, &[("form", "0"), ("least", least), ("most", most)])
            .await;
        refused.is(status).shows("role=\"alert\"");
        let kept = format!("value=\"{least}\"");
        refused.shows(&kept);
    }
    for form in ["7", "x", ""] {
        let fields = [("form", form), ("least", "1"), ("most", "2")];
        manager.submit(&xp, &fields).await.is(404);
    }
    assert!(["none", ""].contains(&read(&session, RANGE).await.as_str()));
    let token = manager.get(&xp).await.token();
    let fields = [
        ("token", token.as_str()),
        ("form", "0"),
        ("least", "20"),
        ("most", "30"),
    ];
    for _twice in 0..2 {
        let done = manager.post(&xp, &fields).await;
        done.is(200)
            .shows("A message now earns 20 to 30 XP")
            .shows("value=\"20\"");
    }
    assert_eq!(read(&session, RANGE).await, "20-30");
    let recorded = "SELECT string_agg(concat_ws(' ', action, actor_kind, actor_id), ',') FROM request";
    assert_eq!(read(&session, recorded).await, format!("levels_xp web {user}"));
    // One of several, and its button.
    let channel = here.channel().to_string();
    let add = [("form", "3"), ("factor", "1,5"), ("channel", channel.as_str())];
    manager.submit(&xp, &add).await.is(200).shows("×1.5");
    let remove = [("form", "remove"), ("factor", "1"), ("channel", channel.as_str())];
    manager.submit(&xp, &remove).await.is(200).hides("×1.5");
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_needs_what_the_command_needs() {
    let here = website().await;
    let session = database(&here).await;
    let control = here.discord.control();
    let high = control.create_role(here.guild(), "high", 40).expect("a role");
    session
        .execute(&format!(
            "INSERT INTO level_role (guild_id, role_id, level) VALUES ({}, {high}, 5)",
            here.guild()
        ))
        .await;
    // XP leads to a role that this member may not give.
    let mut member = with_permissions(&here, 30, MANAGE_SERVER | MANAGE_ROLES).await;
    let fields = [("form", "0"), ("least", "20"), ("most", "30")];
    let refused = member.submit(&path(&here, "xp"), &fields).await;
    refused.is(409).shows("role=\"alert\"");
    assert_eq!(read(&session, RANGE).await, "none");
    // Nor can they make it a reward of another level.
    let role = high.to_string();
    let fields = [("form", "0"), ("level", "1"), ("role", role.as_str())];
    let refused = member.submit(&path(&here, "rewards"), &fields).await;
    refused.is(409);
    let level = "SELECT string_agg(level::text, ',') FROM level_role";
    assert_eq!(read(&session, level).await, "5");
    // A role of another server does not exist.
    let other = here.discord.world().guilds()[1].id();
    let foreign = control
        .create_role(other, "foreign", 2)
        .expect("a role")
        .to_string();
    let fields = [("form", "0"), ("level", "1"), ("role", foreign.as_str())];
    member.submit(&path(&here, "rewards"), &fields).await.is(422);
    // Without the permission there are no such pages.
    let mut nobody = with_permissions(&here, 31, MANAGE_ROLES).await;
    for page in ["xp", "rewards", "cards", "cards/preview.png", "thresholds"] {
        nobody.get(&path(&here, page)).await.is(403);
    }
    here.end().await;
}

/// Nothing of a refused file is taken, not even warning thresholds, which have a command of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_file_changes_nothing() {
    const BAN: u64 = 1 << 2;
    let here = website().await;
    let session = database(&here).await;
    let role = here.discord.control().create_role(here.guild(), "Regulars", 1);
    let role = role.expect("a role");
    let id = role.to_string();
    let mut admin = browser(&here);
    admin.sign_in(&here, here.next_member()).await;
    let reward = [("form", "0"), ("level", "5"), ("role", id.as_str())];
    admin.submit(&path(&here, "rewards"), &reward).await.is(200);
    let threshold = [("form", "0"), ("points", "5"), ("action", "kick")];
    admin.submit(&path(&here, "thresholds"), &threshold).await.is(200);
    let multiplier = [("form", "3"), ("factor", "1.5"), ("role", id.as_str())];
    admin.submit(&path(&here, "xp"), &multiplier).await.is(200);
    let exported = admin.get(&path(&here, "export")).await;
    let document = exported
        .is(200)
        .text()
        .replace("kick", "ban")
        .replace(&format!("{id}\": 5"), &format!("{id}\": 7"));
    let name = format!("role.{id}");
    let apply = [
        ("document", document.as_str()),
        ("mapped", "1"),
        (name.as_str(), id.as_str()),
        ("apply", "1"),
    ];
    let stored = async || {
        let level = read(&session, "SELECT level::text FROM level_role").await;
        (
            read(&session, "SELECT action FROM warning_threshold").await,
            level,
        )
    };
    // A role that bans may be a reward only by the owner's choice.
    allow(&here, role, BAN).await;
    let transfer = path(&here, "transfer");
    admin.submit(&transfer, &apply).await.is(422).shows("owner");
    assert_eq!(stored().await, ("kick".to_owned(), "5".to_owned()));
    allow(&here, role, 0).await;
    // As many multipliers as there can be, without the file's.
    let none = [("form", "3"), ("factor", "1"), ("role", id.as_str())];
    admin.submit(&path(&here, "xp"), &none).await.is(200);
    let full = "INSERT INTO xp_multiplier SELECT $1, 'channel', n, 200 FROM generate_series(1, 100) AS n";
    let guild = here.guild().cast_signed();
    session.client.execute(full, &[&guild]).await.expect(full);
    admin
        .submit(&transfer, &apply)
        .await
        .is(422)
        .shows("already 100 multipliers");
    assert_eq!(stored().await, ("kick".to_owned(), "5".to_owned()));
    let empty = "DELETE FROM xp_multiplier";
    session.client.execute(empty, &[]).await.expect(empty);
    admin.submit(&transfer, &apply).await.is(303);
    assert_eq!(stored().await, ("ban".to_owned(), "7".to_owned()));
    session.close().await;
    here.end().await;
}

/// With as many multipliers as there can be, each can be sent twice, changed and taken away, and no other is added.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn multipliers_of_a_full_server_can_be_changed() {
    const OF_ROLES: &str = "SELECT coalesce(string_agg(percent::text, ','), 'none') FROM xp_multiplier WHERE target_kind = 'role'";
    let here = website().await;
    let session = database(&here).await;
    let role = |name| {
        let role = here.discord.control().create_role(here.guild(), name, 1);
        role.expect("a role").to_string()
    };
    let (last, other) = (role("Last"), role("Other"));
    let others = "INSERT INTO xp_multiplier SELECT $1, 'channel', n, 200 FROM generate_series(1, 99) AS n";
    let guild = here.guild().cast_signed();
    session.client.execute(others, &[&guild]).await.expect(others);
    let mut admin = browser(&here);
    admin.sign_in(&here, here.next_member()).await;
    let xp = path(&here, "xp");
    let token = admin.get(&xp).await.token();
    let multiplier = |factor, role| [("form", "3"), ("factor", factor), ("role", role)];
    let add = [&[("token", token.as_str())][..], &multiplier("1.5", &last)].concat();
    for _twice in 0..2 {
        admin.post(&xp, &add).await.is(200).shows("×1.5");
        assert_eq!(read(&session, OF_ROLES).await, "150");
    }
    admin.submit(&xp, &multiplier("2.5", &last)).await.is(200);
    assert_eq!(read(&session, OF_ROLES).await, "250");
    let refused = admin.submit(&xp, &multiplier("3", &other)).await;
    refused.is(409).shows("already 100 multipliers");
    assert_eq!(read(&session, OF_ROLES).await, "250");
    admin.submit(&xp, &multiplier("1", &last)).await.is(200);
    assert_eq!(read(&session, OF_ROLES).await, "none");
    admin.submit(&xp, &multiplier("3", &other)).await.is(200);
    assert_eq!(read(&session, OF_ROLES).await, "300");
    session.close().await;
    here.end().await;
}

/// All thresholds of a file are checked before the first is changed: their permissions, and how many there would be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_changes_all_thresholds_or_none() {
    const KICK: u64 = 1 << 1;
    const STORED: &str =
        "SELECT coalesce(string_agg(points || action, ',' ORDER BY points), '') FROM warning_threshold";
    let here = website().await;
    let session = database(&here).await;
    let (transfer, thresholds) = (path(&here, "transfer"), path(&here, "thresholds"));
    let mut admin = browser(&here);
    admin.sign_in(&here, here.next_member()).await;
    for (points, action) in [("5", "kick"), ("9", "ban")] {
        let threshold = [("form", "0"), ("points", points), ("action", action)];
        admin.submit(&thresholds, &threshold).await.is(200);
    }
    let exported = admin.get(&path(&here, "export")).await;
    let document = exported.is(200).text();
    let apply = [("document", document), ("mapped", "1"), ("apply", "1")];
    let empty = "DELETE FROM warning_threshold";
    session.client.execute(empty, &[]).await.expect(empty);
    // Who may kick and not ban gets neither, although the kick comes first.
    let mut manager = with_permissions(&here, 30, MANAGE_SERVER | KICK).await;
    let refused = manager.submit(&transfer, &apply).await;
    refused.is(422).shows("Ban Members");
    assert_eq!(read(&session, STORED).await, "");
    // There is room for one of the two.
    let full = "INSERT INTO warning_threshold (guild_id, points, action) SELECT $1, n, 'kick' FROM generate_series(101, 119) AS n";
    let guild = here.guild().cast_signed();
    session.client.execute(full, &[&guild]).await.expect(full);
    let before = read(&session, STORED).await;
    let refused = admin.submit(&transfer, &apply).await;
    refused.is(422).shows("at most 20 thresholds");
    assert_eq!(read(&session, STORED).await, before);
    // What is replaced takes no room.
    let replaced = "UPDATE warning_threshold SET points = 9 WHERE points = 101";
    session.client.execute(replaced, &[]).await.expect(replaced);
    admin.submit(&transfer, &apply).await.is(303);
    let after = read(&session, STORED).await;
    assert!(after.starts_with("5kick,9ban,102kick,"), "{after}");
    session.close().await;
    here.end().await;
}

/// What a file does to rewards and XP, and taking it back, need what the commands need.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rewards_and_xp_go_into_files_and_come_back() {
    const BAN: u64 = 1 << 2;
    const ELSEWHERE: &str = "999999999999999999";
    const LEVELS: &str = "SELECT coalesce(string_agg(level::text, ','), 'none') FROM level_role";
    let here = website().await;
    let session = database(&here).await;
    let control = here.discord.control();
    let role = control.create_role(here.guild(), "Regulars", 1).expect("a role");
    let mut manager = with_permissions(&here, 30, MANAGE_SERVER | MANAGE_ROLES).await;
    let (id, transfer, history) = (role.to_string(), path(&here, "transfer"), path(&here, "history"));
    let reward = [("form", "0"), ("level", "5"), ("role", id.as_str())];
    manager.submit(&path(&here, "rewards"), &reward).await.is(200);
    let multiplier = [("form", "3"), ("factor", "1.5"), ("role", id.as_str())];
    manager.submit(&path(&here, "xp"), &multiplier).await.is(200);
    manager
        .get(&history)
        .await
        .is(200)
        .shows("Reward roles: Level of the role @Regulars")
        .shows("level 5")
        .shows("×1.5");

    let threshold = [("form", "0"), ("points", "5"), ("action", "kick")];
    // Kicks need their permission, here and in files.
    manager
        .submit(&path(&here, "thresholds"), &threshold)
        .await
        .is(409);
    let mut admin = browser(&here);
    admin.sign_in(&here, here.next_member()).await;
    admin.submit(&path(&here, "thresholds"), &threshold).await.is(200);
    let exported = admin.get(&path(&here, "export")).await;
    let thresholds = exported.is(200).text().replace("kick", "ban");
    let apply = [("document", thresholds.as_str()), ("mapped", "1"), ("apply", "1")];
    manager
        .submit(&transfer, &apply)
        .await
        .is(422)
        .shows("Ban Members");
    admin.submit(&transfer, &apply).await.is(303);
    assert_eq!(
        read(&session, "SELECT action FROM warning_threshold").await,
        "ban"
    );
    let added = admin
        .get(&history)
        .await
        .between("name=\"request\" value=\"", "\"")[0]
        .to_owned();
    admin.submit(&history, &[("request", &added)]).await.is(303);
    assert_eq!(
        read(&session, "SELECT action FROM warning_threshold").await,
        "kick"
    );

    // The file of a server in which the role has another ID.
    let exported = manager.get(&path(&here, "export")).await;
    let document = exported
        .is(200)
        .text()
        .replace(&id, ELSEWHERE)
        .replace(&format!("{ELSEWHERE}\": 5"), &format!("{ELSEWHERE}\": 7"));
    let name = format!("role.{ELSEWHERE}");
    let fields = [
        ("document", document.as_str()),
        ("mapped", "1"),
        (name.as_str(), id.as_str()),
    ];
    let apply = [&fields[..], &[("apply", "1")]].concat();
    let confirmed = manager.submit(&transfer, &fields[..1]).await;
    confirmed
        .is(200)
        .shows("level 7")
        .shows(&format!("value=\"{role}\" selected"));
    // A role that bans may be a reward only by the owner's choice.
    allow(&here, role, BAN).await;
    manager.submit(&transfer, &apply).await.is(422).shows("owner");
    assert_eq!(read(&session, LEVELS).await, "5");
    allow(&here, role, 0).await;
    manager.submit(&transfer, &apply).await.is(303);
    assert_eq!(read(&session, LEVELS).await, "7");

    // The newest change is the file's, the oldest the reward's.
    let requests = async |manager: &mut Browser| {
        let shown = manager.get(&history).await;
        let requests = shown.between("name=\"request\" value=\"", "\"");
        requests.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let newest = requests(&mut manager).await;
    let (file, first) = (newest[0].as_str(), newest[3].as_str());
    manager
        .submit(&history, &[("request", first)])
        .await
        .is(409)
        .shows("changed again since");
    allow(&here, role, BAN).await;
    manager
        .submit(&history, &[("request", file)])
        .await
        .is(409)
        .shows("owner");
    assert_eq!(read(&session, LEVELS).await, "7");
    allow(&here, role, 0).await;
    manager.submit(&history, &[("request", file)]).await.is(303);
    assert_eq!(read(&session, LEVELS).await, "5");
    manager.submit(&history, &[("request", first)]).await.is(303);
    assert_eq!(read(&session, LEVELS).await, "none");
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_is_shown_before_its_colour_is_saved() {
    let here = website().await;
    let session = database(&here).await;
    let mut manager = browser(&here);
    manager.sign_in(&here, here.next_member()).await;
    let cards = path(&here, "cards");
    let shown = manager.get(&cards).await;
    let usual = shown.is(200).between("data-preview src=\"", "\"")[0].to_owned();
    let fields = [("form", "0"), ("colour", "#ff0000"), ("preview", "1")];
    let shown = manager.submit(&cards, &fields).await;
    let red = shown.is(200).between("data-preview src=\"", "\"")[0].replace("&amp;", "&");
    let (usual, red) = (manager.get(&usual).await, manager.get(&red).await);
    assert_eq!(red.is(200).header("content-type"), Some("image/png"));
    assert!(red.body.starts_with(b"\x89PNG") && red.body != usual.is(200).body);
    let colour = "SELECT coalesce(string_agg(card_colour::text, ','), 'none') FROM guild_settings";
    assert_eq!(read(&session, colour).await, "none");
    manager.submit(&cards, &fields[..2]).await.is(200);
    assert_eq!(read(&session, colour).await, 0xFF_0000.to_string());
    manager.submit(&cards, &[("form", "1")]).await.is(200);
    assert_eq!(read(&session, colour).await, "none");
    here.end().await;
}

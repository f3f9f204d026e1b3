//! Commands for the rules of levels, for rewards and for resets.

use discord_simulator::InteractionRequest;
use eventide::postgres::Statement;
use serde_json::{Value, json};

use super::{first, member, option, role, xp_of};
use crate::support::{
    asking::{ADMINISTRATOR, here, text},
    until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_permissions_are_refused_with_a_message() {
    let here = here().await;
    let (member, resolved) = member(here.member(1));
    let options = json!([option(4, "amount", 5), member]);
    for (command, path, options) in [
        ("xp", "give", options.clone()),
        ("levels", "show", json!([])),
        ("levels", "reset", json!([])),
    ] {
        let mut request = here.managing(command, path, options, resolved.clone());
        request.member_permissions = Some("0".to_owned());
        let said = text(&here.ask(&request).await);
        assert!(said.contains("Manage Server"), "{command} {path}: {said}");
    }
    // Options that Discord would reject.
    let bad = [
        (
            "xp",
            "give",
            json!([option(4, "amount", -5), options[1]]),
            "smaller number",
        ),
        (
            "xp",
            "give",
            json!([option(4, "amount", 5)]),
            "either a member or a role",
        ),
        (
            "levels",
            "xp",
            json!([option(4, "least", 9), option(4, "most", 3)]),
            "larger than the maximum",
        ),
        (
            "levels",
            "xp",
            json!([option(3, "least", "x"), option(4, "most", 3)]),
            "choose one from the list",
        ),
        (
            "levels",
            "multiplier",
            json!([option(10, "factor", 50.0)]),
            "choose one from the list",
        ),
        (
            "levels",
            "multiplier",
            json!([option(10, "factor", 2.0)]),
            "either a role or a channel",
        ),
        (
            "levels",
            "curve",
            json!([option(3, "kind", "linear")]),
            "at least 1 XP",
        ),
        (
            "levels",
            "announce",
            json!([option(3, "where", "channel")]),
            "choose a channel",
        ),
        (
            "levels",
            "announce",
            json!([option(3, "where", "direct"), option(3, "text", "{nobody}")]),
            "cannot be used",
        ),
        ("levels", "undo", json!([]), "no such change"),
        ("levels", "nothing", json!([]), "no longer exists"),
    ];
    for (command, path, options, expected) in bad {
        let mut request = here.managing(command, path, options, resolved.clone());
        // Each by a different member, so that the rate limit is not reached.
        request.user_id = here
            .member(10 + u32::try_from(path.len()).expect("short") + u32::from(expected.as_bytes()[0]) % 60);
        let said = text(&here.ask(&request).await);
        assert!(said.contains(expected), "{command} {path}: {said}");
    }
    here.end().await;
}

/// Otherwise a member whom the owner trusts less could give themselves what the bot may do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_owner_makes_a_dangerous_role_a_reward() {
    let here = here().await;
    let control = here.discord.control();
    let role_id = control.create_role(here.guild(), "strong", 1).expect("a role");
    assert!(control.set_role_permissions(here.guild(), role_id, 1 << 2));
    let (role, resolved) = role(role_id);
    let options = json!([option(4, "level", 3), role]);
    let refused = here
        .manage("levels", "reward add", options.clone(), resolved.clone())
        .await;
    assert!(
        refused.contains("**Ban Members**") && refused.contains("Only the owner of the server"),
        "{refused}"
    );
    let list = here.manage("levels", "reward list", json!([]), json!({})).await;
    assert!(!list.contains(&role_id.to_string()), "{list}");
    let mut request = here.managing("levels", "reward add", options, resolved);
    request.user_id = here.member(0);
    let added = text(&here.ask(&request).await);
    assert!(added.contains("Level 3 now gives"), "{added}");
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rewards_announcements_and_curves() {
    let here = here().await;
    let control = here.discord.control();
    let role_id = control.create_role(here.guild(), "regular", 1).expect("a role");
    let (role, resolved) = role(role_id);
    let add = json!([option(4, "level", 3), role.clone()]);
    let added = here.manage("levels", "reward add", add, resolved.clone()).await;
    assert!(added.contains("Level 3 now gives"), "{added}");
    let curve = json!([option(3, "kind", "linear"), option(10, "step", 50.0)]);
    let curve = here.manage("levels", "curve", curve, json!({})).await;
    assert!(curve.contains("level 1 at 50, 10 at 500"), "{curve}");
    let said = json!([
        option(3, "where", "same_channel"),
        option(3, "text", "{user.name} is now {level}")
    ]);
    let preview = here.manage("levels", "announce", said, json!({})).await;
    assert!(preview.contains("is now 5"), "{preview}");
    let list = here.manage("levels", "reward list", json!([]), json!({})).await;
    assert!(list.contains(&format!("Level 3: <@&{role_id}>")), "{list}");

    // Everything at a glance, also why something was turned off.
    let off = Statement::new(
        "off",
        &[],
        "UPDATE guild_settings SET rewards_off_reason = 'Manage Roles is missing'",
    );
    here.scene.store().query(off, &[]).await.expect("off");
    let expected = [
        "{user.name} is now {level}",
        "notify no one",
        "hidden from the leaderboard until they are back",
        "I turned this off myself: Manage Roles is missing",
        "when the change of XP that raised their level is undone",
        "Members who return get the roles",
    ];
    until("everything is shown", async || {
        let shown = here.manage("levels", "show", json!([]), json!({})).await;
        expected.iter().all(|part| shown.contains(part)).then_some(())
    })
    .await;
    let on = json!([option(3, "keep", "stack")]);
    here.manage("levels", "reward mode", on, json!({})).await;

    // Level 3 of this curve is 150 XP.
    let user = here.member(1);
    let ((member, users), amount) = (member(user), option(4, "amount", 160));
    let mut give = here.managing("xp", "give", json!([amount, member]), users);
    give.user_id = here.next_member();
    assert!(text(&here.ask(&give).await).contains("level 3"));
    until("the role is given", async || {
        control
            .member_roles(here.guild(), user)
            .filter(|roles| roles.contains(&role_id))
    })
    .await;

    // The role is removed by hand; a sync gives it back.
    let mut sync = here.managing("levels", "reward sync", json!([]), json!({}));
    sync.user_id = here.next_member();
    let state = here.ask(&sync).await;
    assert!(first(&state).contains("Looking for"), "{state:?}");
    until("the sync has ended", async || {
        let state = control.interaction(state.id)?;
        let done = |edit: &Value| {
            edit["content"]
                .as_str()
                .is_some_and(|said| said.contains("Done: one member"))
        };
        state.edits.iter().any(done).then_some(())
    })
    .await;
    let mut remove = here.managing("levels", "reward remove", json!([role]), resolved);
    remove.user_id = here.member(7);
    assert!(text(&here.ask(&remove).await).contains("is no longer a reward"));
    here.end().await;
}

/// Nothing is reset before the user confirms, and no other member can confirm.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_asks_first() {
    let here = here().await;
    let ((member, users), amount) = (member(here.member(1)), option(4, "amount", 160));
    here.manage("xp", "give", json!([amount, member]), users).await;
    let asked = here.managing("levels", "reset", json!([]), json!({}));
    let state = here.ask(&asked).await;
    let message = state.original.clone().expect("a message");
    let id = |button: usize| {
        let id = &message["components"][0]["components"][button]["custom_id"];
        id.as_str().expect("a button").to_owned()
    };
    let press = |user: u64, button: &str, permissions: &str| {
        let mut request = InteractionRequest::component(here.guild(), user, button, &[], message.clone());
        request.member_permissions = Some(permissions.to_owned());
        request
    };
    let (yes, no) = (id(0), id(1));
    for (user, button, permissions, expected) in [
        (
            here.member(3),
            &yes,
            ADMINISTRATOR,
            "Only the person who ran this command",
        ),
        (here.member(0), &yes, "0", "Manage Server"),
        (here.member(0), &no, ADMINISTRATOR, "Nothing was changed"),
    ] {
        let state = here.ask(&press(user, button, permissions)).await;
        let said = state.callback.expect("an answer")["data"]["content"].clone();
        assert!(
            said.as_str().is_some_and(|said| said.contains(expected)),
            "{said}"
        );
    }
    assert_eq!(xp_of(&here, here.member(1)).await.0, 160);
    here.ask(&press(here.member(0), &yes, ADMINISTRATOR)).await;
    until("everything is reset", async || {
        (xp_of(&here, here.member(1)).await.0 == 0).then_some(())
    })
    .await;
    here.end().await;
}

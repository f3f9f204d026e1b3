//! Commands that are refused: the permission of the moderator and of the bot, ranks, and options that cannot be used.

use discord_simulator::InteractionRequest;
use serde_json::json;

use super::{ALL, BAN, KICK, Stage, TIMEOUT, command, lasting, of_type, said, stage, text};

/// The commands with what they need, and its name.
const COMMANDS: [(&str, u64, &str); 7] = [
    ("ban", BAN, "Ban Members"),
    ("tempban", BAN, "Ban Members"),
    ("softban", BAN, "Ban Members"),
    ("unban", BAN, "Ban Members"),
    ("kick", KICK, "Kick Members"),
    ("timeout", TIMEOUT, "Timeout Members"),
    ("untimeout", TIMEOUT, "Timeout Members"),
];

fn of(stage: &Stage, name: &str, user: u64) -> InteractionRequest {
    let needs_duration = matches!(name, "tempban" | "timeout");
    let more = if needs_duration { lasting("1h") } else { json!([]) };
    command(stage, name, user, &more)
}

async fn nothing_happened(stage: &Stage) {
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 0);
    assert_eq!(stage.number("SELECT count(*) FROM outbox").await, 0);
    assert_eq!(
        stage
            .number("SELECT count(*) FROM timer WHERE guild_id <> 0")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moderators_without_the_permission() {
    let stage = stage().await;
    let user = stage.user(30);
    for (name, needs, words) in COMMANDS {
        let mut request = of(&stage, name, user);
        request.member_permissions = Some((ALL & !needs).to_string());
        let reply = text(&stage.ask(&request).await);
        assert!(
            reply.contains(&format!("You need the **{words}** permission")),
            "{name}: {reply}"
        );
    }
    // What Discord says of the channel counts less than the roles in the whole server.
    let role = stage.role;
    assert!(
        stage
            .control()
            .set_role_permissions(stage.guild(), role, super::MANAGE_SERVER)
    );
    for (name, _, words) in COMMANDS {
        let reply = text(&stage.ask(&of(&stage, name, user)).await);
        assert!(reply.contains(words), "{name}: {reply}");
    }
    nothing_happened(&stage).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_without_the_permission() {
    let stage = stage().await;
    let user = stage.user(30);
    for (name, needs, words) in COMMANDS {
        assert!(stage.control().set_bot_permissions(stage.guild(), ALL & !needs));
        let reply = text(&stage.ask(&of(&stage, name, user)).await);
        assert_eq!(
            reply,
            format!("I need the **{words}** permission to do that."),
            "{name}"
        );
    }
    nothing_happened(&stage).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranks_that_protect() {
    let stage = stage().await;
    let (guild, control) = (stage.guild(), stage.control());
    let (owner, bot) = (stage.user(0), stage.discord.world().bot_id());
    let higher = control.create_role(guild, "higher", 3).expect("a role");
    let (above, beside) = (stage.user(31), stage.user(33));
    assert!(control.set_member_roles(guild, beside, &[stage.role]));
    assert!(control.set_member_roles(guild, above, &[higher]));
    for (name, ..) in COMMANDS {
        for (user, words) in [
            (owner, "the owner of the server"),
            (bot, "You cannot do that to me"),
            (above, "whose highest role is below yours"),
            (beside, "whose highest role is below yours"),
        ] {
            let reply = text(&stage.ask(&of(&stage, name, user)).await);
            assert!(reply.contains(words), "{name} {user}: {reply}");
        }
        let mut own = of(&stage, name, stage.user(30));
        own = InteractionRequest {
            data: of(&stage, name, own.user_id).data,
            ..own
        };
        let reply = text(&stage.ask(&own).await);
        assert_eq!(reply, "You cannot do that to yourself.", "{name}");
    }
    // Below the owner, but not below the bot.
    assert!(control.set_bot_position(guild, 1));
    let request = InteractionRequest {
        user_id: owner,
        ..of(&stage, "kick", beside)
    };
    let reply = text(&stage.ask(&request).await);
    assert!(reply.contains("their highest role is not below mine"), "{reply}");
    nothing_happened(&stage).await;
    stage.end().await;
}

/// Discord lets nobody time out an administrator, whatever the ranks are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_cannot_be_timed_out() {
    let stage = stage().await;
    let (guild, control, user) = (stage.guild(), stage.control(), stage.user(30));
    let role = control.create_role(guild, "administrators", 1).expect("a role");
    assert!(control.set_role_permissions(guild, role, 1 << 3));
    assert!(control.set_member_roles(guild, user, &[role]));
    let reply = text(&stage.ask(&of(&stage, "timeout", user)).await);
    assert!(reply.contains("dministrator"), "{reply}");
    nothing_happened(&stage).await;
    super::settled(&stage, "kick", user, json!([])).await;
    assert_eq!(control.has_left(guild, user), Some(true));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_that_cannot_be_used() {
    let stage = stage().await;
    let user = stage.user(30);
    let because = |reason: String| json!([of_type(3, "reason", reason)]);
    let both = |duration: &str| lasting(duration);
    for (name, more, words) in [
        ("ban", because("x".repeat(1_001)), "1 to 1,000 characters"),
        ("ban", because("  ".to_owned()), "1 to 1,000 characters"),
        (
            "ban",
            json!([of_type(3, "delete_messages", "1y")]),
            "is not valid",
        ),
        (
            "tempban",
            both("**soon**"),
            "\\*\\*soon\\*\\*** is not a valid duration",
        ),
        ("tempban", both("never"), "is not a valid duration"),
        ("tempban", both("30s"), "between one minute"),
        ("timeout", both("11y"), "and ten years"),
        ("tempban", json!([]), "is not valid"),
    ] {
        let reply = said(&stage, name, user, more).await;
        assert!(reply.contains(words), "{name}: {reply}");
    }
    nothing_happened(&stage).await;
    stage.end().await;
}

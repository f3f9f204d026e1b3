use twilight_model::{guild::Permissions, id::Id};

use super::{Feature, application_of, privileged, told, wishes};
use crate::{config::Config, pipeline::dispatch};

fn permissions(without: &[Feature], config: &Config) -> Permissions {
    wishes(without, config)
        .iter()
        .fold(Permissions::empty(), |all, wish| all | wish.permission)
}

#[test]
fn a_token_tells_whose_it_is() {
    // The example in Discord's documentation, which is not a real token.
    let id = application_of("MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs");
    assert_eq!(id, Some(Id::new(198_622_483_471_925_248)));
    let id = application_of("Bot MTMwMDAwMDAwMDAwMDAwMDAwMQ==.x.y");
    assert_eq!(id, Some(Id::new(1_300_000_000_000_000_001)));
    for other in [
        "",
        "MTk4NjIyNDgzNDcxOTI1MjQ4",
        "not base64!.x.y",
        "MA.x.y",
        "aGVsbG8.x.y",
    ] {
        assert_eq!(application_of(other), None, "{other}");
    }
}

#[test]
fn what_is_not_used_is_not_asked_for() {
    let mut config = Config::defaults();
    let staff = permissions(&[], &config) - permissions(&[Feature::Staff], &config);
    let threads = Permissions::CREATE_PUBLIC_THREADS | Permissions::CREATE_PRIVATE_THREADS;
    assert_eq!(
        staff,
        Permissions::MANAGE_CHANNELS
            | Permissions::MANAGE_THREADS
            | Permissions::MANAGE_NICKNAMES
            | Permissions::MANAGE_MESSAGES
            | threads
    );
    let all = permissions(&[Feature::Staff], &config);
    let every = [
        Feature::Messages,
        Feature::Roles,
        Feature::Moderation,
        Feature::Staff,
    ];
    assert_eq!(
        permissions(&every, &config),
        Permissions::VIEW_CHANNEL | Permissions::READ_MESSAGE_HISTORY | Permissions::CONNECT
    );
    let no_moderation = permissions(&[Feature::Moderation, Feature::Staff], &config);
    assert_eq!(
        all - no_moderation,
        Permissions::MODERATE_MEMBERS
            | Permissions::KICK_MEMBERS
            | Permissions::BAN_MEMBERS
            | Permissions::MANAGE_GUILD
            | Permissions::VIEW_AUDIT_LOG
            | Permissions::ATTACH_FILES
    );
    assert_eq!(
        no_moderation - permissions(&[Feature::Moderation, Feature::Roles, Feature::Staff], &config),
        Permissions::MANAGE_ROLES
    );

    config.levels.backfill = false;
    assert_eq!(
        all - permissions(&[Feature::Staff], &config),
        Permissions::READ_MESSAGE_HISTORY
    );
    let all = permissions(&[Feature::Staff], &config);
    config.discord.message_content = true;
    assert_eq!(
        permissions(&[Feature::Staff], &config) - all,
        Permissions::READ_MESSAGE_HISTORY | Permissions::EMBED_LINKS
    );
    // Replies to text commands are sent even if levels are not announced.
    assert!(permissions(&every, &config).contains(Permissions::SEND_MESSAGES));
}

#[test]
fn nobody_asks_for_administrator_and_no_line_is_twice() {
    let mut config = Config::defaults();
    config.discord.message_content = true;
    assert!(!permissions(&[], &config).contains(Permissions::ADMINISTRATOR));
    let wishes = wishes(&[], &config);
    assert_eq!(
        wishes.iter().fold(0, |sum, wish| sum + wish.permission.bits()),
        permissions(&[], &config).bits()
    );
}

#[test]
fn the_privileged_intents_are_those_that_the_gateway_is_asked_for() {
    use twilight_gateway::Intents;
    let all_privileged = Intents::GUILD_MEMBERS | Intents::MESSAGE_CONTENT | Intents::GUILD_PRESENCES;
    for (members, content) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut config = Config::defaults();
        config.discord.member_events = members;
        config.discord.message_content = content;
        let asked = dispatch::intents(&config.discord) & all_privileged;
        let said = privileged(&config.discord);
        assert_eq!(said.matches("Intent (").count(), asked.iter().count(), "{said}");
        assert_eq!(said.contains("Server Members"), members);
        assert_eq!(said.contains("Message Content"), content);
        assert_eq!(said.contains("none"), !members && !content);
    }
}

#[test]
fn the_link_stands_alone_in_the_first_line() {
    let text = told(
        Id::new(7),
        &[Feature::Moderation, Feature::Staff],
        &Config::defaults(),
    );
    assert_eq!(
        text.lines().next(),
        Some(
            "https://discord.com/oauth2/authorize?client_id=7&scope=bot+applications.commands&permissions=275147459584"
        )
    );
    assert_eq!(
        text.lines().nth(2),
        Some("View Channels             messages count in the channels that the bot can see")
    );
}

//! Roles that the bot cannot give, or must not.

use std::time::Duration;

use eventide::postgres::Statement;
use tokio_postgres::types::Type;

use super::{PUT, Server};
use crate::support::{
    effects::{Courier, delivered},
    until,
};

/// A missing permission is temporary: the role is given when the bot may give it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_waits_for_the_permission() {
    let server = Server::new("stack").await;
    let control = server.discord.control();
    control.set_bot_permissions(server.guild_id, 0);
    let user = server.member_with(1, 120).await;
    let mut config = server.config();
    config.effects.failures_until_off = 1_000;
    let courier = Courier::start(&config, &server.store);
    let failures = Statement::new(
        "test",
        &[],
        "SELECT coalesce(max(attempts), 0) FROM outbox WHERE failed_at IS NULL",
    );
    until("it was tried", async || {
        let rows = server.store.query(failures, &[]).await.expect("read");
        (rows[0].get::<_, i64>(0) > 0).then_some(())
    })
    .await;
    assert_eq!(
        control.rest_calls(PUT).len(),
        0,
        "Discord is not asked for what it refuses"
    );
    control.set_bot_permissions(server.guild_id, (1 << 28) | (1 << 10) | (1 << 11));
    // The cached guild is at most a few minutes old; without a gateway there is no event about the change.
    courier.stop().await;
    let courier = Courier::start(&config, &server.store);
    delivered(&server.store).await;
    assert_eq!(server.rewards_of(user), [1]);
    courier.stop().await;
    server.end().await;
}

/// Nothing is asked of Discord that it refuses again and again: rewards are off, and the log channel knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_permission_rewards_are_switched_off() {
    let server = Server::new("stack").await;
    let control = server.discord.control();
    control.set_bot_permissions(server.guild_id, (1 << 10) | (1 << 11));
    for at in 1..=4 {
        server.member_with(at, 120).await;
    }
    let courier = Courier::start(&server.config(), &server.store);
    until("the log channel has the notice", async || {
        (!server.notices().is_empty()).then_some(())
    })
    .await;
    let notices = server.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("stopped giving reward roles"), "{notices:?}");
    assert_eq!(control.rest_calls(PUT).len(), 0);
    let off = Statement::new(
        "test",
        &[],
        "SELECT count(*) FROM guild_settings WHERE rewards_off_reason LIKE '%Manage Roles%'",
    );
    let rows = server.store.query(off, &[]).await.expect("read");
    assert_eq!(rows[0].get::<_, i64>(0), 1);
    courier.stop().await;
    server.end().await;
}

/// One role that cannot be given is named, once, and the others are given as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_role_out_of_reach_does_not_stop_the_others() {
    let server = Server::new("stack").await;
    let control = server.discord.control();
    assert!(control.set_role_position(server.guild_id, server.roles[2], 60));
    let mut members = Vec::new();
    for at in 1..=6 {
        members.push(server.member_with(at, 500).await);
    }
    let courier = Courier::start(&server.config(), &server.store);
    until(
        "everybody has what can be given, and the log channel has the notice",
        async || {
            let all = members.iter().all(|user| server.rewards_of(*user) == [1, 2]);
            (all && !server.notices().is_empty()).then_some(())
        },
    )
    .await;
    // After several retries there is still only one notice, and no unnecessary request.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let notices = server.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].contains(&format!("<@&{}>", server.roles[2])),
        "{notices:?}"
    );
    assert_eq!(control.rest_calls(PUT).len(), 12);
    let off = Statement::new(
        "test",
        &[],
        "SELECT count(*) FROM guild_settings WHERE rewards_off_reason IS NOT NULL",
    );
    let rows = server.store.query(off, &[]).await.expect("read");
    assert_eq!(rows[0].get::<_, i64>(0), 0);
    courier.stop().await;
    server.end().await;
}

/// A role that got dangerous permissions after it became a reward is given only if the server's owner made it one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_became_dangerous_waits_for_the_owner() {
    const BAN: u64 = 1 << 2;
    let server = Server::new("stack").await;
    let control = server.discord.control();
    assert!(control.set_role_permissions(server.guild_id, server.roles[0], BAN));
    let user = server.member_with(1, 300).await;
    let mut config = server.config();
    config.effects.failures_until_off = 1_000;
    let courier = Courier::start(&config, &server.store);
    let tries = async || {
        let tries = Statement::new(
            "test",
            &[],
            "SELECT coalesce(max(attempts), 0) FROM outbox WHERE failed_at IS NULL",
        );
        server.store.query(tries, &[]).await.expect("read")[0].get::<_, i64>(0)
    };
    until("it was tried", async || (tries().await > 0).then_some(())).await;
    assert_eq!(server.rewards_of(user), [2], "the harmless one alone");
    let configured = async |rank| {
        let member = server.discord.world().member_id(server.guild_id, rank);
        let by = Statement::new("test", &[Type::INT8], "UPDATE level_role SET configured_by = $1");
        let member = member.expect("a member").cast_signed();
        server.store.query(by, &[&member]).await.expect("written");
    };
    configured(5).await;
    let before = tries().await;
    until("it was tried again", async || {
        (tries().await > before).then_some(())
    })
    .await;
    assert_eq!(server.rewards_of(user), [2], "not for another member's choice");
    configured(0).await;
    delivered(&server.store).await;
    assert_eq!(server.rewards_of(user), [1, 2], "for the owner's");
    courier.stop().await;
    server.end().await;
}

/// There are no pending roles for members or roles that no longer exist.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_who_left_and_roles_that_are_gone() {
    let server = Server::new("stack").await;
    let control = server.discord.control();
    let (gone, here) = (server.member_with(1, 120).await, server.member_with(2, 300).await);
    control.set_member_left(server.guild_id, gone, true);
    control.delete_role(server.guild_id, server.roles[0]);
    let courier = Courier::start(&server.config(), &server.store);
    delivered(&server.store).await;
    assert_eq!(server.rewards_of(here), [2]);
    until("the log channel has the notice", async || {
        (!server.notices().is_empty()).then_some(())
    })
    .await;
    assert!(
        server.notices()[0].contains("was deleted"),
        "{:?}",
        server.notices()
    );
    let left = Statement::new("test", &[], "SELECT count(*) FROM level_role");
    let rows = server.store.query(left, &[]).await.expect("read");
    assert_eq!(rows[0].get::<_, i64>(0), 2);
    courier.stop().await;
    server.end().await;
}

//! Data that members had erased stays erased when an older backup is restored.

use eventide::{app::features::tables, features::privacy::rows::member, support::ids::MemberKey};
use tempfile::TempDir;
use twilight_model::id::Id;

use super::{Session, backup, ended, fill, restore};
use crate::support::{Scene, effects::member_data};

/// Rows of a member in every table that an erasure empties.
fn rows_of(user: u64) -> String {
    format!(
        "INSERT INTO request (guild_id, request_id, actor_id, action, details, members, created_at)
         VALUES (1, {user}, 7, 'xp_give', '{{\"user_id\": \"{user}\", \"amount\": 5}}', 1, now());
         INSERT INTO member_card (guild_id, user_id, colour, asked_id) VALUES (1, {user}, 255, 3);
         INSERT INTO member_arrival VALUES (1, {user}, true, NULL);
         INSERT INTO given_role VALUES (1, {user}, 6);
         INSERT INTO audit_xp (guild_id, interaction_id, user_id, change) VALUES (1, {user}, {user}, 5);
         INSERT INTO member_week VALUES (1, {user}, 2900, 5);
         INSERT INTO outbox (guild_id, lane_id, kind, user_id, body) VALUES (1, {user}, 'roles', {user}, '{{}}');
         INSERT INTO backfill_message VALUES (1, {user}, 3, {user});
         INSERT INTO mod_case (guild_id, case_id, kind, user_id, moderator_id, reason, created_at)
         VALUES (1, {user}, 'warning', {user}, 7, 'spam', now());
         INSERT INTO quarantine (guild_id, user_id, kind, body, sqlstate, reason)
         VALUES (1, {user}, 'member', '{{}}', '23514', 'refused');
         INSERT INTO report (guild_id, report_id, user_id, staff_channel_id, created_at) VALUES (1, {user}, 99, 3, now());
         INSERT INTO report_entry VALUES (1, {user}, {user}, 'rude', now(), 'en-US');
         INSERT INTO appeal (guild_id, appeal_id, user_id, appeal, created_at) VALUES (1, {user}, {user}, 'sorry', now());
         INSERT INTO appeal_vote VALUES (1, {user}, {user}, false);
         INSERT INTO guild_staff VALUES (1, {user});"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_backup_does_not_bring_back_who_was_erased() {
    const BEFORE: u64 = 10;
    const AFTER: u64 = 20;
    const OTHER: u64 = 30;
    let scene = Scene::new().await;
    let postgres = &scene.postgres;
    let directory = TempDir::new().expect("a directory");
    let (older, newer) = (directory.path().join("older"), directory.path().join("newer"));
    fill(postgres, "public", 50).await;
    let session = Session::open(postgres, "public").await;
    let key = |user: u64| MemberKey {
        guild_id: Id::new(1),
        user_id: Id::new(user),
    };
    let erase = async |user: u64, asked: u64| {
        // Nothing of the bot's is connected while something is restored.
        let store = scene.store();
        let erased = store.transaction("test", move |tx| {
            Box::pin(async move { member::erase(tx, key(user), Id::new(asked), &member_data()).await })
        });
        assert!(erased.await.expect("erased"), "{user}");
        store.close();
    };
    let erasable = || {
        // A restore ends all sessions, which belong to no server.
        let of_servers = tables().into_iter().filter(|table| table.delete.is_some());
        let erasable = of_servers.filter(|table| table.erase().is_some());
        erasable.map(|table| table.name)
    };
    // A member's data in each table, except the record of the erasure and data of the server.
    let left = async |user: u64| {
        let store = scene.store();
        let told = member::export(&store, key(user), &member_data())
            .await
            .expect("told");
        store.close();
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        erasable()
            .filter(|table| told[*table].as_array().is_some_and(|rows| !rows.is_empty()))
            .count()
    };
    let all = erasable().count();

    // One was erased before the backup, and is back with new rows.
    session.execute("INSERT INTO mod_guild VALUES (1, 100)").await;
    erase(BEFORE, 1 << 40).await;
    session
        .execute("INSERT INTO member_xp (guild_id, user_id, xp) VALUES (1, 10, 5); UPDATE erased SET is_over = true")
        .await;
    for user in [BEFORE, AFTER, OTHER] {
        session.execute(&rows_of(user)).await;
    }
    session
        .execute("INSERT INTO member_xp (guild_id, user_id, xp) VALUES (1, 20, 5), (1, 30, 5) ON CONFLICT DO NOTHING")
        .await;
    backup(postgres, "public", &older).await;
    assert_eq!(left(AFTER).await, all);
    erase(AFTER, 1 << 41).await;
    backup(postgres, "public", &newer).await;
    // The member has data again when it is restored; the record still exists.
    session.execute("UPDATE erased SET is_over = true").await;

    // Twice, because the record is in the restored data, too.
    for file in [&older, &older, &newer] {
        ended(restore(postgres, "public", file, &["--replace", "--yes"]))
            .await
            .well();
        assert_eq!(left(AFTER).await, 0, "erased after the backup");
        for user in [BEFORE, OTHER] {
            assert_eq!(left(user).await, all, "{user}");
        }
        let records =
            "SELECT string_agg(concat(user_id, ' ', interaction_id), ',' ORDER BY user_id) FROM erased";
        assert_eq!(
            session.text(records).await,
            format!("10 {},20 {}", 1_u64 << 40, 1_u64 << 41)
        );
        let cases = "SELECT count(*) FROM mod_case";
        assert_eq!(session.number(cases).await, 3, "warnings are the server's");
    }
    let holds = "SELECT count(*) FROM erased WHERE user_id = 20 AND NOT is_over";
    assert_eq!(session.number(holds).await, 1);
    session.close().await;
    scene.stop().await;
}

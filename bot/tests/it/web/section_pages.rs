//! Attacks on the pages for a server's settings.

use serde_json::json;

use super::{browser, database, website};
use crate::support::{
    asking::Here,
    browser::{Browser, encoded},
};

async fn manager(here: &Here) -> Browser {
    let mut manager = browser(here);
    manager.sign_in(here, here.next_member()).await;
    manager
}

fn path(guild: u64, below: &str) -> String {
    format!("/servers/{guild}/settings/{below}")
}

/// What servers have chosen.
async fn chosen(here: &Here) -> String {
    let sql = "SELECT coalesce(string_agg(concat(section, settings), ','), '') FROM guild_section";
    let session = database(here).await;
    session.client.query_one(sql, &[]).await.expect(sql).get(0)
}

const REQUIRE: [(&str, &str); 2] = [("before.require_reason", ""), ("require_reason", "on")];

fn with_token<'a>(token: &'a str, fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut form = vec![("token", token)];
    form.extend(fields);
    form
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_changed_by_forms_of_the_same_session_only() {
    let here = website().await;
    let (mut victim, mut attacker) = (manager(&here).await, manager(&here).await);
    let section = path(here.guild(), "moderation");
    let own = victim.get(&section).await.token();
    let foreign = attacker.get(&section).await.token();
    for below in ["moderation", "history", "transfer"] {
        let page = path(here.guild(), below);
        for token in ["", foreign.as_str()] {
            let shown = victim.post(&page, &with_token(token, &REQUIRE)).await;
            assert_eq!(shown.status, 403, "{below}: {token}");
        }
        victim.headers = vec![("Origin".to_owned(), "https://evil.example".to_owned())];
        let form = encoded(&with_token(&own, &REQUIRE));
        assert_eq!(victim.send("POST", &page, &form).await.status, 403, "{below}");
        victim.headers.clear();
    }
    assert_eq!(chosen(&here).await, "");
    let done = victim.post(&section, &with_token(&own, &REQUIRE)).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(chosen(&here).await, "moderation{\"require_reason\": true}");
    // Sent twice, it is one change.
    let off = [("before.require_reason", "on")];
    let again = victim.post(&section, &with_token(&own, &off)).await;
    assert_eq!(again.status, 303);
    assert_eq!(chosen(&here).await, "moderation{\"require_reason\": true}");
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_of_another_server_are_neither_shown_nor_changed() {
    let here = website().await;
    let mut manager = manager(&here).await;
    let other = here.discord.world().guilds()[1].id();
    let own = path(here.guild(), "moderation");
    let token = manager.get(&own).await.token();
    for below in ["moderation", "history", "transfer", "export"] {
        let page = path(other, below);
        assert_eq!(manager.get(&page).await.status, 404, "{below}");
        let shown = manager.post(&page, &with_token(&token, &REQUIRE)).await;
        assert_eq!(shown.status, 404, "{below}");
    }
    // Its settings by copying, its roles, and its changes.
    let transfer = path(here.guild(), "transfer");
    let from = other.to_string();
    let copied = manager
        .post(&transfer, &with_token(&token, &[("from", &from)]))
        .await;
    assert_eq!(copied.status, 404);
    let role = here.discord.control().create_role(other, "foreign", 2);
    let role = role.expect("a role").to_string();
    let roles = [("before.protected_roles", ""), ("protected_roles", role.as_str())];
    let refused = manager.post(&own, &with_token(&token, &roles)).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let session = database(&here).await;
    let sql = format!(
        "INSERT INTO request (guild_id, request_id, actor_kind, action, details, before, members, created_at)
         VALUES ({other}, 77, 'cli', 'settings', '{{}}', '{{\"settings\": {{\"moderation.dm_warn\": [true, null]}}}}', 0, now())"
    );
    session.execute(&sql).await;
    let history = path(here.guild(), "history");
    let refused = manager
        .post(&history, &with_token(&token, &[("request", "77")]))
        .await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(chosen(&here).await, "");
    // Members who cannot change settings do not see them.
    let mut member = browser(&here);
    member.sign_in(&here, here.member(5)).await;
    for below in ["moderation", "history", "transfer", "export"] {
        let shown = member.get(&path(here.guild(), below)).await;
        assert_eq!(shown.status, 403, "{below}");
    }
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_texts_are_never_read_as_html() {
    let here = website().await;
    let control = here.discord.control();
    let name = "\"><script>alert(1)</script>";
    let role = control
        .create_role(here.guild(), name, 2)
        .expect("a role")
        .to_string();
    let mut manager = manager(&here).await;
    let section = path(here.guild(), "moderation");
    let token = manager.get(&section).await.token();
    let fields = [
        ("before.protected_roles", ""),
        ("protected_roles", role.as_str()),
        ("before.warn_message", ""),
        ("warn_message", "</textarea><script>alert(2)</script>"),
    ];
    let done = manager.post(&section, &with_token(&token, &fields)).await;
    assert_eq!(done.status, 303, "{}", done.text());
    let document = json!({
        "format": "eventide settings 1",
        "settings": {"moderation.protected_roles": ["1", "\"><script>alert(3)"], "<script>alert(4)": true},
        "roles": {"1": "<script>alert(5)", "\"><script>alert(3)": "\"><script>alert(6)"},
    });
    let document = document.to_string();
    let transfer = path(here.guild(), "transfer");
    let confirmed = manager
        .post(&transfer, &with_token(&token, &[("document", &document)]))
        .await;
    assert_eq!(confirmed.status, 200);
    let refused = manager
        .post(
            &transfer,
            &with_token(&token, &[("document", "</textarea><script>alert(7)")]),
        )
        .await;
    assert_eq!(refused.status, 422);
    let pages = [
        manager.get(&section).await,
        manager.get(&path(here.guild(), "history")).await,
        confirmed,
        refused,
    ];
    for page in &pages {
        assert!(page.text().contains("&lt;script&gt;alert("), "{}", page.text());
        assert!(!page.text().contains("<script>"), "{}", page.text());
    }
    here.end().await;
}

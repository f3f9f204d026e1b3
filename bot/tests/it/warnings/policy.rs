//! What a server decided about its moderators, as `/warn` keeps to it.

use serde_json::json;

use super::stage::{Stage, member, of_type, text};

impl Stage {
    /// Set a setting of moderation, as somebody who manages the server.
    pub(super) async fn set(&self, name: &str, value: &str) {
        let options = json!([
            of_type(3, "setting", format!("moderation.{name}")),
            of_type(3, "value", value)
        ]);
        let state = self.asked(self.moderator(), "settings", options).await;
        let reply = state.reply().expect("a reply");
        let shown = format!("{}{}", reply["content"], reply["embeds"]);
        assert!(shown.contains("**Moderation**"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_with_a_protected_role_are_not_warned() {
    let stage = Stage::new().await;
    let (guild, control) = (stage.guild(), stage.control());
    let role = control.create_role(guild, "protected", 1).expect("a role");
    let (protected, other) = (stage.user(30), stage.user(31));
    assert!(control.set_member_roles(guild, protected, &[role]));
    let warned = stage.warn(protected, json!([])).await;
    assert!(warned.contains("Case **#1**"), "{warned}");
    stage.set("protected_roles", &role.to_string()).await;
    let refused = stage.warn(protected, json!([])).await;
    assert!(refused.contains("protected role"), "{refused}");
    let warned = stage.warn(other, json!([])).await;
    assert!(warned.contains("Case **#2**"), "{warned}");
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 2);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn direct_messages_are_the_servers_choice_and_then_the_moderators() {
    let stage = Stage::new().await;
    stage.set("dm_warn", "off").await;
    stage.warn(stage.user(30), json!([])).await;
    stage.delivered().await;
    assert_eq!(stage.sent("You were warned in **").len(), 0);
    let options = json!([
        member(stage.user(31)),
        of_type(3, "reason", "x"),
        of_type(5, "dm", true)
    ]);
    text(&stage.asked(stage.moderator(), "warn", options).await);
    stage.delivered().await;
    assert_eq!(stage.sent("You were warned in **").len(), 1);
    stage.end().await;
}

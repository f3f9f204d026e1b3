//! `eventide settings` on the command line.

use eventide::settings::table::{self, Switch};

use crate::support::{
    Scene,
    bot::{command, url},
};

const SERVER: &str = "123456789012345678";
const ROLE: &str = "223456789012345678";

/// Run the real binary; returns its exit code and output.
pub(super) async fn eventide(scene: &Scene, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = command(&[&["settings"], arguments].concat())
        .env("DATABASE_URL", url(&scene.postgres.connection()))
        .env("EVENTIDE__LEVELS__ANNOUNCE", "direct")
        .output()
        .await
        .expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

pub(super) async fn well(scene: &Scene, arguments: &[&str]) -> String {
    let (code, out, errors) = eventide(scene, arguments).await;
    assert_eq!(code, Some(0), "{errors}");
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_the_command_line() {
    let scene = Scene::new().await;
    let well = async |arguments: &[&str]| well(&scene, arguments).await;
    let shown = well(&[SERVER]).await;
    assert!(
        shown.contains("announce     direct  (the operator's default)"),
        "{shown}"
    );
    well(&[
        SERVER,
        "set",
        "announce=channel:323456789012345678",
        "template=GG {user}: {level}=!",
        "ping=true",
        "rewards=replace",
    ])
    .await;
    well(&[SERVER, "reward", "add", "20", ROLE]).await;
    well(&[SERVER, "reward", "add", "10", ROLE]).await;
    let shown = well(&[SERVER]).await;
    assert_eq!(
        shown.lines().take(6).collect::<Vec<_>>(),
        [
            "announce     channel:323456789012345678",
            "template     \"GG {user}: {level}=!\"",
            "ping         true",
            "rewards      replace",
            "log_channel  none",
            "level 10     role 223456789012345678",
        ]
    );
    let json = well(&[SERVER, "unset", "announce", "ping", "--json"]).await;
    let mut json: serde_json::Value = serde_json::from_str(&json).expect("one object");
    json.as_object_mut().expect("an object").remove("sections");
    assert_eq!(
        json,
        serde_json::json!({
            "guild_id": SERVER, "announce": "direct", "announce_is_default": true, "announce_off_reason": null,
            "template": "GG {user}: {level}=!", "template_is_default": false, "ping": false,
            "rewards": "replace", "rewards_off_reason": null, "log_channel_id": null,
            "roles": [{"level": 10, "role_id": ROLE}],
        })
    );
    let store = scene.store();
    let switched = store.transaction("test", |tx| {
        let server = SERVER.parse().expect("an id");
        Box::pin(table::switch_off(
            tx,
            server,
            Switch::Rewards,
            "the role is above the bot's",
        ))
    });
    assert!(switched.await.expect("switched"));
    let shown = well(&[SERVER]).await;
    assert!(
        shown.contains("switched rewards off: \"the role is above the bot's\""),
        "{shown}"
    );
    let shown = well(&[SERVER, "set", "rewards=stack"]).await;
    assert!(!shown.contains("switched"), "{shown}");
    let shown = well(&[SERVER, "reward", "remove", ROLE]).await;
    assert!(!shown.contains("level 10"), "{shown}");
    scene.stop().await;
}

/// One line each, and nothing is changed by half.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slips_on_the_command_line() {
    let scene = Scene::new().await;
    for (arguments, words) in [
        (&["general"][..], "\"general\" is no server's id"),
        (
            &[SERVER, "set", "ping=true", "anounce=off"],
            "did you mean announce?",
        ),
        (&[SERVER, "set", "announce"], "has no ="),
        (&[SERVER, "set", "template={lvl}"], "did you mean {level}?"),
        (&[SERVER, "unset", "everything"], "there are announce, template"),
        (&[SERVER, "reward", "add", ROLE, "10"], "is no level"),
        (&[SERVER, "reward", "remove", ROLE], "no level gives the role"),
    ] {
        let (code, out, errors) = eventide(&scene, arguments).await;
        assert_eq!((code, out.as_str()), (Some(64), ""), "{errors}");
        let told: Vec<&str> = errors
            .lines()
            .filter(|line| line.starts_with("eventide: "))
            .collect();
        assert!(told.len() == 1 && told[0].contains(words), "{errors}");
    }
    assert!(well(&scene, &[SERVER]).await.contains("ping         false"));
    scene.stop().await;
}

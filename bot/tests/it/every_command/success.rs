//! What each command, entry of a menu and button leads to when it succeeds. They are those that are registered or shown, so a new one that
//! leads to effects and has no line fails; and each kind of effect follows from a line, or from events.

use std::collections::BTreeSet;

use eventide::{app::features, config::Config, settings::Settings};

use super::{
    asked::said,
    lines::{BUTTONS, COMMANDS, Line, OTHERWISE},
    server::{Found, Server},
};
use crate::support::bot::page;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_leads_to_what_it_is_for() {
    let mut server = Server::new(|_| {}).await;
    let (mut differences, mut found) = (Vec::new(), Found::new());
    let listed: Vec<Line<'_>> = COMMANDS.iter().chain(BUTTONS).copied().collect();
    let is_listed = |what: &String| listed.iter().any(|line| line.what == what);
    let commands: Vec<String> = server.leaves.keys().cloned().collect();
    for line in listed.iter().copied().chain(unlisted(&commands, is_listed)) {
        differences.extend(attempt(&mut server, &line, &mut found).await);
    }
    let shown: Vec<String> = found.keys().cloned().collect();
    for line in unlisted(&shown, is_listed) {
        differences.extend(attempt(&mut server, &line, &mut found).await);
    }
    let led: BTreeSet<&str> = listed
        .iter()
        .flat_map(|line| line.effects)
        .copied()
        .chain(OTHERWISE)
        .collect();
    let kinds = features::effect_kinds(&Settings::new(&Config::defaults().levels));
    let missing = kinds.names().filter(|kind| !led.contains(kind));
    differences.extend(missing.map(|kind| format!("nothing leads to the effect {kind}")));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let metrics = page(&server.here.bot, "/metrics").await;
    for kind in ["mod_action", "mod_case_log", "mod_lift", "mod_message", "warned"] {
        let counted = format!(
            "eventide_effects_added_total{{kind=\"{kind}\"}} {}\n",
            server.added(kind).await
        );
        assert!(
            metrics.contains(&counted),
            "each is counted once: {counted}{metrics}"
        );
    }
    server.end().await;
}

/// Those without a line.
pub(super) fn unlisted(
    names: &[String],
    is_listed: impl Fn(&String) -> bool,
) -> impl Iterator<Item = Line<'_>> {
    let unlisted = names.iter().filter(move |name| !is_listed(name));
    unlisted.map(|name| Line::unlisted(name))
}

async fn attempt(server: &mut Server, line: &Line<'_>, found: &mut Found) -> Option<String> {
    let Some(request) = server.ready(line, found).await else {
        return Some(format!("{} is not there", line.what));
    };
    let before = server.begin().await;
    let state = server.answer(&request).await;
    let led = server.led_to(before).await;
    found.extend(server.shown(&state, request.user_id));
    line.difference(&led)
        .map(|difference| format!("{difference}: {}", said(&state)))
}

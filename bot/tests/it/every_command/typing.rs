//! Each option that is completed while it is typed: there are choices for those who may use the command, also while Discord refuses, limits
//! or fails every other request, and a choice is what the command takes. A new option needs a line with what comes before its command.

use discord_simulator::{InteractionRequest, LimitScope, RestFaultKind};
use serde_json::Value;
use twilight_model::id::Id;

use super::{
    asked::{Leaf, answered, choices, said},
    lines::{COMMANDS, Line},
    refused::only_answers,
    server::Server,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_typed_is_completed() {
    let mut server = Server::new(|config| config.discord.invalid_requests_limit = 9_000).await;
    let mut faults = Vec::new();
    let leaves: Vec<Leaf> = server.leaves.values().cloned().collect();
    for leaf in leaves {
        let name = leaf.name();
        let line = COMMANDS.iter().find(|line| line.what == name);
        let line = line.copied().unwrap_or_else(|| Line::unlisted(&name));
        for option in leaf.completed() {
            let fault = complete(&mut server, &leaf, &line, option).await;
            faults.extend(
                fault
                    .err()
                    .map(|fault| format!("{} of {name}: {fault}", option["name"])),
            );
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    server.end().await;
}

async fn complete(server: &mut Server, leaf: &Leaf, line: &Line<'_>, option: &Value) -> Result<(), String> {
    let (target, _) = server.prepared(line).await;
    let control = server.here.discord.control();
    let typing = |user_id| InteractionRequest {
        user_id,
        ..leaf.typing(&server.here, option, "")
    };
    let usual = choices(&answered(&server.here, &typing(server.moderator())).await);
    if usual.is_empty() {
        return Err("there are no choices: what comes before?".to_owned());
    }
    let mut lacking = typing(server.moderator());
    lacking.member_permissions = Some("0".to_owned());
    let shown = choices(&answered(&server.here, &lacking).await);
    if leaf.needs.is_some() && !shown.is_empty() {
        return Err(format!("shown without the permission: {shown:?}"));
    }
    // The rank counts for what is done with a choice.
    let shown = choices(&answered(&server.here, &typing(target)).await);
    if shown != usual {
        return Err(format!("{shown:?} instead of {usual:?} for a lower rank"));
    }
    let limit = RestFaultKind::RateLimit {
        scope: LimitScope::User,
        retry_after: 0.2,
    };
    for kind in [403, 404, 502]
        .map(RestFaultKind::Status)
        .into_iter()
        .chain([limit])
    {
        server.here.bot.guilds.forget(Id::new(server.here.guild()));
        only_answers(&control, &kind);
        let shown = choices(&answered(&server.here, &typing(server.moderator())).await);
        control.clear_faults();
        if shown != usual {
            return Err(format!("{shown:?} instead of {usual:?} with {kind:?}"));
        }
    }
    let mut request = server.request(line.what, line.options, target).await;
    take(&mut request.data["options"], &option["name"], &usual[0]);
    let before = server.begin().await;
    let state = server.answer(&request).await;
    let changes = server.led_to(before).await.requests > 0;
    let is_expected = line.changes.is_none_or(|expected| expected == changes);
    let said = said(&state);
    (is_expected && !said.contains("is not valid"))
        .then_some(())
        .ok_or_else(|| format!("with {}: {said}", usual[0]))
}

/// Give an option this value, in a subcommand or not.
fn take(options: &mut Value, name: &Value, value: &Value) {
    for option in options.as_array_mut().into_iter().flatten() {
        if option["name"] == *name {
            option["value"] = value.clone();
        }
        take(&mut option["options"], name, value);
    }
}

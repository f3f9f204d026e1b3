//! What the inputs of a setting hold, from what a guild chose or from a form, and the value that it means.

use serde_json::Value as Json;

use crate::{
    settings::{
        GuildSettings,
        history::Snapshot,
        section::{
            Setting,
            field::{Kind, ValueFault},
        },
    },
    web::form::Fields,
};

/// The contents of the inputs of one setting: none, one or several.
pub(super) type Inputs = Vec<String>;

/// What the inputs hold for what a guild chose.
pub(super) fn of_choice(setting: Setting, chosen: &Snapshot, usual: &GuildSettings) -> Inputs {
    let kind = setting.field.kind;
    let choice = setting.chosen_in(chosen);
    let value = || choice.clone().unwrap_or_else(|| setting.usual(usual));
    match kind {
        Kind::Switch if value() == true => vec!["on".to_owned()],
        Kind::Switch => Vec::new(),
        Kind::Limit(_) => vec![choice.as_ref().map(ToString::to_string).unwrap_or_default()],
        Kind::Text(_) | Kind::Template(_) | Kind::Mark(_) => {
            vec![
                choice
                    .as_ref()
                    .map(|value| kind.written(value))
                    .unwrap_or_default(),
            ]
        }
        Kind::Roles(_) => {
            let roles = kind.named(&value()).roles;
            roles.iter().map(ToString::to_string).collect()
        }
        Kind::Channel | Kind::Choice(_) | Kind::ChannelOr(_) => vec![kind.written(&value())],
    }
}

/// What the inputs of a form held when it was sent; `None` if they have not been changed, or are not in the form. Browsers send lines with
/// CR LF.
pub(super) fn changed(setting: Setting, form: &Fields) -> Option<Inputs> {
    let line = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    let before = form.get(&before_name(setting))?;
    let sent: Inputs = form.all(setting.field.name).map(line).collect();
    (line(before) != joined(&sent)).then_some(sent)
}

/// The hidden field with what the inputs held when the form was made.
pub(super) fn before_name(setting: Setting) -> String {
    format!("before.{}", setting.field.name)
}

/// The contents of that field.
pub(super) fn joined(inputs: &[String]) -> String {
    inputs.join("\n").trim().to_owned()
}

/// The value that inputs mean; `None` for the default.
pub(super) fn value(
    setting: Setting,
    inputs: &[String],
    usual: &GuildSettings,
) -> Result<Option<Json>, ValueFault> {
    let kind = setting.field.kind;
    let text = inputs.join(",");
    let value = match kind {
        Kind::Switch => (!inputs.is_empty()).into(),
        Kind::Limit(_) | Kind::Text(_) | Kind::Template(_) | Kind::Mark(_) if text.is_empty() => {
            return Ok(None);
        }
        _ => kind.parse(&text)?,
    };
    Ok((value != setting.usual(usual)).then_some(value))
}

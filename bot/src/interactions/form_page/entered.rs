//! What the inputs of a form hold, as the options of a subcommand. It has the limits that Discord enforces before it sends a command.

use serde_json::{Value as Json, json};
use twilight_model::{
    application::command::{
        CommandOption, CommandOptionChoiceValue, CommandOptionType as Type, CommandOptionValue,
    },
    channel::ChannelType,
    id::Id,
};

use super::{Form, inputs};
use crate::{discord::guilds::listing::Listing, web::context::Context};

/// The options of a form that was sent, and the roles and channels among them. An error is the reason in one line.
pub(super) fn options(
    form: &Form,
    context: &Context,
    listing: &Listing,
) -> Result<(Vec<Json>, Json), String> {
    let mut resolved = json!({"roles": {}, "channels": {}});
    let definition = form.definition().and_then(|definition| definition.options);
    let mut options = Vec::new();
    for option in definition.unwrap_or_default() {
        let fixed = form.fixed.iter().find(|(name, _)| *name == option.name);
        let written = fixed.map(|(_, value)| *value);
        let written = written.or_else(|| context.form().get(&option.name));
        let written = written.unwrap_or_default().trim();
        if written.is_empty() && option.required != Some(true) {
            continue;
        }
        let value = value(&option, written, listing, &mut resolved).ok_or_else(|| {
            let label = inputs::text(&option, context.language());
            context
                .filled("error-option", &[("option", label.into())])
                .replace("**", "")
        })?;
        options.push(json!({"name": option.name, "type": option.kind, "value": value}));
    }
    Ok((options, resolved))
}

/// The value of an option, if it is one that Discord would send.
pub(super) fn value(
    option: &CommandOption,
    written: &str,
    listing: &Listing,
    resolved: &mut Json,
) -> Option<Json> {
    match option.kind {
        Type::Integer => {
            let number: i64 = written.parse().ok()?;
            #[expect(clippy::cast_precision_loss, reason = "it is only compared with small bounds")]
            is_within(option, number as f64).then(|| number.into())
        }
        Type::Number => {
            let number: f64 = written.replace(',', ".").parse().ok()?;
            is_within(option, number).then(|| number.into())
        }
        Type::Boolean => match written {
            "on" | "true" => Some(true.into()),
            "off" => Some(false.into()),
            _ => None,
        },
        Type::Role => {
            let id = written.parse().ok().and_then(Id::new_checked)?;
            listing.role(id)?;
            resolved["roles"][written] = json!({"id": written});
            Some(written.into())
        }
        Type::Channel => {
            let id = written.parse().ok().and_then(Id::new_checked)?;
            let takes_messages = listing.channel(id).is_some();
            if !takes_messages && (option.channel_types.is_some() || listing.any_channel(id).is_none()) {
                return None;
            }
            let kind = if takes_messages {
                ChannelType::GuildText
            } else {
                ChannelType::GuildVoice
            };
            resolved["channels"][written] = json!({"id": written, "type": kind});
            Some(written.into())
        }
        Type::String => is_allowed(option, written).then(|| written.into()),
        _ => None,
    }
}

fn is_within(option: &CommandOption, number: f64) -> bool {
    let bound = |value: Option<&CommandOptionValue>| match value {
        #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
        Some(CommandOptionValue::Integer(bound)) => Some(*bound as f64),
        Some(CommandOptionValue::Number(bound)) => Some(*bound),
        None => None,
    };
    let (least, most) = (bound(option.min_value.as_ref()), bound(option.max_value.as_ref()));
    number.is_finite() && least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
}

fn is_allowed(option: &CommandOption, written: &str) -> bool {
    // PostgreSQL's text cannot contain NUL.
    let fits = !written.contains('\0')
        && !written.is_empty()
        && option
            .max_length
            .is_none_or(|most| written.chars().count() <= usize::from(most));
    let is_choice = option.choices.as_ref().is_none_or(|choices| {
        let mut choices = choices.iter();
        choices
            .any(|choice| matches!(&choice.value, CommandOptionChoiceValue::String(word) if word == written))
    });
    fits && is_choice
}

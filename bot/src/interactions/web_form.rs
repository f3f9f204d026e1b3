//! A form of the website as an interaction: a page does what a command, a button or a modal does by the same code, with the same checks.

use std::time::Duration;

use hyper::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};
use twilight_model::{
    channel::message::Component,
    id::{Id, marker::InteractionMarker},
};

use super::{
    CommandContext, CommandError, Deferred, Services,
    payload::{BadOption, InteractionPayload, kind},
    reply::Reply,
};
use crate::{
    discord::mentions::{Names, Use},
    support::{
        clock::host_time,
        ids::{self, Millis, ShardKey},
    },
    web::{
        answer::{Answer, Fault},
        context::Context,
    },
};

/// How old the page of a form can be. What counts from an interaction, such as a duration, counts from its page; Discord's own forms can be
/// used for as long.
const LASTS: Duration = Duration::from_mins(15);

/// What came of a form: a text, and whether it was done.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) is_done: bool,
    pub(crate) text: String,
}

impl CommandContext {
    /// The form that was sent as a command with these options and what they name, in Discord's format.
    ///
    /// # Errors
    ///
    /// Its page is too old, or not for the staff of a server.
    pub(crate) fn of_command(
        form: &Context,
        name: &str,
        (options, resolved): (&Value, &Value),
    ) -> Result<Self, Fault> {
        let data = json!({"name": name, "type": 1, "options": options, "resolved": resolved});
        Self::web_form(form, kind::COMMAND, (data, Value::Null))
    }

    /// The form that was sent as a button, or as a modal with these fields.
    ///
    /// # Errors
    ///
    /// Its page is too old, or not for the staff of a server.
    pub(crate) fn of_press(form: &Context, custom_id: &str, fields: &[(&str, &str)]) -> Result<Self, Fault> {
        let fields: Vec<Value> = fields
            .iter()
            .map(|(name, value)| json!({"components": [{"custom_id": name, "value": value}]}))
            .collect();
        let data = json!({"custom_id": custom_id, "components": fields});
        Self::web_form(form, kind::MODAL, (data, Value::Null))
    }

    /// The form that was sent as the first button of this reply.
    ///
    /// # Errors
    ///
    /// The reply has no button.
    pub(crate) fn of_answer(form: &Context, reply: &Reply) -> Result<Self, Fault> {
        let rows = reply.components.iter().filter_map(|row| match row {
            Component::ActionRow(row) => Some(&row.components),
            _ => None,
        });
        let mut buttons = rows.flatten().filter_map(|button| match button {
            Component::Button(button) => button.custom_id.as_deref(),
            _ => None,
        });
        let custom_id = buttons.next().ok_or(Fault::NotFound)?;
        let data = json!({"custom_id": custom_id});
        Self::web_form(form, kind::COMPONENT, (data, json!({"embeds": reply.embeds})))
    }

    fn web_form(form: &Context, kind: u8, (data, message): (Value, Value)) -> Result<Self, Fault> {
        let (staff, session) = (form.staff()?, form.session().ok_or(Fault::SignIn)?);
        let request_id = form.request_id()?;
        if is_old(request_id, ids::to_millis(host_time())) {
            return Err(Fault::Bad(form.text("web-error-old")));
        }
        let member = &staff.member;
        let payload = json!({
            "id": request_id.to_string(), "type": kind, "data": data, "message": message, "locale": form.language().code(),
            // Nothing is sent to Discord in response.
            "application_id": session.user_id.to_string(), "token": "",
            "guild_id": staff.guild_id.to_string(),
            "member": {
                "user": {"id": session.user_id.to_string(), "username": session.name},
                "permissions": staff.authority.permissions().bits().to_string(),
                "roles": member.roles, "communication_disabled_until": member.communication_disabled_until,
            },
        });
        let payload = InteractionPayload::deserialize_from(payload).ok_or(Fault::NotFound)?;
        Ok(Self {
            language: form.language(),
            payload,
            shard: ShardKey { count: 1, id: 0 },
            committed: None,
            deferred: Deferred::default(),
            is_pending: false,
            is_form: true,
        })
    }
}

fn is_old(request_id: Id<InteractionMarker>, now: Millis) -> bool {
    now - ids::millis(request_id) > i64::try_from(LASTS.as_millis()).unwrap_or(Millis::MAX)
}

impl Outcome {
    /// What a command, a button or a modal led to.
    ///
    /// # Errors
    ///
    /// It is an error of the page, such as a missing permission.
    pub(crate) async fn of(
        context: &Context,
        services: &Services,
        result: Result<Reply, CommandError>,
    ) -> Result<Self, Fault> {
        let language = context.language();
        let (is_done, text) = match result {
            Ok(reply) => (true, reply.content),
            Err(CommandError::Said(text)) => (false, text),
            Err(CommandError::Denied(denial)) => (false, denial.in_words(language)),
            Err(CommandError::Stale) => (false, language.text("error-stale")),
            Err(CommandError::Option(BadOption(option))) => (
                false,
                language.filled("error-option", &[("option", option.into())]),
            ),
            Err(error) => return Err(error.into()),
        };
        let names = Names::of_texts(
            &services.guilds,
            context.staff()?.guild_id,
            [text.as_str()],
            Use::Form,
        )
        .await;
        let text = names.in_text(&text);
        Ok(Self { is_done, text })
    }

    /// The page that shows it, with the status of a refusal if it is one.
    pub(crate) fn on(&self, page: Answer) -> Answer {
        if self.is_done {
            page
        } else {
            page.with_status(StatusCode::CONFLICT)
        }
    }

    /// A part of the page.
    pub(crate) fn note(&self) -> Markup {
        let (class, role) = if self.is_done {
            ("note text good", "status")
        } else {
            ("note text bad", "alert")
        };
        html! { p class=(class) role=(role) { (self.text) } }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::{LASTS, ids, is_old};

    #[test]
    fn a_page_is_old_after_some_minutes() {
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        let (request_id, then) = (ids::made_at(at), ids::to_millis(at));
        let lasts = i64::try_from(LASTS.as_millis()).expect("minutes");
        assert!(!is_old(request_id, then) && !is_old(request_id, then + lasts));
        assert!(is_old(request_id, then + lasts + 1));
    }
}

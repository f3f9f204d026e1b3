//! `/privacy`: exports or erases a member's data in the guild, or hides the member on the website.

use serde_json::json;
use twilight_model::{
    application::command::Command as Definition,
    channel::message::{
        Component,
        component::{ActionRow, Button, ButtonStyle},
    },
    http::attachment::Attachment,
};

use crate::{
    features::privacy::rows::{
        member::{self, MemberData},
        opt_out,
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        payload::BadOption,
        reply::Reply,
    },
    support::{i18n::Language, ids::MemberKey},
};

#[derive(Debug)]
pub(crate) struct Privacy;

impl Command for Privacy {
    fn name(&self) -> &'static str {
        "privacy"
    }

    fn definition(&self) -> Definition {
        let part = |name| Opt::sub("privacy", name, []).called(&format!("privacy-{name}-name"));
        for_servers(self.name(), None)
            .option(part("export"))
            .option(part("delete"))
            .option(part("hide"))
            .option(part("show"))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let key = asker(context)?;
        match context.payload.subcommand().as_slice() {
            ["export"] => {
                context.wait_for_commit().await;
                let told = member::export(&services.store, key, data(services)).await?;
                let file = Attachment::from_bytes("eventide.json".to_owned(), told.into_bytes(), 0);
                Ok(Reply::private(context.language().text("privacy-exported")).with_file(file))
            }
            ["delete"] => Ok(confirmation(context.language())),
            [word @ ("hide" | "show")] => {
                let hides = *word == "hide";
                let action = if hides { "privacy_hide" } else { "privacy_show" };
                let request = context.request(action, &json!({}))?;
                let store = &services.store;
                store
                    .carry_out("board_opt_out", request, move |tx| {
                        Box::pin(async move { opt_out::choose(tx, key, hides).await })
                    })
                    .await?;
                let text = if hides { "privacy-hidden" } else { "privacy-shown" };
                Ok(Reply::private(context.language().text(text)))
            }
            _ => Err(BadOption("privacy").into()),
        }
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        // The confirmation is ephemeral, so the user who presses the button is the one whose data it is.
        if context.payload.custom_id_parts() != ["delete"] || !context.payload.values().is_empty() {
            return Err(CommandError::Stale);
        }
        let key = asker(context)?;
        // Messages sent before the command are erased too, so they must be in the tables by now.
        if !context.wait_for_commit().await {
            return Err(context.refuse("error-away"));
        }
        let (payload, data) = (context.payload.id, data(services).clone());
        services
            .store
            .transaction("privacy_erase", move |tx| {
                Box::pin(async move { member::erase(tx, key, payload, &data).await })
            })
            .await?;
        Ok(Reply::private(context.language().text("privacy-deleted")).updating())
    }
}

fn data(services: &Services) -> &MemberData {
    services.state.get().expect("the app adds it")
}

fn asker(context: &CommandContext) -> Result<MemberKey, CommandError> {
    let guild_id = context.guild()?;
    let user = context.payload.user().ok_or(CommandError::ServerOnly)?;
    Ok(MemberKey {
        guild_id,
        user_id: user.id,
    })
}

fn confirmation(language: Language) -> Reply {
    let button = Component::Button(Button {
        custom_id: Some("privacy:delete".to_owned()),
        disabled: false,
        emoji: None,
        id: None,
        label: Some(language.text("privacy-delete-button")),
        sku_id: None,
        style: ButtonStyle::Danger,
        url: None,
    });
    let row = Component::ActionRow(ActionRow {
        id: None,
        components: vec![button],
    });
    Reply::private(language.text("privacy-delete-question")).with_components(vec![row])
}

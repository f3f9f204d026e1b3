//! `/privacy`: a member gets, or has erased, what is stored about them in the server.

use futures_util::future::BoxFuture;
use twilight_model::{
    application::command::Command as Definition,
    channel::message::{
        Component,
        component::{ActionRow, Button, ButtonStyle},
    },
    http::attachment::Attachment,
};

use crate::{
    features::privacy::rows::member,
    interactions::{
        Around, Question, Refusal,
        asked::BadOption,
        command::Command,
        define::{Opt, for_servers},
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
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    fn run<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>> {
        Box::pin(async move {
            let key = asker(question)?;
            match question.asked.subcommand().as_slice() {
                ["export"] => {
                    question.settled().await;
                    let told = member::export(&around.store, key).await?;
                    let file = Attachment::from_bytes("eventide.json".to_owned(), told.into_bytes(), 0);
                    Ok(Reply::private(question.language().text("privacy-exported")).with_file(file))
                }
                ["delete"] => Ok(confirmation(question.language())),
                _ => Err(BadOption("privacy").into()),
            }
        })
    }

    fn press<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>> {
        Box::pin(async move {
            // The question stands where its asker alone sees it, and who presses is who it is about.
            if question.asked.custom_id_parts() != ["delete"] || !question.asked.values().is_empty() {
                return Err(Refusal::Stale);
            }
            let key = asker(question)?;
            // What the member wrote before is erased as well, and so has to be in the tables.
            if !question.settled().await {
                return Err(question.refuse("error-away"));
            }
            let asked = question.asked.id;
            around
                .store
                .transaction("privacy_erase", move |tx| {
                    Box::pin(async move { member::erase(tx, key, asked).await })
                })
                .await?;
            Ok(Reply::private(question.language().text("privacy-deleted")).updating())
        })
    }
}

fn asker(question: &Question) -> Result<MemberKey, Refusal> {
    let guild_id = question.guild()?;
    let user = question.asked.user().ok_or(Refusal::ServerOnly)?;
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

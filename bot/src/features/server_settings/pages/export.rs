//! The file with a server's settings.

use super::{STAFF, chosen, document::Document};
use crate::{
    discord::rest::Priority,
    interactions::{Services, page::Page},
    web::{
        answer::{Answer, Fault},
        context::Context,
        route::Access,
    },
};

/// The file.
pub(super) struct Export;

impl Page for Export {
    fn path(&self) -> &'static str {
        "/servers/{guild}/settings/export"
    }

    fn access(&self) -> Access {
        STAFF
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.guild()?;
        let listing = services.guilds.listing(guild_id, Priority::Command).await?;
        let chosen = chosen(services, guild_id).await?;
        let document = Document::of(services, &chosen, &listing);
        let answer = Answer::bytes("application/json", document.to_text());
        Ok(answer.into_download(&format!("settings-{guild_id}.json")))
    }
}

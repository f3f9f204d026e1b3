//! `/about`: what the bot is.

use std::time::SystemTime;

use crate::interactions::{CommandContext, CommandError, Services, command::Command, reply::Reply};

#[derive(Debug)]
pub(crate) struct About;

impl Command for About {
    fn name(&self) -> &'static str {
        "about"
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let since = services
            .since
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let values = [
            ("version", env!("CARGO_PKG_VERSION").into()),
            ("shard", context.shard.to_string().into()),
            ("since", format!("<t:{since}:R>").into()),
        ];
        let text = context.language().filled("about-reply", &values);
        Ok(Reply::public(text))
    }
}

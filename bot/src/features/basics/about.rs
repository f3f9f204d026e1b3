//! `/about`: what the bot is.

use std::time::SystemTime;

use futures_util::future::BoxFuture;

use crate::interactions::{Around, Question, Refusal, command::Command, reply::Reply};

#[derive(Debug)]
pub(crate) struct About;

impl Command for About {
    fn name(&self) -> &'static str {
        "about"
    }

    fn run<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>> {
        let since = around
            .since
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let values = [
            ("version", env!("CARGO_PKG_VERSION").into()),
            ("shard", question.shard.to_string().into()),
            ("since", format!("<t:{since}:R>").into()),
        ];
        let text = question.language().filled("about-reply", &values);
        Box::pin(async move { Ok(Reply::public(text)) })
    }
}

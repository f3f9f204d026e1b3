//! `/help`: every command with what it does.

use std::fmt::Write as _;

use futures_util::future::BoxFuture;

use super::Command;
use crate::interactions::{Around, Question, Refusal, reply::Reply};

#[derive(Debug)]
pub(super) struct Help;

impl Command for Help {
    fn name(&self) -> &'static str {
        "help"
    }

    fn is_private(&self) -> bool {
        true
    }

    fn run<'a>(
        &'a self,
        question: &'a mut Question,
        _around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>> {
        let language = question.language();
        let mut text = language.text("help-title");
        for command in super::ALL {
            let name = command.name();
            let description = language.text(&format!("{name}-description"));
            write!(text, "\n`/{name}` – {description}").expect("a String takes everything");
        }
        Box::pin(async move { Ok(Reply::private(text)) })
    }
}

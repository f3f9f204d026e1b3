//! `/rank`: a member's level, and what is missing to the next.

use futures_util::future::BoxFuture;
use twilight_model::application::command::Command as Definition;
use twilight_util::builder::command::UserBuilder;

use super::{Command, describe, in_other_languages};
use crate::{
    interactions::{Around, Question, Refusal, reply::Reply},
    language::{Language, Value},
    ledger::member_xp::MemberKey,
    rules::curve::Curve,
    store::member_xp::{self, Rank as Stored},
};

/// Parts of the bar.
const PARTS: u64 = 12;

#[derive(Debug)]
pub(super) struct Rank;

impl Command for Rank {
    fn name(&self) -> &'static str {
        "rank"
    }

    fn definition(&self) -> Definition {
        let member = UserBuilder::new("member", Language::English.text("rank-option-member-description"))
            .name_localizations(in_other_languages("rank-option-member"))
            .description_localizations(in_other_languages("rank-option-member-description"));
        describe(self.name()).option(member).build()
    }

    fn run<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>> {
        Box::pin(async move {
            let language = question.language();
            let guild_id = question.guild()?;
            let (user, name) = question.asked.user_option("member")?;
            // What was written before the question is in the answer.
            question.settled().await;
            let key = MemberKey {
                guild_id,
                user_id: user.id,
            };
            let settings = around.settings.of(&around.store, guild_id).await?;
            let name = plain(&name);
            let text = match member_xp::rank_of(&around.store, key).await? {
                Some(rank) => in_words(&name, rank, settings.curve, language),
                None => language.filled("rank-nobody", &[("name", name.into())]),
            };
            Ok(Reply::public(text))
        })
    }
}

fn in_words(name: &str, rank: Stored, curve: Curve, language: Language) -> String {
    let level = curve.level_of(rank.xp);
    let (from, to) = (curve.xp_at(level), curve.xp_at(level + 1));
    let number = |number: u64| Value::from(language.number(number));
    let filled = (rank.xp - from) * PARTS / (to - from).max(1);
    let bar: String = (0..PARTS)
        .map(|part| if part < filled { '▰' } else { '▱' })
        .collect();
    language.filled(
        "rank-reply",
        &[
            ("name", name.into()),
            ("level", number(level.into())),
            ("rank", number(rank.position)),
            ("bar", bar.into()),
            ("xp", number(rank.xp)),
            ("messages", Value::Count(rank.messages)),
            ("count", number(rank.messages)),
            ("missing", number(to - rank.xp)),
            ("next", number(u64::from(level) + 1)),
        ],
    )
}

/// A name without Discord's Markdown: <https://support.discord.com/hc/en-us/articles/210298617>.
fn plain(name: &str) -> String {
    let mut written = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(
            c,
            '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '#' | '[' | ']' | '(' | ')' | '<' | '@' | ':'
        ) {
            written.push('\\');
        }
        written.push(c);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::{in_words, plain};
    use crate::{language::Language, rules::curve::Curve, store::member_xp::Rank};

    #[test]
    fn a_rank_in_words() {
        let rank = |xp| Rank {
            xp,
            messages: 1,
            position: 2,
        };
        let text = in_words("Ada", rank(255), Curve::Mee6, Language::English);
        assert!(
            text.contains("level **2**") && text.contains("▱▱") && !text.contains('▰'),
            "{text}"
        );
        assert!(text.contains("220 XP to level 3"), "{text}");
        let text = in_words("Ada", rank(474), Curve::Mee6, Language::German);
        assert!(
            text.contains("▰▰▰▰▰▰▰▰▰▰▰▱") && text.contains("1 XP bis Level 3"),
            "{text}"
        );
    }

    #[test]
    fn a_name_is_no_markup() {
        assert_eq!(plain("*a_b* <@1>"), "\\*a\\_b\\* \\<\\@1\\>");
    }
}

//! Which cases a page or a program asks for.

use maud::{Markup, html};
use twilight_model::id::{Id, marker::UserMarker};

use crate::{
    features::moderation::{kind::Kind, rows::case::Filter, texts},
    support::ids,
    web::{
        answer::Fault,
        context::Context,
        elements::{link, search_choice, search_field},
    },
};

/// The longest text that is searched for.
const LONGEST: usize = 100;

/// A search for cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Search {
    pub(super) filter: Filter,
    /// A part of the reason.
    pub(super) text: Option<String>,
    /// Only cases below this number.
    pub(super) before: Option<i64>,
}

impl Search {
    /// The search of a query.
    pub(super) fn of(context: &Context) -> Result<Self, Fault> {
        let field = |name: &str| {
            let value = context.query().get(name).map(str::trim);
            value.filter(|value| !value.is_empty())
        };
        let bad = |key: &str| Fault::Bad(context.text(key));
        let user = |name: &str| match field(name) {
            None => Ok(None),
            Some(written) => match ids::written(written) {
                Some(id) => Ok::<Option<Id<UserMarker>>, Fault>(Some(id)),
                None => Err(bad("web-bad-id")),
            },
        };
        let kind = field("kind").map(|word| Kind::of(word).ok_or_else(|| bad("web-bad-kind")));
        let before = field("before").map(|number| number.parse().map_err(|_no_number| bad("web-bad-page")));
        Ok(Self {
            filter: Filter {
                user_id: user("member")?,
                moderator_id: user("moderator")?,
                kind: kind.transpose()?,
                with_hidden: field("hidden") == Some("yes"),
            },
            text: field("q").map(|text| text.replace('\0', "").chars().take(LONGEST).collect()),
            before: before.transpose()?,
        })
    }

    /// The path of the cases below this one.
    pub(super) fn older(&self, path: &str, before: i64) -> String {
        let Filter {
            user_id,
            moderator_id,
            kind,
            with_hidden,
        } = self.filter;
        link(
            path,
            &[
                ("kind", kind.map_or("", Kind::word)),
                ("member", &written(user_id)),
                ("moderator", &written(moderator_id)),
                ("q", self.text.as_deref().unwrap_or_default()),
                ("hidden", if with_hidden { "yes" } else { "" }),
                ("before", &before.to_string()),
            ],
        )
    }

    /// The form. A page about one member has no field for the member.
    pub(super) fn form(&self, context: &Context, path: &str, with_member: bool) -> Markup {
        let language = context.language();
        let mut kinds = vec![("", context.text("web-any"))];
        kinds.extend(Kind::ALL.map(|kind| (kind.word(), texts::kind(language, kind))));
        let hidden = [
            ("", context.text("web-cases-without-hidden")),
            ("yes", context.text("web-cases-with-hidden")),
        ];
        let chosen_hidden = if self.filter.with_hidden { "yes" } else { "" };
        html! {
            form.search method="get" action=(path) role="search" {
                (search_choice("kind", &context.text("web-kind"), self.filter.kind.map_or("", Kind::word), &kinds))
                @if with_member {
                    (search_field("member", &context.text("web-member-id"), &written(self.filter.user_id)))
                }
                (search_field("moderator", &context.text("web-moderator-id"), &written(self.filter.moderator_id)))
                (search_field("q", &context.text("web-reason-with"), self.text.as_deref().unwrap_or_default()))
                (search_choice("hidden", &context.text("web-cases-hidden"), chosen_hidden, &hidden))
                button.quiet type="submit" { (context.text("web-search")) }
            }
        }
    }
}

fn written(id: Option<Id<UserMarker>>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

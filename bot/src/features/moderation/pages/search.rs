//! Which cases a page or a program asks for.

use maud::{Markup, html};

use crate::{
    features::moderation::{kind::Kind, rows::case::Filter, texts},
    web::{
        answer::Fault,
        context::Context,
        elements::{link, search_choice, search_field},
        list::{self, Searched},
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
        let searched = Searched(context);
        let kind = searched.text("kind");
        let kind = kind.map(|word| Kind::of(word).ok_or_else(|| searched.bad("web-bad-kind")));
        let before = searched.text("before");
        let before = before.map(|number| number.parse().map_err(|_no_number| searched.bad("web-bad-page")));
        let text = searched.text("q");
        Ok(Self {
            filter: Filter {
                user_id: searched.id("member")?,
                moderator_id: searched.id("moderator")?,
                kind: kind.transpose()?,
                with_hidden: searched.text("hidden") == Some("yes"),
            },
            text: text.map(|text| text.chars().take(LONGEST).collect()),
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
                ("member", &list::id(user_id)),
                ("moderator", &list::id(moderator_id)),
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
        let fields = html! {
            (search_choice("kind", &context.text("web-kind"), self.filter.kind.map_or("", Kind::word), &kinds))
            @if with_member {
                (search_field("member", &context.text("web-member-id"), &list::id(self.filter.user_id)))
            }
            (search_field("moderator", &context.text("web-moderator-id"), &list::id(self.filter.moderator_id)))
            (search_field("q", &context.text("web-reason-with"), self.text.as_deref().unwrap_or_default()))
            (search_choice("hidden", &context.text("web-cases-hidden"), chosen_hidden, &hidden))
        };
        list::search(context, path, &fields)
    }
}

//! Whether a list shows what the staff has still to decide.

use maud::Markup;

use crate::web::{answer::Fault, context::Context, elements::search_choice, list::Searched};

/// The states that a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Closed,
    All,
}

impl State {
    const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::All];

    /// What the query asks for; without anything, what is open.
    pub(super) fn of(context: &Context) -> Result<Self, Fault> {
        let searched = Searched(context);
        let Some(word) = searched.text("state") else {
            return Ok(Self::Open);
        };
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.word() == word)
            .ok_or_else(|| searched.bad("web-bad-page"))
    }

    /// The word in the query.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::All => "all",
        }
    }

    /// For the statements: `None` for both.
    pub(super) const fn is_open(self) -> Option<bool> {
        match self {
            Self::Open => Some(true),
            Self::Closed => Some(false),
            Self::All => None,
        }
    }

    /// The menu of a search.
    pub(super) fn menu(self, context: &Context) -> Markup {
        let choices = Self::ALL.map(|state| {
            let key = match state {
                Self::Open => "web-reports-open",
                Self::Closed => "web-reports-closed",
                Self::All => "web-any",
            };
            (state.word(), context.text(key))
        });
        search_choice("state", &context.text("web-reports-state"), self.word(), &choices)
    }
}

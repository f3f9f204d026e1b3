//! What pages with a list have in common: a search, and pages from the newest row on.

use maud::{Markup, html};
use twilight_model::id::Id;

use super::{answer::Fault, context::Context};
use crate::support::ids;

/// Rows on a page.
const A_PAGE: usize = 50;
/// Rows to read: one more than fits on a page says whether another page follows.
pub(crate) const READ: i64 = 51;

/// The fields of a search. Those that are empty are not there.
#[derive(Clone, Copy)]
pub(crate) struct Searched<'a>(pub(crate) &'a Context);

impl<'a> Searched<'a> {
    /// A field without spaces around it.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        let value = self.0.query().get(name).map(str::trim);
        // PostgreSQL's text cannot contain NUL.
        value.filter(|value| !value.is_empty() && !value.contains('\0'))
    }

    /// The ID in a field.
    ///
    /// # Errors
    ///
    /// It has something else.
    pub(crate) fn id<T>(self, name: &str) -> Result<Option<Id<T>>, Fault> {
        self.parsed(name, "web-bad-id")
    }

    /// The row below which the page begins.
    ///
    /// # Errors
    ///
    /// It is no ID.
    pub(crate) fn before<T>(self) -> Result<Option<Id<T>>, Fault> {
        self.parsed("before", "web-bad-page")
    }

    fn parsed<T>(self, name: &str, otherwise: &str) -> Result<Option<Id<T>>, Fault> {
        let written = self.text(name);
        let id = written.map(|written| ids::written(written).ok_or_else(|| self.bad(otherwise)));
        id.transpose()
    }

    /// A refusal of the query with this text.
    pub(crate) fn bad(self, key: &str) -> Fault {
        Fault::Bad(self.0.text(key))
    }
}

/// Remove the row that does not fit on the page. Returns the last one that does, if another page follows.
pub(crate) fn cut<T>(found: &mut Vec<T>) -> Option<&T> {
    let has_more = found.len() > A_PAGE;
    found.truncate(A_PAGE);
    found.last().filter(|_| has_more)
}

/// The form of a search.
pub(crate) fn search(context: &Context, path: &str, fields: &Markup) -> Markup {
    html! {
        form.search method="get" action=(path) role="search" {
            (fields)
            button.quiet type="submit" { (context.text("web-search")) }
        }
    }
}

/// Links to the first page, unless this is it, and to the one that follows.
pub(crate) fn pager(context: &Context, newest: Option<&str>, older: Option<&str>) -> Markup {
    html! {
        @if newest.is_some() || older.is_some() {
            nav.pager aria-label=(context.text("web-pages")) {
                @if let Some(newest) = newest { a.button.quiet href=(newest) { (context.text("web-newest")) } }
                @if let Some(older) = older { a.button.quiet href=(older) rel="next" { (context.text("web-older")) } }
            }
        }
    }
}

/// An ID as the value of a field.
pub(crate) fn id<T>(id: Option<Id<T>>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{A_PAGE, READ, cut};

    #[test]
    fn one_row_too_many_shows_that_another_page_follows() {
        let rows = |count: i64| (1..=count).collect::<Vec<i64>>();
        let mut found = rows(READ);
        assert_eq!(cut(&mut found), Some(&(READ - 1)));
        assert_eq!(found.len(), A_PAGE);
        assert_eq!(cut(&mut found), None);
        assert_eq!(cut(&mut rows(0)), None);
    }
}

//! The trait of the website's pages. Features list their pages in their manifests, as they list their commands.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use hyper::Method;

#[cfg(test)]
use super::form_page::Form;
use super::{CommandError, Services};
use crate::web::{
    answer::{Answer, Fault},
    context::Context,
    route::{Access, Handler, Route},
};

/// A page of the website.
pub(crate) trait Page: Sync {
    /// The path, as in `/servers/{guild}/leaderboard`. A page for the staff has `{guild}`.
    fn path(&self) -> &'static str;

    /// Who may see it.
    fn access(&self) -> Access;

    /// The text of its link in the navigation, if it has one.
    fn link(&self) -> Option<&'static str> {
        None
    }

    /// The text of its link among the pages for a server's settings, if it is one of them.
    fn tab(&self) -> Option<&'static str> {
        None
    }

    /// The subcommands that its forms do.
    #[cfg(test)]
    fn forms(&self) -> Vec<&Form> {
        Vec::new()
    }

    /// The page.
    fn get(
        &self,
        context: &mut Context,
        services: &Services,
    ) -> impl Future<Output = Result<Answer, Fault>> + Send;

    /// What its form does. Origin, session and token have been checked, and the permissions of the staff have been read again.
    fn post(
        &self,
        _context: &mut Context,
        _services: &Services,
    ) -> impl Future<Output = Result<Answer, Fault>> + Send {
        async { Err(Fault::NoForm) }
    }
}

/// A [`Page`] of any type, for the lists of them: its futures are boxed.
pub(crate) trait AnyPage: Sync {
    /// See [`Page::path`].
    fn pattern(&self) -> &'static str;

    /// See [`Page::forms`].
    #[cfg(test)]
    fn subcommands(&self) -> Vec<&Form>;

    /// The page in the list of all pages.
    fn route(&'static self, services: &Arc<Services>) -> Route;

    /// See [`Page::get`] and [`Page::post`].
    fn answer<'a>(
        &'a self,
        context: &'a mut Context,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Answer, Fault>>;
}

impl<P: Page + 'static> AnyPage for P {
    fn pattern(&self) -> &'static str {
        self.path()
    }

    #[cfg(test)]
    fn subcommands(&self) -> Vec<&Form> {
        self.forms()
    }

    fn route(&'static self, services: &Arc<Services>) -> Route {
        let services = Arc::clone(services);
        Route {
            path: self.path(),
            access: self.access(),
            link: self.link(),
            tab: self.tab(),
            handler: Box::new(Served { page: self, services }),
        }
    }

    fn answer<'a>(
        &'a self,
        context: &'a mut Context,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Answer, Fault>> {
        if *context.method() == Method::POST {
            Box::pin(self.post(context, services))
        } else {
            Box::pin(self.get(context, services))
        }
    }
}

/// A page with what it needs.
struct Served {
    page: &'static dyn AnyPage,
    services: Arc<Services>,
}

impl Handler for Served {
    fn answer<'a>(&'a self, context: &'a mut Context) -> BoxFuture<'a, Result<Answer, Fault>> {
        self.page.answer(context, &self.services)
    }
}

impl From<CommandError> for Fault {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Store(error) => Self::Store(error),
            CommandError::Rest(error) => Self::Rest(error),
            CommandError::Permission(missing) => Self::Denied(missing),
            CommandError::Said(text) => Self::Bad(text),
            CommandError::ServerOnly
            | CommandError::Option(_)
            | CommandError::Stale
            | CommandError::Denied(_) => Self::NotFound,
        }
    }
}

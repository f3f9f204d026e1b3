//! A page in the list of all pages.

use futures_util::future::BoxFuture;
use twilight_model::guild::Permissions;

use super::{
    access::Staff,
    answer::{Answer, Fault},
    context::Context,
};

/// Who may see a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everyone. The page itself decides what it shows.
    Public,
    /// Everyone who has signed in.
    SignedIn,
    /// Members of the server in the path who have these permissions. For others than members there is no such page.
    Staff(Permissions),
    /// The users in `web.operators`.
    Operator,
}

/// A page.
pub(crate) struct Route {
    /// The path, as in `/servers/{guild}/leaderboard`. It is the label in logs and metrics.
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    /// The text of its link in the navigation, if it has one: of the server if the path has `{guild}`, and otherwise of the website.
    pub(crate) link: Option<&'static str>,
    /// The text of its link among the pages for a server's settings.
    pub(crate) tab: Option<&'static str>,
    pub(crate) handler: Box<dyn Handler>,
}

/// What answers the requests of a page.
pub(crate) trait Handler: Send + Sync {
    /// Answer a request. The method is GET or POST, and a form that is sent has been checked.
    fn answer<'a>(&'a self, context: &'a mut Context) -> BoxFuture<'a, Result<Answer, Fault>>;
}

/// A page of the web layer itself.
pub(super) type Plain = for<'a> fn(&'a mut Context) -> BoxFuture<'a, Result<Answer, Fault>>;

impl Handler for Plain {
    fn answer<'a>(&'a self, context: &'a mut Context) -> BoxFuture<'a, Result<Answer, Fault>> {
        self(context)
    }
}

impl Route {
    /// A page of the web layer itself.
    pub(super) fn plain(path: &'static str, access: Access, link: Option<&'static str>, page: Plain) -> Self {
        Self {
            path,
            access,
            link,
            tab: None,
            handler: Box::new(page),
        }
    }

    /// Whether the navigation of a server shows it to a member. Of public pages, it shows those to people who can change something.
    pub(super) fn is_for(&self, staff: &Staff) -> bool {
        match self.access {
            Access::Staff(permissions) => staff.may(permissions),
            Access::Public => staff.may(Permissions::MANAGE_GUILD),
            Access::SignedIn | Access::Operator => false,
        }
    }

    /// Whether it belongs to a server.
    pub(super) fn is_of_server(&self) -> bool {
        self.path.starts_with("/servers/{guild}")
    }
}

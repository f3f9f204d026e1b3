//! A request, as a page sees it.

use std::{net::IpAddr, sync::Arc};

use hyper::{HeaderMap, Method, header::REFRESH};
use maud::{Markup, html};
use tokio::time::Instant;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use super::{
    Site,
    access::Staff,
    answer::{Answer, Fault},
    client,
    form::{self, Fields},
    layout::{self, Document},
    route::Route,
    session::Session,
};
use crate::{
    postgres::request::{Actor, Request},
    support::{
        clock::host_time,
        i18n::{Language, Value},
        ids,
    },
};

/// A request, as a page sees it.
pub(crate) struct Context {
    pub(super) site: Arc<Site>,
    pub(super) method: Method,
    /// The path with its query.
    pub(super) path: String,
    /// The parts of the path that the route names, decoded.
    pub(super) params: Vec<(String, String)>,
    pub(super) query: Fields,
    pub(super) form: Fields,
    pub(super) headers: HeaderMap,
    pub(super) client: IpAddr,
    pub(super) language: Language,
    pub(super) session: Option<Session>,
    pub(super) staff: Option<Staff>,
    /// The request that a form makes.
    pub(super) request_id: Option<Id<InteractionMarker>>,
}

impl Context {
    /// The website.
    pub(crate) fn site(&self) -> Arc<Site> {
        Arc::clone(&self.site)
    }

    /// GET or POST.
    pub(crate) const fn method(&self) -> &Method {
        &self.method
    }

    /// The language of the visitor.
    pub(crate) const fn language(&self) -> Language {
        self.language
    }

    /// A text in the visitor's language.
    pub(crate) fn text(&self, key: &str) -> String {
        self.language.text(key)
    }

    /// A text with values.
    pub(crate) fn filled(&self, key: &str, values: &[(&'static str, Value)]) -> String {
        self.language.filled(key, values)
    }

    /// Who has signed in.
    pub(crate) const fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The user who has signed in.
    ///
    /// # Errors
    ///
    /// Nobody has.
    pub(crate) fn user(&self) -> Result<Id<UserMarker>, Fault> {
        self.session().map(|session| session.user_id).ok_or(Fault::SignIn)
    }

    /// The visitor as a member of the server in the path, on pages for the staff.
    ///
    /// # Errors
    ///
    /// The page is not for the staff.
    pub(crate) fn staff(&self) -> Result<&Staff, Fault> {
        self.staff.as_ref().ok_or(Fault::NotFound)
    }

    /// The visitor has turned out to be a member of the server in the path, whose navigation the page then has.
    pub(crate) fn recognize(&mut self, staff: Staff) {
        self.staff = Some(staff);
    }

    /// Count this request as many, because it asks Discord.
    ///
    /// # Errors
    ///
    /// The client has sent too many.
    pub(crate) fn charge(&self, requests: u32) -> Result<(), Fault> {
        let (client, now) = (client::network(self.client), Instant::now());
        (1..requests)
            .try_for_each(|_| self.site.limiter.admit(client, now))
            .map_err(|_wait| Fault::TooMany)
    }

    /// A part of the path.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let mut params = self.params.iter();
        params
            .find(|(param, _)| param == name)
            .map(|(_, value)| value.as_str())
    }

    /// An ID in the path.
    ///
    /// # Errors
    ///
    /// It is none.
    pub(crate) fn id<T>(&self, name: &str) -> Result<Id<T>, Fault> {
        self.param(name).and_then(ids::written).ok_or(Fault::NotFound)
    }

    /// The server in the path.
    ///
    /// # Errors
    ///
    /// It is no ID.
    pub(crate) fn guild(&self) -> Result<Id<GuildMarker>, Fault> {
        self.id("guild")
    }

    /// The fields of the query.
    pub(crate) const fn query(&self) -> &Fields {
        &self.query
    }

    /// The fields of the form that was sent.
    pub(crate) const fn form(&self) -> &Fields {
        &self.form
    }

    /// The headers of the request.
    pub(crate) const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The path with its query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The pages for the settings of the server in the path, besides those of sections: their paths and labels.
    pub(crate) fn tabs(&self) -> Vec<(String, String)> {
        let Some(staff) = &self.staff else {
            return Vec::new();
        };
        let routes = self.site.routes.iter().filter(|route| route.is_for(staff));
        let tabs = routes.filter_map(|route| {
            let path = route.path.replace("{guild}", &staff.guild_id.to_string());
            Some((path, self.text(route.tab?)))
        });
        tabs.collect()
    }

    /// An absolute address of this website.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.site.config.url)
    }

    /// The hidden field that every form of a page needs. Each form has its own.
    pub(crate) fn token(&self) -> Markup {
        let token = self
            .session()
            .map(|session| form::token(session, ids::made_at(host_time())));
        html! { input type="hidden" name=(form::TOKEN) value=[token]; }
    }

    /// The request that the form makes.
    ///
    /// # Errors
    ///
    /// No form was sent.
    pub(crate) fn request_id(&self) -> Result<Id<InteractionMarker>, Fault> {
        self.request_id.ok_or(Fault::Foreign)
    }

    /// The form that was sent as a request for a change. A form that is sent twice is the same request. `details` is JSON.
    ///
    /// # Errors
    ///
    /// No form was sent, or the page is not for the staff of a server.
    pub(crate) fn request(
        &self,
        action: &'static str,
        details: &serde_json::Value,
    ) -> Result<Request, Fault> {
        Ok(Request {
            guild_id: self.staff()?.guild_id,
            request_id: self.request_id()?,
            actor: Actor::Web(self.user()?),
            action,
            details: details.to_string(),
        })
    }

    /// An answer with this title and content, with the navigation around it.
    pub(crate) fn page(&self, title: &str, main: &Markup) -> Answer {
        self.document(&Document::new(title, main))
    }

    /// The same answer, which the browser loads again after a second if names on it are being looked up. The answer to a form stays.
    pub(crate) fn loaded_again(&self, answer: Answer, names_are_coming: bool) -> Answer {
        if names_are_coming && self.method == Method::GET {
            answer.with_header(REFRESH, "1")
        } else {
            answer
        }
    }

    /// An answer that also has a preview for links.
    pub(crate) fn document(&self, document: &Document<'_>) -> Answer {
        Answer::html(layout::render(self, document))
    }
}

impl Site {
    /// The pages of a server that a member may see and that have a link.
    pub(super) fn pages_of<'a>(&'a self, staff: &'a Staff) -> impl Iterator<Item = &'a Route> {
        let routes = self.routes.iter();
        routes.filter(move |route| route.is_of_server() && route.link.is_some() && route.is_for(staff))
    }
}

//! Answers to browsers, and why there is none.

use bytes::Bytes;
use hyper::{
    HeaderMap, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, SET_COOKIE,
    },
};
use maud::Markup;
use serde::Serialize;
use twilight_model::guild::Permissions;

use crate::{discord::rest::RestError, postgres::StoreError};

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// A file with this type.
    pub(crate) fn bytes(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status: StatusCode::OK,
            headers,
            body: body.into(),
        }
    }

    /// A complete HTML document. Pages use [`Context::page`](super::context::Context::page).
    pub(super) fn html(document: Markup) -> Self {
        Self::bytes("text/html; charset=utf-8", document.into_string())
    }

    /// JSON.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("numbers and texts are JSON");
        Self::bytes("application/json", body)
    }

    /// Send the browser to another page of this website after a form. The path must begin with a single slash.
    pub(crate) fn see_other(path: &str) -> Self {
        let mut answer = Self::bytes("text/plain; charset=utf-8", Bytes::new());
        answer.status = StatusCode::SEE_OTHER;
        let path = local(path).unwrap_or("/");
        let location = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/"));
        answer.headers.insert(LOCATION, location);
        answer
    }

    /// Send the browser to Discord.
    pub(super) fn to_discord(url: &str) -> Self {
        let mut answer = Self::see_other("/");
        if let Ok(location) = HeaderValue::try_from(url) {
            answer.headers.insert(LOCATION, location);
        }
        answer
    }

    /// The same answer with another status.
    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same answer with a header. A value that cannot be one is left out.
    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// A download with this file name, which has letters, digits, dots and dashes only.
    #[must_use]
    pub(crate) fn into_download(self, name: &str) -> Self {
        self.with_header(CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""))
    }

    /// Let browsers and proxies keep it, as in `public, max-age=60`. Without this, nobody keeps an answer.
    #[must_use]
    pub(crate) fn cached(self, directives: &'static str) -> Self {
        self.with_header(CACHE_CONTROL, directives)
    }

    pub(super) fn with_cookie(self, cookie: &str) -> Self {
        self.with_header(SET_COOKIE, cookie)
    }
}

/// Why a page cannot be shown.
#[derive(Debug)]
pub enum Fault {
    /// There is no such page, server or member, or the visitor must not learn that there is.
    NotFound,
    /// The visitor has to sign in first.
    SignIn,
    /// The visitor lacks one of these permissions in the server.
    Denied(Permissions),
    /// The page has no form.
    NoForm,
    /// The request of a program has no token of the server.
    NoToken,
    /// The program's token cannot read this.
    NotInToken(&'static str),
    /// The form is from another website, or from a session that has ended.
    Foreign,
    /// The request is not understood, with the reason as a text in the visitor's language.
    Bad(String),
    /// The client sends too many requests.
    TooMany,
    /// Too many requests are being answered.
    Busy,
    /// The database returned an error.
    Store(StoreError),
    /// Discord returned an error.
    Rest(RestError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<RestError> for Fault {
    fn from(error: RestError) -> Self {
        Self::Rest(error)
    }
}

/// Return `path` if it leads to a page of this website: it begins with one slash, and contains nothing that browsers read as another
/// host, such as `//`, `/\` or a control character.
pub(super) fn local(path: &str) -> Option<&str> {
    let rest = path.strip_prefix('/')?;
    let is_local =
        !rest.starts_with(['/', '\\']) && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_local && path.len() <= 512).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn a_return_path_stays_on_the_website() {
        for path in ["/", "/servers", "/servers/1/leaderboard?by=week", "/a//b"] {
            assert_eq!(local(path), Some(path));
        }
        for path in [
            "",
            "servers",
            "//evil.example",
            "/\\evil.example",
            "/a\\b",
            "https://evil.example",
            "/\tevil",
            "/\r\nSet-Cookie: a=b",
            "/ä",
            "\\\\evil.example",
        ] {
            assert_eq!(local(path), None, "{path}");
        }
        assert_eq!(local(&format!("/{}", "a".repeat(512))), None);
    }
}

//! Sends the requests of twilight's builders with an HTTP client of our own.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    HeaderMap, Method, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT},
};
use twilight_http::request::Request as Built;

use crate::{
    config::Secret,
    support::{
        error_chain::in_one_line,
        https::{HttpsClient, client},
    },
};

/// Discord requires this format: <https://discord.com/developers/docs/reference#user-agent>. The address is that of the library that builds
/// the requests.
const AGENT: &str = concat!(
    "DiscordBot (https://twilight.rs, ",
    env!("CARGO_PKG_VERSION"),
    ") Eventide"
);
/// The maximum size of a response. Discord's largest one, with 1,000 members, has less than a tenth of it.
const LONGEST_ANSWER_BYTES: usize = 16 << 20;

/// Sends requests.
#[derive(Debug)]
pub(super) struct Sender {
    client: HttpsClient,
    base: String,
    authorization: HeaderValue,
    timeout: Duration,
}

/// A request that can be sent again.
#[derive(Debug)]
pub(super) struct Parcel {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    /// Whether it carries the bot's token.
    pub(super) with_token: bool,
}

/// A response. The body of an error response may be incomplete, because the status is sufficient.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The body, or why it is missing.
    pub(super) body: Result<Bytes, String>,
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum Failure {
    /// There was no connection, so the request was never sent.
    Unconnected(String),
    /// The connection broke.
    Broken(String),
    Timeout,
}

impl Sender {
    /// A sender for the API at `base`, `scheme://host[:port]`.
    pub(super) fn new(base: &str, token: &Secret, timeout: Duration) -> Self {
        let token = token.expose();
        let token = token.strip_prefix("Bot ").unwrap_or(token);
        let mut authorization = HeaderValue::try_from(format!("Bot {token}"))
            .expect("the configuration takes visible characters only");
        authorization.set_sensitive(true);
        Self {
            client: client(timeout),
            base: format!("{base}/api/v{}/", twilight_http::API_VERSION),
            authorization,
            timeout,
        }
    }

    /// The time limit of an attempt.
    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Convert a request. The result has everything that twilight's own client would send, except the user agent.
    pub(super) fn pack(&self, built: &Built) -> Result<Parcel, String> {
        let method = Method::from_bytes(built.method().name().as_bytes())
            .map_err(|_error| "its method is none of HTTP's".to_owned())?;
        // The path is not shown, because it can contain the token of an interaction.
        let uri = format!("{}{}", self.base, built.path())
            .parse()
            .map_err(|_error| "its path cannot be part of an address".to_owned())?;
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let with_token = built.use_authorization_token();
        if with_token {
            headers.insert(AUTHORIZATION, self.authorization.clone());
        }
        let body = if let Some(form) = built.form() {
            let kind = HeaderValue::try_from(form.content_type())
                .map_err(|_error| "its form's boundary is no text".to_owned())?;
            headers.insert(CONTENT_TYPE, kind);
            Bytes::from(form.clone().build())
        } else if let Some(json) = built.body() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Bytes::copy_from_slice(json)
        } else {
            Bytes::new()
        };
        if let Some(own) = built.headers() {
            for (name, value) in own {
                headers.insert(name, value.clone());
            }
        }
        Ok(Parcel {
            method,
            uri,
            headers,
            body,
            with_token,
        })
    }

    /// Make one attempt, within the time limit.
    pub(super) async fn send(&self, parcel: &Parcel) -> Result<Reply, Failure> {
        let mut request = Request::new(Full::new(parcel.body.clone()));
        request.method_mut().clone_from(&parcel.method);
        request.uri_mut().clone_from(&parcel.uri);
        request.headers_mut().clone_from(&parcel.headers);
        tokio::time::timeout(self.timeout, self.exchange(request))
            .await
            .unwrap_or(Err(Failure::Timeout))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Reply, Failure> {
        let response = self.client.request(request).await.map_err(|error| {
            let reason = in_one_line(&error);
            if error.is_connect() {
                Failure::Unconnected(reason)
            } else {
                Failure::Broken(reason)
            }
        })?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER_BYTES).collect().await;
        Ok(Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body
                .map(http_body_util::Collected::to_bytes)
                .map_err(|error| in_one_line(&*error)),
        })
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the texts are short")]
mod tests;

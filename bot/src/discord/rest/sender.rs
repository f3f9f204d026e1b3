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
mod tests {
    use std::time::Duration;

    use twilight_http::{
        Client,
        request::{AuditLogReason as _, TryIntoRequest},
    };
    use twilight_model::{
        http::{
            attachment::Attachment,
            interaction::{InteractionResponse, InteractionResponseType},
        },
        id::Id,
    };

    use super::{Parcel, Sender};
    use crate::config::Secret;

    fn pack(build: impl FnOnce(&Client) -> twilight_http::request::Request) -> Parcel {
        drop(rustls::crypto::ring::default_provider().install_default());
        let sender = Sender::new("http://127.0.0.1:1", &Secret::new("abc"), Duration::from_secs(1));
        sender
            .pack(&build(&Client::builder().ratelimiter(None).build()))
            .expect("a request")
    }

    fn header<'a>(parcel: &'a Parcel, name: &str) -> Option<&'a str> {
        parcel.headers.get(name).and_then(|value| value.to_str().ok())
    }

    // twilight starts a rate limiter before it can be disabled.
    #[tokio::test]
    async fn a_message_is_packed_as_twilight_would() {
        let parcel = pack(|client| {
            let message = client.create_message(Id::new(7)).content("hello");
            message.try_into_request().expect("valid")
        });
        assert_eq!(parcel.method, "POST");
        assert_eq!(parcel.uri, "http://127.0.0.1:1/api/v10/channels/7/messages");
        assert_eq!(header(&parcel, "authorization"), Some("Bot abc"));
        assert_eq!(header(&parcel, "content-type"), Some("application/json"));
        assert!(header(&parcel, "user-agent").is_some_and(|agent| agent.starts_with("DiscordBot (https://")));
        assert_eq!(&*parcel.body, br#"{"content":"hello"}"#);
        assert!(
            !format!("{parcel:?}").contains("abc"),
            "the token is marked as sensitive"
        );
    }

    #[tokio::test]
    async fn a_reason_and_a_query_are_kept() {
        let parcel = pack(|client| {
            let ban = client.delete_ban(Id::new(1), Id::new(2)).reason("spröde");
            ban.try_into_request().expect("valid")
        });
        assert_eq!(header(&parcel, "x-audit-log-reason"), Some("spr%C3%B6de"));
        let parcel = pack(|client| {
            let members = client.guild_members(Id::new(1)).limit(5);
            members.try_into_request().expect("valid")
        });
        assert!(parcel.uri.query().is_some_and(|query| query.contains("limit=5")));
    }

    #[tokio::test]
    async fn files_go_as_a_form() {
        let parcel = pack(|client| {
            let files = [Attachment::from_bytes(
                "card.png".to_owned(),
                vec![0x89, 0, 0xff],
                1,
            )];
            let message = client.create_message(Id::new(7)).attachments(&files);
            message.try_into_request().expect("valid")
        });
        let kind = header(&parcel, "content-type").expect("a type");
        let boundary = kind
            .strip_prefix("multipart/form-data; boundary=")
            .expect("a boundary");
        let end = format!("--{boundary}--");
        assert!(parcel.body.ends_with(end.as_bytes()));
        assert!(parcel.body.windows(3).any(|window| window == [0x89, 0, 0xff]));
    }

    #[tokio::test]
    async fn an_interaction_has_no_token_of_the_bots() {
        let parcel = pack(|client| {
            let response = InteractionResponse {
                kind: InteractionResponseType::Pong,
                data: None,
            };
            let callback = client
                .interaction(Id::new(9))
                .create_response(Id::new(1), "secret", &response)
                .try_into_request();
            callback.expect("valid")
        });
        assert!(!parcel.with_token && header(&parcel, "authorization").is_none());
        assert_eq!(parcel.uri.path(), "/api/v10/interactions/1/secret/callback");
    }
}

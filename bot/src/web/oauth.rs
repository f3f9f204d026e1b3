//! Signing in with Discord: the authorization code flow of OAuth2 with PKCE.
//!
//! Only the scope `identify` is used, and the access token is revoked after it has shown who the user is.
//! <https://docs.discord.com/developers/topics/oauth2#authorization-code-grant>

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use form_urlencoded::Serializer;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use twilight_model::id::{
    Id,
    marker::{ApplicationMarker, UserMarker},
};

use super::random::Secret256;
use crate::{
    config::{Config, Secret},
    support::{
        error_chain::in_one_line,
        https::{HttpsClient, client},
        text::names::Name,
    },
};

/// The longest answer of Discord that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Discord's side of signing in.
pub(super) struct OAuth {
    client: HttpsClient,
    /// Discord's address for browsers, and for requests.
    base: String,
    application_id: Id<ApplicationMarker>,
    secret: Secret,
    redirect: String,
    timeout: Duration,
}

/// Why a user could not sign in.
#[derive(Debug, Error)]
pub(super) enum SignInError {
    /// The code is not valid any more.
    #[error("Discord refused the code")]
    Refused,
    /// Discord refuses the application's ID, secret or redirect.
    #[error(
        "Discord refused web.client_secret, or the redirect {0} is not registered in the Developer Portal"
    )]
    Misconfigured(String),
    /// Discord could not be reached, or its answer cannot be read.
    #[error("signing in with Discord failed: {0}")]
    Discord(String),
}

/// A user as Discord describes them.
#[derive(Debug)]
pub(super) struct User {
    pub(super) id: Id<UserMarker>,
    pub(super) name: String,
    pub(super) locale: Option<String>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
}

#[derive(Deserialize)]
struct UserAnswer {
    id: Id<UserMarker>,
    username: String,
    global_name: Option<String>,
    locale: Option<String>,
}

impl OAuth {
    /// `None` without a secret: nobody can sign in.
    pub(super) fn new(config: &Config, application_id: Id<ApplicationMarker>) -> Option<Self> {
        let secret = config.web.client_secret.clone()?;
        let timeout = config.discord.request_timeout;
        Some(Self {
            client: client(timeout),
            base: config.discord.api_url.clone(),
            application_id,
            secret,
            redirect: format!("{}/sign-in/callback", config.web.url),
            timeout,
        })
    }

    /// The address to which the browser goes. `state` and the challenge are derived from the secret in the browser's cookie.
    pub(super) fn authorize_url(&self, browser: &Secret256) -> String {
        let challenge = Sha256::digest(verifier(browser));
        let query = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.application_id.to_string())
            .append_pair("scope", "identify")
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("state", &state(browser))
            .append_pair("code_challenge", &BASE64_URL_SAFE_NO_PAD.encode(challenge))
            .append_pair("code_challenge_method", "S256")
            .append_pair("prompt", "none")
            .finish();
        format!("{}/oauth2/authorize?{query}", self.base)
    }

    /// The user who has authorized the application with this code.
    pub(super) async fn user(&self, code: &str, browser: &Secret256) -> Result<User, SignInError> {
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("code_verifier", &verifier(browser))
            .append_pair("client_id", &self.application_id.to_string())
            .append_pair("client_secret", self.secret.expose())
            .finish();
        let (status, body) = self.send(Method::POST, "oauth2/token", None, form).await?;
        if status != StatusCode::OK {
            let error = serde_json::from_slice::<ErrorAnswer>(&body).map(|answer| answer.error);
            return Err(match error.as_deref() {
                Ok("invalid_grant") => SignInError::Refused,
                Ok("invalid_client" | "unauthorized_client" | "invalid_request") => {
                    SignInError::Misconfigured(self.redirect.clone())
                }
                _ => SignInError::Discord(format!("status {status}")),
            });
        }
        let token: TokenAnswer = read(&body)?;
        let user = self.described(&token.access_token).await;
        self.revoke(&token.access_token).await;
        user
    }

    async fn described(&self, token: &str) -> Result<User, SignInError> {
        let (status, body) = self
            .send(Method::GET, "users/@me", Some(token), String::new())
            .await?;
        if status != StatusCode::OK {
            return Err(SignInError::Discord(format!("status {status}")));
        }
        let user: UserAnswer = read(&body)?;
        let names = [user.global_name.as_deref(), Some(user.username.as_str())];
        Ok(User {
            id: user.id,
            name: Name::first(names, user.id).as_plain().to_owned(),
            locale: user.locale,
        })
    }

    /// The token is not needed any more. If this fails, it expires by itself, and nothing has kept it.
    async fn revoke(&self, token: &str) {
        let form = Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("client_id", &self.application_id.to_string())
            .append_pair("client_secret", self.secret.expose())
            .finish();
        if let Err(error) = self.send(Method::POST, "oauth2/token/revoke", None, form).await {
            tracing::debug!(%error, "a token of a sign-in could not be revoked");
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        form: String,
    ) -> Result<(StatusCode, Bytes), SignInError> {
        let uri = format!("{}/api/v{}/{path}", self.base, twilight_http::API_VERSION);
        let mut request = Request::builder()
            .method(&method)
            .uri(uri)
            .header(ACCEPT, "application/json");
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let failed = |reason: String| SignInError::Discord(reason);
        let request = request
            .body(Full::new(Bytes::from(form)))
            .map_err(|_error| failed("the request could not be built".to_owned()))?;
        let exchange = async {
            let response = self.client.request(request).await;
            let response = response.map_err(|error| failed(in_one_line(&error)))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
            let body = body.map_err(|error| failed(in_one_line(&*error)))?;
            Ok((status, body.to_bytes()))
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(failed("Discord did not answer in time".to_owned())),
        }
    }
}

/// The text of the error would quote the answer, which has the token.
fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, SignInError> {
    serde_json::from_slice(body)
        .map_err(|_error| SignInError::Discord("Discord's answer cannot be read".to_owned()))
}

/// The state that Discord returns to the browser which has this secret.
pub(super) fn state(browser: &Secret256) -> String {
    browser.derived_text("state")
}

/// Proves to Discord that the code is used where the sign-in began.
fn verifier(browser: &Secret256) -> String {
    browser.derived_text("verifier")
}

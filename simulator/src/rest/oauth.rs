//! Signing in: the authorization code grant with PKCE, refresh and revocation.
//! <https://docs.discord.com/developers/topics/oauth2>

pub(super) mod authorize;

use std::time::Duration;

use axum::http::header;
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::{Answer, Asked, body::FORM, text_of};
use crate::{hub::Hub, payload::object, snowflake::mix, world::World};

/// What a person allowed an application to do.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grant {
    user_id: u64,
    scope: String,
}

/// An authorization code that has not been exchanged.
#[derive(Debug)]
struct Code {
    grant: Grant,
    redirect_uri: String,
    challenge: Option<String>,
    expires: Instant,
}

#[derive(Debug)]
struct Token {
    grant: Grant,
    expires: Instant,
}

/// The codes and tokens that were issued.
#[derive(Debug, Default)]
pub(crate) struct Issued {
    last: u64,
    codes: FxHashMap<String, Code>,
    access: FxHashMap<String, Token>,
    /// The access token that belongs to each refresh token.
    refresh: FxHashMap<String, String>,
}

impl Issued {
    /// An opaque text that was not issued before.
    fn opaque(&mut self, seed: u64) -> String {
        self.last += 1;
        let half = |salt| mix(mix(seed ^ salt).wrapping_add(self.last));
        BASE64_URL_SAFE_NO_PAD.encode([half(1).to_le_bytes(), half(2).to_le_bytes()].concat())
    }

    fn add_code(&mut self, seed: u64, code: Code) -> String {
        let text = self.opaque(seed);
        self.codes.insert(text.clone(), code);
        text
    }

    fn add_token(&mut self, seed: u64, grant: Grant, ttl: Duration) -> Answer {
        let (access, refresh) = (self.opaque(seed), self.opaque(seed));
        let answer = json!({
            "token_type": "Bearer", "access_token": access, "expires_in": ttl.as_secs(), "refresh_token": refresh,
            "scope": grant.scope,
        });
        let expires = Instant::now() + ttl;
        self.access.insert(access.clone(), Token { grant, expires });
        self.refresh.insert(refresh, access);
        Answer::ok(answer)
    }
}

/// The person whose access token an `Authorization` header carries, if the token may be used for this request.
pub(super) fn bearer(hub: &Hub, header: &str, method: &str, path: &str) -> Option<u64> {
    let token = header.strip_prefix("Bearer ")?;
    let rest = hub.rest();
    let token = rest
        .oauth
        .access
        .get(token)
        .filter(|token| token.expires > Instant::now())?;
    let has_identify = token.grant.scope.split(' ').any(|scope| scope == "identify");
    (method == "GET" && path == "/users/@me" && has_identify).then_some(token.grant.user_id)
}

pub(super) fn answer(asked: &Asked<'_>) -> Option<Answer> {
    match (asked.method, asked.segments) {
        ("GET", ["users", "@me"]) => Some(Answer::ok(current_user(&asked.hub.world, asked.user?)?)),
        ("POST", ["oauth2", "token"]) => Some(token(asked).unwrap_or_else(|refused| refused)),
        ("POST", ["oauth2", "token", "revoke"]) => Some(revoke(asked).unwrap_or_else(|refused| refused)),
        _ => None,
    }
}

/// A person as they see themselves with the scope `identify`.
fn current_user(world: &World, id: u64) -> Option<Value> {
    let mut user = object::user(world, world.person(id)?);
    user["mfa_enabled"] = true.into();
    user["locale"] = "en-US".into();
    user["premium_type"] = 0.into();
    Some(user)
}

fn refused(error: &str, description: &str) -> Answer {
    let status = if error == "invalid_client" { 401 } else { 400 };
    let mut body = json!({"error": error});
    if !description.is_empty() {
        body["error_description"] = description.into();
    }
    Answer {
        status,
        body: Some(body),
    }
}

/// A field of the form.
fn field<'a>(asked: &Asked<'a>, name: &str) -> Result<&'a str, Answer> {
    asked.body[name]
        .as_str()
        .filter(|value| !value.is_empty())
        .ok_or_else(|| refused("invalid_request", &format!("Missing \"{name}\" in request.")))
}

/// Checks the application's ID and secret, which come as HTTP Basic or in the form.
fn check_client(asked: &Asked<'_>) -> Result<(), Answer> {
    if !text_of(asked.headers, header::CONTENT_TYPE).starts_with(FORM) {
        return Err(refused(
            "invalid_request",
            "The content type must be application/x-www-form-urlencoded.",
        ));
    }
    let basic = text_of(asked.headers, header::AUTHORIZATION).strip_prefix("Basic ");
    let basic = basic.and_then(|encoded| {
        let text = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
        text.split_once(':')
            .map(|(id, secret)| (id.to_owned(), secret.to_owned()))
    });
    let (id, secret) = match basic {
        Some(basic) => basic,
        None => (
            field(asked, "client_id")?.to_owned(),
            field(asked, "client_secret")?.to_owned(),
        ),
    };
    if id.parse() == Ok(asked.hub.world.bot_id()) && secret == asked.hub.rest().oauth_rules.client_secret {
        Ok(())
    } else {
        Err(refused("invalid_client", ""))
    }
}

fn token(asked: &Asked<'_>) -> Result<Answer, Answer> {
    check_client(asked)?;
    let seed = asked.hub.config.seed;
    match field(asked, "grant_type")? {
        "authorization_code" => {
            let (code, redirect_uri) = (field(asked, "code")?, field(asked, "redirect_uri")?);
            let mut rest = asked.hub.rest();
            // A code that was shown once is gone, whether or not the rest of the request is right.
            let code = rest
                .oauth
                .codes
                .remove(code)
                .filter(|code| code.expires > Instant::now())
                .ok_or_else(|| refused("invalid_grant", "Invalid \"code\" in request."))?;
            if code.redirect_uri != redirect_uri {
                return Err(refused("invalid_grant", "Invalid \"redirect_uri\" in request."));
            }
            check_verifier(code.challenge.as_deref(), asked.body["code_verifier"].as_str())?;
            let ttl = rest.oauth_rules.token_ttl;
            Ok(rest.oauth.add_token(seed, code.grant, ttl))
        }
        "refresh_token" => {
            let refresh = field(asked, "refresh_token")?;
            let mut rest = asked.hub.rest();
            let before = rest.oauth.refresh.remove(refresh);
            let before = before.and_then(|access| rest.oauth.access.remove(&access));
            let before = before.ok_or_else(|| refused("invalid_grant", ""))?;
            let ttl = rest.oauth_rules.token_ttl;
            Ok(rest.oauth.add_token(seed, before.grant, ttl))
        }
        _ => Err(refused("unsupported_grant_type", "")),
    }
}

/// PKCE: the verifier must belong to the challenge, and neither is accepted without the other.
/// <https://www.rfc-editor.org/rfc/rfc7636#section-4.6>
fn check_verifier(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), Answer> {
    let fits = match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
        }
        _ => false,
    };
    fits.then_some(())
        .ok_or_else(|| refused("invalid_grant", "Invalid \"code_verifier\" in request."))
}

/// Ends an access token and its refresh token, whichever of the two is given.
fn revoke(asked: &Asked<'_>) -> Result<Answer, Answer> {
    check_client(asked)?;
    let token = field(asked, "token")?;
    let mut rest = asked.hub.rest();
    let issued = &mut rest.oauth;
    let access = issued.refresh.get(token).cloned();
    let access = access.unwrap_or_else(|| token.to_owned());
    issued.access.remove(&access);
    issued.refresh.retain(|_refresh, belongs| *belongs != access);
    Ok(Answer::ok(json!({})))
}

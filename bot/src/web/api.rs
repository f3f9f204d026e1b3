//! The API for programs: whose token a request has, what the token can read, and answers as JSON.
//!
//! The paths begin with [`ROOT`]. What they lead to is in the features, and described in `features/api/openapi.json`.

use hyper::{
    StatusCode,
    header::{ALLOW, AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde_json::json;
use tokio::time::Instant;
use twilight_model::id::{Id, marker::GuildMarker};

use super::{
    answer::{Answer, Fault},
    context::Context,
    random::Secret256,
};
use crate::{
    postgres::{Statement, StoreError, statement::statement},
    support::ids,
};

/// The beginning of the paths for programs.
pub(crate) const ROOT: &str = "/api/v1";
/// Requests of a token in a minute, in each process.
pub(super) const PER_MINUTE: u32 = 120;
/// What the digest of a token is for.
const PURPOSE: &str = "api token";

/// What a token can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Leaderboard,
    Cases,
    Statistics,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Leaderboard, Self::Cases, Self::Statistics];

    /// The word in `api_token.parts`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Leaderboard => "leaderboard",
            Self::Cases => "cases",
            Self::Statistics => "statistics",
        }
    }
}

/// A token that was just made.
pub(crate) struct NewToken {
    /// What the program sends. It is shown once.
    pub(crate) text: String,
    /// What is stored.
    pub(crate) digest: Vec<u8>,
}

impl NewToken {
    pub(crate) fn random() -> Self {
        let secret = Secret256::random();
        Self {
            text: secret.to_text(),
            digest: secret.derived(PURPOSE).to_vec(),
        }
    }
}

/// The server in the path, if the request has a token of that server that can read this.
pub(crate) async fn admit(context: &Context, part: Part) -> Result<Id<GuildMarker>, Fault> {
    let guild_id = context.guild()?;
    let header = context
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let secret = header
        .and_then(|value| value.strip_prefix("Bearer "))
        .and_then(Secret256::parse);
    let digest = secret.ok_or(Fault::NoToken)?.derived(PURPOSE).to_vec();
    let found = find(context, guild_id, &digest).await?;
    let (token_id, parts) = found.ok_or(Fault::NoToken)?;
    if context.site.api.admit(token_id, Instant::now()).is_err() {
        return Err(Fault::TooMany);
    }
    if !parts.iter().any(|word| word == part.word()) {
        return Err(Fault::NotInToken(part.word()));
    }
    Ok(guild_id)
}

/// The number of a token, and what it can read.
async fn find(
    context: &Context,
    guild_id: Id<GuildMarker>,
    digest: &[u8],
) -> Result<Option<(i64, Vec<String>)>, StoreError> {
    const FIND: Statement = statement!(
        "api_token_find",
        [INT8, BYTEA],
        "SELECT token_id, parts FROM api_token WHERE guild_id = $1 AND digest = $2"
    );
    let rows = context
        .site
        .store
        .query(FIND, &[&ids::to_db(guild_id), &digest])
        .await?;
    Ok(rows.first().map(|row| (row.get(0), row.get(1))))
}

/// Whether a path is one for programs.
pub(super) fn is_for_programs(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.starts_with('/'))
}

/// Why there is no other answer, in one line.
pub(super) fn explain(fault: &Fault) -> Answer {
    let (status, reason) = match fault {
        Fault::NotFound | Fault::SignIn => {
            (StatusCode::NOT_FOUND, "there is no such path or case".to_owned())
        }
        Fault::NoToken => (
            StatusCode::UNAUTHORIZED,
            "send `Authorization: Bearer TOKEN` with a token of this server".to_owned(),
        ),
        Fault::NotInToken(part) => (StatusCode::FORBIDDEN, format!("this token cannot read {part}")),
        Fault::NoForm | Fault::Foreign | Fault::Denied(_) => (
            StatusCode::METHOD_NOT_ALLOWED,
            "the API only reads: use GET".to_owned(),
        ),
        Fault::Bad(reason) => (StatusCode::BAD_REQUEST, reason.clone()),
        Fault::TooMany => (
            StatusCode::TOO_MANY_REQUESTS,
            "too many requests; wait and try again".to_owned(),
        ),
        Fault::Busy | Fault::Store(_) | Fault::Rest(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "this cannot be read right now; try again".to_owned(),
        ),
    };
    let answer = Answer::json(&json!({"error": reason})).with_status(status);
    match status {
        StatusCode::UNAUTHORIZED => answer.with_header(WWW_AUTHENTICATE, "Bearer"),
        StatusCode::METHOD_NOT_ALLOWED => answer.with_header(ALLOW, "GET"),
        StatusCode::TOO_MANY_REQUESTS => answer.with_header(RETRY_AFTER, "10"),
        StatusCode::SERVICE_UNAVAILABLE => answer.with_header(RETRY_AFTER, "5"),
        _ => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::{NewToken, PURPOSE, Secret256, is_for_programs};

    #[test]
    fn the_stored_digest_is_that_of_the_shown_token() {
        let token = NewToken::random();
        let read = Secret256::parse(&token.text).expect("a token");
        assert_eq!(read.derived(PURPOSE).to_vec(), token.digest);
        assert_ne!(NewToken::random().text, token.text);
        assert!(Secret256::parse("short").is_none());
    }

    #[test]
    fn paths_for_programs_have_their_own_errors() {
        assert!(is_for_programs("/api/v1/servers/1/cases") && is_for_programs("/api/v1/"));
        assert!(!is_for_programs("/api/v10") && !is_for_programs("/servers/1/api"));
    }
}

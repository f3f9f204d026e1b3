//! The page where a person allows an application to sign them in.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use rustc_hash::FxHashMap;
use tokio::time::Instant;

use super::{Code, Grant};
use crate::{config::Consent, hub::Hub, world::Guild};

/// How many people of each guild have a button.
const PEOPLE: u32 = 3;
/// How many guilds' people have one.
const GUILDS: usize = 8;
/// The scopes that sign-in may ask for.
const SCOPES: [&str; 5] = [
    "identify",
    "email",
    "guilds",
    "guilds.members.read",
    "connections",
];
const LARGEST_FORM: usize = 4_096;

/// Whether this is the page's path.
pub(in crate::rest) fn is_page(path: &str) -> bool {
    matches!(
        path,
        "/oauth2/authorize" | "/api/oauth2/authorize" | "/api/v10/oauth2/authorize"
    )
}

pub(in crate::rest) async fn page(hub: Arc<Hub>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or("").to_owned();
    let wish = match Wish::read(&hub, &query) {
        Ok(wish) => wish,
        // Without a client and an address that are known to be right, the person is not sent anywhere.
        Err(reason) => return html(StatusCode::BAD_REQUEST, &format!("<h1>{reason}</h1>")),
    };
    if let Err((error, description)) = wish.check() {
        return wish.send_back(&[("error", error), ("error_description", description)]);
    }
    let consent = if parts.method == Method::POST {
        let form = axum::body::to_bytes(body, LARGEST_FORM).await.unwrap_or_default();
        chosen(&form)
    } else {
        hub.rest().oauth_rules.consent
    };
    match consent {
        Consent::Ask => html(StatusCode::OK, &question(&hub)),
        Consent::Deny => wish.send_back(&[
            ("error", "access_denied"),
            (
                "error_description",
                "The resource owner or authorization server denied the request",
            ),
        ]),
        Consent::As(user_id) if hub.world.person(user_id).is_some() => {
            let code = wish.code(&hub, user_id);
            wish.send_back(&[("code", &code)])
        }
        Consent::As(_unknown) => html(StatusCode::BAD_REQUEST, "<h1>No such user</h1>"),
    }
}

/// What the application asks for.
struct Wish {
    parameters: FxHashMap<String, String>,
}

impl Wish {
    fn read(hub: &Hub, query: &str) -> Result<Self, &'static str> {
        let parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let wish = Self { parameters };
        if wish.get("client_id").parse() != Ok(hub.world.bot_id()) {
            return Err("Unknown Application");
        }
        let registered = &hub.rest().oauth_rules.redirect_uris;
        let uri = wish.get("redirect_uri");
        let is_web = uri.starts_with("http://") || uri.starts_with("https://");
        if is_web && (registered.is_empty() || registered.iter().any(|known| known == uri)) {
            Ok(wish)
        } else {
            Err("Invalid OAuth2 redirect_uri")
        }
    }

    fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.get("response_type") != "code" {
            let description = "The authorization server does not support this response type";
            return Err(("unsupported_response_type", description));
        }
        let scope = self.get("scope");
        if scope.is_empty() || !scope.split(' ').all(|scope| SCOPES.contains(&scope)) {
            let description = "The requested scope is invalid, unknown, or malformed.";
            return Err(("invalid_scope", description));
        }
        let method = self.get("code_challenge_method");
        if self.get("code_challenge").is_empty() != method.is_empty() || !matches!(method, "" | "S256") {
            return Err(("invalid_request", "Invalid \"code_challenge_method\" in request."));
        }
        Ok(())
    }

    /// A new code for this person.
    fn code(&self, hub: &Hub, user_id: u64) -> String {
        let challenge = self.get("code_challenge");
        let mut rest = hub.rest();
        let code = Code {
            grant: Grant {
                user_id,
                scope: self.get("scope").to_owned(),
            },
            redirect_uri: self.get("redirect_uri").to_owned(),
            challenge: (!challenge.is_empty()).then(|| challenge.to_owned()),
            expires: Instant::now() + rest.oauth_rules.code_ttl,
        };
        rest.oauth.add_code(hub.config.seed, code)
    }

    /// Sends the browser back to the application.
    fn send_back(&self, answer: &[(&str, &str)]) -> Response {
        let uri = self.get("redirect_uri");
        let separator = if uri.contains('?') { '&' } else { '?' };
        let mut parameters = form_urlencoded::Serializer::new(String::new());
        parameters.extend_pairs(answer);
        if let Some(state) = self.parameters.get("state") {
            parameters.append_pair("state", state);
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::FOUND;
        match HeaderValue::from_str(&format!("{uri}{separator}{}", parameters.finish())) {
            Ok(target) => drop(response.headers_mut().insert(header::LOCATION, target)),
            Err(_malformed) => *response.status_mut() = StatusCode::BAD_REQUEST,
        }
        response
    }
}

/// What the form of the page says: a user, or that nobody agrees.
fn chosen(form: &[u8]) -> Consent {
    form_urlencoded::parse(form)
        .find(|(name, _)| name == "user")
        .and_then(|(_, user)| user.parse().ok())
        .map_or(Consent::Deny, Consent::As)
}

/// The form: a button for each of some people, a field for the ID of any other, and one to refuse.
fn question(hub: &Hub) -> String {
    let button = |guild: &Guild, rank| {
        let id = hub.world.member_id(guild.id(), rank)?;
        let name = escaped(&hub.world.member_name(guild.id(), id)?);
        Some(format!("<button name=\"user\" value=\"{id}\">{name}</button> "))
    };
    let people = hub.world.guilds().iter().take(GUILDS).map(|guild| {
        let buttons: String = (0..PEOPLE).filter_map(|rank| button(guild, rank)).collect();
        format!("<h2>{}</h2><p>{buttons}</p>", escaped(guild.name()))
    });
    format!(
        "<h1>eventide-sim wants to know who you are</h1>\
         <form method=\"post\">{}<p><button name=\"cancel\" value=\"1\">Cancel</button></p></form>\
         <form method=\"post\"><p><label>User ID <input name=\"user\"></label> <button>Sign in</button></p></form>",
        people.collect::<String>()
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

fn html(status: StatusCode, content: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Authorize</title><main>{content}</main></html>"
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
}

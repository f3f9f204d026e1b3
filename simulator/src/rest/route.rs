//! Which route a request belongs to, for buckets, faults and the record.

/// A request's place in the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// Method and path with ids and tokens replaced, for example `POST /channels/{id}/messages`.
    pub(crate) name: String,
    /// The id that limits apply to separately.
    pub(crate) major: String,
    /// Whether it needs no token of the bot: interactions carry their own, and `OAuth2` takes the application's secret.
    pub(crate) open: bool,
}

/// The path below `/api` or `/api/v10`; `None` for anything else.
pub(crate) fn api_path(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/api")?;
    let rest = rest.strip_prefix("/v10").unwrap_or(rest);
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// A path without percent-encoding: discord.js writes `%40original`.
pub(crate) fn decode(path: &str) -> String {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if first == b'%' => {
                decoded.push(byte);
                rest = &after[2..];
            }
            _ => {
                decoded.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The route of a path that is already below the API's base.
pub(crate) fn of(method: &str, path: &str) -> Route {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let is_token = matches!(segments.as_slice(), ["oauth2", "token", ..]);
    let has_token = matches!(segments.as_slice(), ["interactions" | "webhooks", _, _, ..]);
    let mut name = format!("{method} ");
    for (at, &segment) in segments.iter().enumerate() {
        let is_id = segment.len() >= 15 && segment.bytes().all(|byte| byte.is_ascii_digit());
        let shown = match (at, is_id) {
            (2, _) if has_token => "{token}",
            (_, true) => "{id}",
            // The emoji of a reaction.
            (_, false) if segments.get(at.wrapping_sub(1)) == Some(&"reactions") => "{emoji}",
            _ => segment,
        };
        name.push('/');
        name.push_str(shown);
    }
    let major = match segments.as_slice() {
        ["channels" | "guilds", id, ..] => (*id).to_owned(),
        ["webhooks" | "interactions", id, token, ..] => format!("{id}:{token}"),
        _ => String::new(),
    };
    let open = has_token || is_token;
    Route { name, major, open }
}

/// Whether a route's name fits a pattern, in which `*` stands for any text.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(head) else {
        return false;
    };
    let mut from = 0;
    loop {
        let Some(tail) = name.get(from..) else {
            return false;
        };
        if fits(rest, tail) {
            return true;
        }
        if tail.is_empty() {
            return false;
        }
        from += tail.chars().next().map_or(1, char::len_utf8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_tokens_do_not_show() {
        let route = of("POST", "/channels/718273645546372819/messages");
        assert_eq!(
            (route.name.as_str(), route.open),
            ("POST /channels/{id}/messages", false)
        );
        assert_eq!(route.major, "718273645546372819");
        let route = of("PATCH", "/webhooks/718273645546372819/a-token/messages/@original");
        assert_eq!(
            (route.name.as_str(), route.open),
            ("PATCH /webhooks/{id}/{token}/messages/@original", true)
        );
        assert!(!of("GET", "/webhooks/718273645546372819").open);
        assert_eq!(of("GET", "/users/@me").name, "GET /users/@me");
    }

    #[test]
    fn patterns_have_stars() {
        assert!(fits("*", "GET /users/@me"));
        assert!(fits("* /channels/{id}/*", "POST /channels/{id}/messages"));
        assert!(fits(
            "POST /channels/{id}/messages",
            "POST /channels/{id}/messages"
        ));
        assert!(!fits(
            "POST /channels/{id}/messages",
            "POST /channels/{id}/messages/{id}"
        ));
        assert!(!fits("GET *", "POST /channels/{id}/messages"));
    }

    #[test]
    fn percent_signs_are_decoded() {
        assert_eq!(decode("/messages/%40original"), "/messages/@original");
        assert_eq!(decode("/reactions/%E2%AD%90/@me"), "/reactions/⭐/@me");
        assert_eq!(decode("/a%2"), "/a%2");
    }

    #[test]
    fn both_bases_are_the_api() {
        assert_eq!(api_path("/api/v10/gateway"), Some("/gateway"));
        assert_eq!(api_path("/api/gateway"), Some("/gateway"));
        assert_eq!(api_path("/apis/gateway"), None);
        assert_eq!(api_path("/simulator/stats"), None);
    }
}

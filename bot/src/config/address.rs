//! Addresses of Discord: a scheme, a host and a port, and nothing else.

/// Return `text` without its trailing slash if it is `scheme://host[:port]` with one of `schemes`.
pub(super) fn base(text: &str, schemes: &[&str]) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let host = rest.strip_suffix('/').unwrap_or(rest);
    let known = schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme));
    // The parser also accepts user names, empty hosts and any port, so these are checked below.
    let authority: axum::http::uri::Authority = host.parse().ok()?;
    let rest = host
        .strip_prefix(authority.host())
        .filter(|_| !authority.host().is_empty())?;
    let port_right = match rest.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok_and(|port| port > 0),
        None => rest.is_empty(),
    };
    (known && port_right).then(|| format!("{}://{host}", scheme.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn takes_scheme_host_and_port_only() {
        let schemes = ["http", "https"];
        assert_eq!(
            base("https://discord.com", &schemes).as_deref(),
            Some("https://discord.com")
        );
        assert_eq!(
            base("HTTP://127.0.0.1:8080/", &schemes).as_deref(),
            Some("http://127.0.0.1:8080")
        );
        assert_eq!(
            base("http://[::1]:8080", &schemes).as_deref(),
            Some("http://[::1]:8080")
        );
        for wrong in [
            "",
            "discord.com",
            "://x",
            "https://",
            "ws://discord.com",
            "https://discord.com/api",
            "https://a@b",
            "https://discord.com?x",
            "https://discord.com:99999",
            "https://discord.com:",
            "https://:80",
            "https://a b",
            "https://discord.com//",
            "https://discord.com#x",
            "https://discord.com:0",
        ] {
            assert_eq!(base(wrong, &schemes), None, "{wrong}");
        }
    }
}

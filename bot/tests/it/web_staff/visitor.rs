//! A browser without JavaScript, signed in or not.

use std::{fmt::Write as _, net::SocketAddr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{asking::Here, session::Session};

/// The address that browsers use, in tests.
pub(super) const URL: &str = "http://localhost:8080";

/// A browser.
pub(super) struct Visitor {
    address: SocketAddr,
    cookie: String,
}

/// An answer of the website.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Visitor {
    /// Nobody has signed in.
    pub(super) fn stranger(here: &Here) -> Self {
        Self {
            address: here.bot.web_address().expect("a website"),
            cookie: String::new(),
        }
    }

    /// This user has signed in.
    pub(super) async fn signed_in(here: &Here, session: &Session, user: u64) -> Self {
        let mut secret = [0; 32];
        secret.fill_with(|| fastrand::u8(..));
        let mut digest = Sha256::new();
        digest.update("session");
        digest.update([0]);
        digest.update(secret);
        let digest = digest.finalize().to_vec();
        let sql =
            "INSERT INTO web_session (digest, user_id, name, locale) VALUES ($1, $2, 'someone', 'en-GB')";
        let user = user.cast_signed();
        session
            .client
            .execute(sql, &[&digest, &user])
            .await
            .expect("a session");
        Self {
            cookie: format!("eventide_session={}", BASE64_URL_SAFE_NO_PAD.encode(secret)),
            ..Self::stranger(here)
        }
    }

    pub(super) async fn get(&self, path: &str) -> Page {
        self.send("GET", path, &[("Cookie", &self.cookie)], "").await
    }

    /// Read as a program with this token.
    pub(super) async fn read(&self, path: &str, token: &str) -> Page {
        let bearer = format!("Bearer {token}");
        self.send("GET", path, &[("Authorization", &bearer)], "").await
    }

    /// Send the form of a page: the first one that has these fields hidden, with its token.
    pub(super) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.get(path).await;
        let token = page.token();
        self.post(path, &token, fields).await
    }

    pub(super) async fn post(&self, path: &str, token: &str, fields: &[(&str, &str)]) -> Page {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token);
        for (name, value) in fields {
            form.append_pair(name, value);
        }
        let headers = [
            ("Cookie", self.cookie.as_str()),
            ("Origin", URL),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        self.send("POST", path, &headers, &form.finish()).await
    }

    pub(super) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Page {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            write!(request, "{name}: {value}\r\n").expect("written");
        }
        if !body.is_empty() {
            write!(request, "Content-Length: {}\r\n", body.len()).expect("written");
        }
        request.push_str("\r\n");
        request.push_str(body);
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Page {
            status: status.expect("a status"),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }
}

impl Page {
    /// The token of the page's first form.
    pub(super) fn token(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"token\" value=\"").expect("a form");
        rest.split('"').next().expect("a value").to_owned()
    }

    /// Check that there is this text.
    pub(super) fn shows(&self, text: &str) -> &Self {
        assert!(
            self.body.contains(text),
            "{text} is not in {}: {}",
            self.status,
            self.body
        );
        self
    }

    /// Check that there is no such text.
    pub(super) fn hides(&self, text: &str) -> &Self {
        assert!(
            !self.body.contains(text),
            "{text} is in {}: {}",
            self.status,
            self.body
        );
        self
    }

    /// Check the status.
    pub(super) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

/// A world and a bot with a website.
pub(super) async fn here_with_website(configure: impl FnOnce(&mut eventide::config::Config)) -> Here {
    crate::support::asking::here_with(|config| {
        config.web.listen = Some("127.0.0.1:0".parse().expect("an address"));
        URL.clone_into(&mut config.web.url);
        configure(config);
    })
    .await
}

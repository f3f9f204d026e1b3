//! A browser without JavaScript: cookies, redirects, forms.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use discord_simulator::Consent;
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{asking::Here, session::Session};

/// The website's address for browsers.
pub(crate) const URL: &str = "http://localhost:8080";

/// A browser with its cookies.
#[derive(Clone)]
pub(crate) struct Browser {
    address: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Headers that it sends with every request.
    pub(crate) headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Shown {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("text")
    }

    /// Everything between two texts, each time that they occur.
    pub(crate) fn between<'a>(&'a self, before: &'a str, after: &str) -> Vec<&'a str> {
        let parts = self.text().split(before).skip(1);
        parts
            .map(|part| part.split(after).next().unwrap_or_default())
            .collect()
    }

    /// Check the status.
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Check that there is this text.
    pub(crate) fn shows(&self, text: &str) -> &Self {
        assert!(
            self.text().contains(text),
            "{text} is not in {}: {}",
            self.status,
            self.text()
        );
        self
    }

    /// Check that there is no such text.
    pub(crate) fn hides(&self, text: &str) -> &Self {
        assert!(
            !self.text().contains(text),
            "{text} is in {}: {}",
            self.status,
            self.text()
        );
        self
    }

    /// The value of the hidden field that forms need.
    pub(crate) fn token(&self) -> String {
        let tokens = self.between("name=\"token\" value=\"", "\"");
        (*tokens.first().expect("a form")).to_owned()
    }
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            cookies: BTreeMap::new(),
            headers: Vec::new(),
        }
    }

    /// A browser of the bot's website, in which nobody has signed in.
    pub(crate) fn of(here: &Here) -> Self {
        Self::new(here.bot.web_address().expect("a website"))
    }

    /// A browser in which this user has signed in, without the way there.
    pub(crate) async fn signed_in(here: &Here, session: &Session, user: u64) -> Self {
        let address = here.bot.web_address().expect("a website");
        Self::signed_in_at(address, session, user).await
    }

    pub(crate) async fn signed_in_at(address: SocketAddr, session: &Session, user: u64) -> Self {
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
        let secret = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let mut browser = Self::new(address);
        browser.cookies.insert("eventide_session".to_owned(), secret);
        browser
    }

    /// Read as a program with this token.
    pub(crate) async fn read(&self, path: &str, token: &str) -> Shown {
        let mut program = Self::new(self.address);
        program.headers = vec![("Authorization".to_owned(), format!("Bearer {token}"))];
        program.get(path).await
    }

    /// Send a form of a page with these fields, and with the token of its first form.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let token = self.get(path).await.token();
        self.post(path, &[&[("token", token.as_str())][..], fields].concat())
            .await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Shown {
        self.send("GET", path, "").await
    }

    /// Send a form as a browser does from a page of the website.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Shown {
        let form = encoded(form);
        let headers = self.headers.clone();
        self.headers.push(("Origin".to_owned(), URL.to_owned()));
        let shown = self.send("POST", path, &form).await;
        self.headers = headers;
        shown
    }

    /// Send a request and keep the cookies of the answer.
    pub(crate) async fn send(&mut self, method: &str, path: &str, body: &str) -> Shown {
        let shown = exchange(self.address, &self.written(method, path, body)).await;
        let set = shown
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        for (_, cookie) in set {
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        shown
    }

    fn written(&self, method: &str, path: &str, body: &str) -> String {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n");
        for (name, value) in &self.headers {
            write!(request, "{name}: {value}\r\n").expect("a string takes everything");
        }
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            let cookies: Vec<String> = cookies.collect();
            write!(request, "Cookie: {}\r\n", cookies.join("; ")).expect("a string takes everything");
        }
        if method == "POST" {
            request.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
        }
        if !body.is_empty() {
            write!(request, "Content-Length: {}\r\n", body.len()).expect("a string takes everything");
        }
        format!("{request}\r\n{body}")
    }

    /// Go to Discord, agree there as this user, and return the path with which Discord sends the browser back.
    pub(crate) async fn authorized(&mut self, here: &Here, user_id: u64, to: &str) -> String {
        let control = here.discord.control();
        control.change_oauth(|rules| rules.consent = Consent::As(user_id));
        let begun = self.get(&format!("/sign-in?{}", encoded(&[("to", to)]))).await;
        assert_eq!(begun.status, 303, "{begun:?}");
        let location = begun.header("location").expect("a redirect");
        let path = location
            .strip_prefix(&here.discord.rest_url())
            .expect("to Discord");
        let discord = here.discord.rest_url();
        let discord = discord
            .strip_prefix("http://")
            .expect("a host")
            .parse()
            .expect("an address");
        let agreed = Self::new(discord).get(path).await;
        let back = agreed.header("location").expect("a redirect");
        back.strip_prefix(URL).expect("to the website").to_owned()
    }

    /// Sign in as this user. Returns the path to which the website then leads.
    pub(crate) async fn sign_in_to(&mut self, here: &Here, user_id: u64, to: &str) -> String {
        let back = self.authorized(here, user_id, to).await;
        let done = self.get(&back).await;
        assert_eq!(done.status, 303, "{}", done.text());
        done.header("location").expect("a redirect").to_owned()
    }

    pub(crate) async fn sign_in(&mut self, here: &Here, user_id: u64) {
        self.sign_in_to(here, user_id, "/").await;
    }

    pub(crate) async fn is_signed_in(&mut self) -> bool {
        self.get("/").await.text().contains("/sign-out")
    }
}

/// Send bytes and read the answer up to the end of the connection.
async fn exchange(address: SocketAddr, request: &str) -> Shown {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // An answer can come before the whole request was sent.
    drop(stream.write_all(request.as_bytes()).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("a head");
    let head = str::from_utf8(&answer[..end]).expect("text");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let headers = lines.filter_map(|line| line.split_once(": "));
    Shown {
        status: status.and_then(|status| status.parse().ok()).expect("a status"),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: answer[end + 4..].to_vec(),
    }
}

pub(crate) fn encoded(form: &[(&str, &str)]) -> String {
    let one = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = form
        .iter()
        .map(|(name, value)| format!("{}={}", one(name), one(value)))
        .collect();
    pairs.join("&")
}

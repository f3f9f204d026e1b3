//! A browser without JavaScript: cookies, redirects, forms.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr};

use discord_simulator::Consent;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::URL;
use crate::support::asking::Here;

/// A browser with its cookies.
#[derive(Clone)]
pub(super) struct Browser {
    address: SocketAddr,
    pub(super) cookies: BTreeMap<String, String>,
    /// Headers that it sends with every request.
    pub(super) headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Shown {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("text")
    }

    /// Everything between two texts, each time that they occur.
    pub(super) fn between<'a>(&'a self, before: &'a str, after: &str) -> Vec<&'a str> {
        let parts = self.text().split(before).skip(1);
        parts
            .map(|part| part.split(after).next().unwrap_or_default())
            .collect()
    }

    /// The value of the hidden field that forms need.
    pub(super) fn token(&self) -> String {
        let tokens = self.between("name=\"token\" value=\"", "\"");
        (*tokens.first().expect("a form")).to_owned()
    }
}

impl Browser {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            cookies: BTreeMap::new(),
            headers: Vec::new(),
        }
    }

    pub(super) async fn get(&mut self, path: &str) -> Shown {
        self.send("GET", path, "").await
    }

    /// Send a form as a browser does from a page of the website.
    pub(super) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Shown {
        let form = encoded(form);
        let headers = self.headers.clone();
        self.headers.push(("Origin".to_owned(), URL.to_owned()));
        let shown = self.send("POST", path, &form).await;
        self.headers = headers;
        shown
    }

    /// Send a request and keep the cookies of the answer.
    pub(super) async fn send(&mut self, method: &str, path: &str, body: &str) -> Shown {
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
    pub(super) async fn authorized(&mut self, here: &Here, user_id: u64, to: &str) -> String {
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
    pub(super) async fn sign_in_to(&mut self, here: &Here, user_id: u64, to: &str) -> String {
        let back = self.authorized(here, user_id, to).await;
        let done = self.get(&back).await;
        assert_eq!(done.status, 303, "{}", done.text());
        done.header("location").expect("a redirect").to_owned()
    }

    pub(super) async fn sign_in(&mut self, here: &Here, user_id: u64) {
        self.sign_in_to(here, user_id, "/").await;
    }

    pub(super) async fn is_signed_in(&mut self) -> bool {
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

pub(super) fn encoded(form: &[(&str, &str)]) -> String {
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

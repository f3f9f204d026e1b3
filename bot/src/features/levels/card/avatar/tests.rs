use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{Uri, header},
    response::Response,
};
use futures_util::{StreamExt as _, stream};
use tokio::net::TcpListener;
use twilight_model::{id::Id, util::ImageHash};

use super::{AvatarKey, Avatars, LARGEST_BYTES, NoAvatar};
use crate::{
    features::levels::card::tests::png_of,
    telemetry::task::{self, Task},
};

const FINE: u64 = 1;
const ELSEWHERE: u64 = 2;
const MISSING: u64 = 3;
const PAGE: u64 = 4;
const HUGE: u64 = 5;
const SILENT: u64 = 6;
const STUCK: u64 = 7;
const BOMB: u64 = 8;
const NOISE: u64 = 9;

/// A CDN whose response depends on the user ID.
struct Cdn {
    avatars: Avatars,
    requests: Arc<AtomicUsize>,
    _task: Task<()>,
}

impl Cdn {
    async fn start() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let app = Router::new().fallback(move |address: Uri| {
            counted.fetch_add(1, Ordering::Relaxed);
            answer(address)
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let task = task::spawn("cdn", async move {
            axum::serve(listener, app).await.expect("it serves");
        });
        Self {
            avatars: Avatars::new(&base),
            requests,
            _task: task,
        }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

async fn answer(address: Uri) -> Response {
    let user = address
        .path()
        .split('/')
        .rev()
        .nth(1)
        .and_then(|id| id.parse().ok());
    let (status, kind, body) = match user.unwrap_or(0) {
        FINE => (200, "image/png", Body::from(png_of(256, 256, [1, 2, 3, 255]))),
        ELSEWHERE => (302, "image/png", Body::from(png_of(256, 256, [1, 2, 3, 255]))),
        PAGE => (200, "text/html", Body::from(png_of(256, 256, [1, 2, 3, 255]))),
        HUGE => {
            let mut png = png_of(256, 256, [1, 2, 3, 255]);
            png.resize(LARGEST_BYTES + 1, 0);
            (200, "image/png", Body::from(png))
        }
        SILENT => std::future::pending().await,
        STUCK => {
            let first = stream::once(async { Ok::<_, std::io::Error>(png_of(64, 64, [0; 4])) });
            let stream = first.chain(stream::pending());
            (200, "image/png", Body::from_stream(stream))
        }
        BOMB => (200, "image/png", Body::from(bomb())),
        NOISE => (200, "image/png", Body::from(vec![7; 1_000])),
        _ => (404, "image/png", Body::empty()),
    };
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, kind)
        .header(
            header::LOCATION,
            "/avatars/1/00000000000000000000000000000000.png",
        )
        .body(body)
        .expect("a response")
}

/// A small file whose header declares a huge image.
fn bomb() -> Vec<u8> {
    let mut written = Vec::new();
    let encoder = png::Encoder::new(&mut written, 60_000, 60_000);
    let mut writer = encoder.write_header().expect("a head");
    writer.write_chunk(png::chunk::IDAT, &[0; 100]).expect("a body");
    drop(writer);
    written
}

fn key(user: u64) -> AvatarKey {
    AvatarKey {
        guild_id: None,
        user_id: Id::new(user),
        hash: ImageHash::parse(b"a_0123456789abcdef0123456789abcdef").expect("a hash"),
    }
}

#[test]
fn addresses() {
    let (own, mut here) = (key(5), key(5));
    here.guild_id = Some(Id::new(9));
    assert_eq!(
        own.path(),
        "/avatars/5/a_0123456789abcdef0123456789abcdef.png?size=256"
    );
    assert_eq!(
        here.path(),
        "/guilds/9/users/5/avatars/a_0123456789abcdef0123456789abcdef.png?size=256"
    );
}

#[tokio::test]
async fn one_request_for_all_who_ask_and_none_later() {
    let cdn = Cdn::start().await;
    let asks = (0..10).map(|_| cdn.avatars.get(key(FINE)));
    for png in futures_util::future::join_all(asks).await {
        assert_eq!(png.expect("a picture"), png_of(256, 256, [1, 2, 3, 255]));
    }
    assert!(cdn.avatars.get(key(FINE)).await.is_ok());
    assert_eq!(cdn.requests(), 1);
}

#[tokio::test]
async fn whatever_comes_is_within_limits() {
    let cdn = Cdn::start().await;
    for (user, why) in [
        (ELSEWHERE, NoAvatar::Status),
        (MISSING, NoAvatar::Status),
        (PAGE, NoAvatar::Type),
        (HUGE, NoAvatar::TooLarge),
        (SILENT, NoAvatar::Timeout),
        (STUCK, NoAvatar::Timeout),
        (BOMB, NoAvatar::Unreadable),
        (NOISE, NoAvatar::Unreadable),
    ] {
        let requests = cdn.requests();
        assert_eq!(cdn.avatars.get(key(user)).await, Err(why), "user {user}");
        assert_eq!(
            cdn.requests(),
            requests + 1,
            "a redirect is not followed: user {user}"
        );
        assert_eq!(cdn.avatars.get(key(user)).await, Err(NoAvatar::FailedBefore));
        assert_eq!(
            cdn.requests(),
            requests + 1,
            "nor is anything asked for again at once"
        );
    }
}

#[tokio::test]
async fn a_cdn_that_is_away() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let avatars = Avatars::new(&base);
    assert_eq!(avatars.get(key(FINE)).await, Err(NoAvatar::Unconnected));
}

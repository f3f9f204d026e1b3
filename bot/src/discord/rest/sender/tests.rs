use std::time::Duration;

use twilight_http::{
    Client,
    request::{AuditLogReason as _, TryIntoRequest},
};
use twilight_model::{
    http::{
        attachment::Attachment,
        interaction::{InteractionResponse, InteractionResponseType},
    },
    id::Id,
};

use super::{Parcel, Sender};
use crate::config::Secret;

fn pack(build: impl FnOnce(&Client) -> twilight_http::request::Request) -> Parcel {
    drop(rustls::crypto::ring::default_provider().install_default());
    let sender = Sender::new("http://127.0.0.1:1", &Secret::new("abc"), Duration::from_secs(1));
    sender
        .pack(&build(&Client::builder().ratelimiter(None).build()))
        .expect("a request")
}

fn header<'a>(parcel: &'a Parcel, name: &str) -> Option<&'a str> {
    parcel.headers.get(name).and_then(|value| value.to_str().ok())
}

// twilight starts a rate limiter before it can be disabled.
#[tokio::test]
async fn a_message_is_packed_as_twilight_would() {
    let parcel = pack(|client| {
        let message = client.create_message(Id::new(7)).content("hello");
        message.try_into_request().expect("valid")
    });
    assert_eq!(parcel.method, "POST");
    assert_eq!(parcel.uri, "http://127.0.0.1:1/api/v10/channels/7/messages");
    assert_eq!(header(&parcel, "authorization"), Some("Bot abc"));
    assert_eq!(header(&parcel, "content-type"), Some("application/json"));
    assert!(header(&parcel, "user-agent").is_some_and(|agent| agent.starts_with("DiscordBot (https://")));
    assert_eq!(&*parcel.body, br#"{"content":"hello"}"#);
    assert!(
        !format!("{parcel:?}").contains("abc"),
        "the token is marked as sensitive"
    );
}

#[tokio::test]
async fn a_reason_and_a_query_are_kept() {
    let parcel = pack(|client| {
        let ban = client.delete_ban(Id::new(1), Id::new(2)).reason("spröde");
        ban.try_into_request().expect("valid")
    });
    assert_eq!(header(&parcel, "x-audit-log-reason"), Some("spr%C3%B6de"));
    let parcel = pack(|client| {
        let members = client.guild_members(Id::new(1)).limit(5);
        members.try_into_request().expect("valid")
    });
    assert!(parcel.uri.query().is_some_and(|query| query.contains("limit=5")));
}

#[tokio::test]
async fn files_go_as_a_form() {
    let parcel = pack(|client| {
        let files = [Attachment::from_bytes(
            "card.png".to_owned(),
            vec![0x89, 0, 0xff],
            1,
        )];
        let message = client.create_message(Id::new(7)).attachments(&files);
        message.try_into_request().expect("valid")
    });
    let kind = header(&parcel, "content-type").expect("a type");
    let boundary = kind
        .strip_prefix("multipart/form-data; boundary=")
        .expect("a boundary");
    let end = format!("--{boundary}--");
    assert!(parcel.body.ends_with(end.as_bytes()));
    assert!(parcel.body.windows(3).any(|window| window == [0x89, 0, 0xff]));
}

#[tokio::test]
async fn an_interaction_has_no_token_of_the_bots() {
    let parcel = pack(|client| {
        let response = InteractionResponse {
            kind: InteractionResponseType::Pong,
            data: None,
        };
        let callback = client
            .interaction(Id::new(9))
            .create_response(Id::new(1), "secret", &response)
            .try_into_request();
        callback.expect("valid")
    });
    assert!(!parcel.with_token && header(&parcel, "authorization").is_none());
    assert_eq!(parcel.uri.path(), "/api/v10/interactions/1/secret/callback");
}

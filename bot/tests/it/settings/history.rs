//! The history of a server's settings: each request keeps what it changed, and can be taken back.

use eventide::{
    config::Config,
    postgres::{
        Store,
        request::{Actor, Request},
    },
    settings::{
        Settings,
        change::{self, Change},
        command_settings::Permits,
        history::{Entry, UndoFault, entries, undo},
    },
    support::i18n::Language,
};
use serde_json::{Value as Json, json};
use twilight_model::id::{Id, marker::UserMarker};

use super::GUILD;
use crate::support::Scene;

const ADA: Id<UserMarker> = Id::new(7);

fn request(number: u64, actor: Actor) -> Request {
    Request {
        guild_id: GUILD,
        request_id: Id::new(number),
        actor,
        action: "settings",
        details: "{}".to_owned(),
    }
}

fn switch(value: impl Into<Json>) -> Change {
    Change::Section {
        section: "moderation".into(),
        field: "dm_warn".into(),
        value: Some(value.into()),
    }
}

async fn change(store: &Store, request: Request, changes: Vec<Change>) {
    change::change(store, request, changes).await.expect("changed");
}

async fn all(store: &Store) -> Vec<Entry> {
    entries(store, GUILD, None, 50).await.expect("read")
}

async fn language(store: &Store) -> Option<Language> {
    let settings = Settings::new(&Config::defaults().levels);
    settings.of(store, GUILD).await.expect("read").language
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_keeps_what_it_changed() {
    let scene = Scene::new().await;
    let store = scene.store();
    let changes = vec![switch(false), Change::Language(Some(Language::German))];
    change(&store, request(1_001, Actor::Web(ADA)), changes.clone()).await;
    // A replay changes nothing and adds nothing.
    change(&store, request(1_001, Actor::Web(ADA)), changes).await;
    change(&store, request(1_002, Actor::Operator), vec![switch(true)]).await;
    // What is already so is no change.
    change(&store, request(1_003, Actor::Member(ADA)), vec![switch(true)]).await;
    let found = all(&store).await;
    let brief: Vec<(u64, Actor, Json)> = found
        .iter()
        .map(|entry| (entry.request_id.get(), entry.actor, json!(entry.difference)))
        .collect();
    let expected = [
        (
            1_002,
            Actor::Operator,
            json!({"moderation.dm_warn": [false, true]}),
        ),
        (
            1_001,
            Actor::Web(ADA),
            json!({"moderation.dm_warn": [null, false], "server.language": [null, "de"]}),
        ),
    ];
    assert_eq!(brief, expected);
    let older = entries(&store, GUILD, Some(Id::new(1_002)), 50)
        .await
        .expect("read");
    assert_eq!(older, found[1..]);
    assert_eq!(entries(&store, Id::new(11), None, 50).await.expect("read"), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_taken_back_once_unless_something_newer_would_be_lost() {
    let scene = Scene::new().await;
    let store = scene.store();
    let ada = Actor::Web(ADA);
    let changes = vec![switch(false), Change::Language(Some(Language::German))];
    change(&store, request(1_001, ada), changes).await;
    change(&store, request(1_002, ada), vec![switch(true)]).await;
    let undo = async |number, of| {
        let done = undo(&store, request(number, ada), Id::new(of), Permits::default()).await;
        done.expect("an answer")
    };
    let refusal = UndoFault::Changed(vec!["moderation.dm_warn".to_owned()]);
    assert_eq!(undo(1_003, 1_001).await, Err(refusal));
    assert_eq!(undo(1_004, 1_002).await, Ok(()));
    assert_eq!(undo(1_004, 1_002).await, Ok(()), "a replay");
    assert_eq!(
        undo(1_005, 1_002).await,
        Err(UndoFault::NotThere),
        "a second time"
    );
    assert_eq!(undo(1_006, 1_001).await, Ok(()));
    assert_eq!(language(&store).await, None);
    assert_eq!(undo(1_007, 999).await, Err(UndoFault::NotThere));
    // Taking a change back is a change, which can be taken back itself.
    assert_eq!(undo(1_008, 1_006).await, Ok(()));
    assert_eq!(language(&store).await, Some(Language::German));
    let undone: Vec<(u64, bool)> = all(&store)
        .await
        .iter()
        .map(|entry| (entry.request_id.get(), entry.is_undone))
        .collect();
    let expected = [
        (1_008, false),
        (1_006, true),
        (1_004, false),
        (1_002, true),
        (1_001, true),
    ];
    assert_eq!(undone, expected);
}

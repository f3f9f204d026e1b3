//! Names of backups, and which ones are deleted.

use std::fs;

use eventide::postgres::backup::Manifest;
use tempfile::TempDir;

use super::{backup, change_manifest, ended, eventide, fill, names};
use crate::support::Scene;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_backups_go_and_nothing_else_does() {
    let scene = Scene::new().await;
    let postgres = &scene.postgres;
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    fill(postgres, "public", 10).await;
    fill(postgres, "other", 10).await;
    let out = format!("{}/", path.display());
    let arguments =
        |keep: &'static str| ["backup", "--out", out.as_str(), "--keep", keep, "--quiet"].map(str::to_owned);
    let take = async |schema: &str, keep: &'static str| {
        let arguments = arguments(keep);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert_eq!(
            ended(eventide(postgres, schema, &arguments)).await.well(),
            "",
            "quiet"
        );
    };
    // Three of earlier years, one of another schema, and things that are not ours to remove.
    let first = path.join("first.dump");
    backup(postgres, "public", &first).await;
    let mut old = Vec::new();
    for year in ["2023", "2024", "2025"] {
        let name = format!("eventide-public-{year}0101T000000Z.dump");
        let file = path.join(&name);
        fs::copy(&first, &file).expect("copied");
        fs::copy(Manifest::path(&first), Manifest::path(&file)).expect("copied");
        change_manifest(&file, |manifest| {
            manifest.file.clone_from(&name);
            manifest.started_at = format!("{year}-01-01T00:00:00Z");
        });
        old.push(name);
    }
    let others = [
        "eventide-public-20200101T000000Z.dump",
        "eventide-public-20200101T000001Z.dump.manifest.json",
        "eventide-public-notes.txt",
    ];
    for name in others {
        fs::write(path.join(name), "not ours").expect("written");
    }
    fs::write(
        path.join("eventide-public-20200102T000000Z.dump.partial"),
        "of a killed one",
    )
    .expect("written");
    take("other", "1").await;

    take("public", "3").await;
    let found = names(path);
    let has = |name: &String| found.contains(name) && found.contains(&format!("{name}.manifest.json"));
    assert_eq!(
        old.iter().map(has).collect::<Vec<_>>(),
        [false, true, true],
        "{found:?}"
    );
    assert!(
        others.iter().all(|name| found.iter().any(|found| found == name)),
        "{found:?}"
    );
    assert!(found.contains(&"first.dump".to_owned()), "{found:?}");
    assert!(
        found.iter().any(|name| name.starts_with("eventide-other-")),
        "{found:?}"
    );
    assert!(!found.iter().any(|name| name.ends_with(".partial")), "{found:?}");

    // A backup that fails removes nothing.
    let failing = ended({
        let arguments = arguments("1");
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        eventide(postgres, "nobody's", &arguments)
    });
    failing
        .await
        .refused(1, &["no migration history", "database.schema"]);
    assert_eq!(names(path), found);

    // Names that would be overwritten, and a number without a directory.
    let first = first.to_str().expect("UTF-8");
    ended(eventide(postgres, "public", &["backup", "--out", first]))
        .await
        .refused(1, &["already exists"]);
    ended(eventide(
        postgres,
        "public",
        &["backup", "--out", first, "--keep", "1"],
    ))
    .await
    .refused(64, &["--keep needs a directory"]);
    let nowhere = path.join("nowhere/x.dump");
    ended(eventide(
        postgres,
        "public",
        &["backup", "--out", nowhere.to_str().expect("UTF-8")],
    ))
    .await
    .refused(1, &["nowhere/x.dump", "No such file"]);
    scene.stop().await;
}

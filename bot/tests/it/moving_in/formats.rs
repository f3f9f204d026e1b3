//! The formats of other bots, and of exports.

use eventide::{
    features::levels::{import::Options, rows::member_xp::moving::Mode},
    settings::values::curve::Curve,
};

use super::{GUILD, Place, csv, text, user};

/// A SQLite file from a tutorial, with several guilds and settings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tutorials_database() {
    let place = Place::new().await;
    let path = place.directory.path().join("bot.db");
    let sqlite = rusqlite::Connection::open(&path).expect("a database");
    sqlite
        .execute_batch(
            "CREATE TABLE user_data (user_id INTEGER, guild_id INTEGER, level INTEGER);
             CREATE TABLE guild_settings (guild_id INTEGER, prefix TEXT);",
        )
        .expect("made");
    for n in 0..40 {
        let guild = if n % 4 == 0 { user(999) } else { GUILD };
        sqlite
            .execute(
                "INSERT INTO user_data VALUES (?1, ?2, 10)",
                (user(n).cast_signed(), guild.cast_signed()),
            )
            .expect("inserted");
    }
    drop(sqlite);
    let guild = GUILD.to_string();
    let output = place.eventide(&["import", "bot.db", "--guild", &guild]).await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for told in [
        "30 members imported: 30 new",
        "10 rows of other guilds left out",
        "30 rows have a level and no XP",
        "guild_settings (0 rows; guild_id, prefix): settings, for which there is no place yet",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let members = place.members().await;
    assert!(
        members.values().all(|counts| *counts == (4_675, 0)),
        "{members:?}"
    );
    place.scene.stop().await;
}

/// An export can be imported without loss.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_comes_back_as_it_was() {
    let place = Place::new().await;
    let file = place.file(
        "levels.csv",
        &csv((0..3_000).map(|n| (user(n), n * n * 7, n % 13))),
    );
    place.import(&file, Mode::Add).await.expect("imported");
    let other = format!(
        "guild_id,user_id,xp,messages\n{},{},5,5\n",
        user(999_999),
        user(1)
    );
    place
        .import(&place.file("other.csv", &other), Mode::Add)
        .await
        .expect("imported");
    let mut before = place.members().await;
    before.retain(|(guild, _), _| *guild == GUILD);
    assert_eq!(before.len(), 3_000);
    let guild = GUILD.to_string();
    for (format, out) in [
        ("csv", "-"),
        ("csv", "out.csv"),
        ("json", "-"),
        ("json", "out.json"),
    ] {
        let output = place
            .eventide(&["export", "--guild", &guild, "--format", format, "--out", out])
            .await;
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let file = if out == "-" {
            let exported = String::from_utf8(output.stdout).expect("UTF-8");
            place.file(&format!("standard-output.{format}"), &exported)
        } else {
            place.directory.path().join(out)
        };
        if format == "json" {
            let text = std::fs::read(&file).expect("read");
            let list: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("JSON");
            assert!(
                list.iter()
                    .all(|member| member["user_id"].is_string() && member["guild_id"].is_string())
            );
            let xp = list[2_999]["xp"].as_u64().expect("a number");
            assert_eq!(
                list[2_999]["level"].as_u64(),
                Some(Curve::Mee6.level_of(xp).into())
            );
        }
        place.execute("DELETE FROM member_xp", &[]).await;
        let options = Options {
            again: true,
            ..Place::options(&file, Mode::Add)
        };
        let report = place.run(&options).await.expect("imported");
        assert_eq!((report.new, report.rejects()), (3_000, 0));
        assert!(place.members().await == before, "{format} {out}");
    }
    assert!(!place.directory.path().join("out.csv.part").exists());
    place.scene.stop().await;
}

//! What an import refuses or rejects, and what it says about that.

use eventide::features::levels::rows::{import_job, member_xp::moving::Mode};

use super::{GUILD, Members, Place, csv, text, user};

/// Bad rows are named and put aside, the rest is imported; corrected, they are imported too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_rejected_can_be_corrected() {
    let place = Place::new().await;
    let (a, b, c) = (user(1), user(2), user(3));
    place.file(
        "levels.csv",
        &format!(
            "guild_id,user_id,xp,messages\n{GUILD},{a},100,1\n{GUILD},{b},many,2\n{GUILD},12345,300,3\n{GUILD},{a},400,4\n\
             {GUILD},{c},500,5\n"
        ),
    );
    let output = place.eventide(&["import", "levels.csv"]).await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for told in [
        "line 3: xp \"many\": not a number",
        "line 4: \"12345\" is no user id of Discord's: ids have 17 digits or more",
        "line 5: the member has an earlier row in this file",
        "2 members imported: 2 new",
        "3 of 5 rows were rejected",
        "levels.csv.rejects.jsonl",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let mut expected = Members::from([((GUILD, a), (100, 1)), ((GUILD, c), (500, 5))]);
    assert_eq!(place.members().await, expected);

    // As it is, nothing of it can be imported but the second row of the same member.
    let rejects = place.directory.path().join("levels.csv.rejects.jsonl");
    let text_of = std::fs::read_to_string(&rejects).expect("a reject file");
    assert_eq!(text_of.lines().count(), 3, "{text_of}");
    let corrected = text_of
        .replace("\"many\"", "200")
        .replace("\"12345\"", &format!("\"{}\"", user(4)));
    place.file("levels.csv.rejects.jsonl", &corrected);
    let onto_itself = place
        .eventide(&[
            "import",
            "levels.csv.rejects.jsonl",
            "--rejects",
            "levels.csv.rejects.jsonl",
        ])
        .await;
    assert_eq!(onto_itself.status.code(), Some(1));
    let output = place.eventide(&["import", "levels.csv.rejects.jsonl"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    expected.extend([
        ((GUILD, a), (400, 4)),
        ((GUILD, b), (200, 2)),
        ((GUILD, user(4)), (300, 3)),
    ]);
    assert_eq!(place.members().await, expected);
    place.scene.stop().await;
}

/// Nothing is written, and the report matches a real import.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_writes_nothing_and_predicts_the_import() {
    let place = Place::new().await;
    let file = place.file(
        "levels.csv",
        &csv((0..250).map(|n| (user(n), n * 10, n)).chain([(5, 1, 1)])),
    );
    let first = place.file("first.csv", &csv((0..100).map(|n| (user(n), 600, 0))));
    place.import(&first, Mode::Add).await.expect("imported");
    let before = place.members().await;
    let output = place.eventide(&["import", "levels.csv", "--dry-run"]).await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("250 members would be imported: 150 new") && said.contains("nothing was written"),
        "{said}"
    );
    assert_eq!(place.members().await, before);
    assert!(!said.contains("reward roles"), "{said}");
    assert_eq!(
        import_job::all(&place.store).await.expect("read").len(),
        1,
        "only the first file's"
    );

    let mut options = Place::options(&file, Mode::KeepHigher);
    options.dry_run = true;
    let foretold = place.run(&options).await.expect("read");
    options.dry_run = false;
    let done = place.run(&options).await.expect("imported");
    assert_eq!(foretold.summary(false), done.summary(false));
    assert_eq!(done.largest[0].after.xp, 2_490);
    place.scene.stop().await;
}

/// Ids that a JSON tool has rounded: the file is refused, with the line and the way out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounded_ids_are_refused() {
    let place = Place::new().await;
    #[expect(clippy::cast_precision_loss, reason = "this is the rounding in question")]
    let rounded = |id: u64| (id as f64).to_string();
    let rows: Vec<String> = (0..30)
        .map(|n| format!("{{\"user_id\": {}, \"xp\": {n}}}", rounded(user(n))))
        .collect();
    place.file("levels.json", &format!("[\n{}\n]", rows.join(",\n")));
    let guild = GUILD.to_string();
    let output = place
        .eventide(&["import", "levels.json", "--guild", &guild])
        .await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for told in [
        "30 of 30 different user ids",
        "from line 2 ($[0]) on",
        "CAST(user_id AS TEXT)",
        "nothing was imported",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(place.members().await.is_empty());
    assert!(import_job::all(&place.store).await.expect("read").is_empty());
    let trusted = place
        .eventide(&["import", "levels.json", "--guild", &guild, "--trust-ids"])
        .await;
    assert_eq!(trusted.status.code(), Some(0), "{}", text(&trusted));
    place.scene.stop().await;
}

/// Ambiguous input is not guessed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_clear_line_for_each_thing_that_is_missing() {
    let place = Place::new().await;
    place.file(
        "mee6.csv",
        &format!(
            "id,username,discriminator,xp,level,messages\n{},x,0,100,1,3\n",
            user(1)
        ),
    );
    place.file("broken.json", "{\"users\": {\"1\": ");
    place.file("empty.json", "[]");
    place.file("strange.json", r#"{"karma": {"who": 5, "much": 3}}"#);
    place.file("page.html", "<!DOCTYPE html><p>502 Bad Gateway</p>");
    place.file(
        "elsewhere.csv",
        &format!("user_id,guild_id,xp\n{},{},3\n", user(1), user(2)),
    );
    place.file("bad.csv", "user_id,guild_id,xp\n1,2,3\n");
    for (arguments, told) in [
        (&["import", "mee6.csv"][..], "pass --guild ID"),
        (&["import", "broken.json"], "no JSON from line 1"),
        (&["import", "empty.json"], "no members found"),
        (
            &["import", "strange.json"],
            "which has the keys karma, who, much; --map",
        ),
        (&["import", "page.html"], "this is a web page"),
        (
            &["import", "/dev/null"],
            "an import reads a file twice: write it to a file first",
        ),
        (&["import", "nothing.csv"], "nothing.csv: No such file"),
        (
            &["import", "bad.csv"],
            "none of the 1 rows can be imported; the first, line 2",
        ),
        (
            &["import", "mee6.csv", "--format", "sqlite"],
            "this is CSV, and --format asks for SQLite",
        ),
        (
            &["import", "elsewhere.csv", "--guild", "197038439483310086"],
            "none of the 1 rows belongs to the guild",
        ),
        (
            &["export", "--guild", "197038439483310086"],
            "guild 197038439483310086 has no members",
        ),
    ] {
        let output = place.eventide(arguments).await;
        let said = text(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(told) && said.lines().count() == 1, "{said}");
    }
    for arguments in [
        &["import", "mee6.csv", "--map", "name=x"][..],
        &["import", "mee6.csv", "--batch", "0"],
    ] {
        assert_eq!(place.eventide(arguments).await.status.code(), Some(64));
    }
    let page = |page: u32, n: u64| {
        format!(
            r#"{{"page": {page}, "players": [{{"id": "{}", "xp": 100}}]}}"#,
            user(n)
        )
    };
    let error = r#"{"status_code": 429, "error": {"message": "Too many requests"}}"#;
    place.file(
        "pages.json",
        &format!("{}\n{error}\n{}\n", page(0, 1), page(2, 2)),
    );
    let output = place
        .eventide(&[
            "import",
            "pages.json",
            "--guild",
            "197038439483310086",
            "--dry-run",
        ])
        .await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for told in ["an error instead of members", "line 2", "missing pages: 1;"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let output = place
        .eventide(&[
            "import",
            "mee6.csv",
            "--format",
            "mee6",
            "--guild",
            "197038439483310086",
        ])
        .await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(
        place.members().await,
        Members::from([((GUILD, user(1)), (100, 3))])
    );
    place.scene.stop().await;
}

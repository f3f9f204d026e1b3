use std::collections::BTreeSet;

use twilight_model::{channel::message::Component, id::Id};

use super::{Board, By, Curve, HashMap, LINES, Name, Way, read, shown};
use crate::{
    features::levels::rows::leaderboard::{Line, Page, Standing},
    interactions::reply::Reply,
    support::{
        i18n::Language,
        text::names::tests::{HOSTILE, assert_harmless},
    },
};

fn reply(skipped: u64, members: u64, by: By) -> Reply {
    let lines = (skipped..members).take(LINES as usize).map(|at| Line {
        standing: Standing {
            user_id: Id::new(at + 1),
            xp: 255,
            message_count: 9,
        },
        value: 1_255,
        rank: at + 1,
    });
    let page = Page {
        lines: lines.collect(),
        skipped,
        members,
    };
    let board = Board {
        page,
        by,
        curve: Curve::linear(100),
        names: HashMap::from([(Id::new(skipped + 3), Name::first([Some(HOSTILE)], 3))]),
    };
    shown(&board, Some(Id::new(skipped + 2)), Language::German)
}

fn ids(reply: &Reply) -> Vec<(String, bool)> {
    let Component::ActionRow(row) = &reply.components[0] else {
        unreachable!("a row of buttons")
    };
    row.components
        .iter()
        .filter_map(|button| match button {
            Component::Button(button) => Some((button.custom_id.clone()?, button.disabled)),
            _ => None,
        })
        .collect()
}

#[test]
fn every_button_leads_where_it_says() {
    for (skipped, members) in [(0, 0), (0, 5), (0, 11), (10, 20), (10, 40), (30, 40)] {
        let reply = reply(skipped, members, By::Week);
        let ids = ids(&reply);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 5, "{ids:?}");
        for (id, disabled) in ids {
            let parts: Vec<&str> = id.split(':').skip(1).collect();
            let way = read(&parts, &[]);
            assert!(disabled || way.is_some_and(|(by, _)| by == By::Week), "{id}");
        }
    }
    assert!(
        ids(&reply(0, 10, By::Xp))
            .iter()
            .filter(|(_, disabled)| *disabled)
            .count()
            == 4
    );
}

#[test]
fn what_nobody_wrote_leads_nowhere() {
    assert_eq!(read(&["to", "xp", "7"], &[]), Some((By::Xp, Way::Page(7))));
    assert_eq!(
        read(&["order"], &["messages"]),
        Some((By::Messages, Way::Page(1)))
    );
    for parts in [
        &["to", "xp", "0"][..],
        &["to", "xp", "-1"],
        &["to", "xp", "99999999999999999999999"],
        &["to", "gold", "1"],
        &["to", "xp"],
        &["first"],
        &["order"],
        &[],
    ] {
        assert_eq!(read(parts, &[]), None, "{parts:?}");
    }
    assert_eq!(read(&["order"], &["gold"]), None);
    assert_eq!(read(&["first", "xp"], &["xp"]), None);
}

#[test]
fn a_page_in_words() {
    let reply = reply(10, 1_234, By::Messages);
    let embed = &reply.embeds[0];
    let text = embed.description.as_deref().expect("lines");
    assert_eq!(text.lines().count(), 10);
    assert!(text.starts_with("**#11** <@11>"), "{text}");
    assert!(
        text.contains("\n▸ **#12** <@12> · Level 2 · 1.255 Nachrichten\n"),
        "{text}"
    );
    let named = text.lines().nth(2).expect("a line");
    assert!(named.starts_with("**#13** <@13> ("), "{named}");
    assert_harmless(named.split_once('(').expect("a name").1);
    let footer = &embed.footer.as_ref().expect("a footer").text;
    assert!(
        footer.contains("Seite 2 von 124") && footer.contains("1.234"),
        "{footer}"
    );
}

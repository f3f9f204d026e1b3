use twilight_model::id::Id;

use super::{Page, Reader, list};
use crate::{
    features::moderation::rows::warning::{Counting, Warning},
    support::{clock::host_time, i18n::Language},
};

#[test]
fn the_longest_page_fits() {
    let longest = Warning {
        case_id: 1_000_000_000,
        user_id: Id::new(u64::MAX),
        moderator_id: Id::new(u64::MAX),
        reason: "ß\n".repeat(500),
        severity: "medium".to_owned(),
        points: 100,
        created_at: host_time(),
        expires_at: None,
        removed_at: Some(host_time()),
        removed_by: Some(Id::new(u64::MAX)),
        removed_reason: Some("ß".repeat(1_000)),
    };
    let page = vec![longest; 5];
    for language in Language::ALL {
        let text = list(
            (language, Reader::Moderator),
            Id::new(u64::MAX),
            &page,
            Counting::default(),
            host_time(),
        );
        assert!(text.chars().count() <= 4_096, "{}", text.chars().count());
        let text = list(
            (language, Reader::Member),
            Id::new(1),
            &page,
            Counting::default(),
            host_time(),
        );
        assert!(!text.contains(&format!("<@{}>", u64::MAX)), "{text}");
    }
}

#[test]
fn what_a_button_says() {
    assert!(Page::read(&["1", "2", "3", "on"]).is_some_and(|page| page.number == 3));
    for parts in [
        &["1", "2", "3"][..],
        &["1", "2", "-1", "on"],
        &["0", "2", "1", "on"],
        &["1", "2", "999999999999", "on"],
        &[],
    ] {
        assert!(Page::read(parts).is_none(), "{parts:?}");
    }
}

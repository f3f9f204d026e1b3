use twilight_model::id::Id;

use super::{Language, Notice, text};

#[test]
fn every_notice_in_every_language() {
    let reason = "code 50013".to_owned();
    let notices = [
        Notice::AnnouncementsOff {
            reason: reason.clone(),
        },
        Notice::ChannelSkipped {
            channel_id: Id::new(8),
            reason: reason.clone(),
        },
        Notice::RewardsOff {
            reason: reason.clone(),
        },
        Notice::RewardBlocked {
            role_id: Id::new(7),
            reason: reason.clone(),
        },
        Notice::RewardGone {
            role_id: Id::new(7),
            level: 12,
        },
    ];
    for notice in notices {
        let texts = Language::ALL.map(|language| text(&notice, language));
        for text in &texts {
            let names_it = match notice {
                Notice::RewardGone { .. } => text.contains('7') && text.contains("12"),
                _ => text.contains(&reason),
            };
            assert!(names_it && text.chars().count() < 2_000, "{text}");
        }
        assert_ne!(texts[0], texts[1]);
    }
}

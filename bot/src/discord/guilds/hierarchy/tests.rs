use serde_json::{Value, json};
use tokio::time::Instant;
use twilight_model::{guild::Permissions, id::Id};

use super::{Obstacle, Rank, obstacle, rank_of};
use crate::discord::guilds::{
    cache::{Kept, Read},
    permissions::Standing,
};

const MODERATE: u64 = 1 << 40;
const ADMINISTRATOR: u64 = 1 << 3;

fn role(id: u64, position: i64, permissions: u64) -> Value {
    json!({
        "id": id.to_string(), "name": "r", "permissions": permissions.to_string(), "position": position, "color": 0,
        "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null}, "hoist": false,
        "managed": false, "mentionable": false, "flags": 0,
    })
}

/// The bot's role is 20; 11 has the same position as 10, 30 is above the bot, and 12 is an administrator role below it.
fn guild(own: u64) -> Kept {
    let roles = json!([
        role(100, 0, 0),
        role(10, 4, 0),
        role(11, 4, 0),
        role(12, 3, ADMINISTRATOR),
        role(20, 5, own),
        role(30, 6, 0)
    ]);
    let mut kept = Kept::default();
    let read = Read {
        guild: serde_json::from_value(json!({"name": "A guild", "owner_id": "1", "roles": roles})).ok(),
        own: serde_json::from_value(json!({"roles": ["20"], "communication_disabled_until": null})).ok(),
        channels: None,
    };
    kept.keep(Id::new(100), read, Instant::now());
    kept
}

fn rank(kept: &Kept, user: u64, roles: &[u64]) -> Rank {
    let roles: Vec<_> = roles.iter().map(|id| Id::new(*id)).collect();
    rank_of(kept, Id::new(100), Id::new(user), &roles).0
}

#[tokio::test]
async fn the_highest_role_decides() {
    let kept = guild(0);
    assert!(rank(&kept, 1, &[]) > rank(&kept, 2, &[30]), "the owner");
    assert!(rank(&kept, 2, &[10, 30]) > rank(&kept, 3, &[20]));
    assert!(rank(&kept, 2, &[10]) > rank(&kept, 3, &[11]), "the older role");
    assert_eq!(rank(&kept, 2, &[10]), rank(&kept, 3, &[10, 12]));
    assert!(rank(&kept, 2, &[12]) > rank(&kept, 3, &[]));
    let unknown = rank_of(&kept, Id::new(100), Id::new(2), &[Id::new(10), Id::new(99)]);
    assert_eq!(unknown, (rank(&kept, 2, &[10]), false));
}

#[tokio::test]
async fn what_is_in_the_bots_way() {
    let look = |own: u64, user: u64, roles: Option<&[u64]>, permission: Permissions| {
        let kept = guild(own);
        let roles: Option<Vec<_>> = roles.map(|roles| roles.iter().map(|id| Id::new(*id)).collect());
        let standing = Standing::of(&kept, Id::new(100), Id::new(7)).expect("a standing");
        obstacle(
            &kept,
            Id::new(100),
            &standing,
            (Id::new(user), roles.as_deref()),
            permission,
        )
    };
    let moderate = Permissions::MODERATE_MEMBERS;
    let ban = Permissions::BAN_MEMBERS;
    assert_eq!(look(MODERATE, 2, Some(&[10]), moderate), None);
    assert_eq!(look(0, 2, Some(&[10]), moderate), Some(Obstacle::NoPermission));
    assert_eq!(look(MODERATE, 2, Some(&[10]), ban), Some(Obstacle::NoPermission));
    assert_eq!(look(MODERATE, 1, Some(&[]), moderate), Some(Obstacle::Owner));
    assert_eq!(look(MODERATE, 2, Some(&[30]), moderate), Some(Obstacle::AboveBot));
    assert_eq!(look(MODERATE, 2, Some(&[20]), moderate), Some(Obstacle::AboveBot));
    assert_eq!(
        look(MODERATE, 2, Some(&[12]), moderate),
        Some(Obstacle::Administrator)
    );
    assert_eq!(look(ADMINISTRATOR, 2, Some(&[12]), ban), None);
    assert_eq!(look(ADMINISTRATOR, 2, None, ban), None, "who is no member");
}

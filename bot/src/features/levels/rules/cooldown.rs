//! Decides whether a message earns XP at all.

use crate::support::ids::Millis;

/// Whether a message sent at `at` earns, if the member's last award was for a message sent at `last_award`.
///
/// With a cooldown of 0 every message earns, even two of the same millisecond. Otherwise at least `cooldown` milliseconds must lie between
/// the two messages' own timestamps; a message that arrives late and is older than the last award earns nothing.
pub fn earns(last_award: Option<Millis>, at: Millis, cooldown: Millis) -> bool {
    cooldown == 0 || last_award.is_none_or(|last| at.saturating_sub(last) >= cooldown)
}

#[cfg(test)]
mod tests {
    use super::earns;

    #[test]
    fn the_first_message_earns() {
        assert!(earns(None, 0, 60_000));
    }

    #[test]
    fn the_cooldown_is_over_when_it_has_passed_exactly() {
        assert!(!earns(Some(1_000), 60_999, 60_000));
        assert!(earns(Some(1_000), 61_000, 60_000));
    }

    #[test]
    fn a_late_message_earns_nothing_unless_there_is_no_cooldown() {
        assert!(!earns(Some(5_000), 4_000, 1));
        assert!(earns(Some(5_000), 4_000, 0));
        assert!(earns(Some(5_000), 5_000, 0));
    }
}

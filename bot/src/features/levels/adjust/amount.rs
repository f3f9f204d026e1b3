//! Calculates the result of an XP adjustment, including the weekly XP.

use twilight_model::id::{Id, marker::UserMarker};

use super::XpAdjustment;
use crate::{
    discord::guilds::authority::XpPermit,
    features::levels::rows::{audit_xp::Change, member_xp::giving::Held},
};

/// The adjustment requested for a member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) user_id: Id<UserMarker>,
    grant: XpAdjustment,
    /// A week, and the XP that it gets back if it is still the member's latest one.
    week: (i32, i64),
}

impl Wanted {
    /// XP given by staff counts for no week.
    pub(super) const fn new(user_id: Id<UserMarker>, grant: XpAdjustment) -> Self {
        Self {
            user_id,
            grant,
            week: (0, 0),
        }
    }

    /// The adjustment that undoes a change.
    pub(super) const fn reverting(change: &Change, permit: XpPermit) -> Self {
        let by = change.xp.unsigned_abs();
        let grant = if change.xp > 0 {
            XpAdjustment::Take(by)
        } else {
            XpAdjustment::Give(permit, by)
        };
        Self {
            user_id: change.user_id,
            grant,
            week: (change.week, change.week_xp.saturating_neg()),
        }
    }

    /// The resulting change, given the member's current XP. Weekly XP never exceeds total XP.
    pub(super) fn change(&self, held: Held) -> Change {
        let xp = self.grant.change(held.xp);
        let (week, back) = self.week;
        let back = if week == held.week { back } else { 0 };
        let week_after = held
            .week_xp
            .saturating_add_signed(back)
            .min(held.xp.saturating_add_signed(xp));
        Change {
            user_id: self.user_id,
            xp,
            week: held.week,
            week_xp: week_after.cast_signed() - held.week_xp.cast_signed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::{Change, Held, Wanted, XpAdjustment, XpPermit};

    #[test]
    fn the_week_follows_and_comes_back() {
        let permit = XpPermit::of_operator();
        let user_id = Id::new(1);
        let held = |xp, week, week_xp| Held { xp, week, week_xp };
        let done = |grant, held| Wanted::new(user_id, grant).change(held);
        let (give, set) = (XpAdjustment::Give(permit, 50), XpAdjustment::Set(permit, 0));
        for (grant, before, week_xp) in [
            (give, held(100, 7, 30), 0),
            (XpAdjustment::Take(50), held(100, 7, 30), 0),
            (XpAdjustment::Take(80), held(100, 7, 30), -10),
            (set, held(100, 7, 30), -30),
            // As left by versions before V30.
            (set, held(0, 7, 30), -30),
        ] {
            assert_eq!(done(grant, before).week_xp, week_xp, "{grant:?}");
        }
        let reset = done(set, held(100, 7, 30));
        let back = |held| Wanted::reverting(&reset, permit).change(held);
        let change = |xp, week, week_xp| Change {
            user_id,
            xp,
            week,
            week_xp,
        };
        assert_eq!(back(held(0, 7, 0)), change(100, 7, 30));
        assert_eq!(
            back(held(20, 7, 20)),
            change(100, 7, 30),
            "beside what came since"
        );
        assert_eq!(back(held(20, 8, 20)), change(100, 8, 0), "the week is over");
    }
}

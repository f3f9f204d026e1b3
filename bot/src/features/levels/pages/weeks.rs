//! The chart of a member's XP by week.

use std::iter::once;

use maud::{Markup, html};
use time::{OffsetDateTime, macros::format_description};

use crate::{
    features::levels::{
        rows::member_week,
        rules::week::{begin_of, week_of},
    },
    interactions::Services,
    postgres::StoreError,
    support::{
        clock::host_time,
        ids::{self, MemberKey},
    },
    web::{
        chart::{self, Bar},
        context::Context,
    },
};

/// Weeks before the running one.
const SHOWN: i32 = 26;

/// What a member with this XP gained in each of the last weeks whose beginning and end are known, up to the running one.
pub(super) async fn read(
    services: &Services,
    key: MemberKey,
    xp: u64,
) -> Result<Vec<(i32, u64)>, StoreError> {
    let running = week_of(ids::to_millis(host_time()));
    let beginnings = member_week::beginnings(&services.store, key, (running - SHOWN, running)).await?;
    Ok(gains(&beginnings, (running + 1, xp)))
}

/// The differences of successive beginnings. XP that was taken makes a week 0 rather than negative.
fn gains(beginnings: &[(i32, u64)], end: (i32, u64)) -> Vec<(i32, u64)> {
    let ends = beginnings.iter().skip(1).chain(once(&end));
    beginnings
        .iter()
        .zip(ends)
        .filter(|((week, _), (next, _))| week + 1 == *next)
        .map(|((week, before), (_, after))| (*week, after.saturating_sub(*before)))
        .collect()
}

/// The weeks as a chart, unless there is only the running one.
pub(super) fn chart(context: &Context, weeks: &[(i32, u64)]) -> Markup {
    let running = weeks.len().saturating_sub(1);
    if running == 0 {
        return html! {};
    }
    let bars: Vec<Bar> = weeks
        .iter()
        .enumerate()
        .map(|(at, (week, value))| {
            let monday = OffsetDateTime::from(ids::to_time(begin_of(*week)));
            let day = monday
                .format(format_description!("[year]-[month]-[day]"))
                .unwrap_or_default();
            Bar {
                label: if at == running {
                    context.filled("web-member-week-running", &[("day", day.into())])
                } else {
                    day
                },
                short: monday
                    .format(format_description!("[month]-[day]"))
                    .unwrap_or_default(),
                value: *value,
            }
        })
        .collect();
    let text = |key| context.text(key);
    let headings = [text("web-member-week"), text("web-leaderboard-xp")];
    html! {
        (chart::bars(context, &text("web-member-weeks"), [&headings[0], &headings[1]], &bars))
        p.hint { (text("web-member-weeks-hint")) }
    }
}

#[cfg(test)]
mod tests {
    use super::gains;

    #[test]
    fn a_week_is_shown_if_its_beginning_and_its_end_are_known() {
        let beginnings = [(5, 10), (6, 30), (8, 90), (9, 40)];
        assert_eq!(gains(&beginnings, (10, 45)), [(5, 20), (8, 0), (9, 5)]);
        assert_eq!(gains(&[], (10, 45)), []);
    }
}

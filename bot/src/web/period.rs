//! Periods of time that pages with numbers offer.

use maud::{Markup, html};

use super::{answer::Fault, context::Context};

/// A number of days up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period(u64);

impl Period {
    /// What can be chosen.
    const ALL: [u64; 5] = [1, 7, 30, 90, 365];
    const DEFAULT: u64 = 30;

    /// The period of a query.
    ///
    /// # Errors
    ///
    /// There is no such period.
    pub(crate) fn of(context: &Context) -> Result<Self, Fault> {
        let Some(written) = context.query().get("days") else {
            return Ok(Self(Self::DEFAULT));
        };
        let days = written.parse().ok().filter(|days| Self::ALL.contains(days));
        days.map(Self)
            .ok_or_else(|| Fault::Bad(context.text("web-bad-period")))
    }

    pub(crate) const fn days(self) -> u64 {
        self.0
    }

    /// Links to the page with each period.
    pub(crate) fn tabs(self, context: &Context, path: &str) -> Markup {
        html! {
            nav.tabs aria-label=(context.text("web-period")) {
                @for days in Self::ALL {
                    a href={ (path) "?days=" (days) } aria-current=[(days == self.0).then_some("true")] {
                        (context.filled("web-days", &[("days", crate::support::i18n::Value::Count(days))]))
                    }
                }
            }
        }
    }
}

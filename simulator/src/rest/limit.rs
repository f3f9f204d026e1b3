//! Rate limits: buckets by route and major parameter, and the global one.

use rustc_hash::FxHashMap;
use tokio::time::{Duration, Instant};

use super::route::Route;
use crate::{
    config::{Limit, RestRules},
    snowflake::{mix, wall_clock_ms},
};

/// The state of a bucket after a request, as the headers tell it.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset_after: Duration,
    pub(crate) bucket: String,
}

/// Whether a request may go on.
pub(crate) enum Verdict {
    Pass(Option<Standing>),
    /// Its bucket is empty.
    Exhausted(Standing),
    /// The bot sends too much in all.
    Global(Duration),
}

#[derive(Default)]
pub(crate) struct Limiter {
    buckets: FxHashMap<(String, String), (Instant, u32)>,
    global: Option<(Instant, u32)>,
}

impl Limiter {
    /// Counts a request.
    pub(crate) fn judge(&mut self, rules: &RestRules, route: &Route) -> Verdict {
        let now = Instant::now();
        if rules.enforce && !route.open {
            let (since, count) = self.global.get_or_insert((now, 0));
            if now - *since >= Duration::from_secs(1) {
                (*since, *count) = (now, 0);
            }
            *count += 1;
            if *count > rules.global_per_second {
                return Verdict::Global(Duration::from_secs(1).saturating_sub(now - *since));
            }
        }
        // Discord gives no headers for a callback.
        if route.name.starts_with("POST /interactions") {
            return Verdict::Pass(None);
        }
        let Limit { requests, per } = if route.name == "POST /channels/{id}/messages" {
            rules.messages
        } else {
            rules.other
        };
        let key = (route.name.clone(), route.major.clone());
        let (since, count) = self.buckets.entry(key).or_insert((now, 0));
        if now - *since >= per {
            (*since, *count) = (now, 0);
        }
        let standing = |count: u32, since: Instant| Standing {
            limit: requests,
            remaining: requests.saturating_sub(count),
            reset_after: per.saturating_sub(now - since),
            bucket: bucket_name(&route.name),
        };
        if *count >= requests && rules.enforce {
            return Verdict::Exhausted(standing(requests, *since));
        }
        *count += 1;
        Verdict::Pass(Some(standing(*count, *since)))
    }
}

/// Discord's bucket names are opaque; routes that share limits share one, majors do not show.
fn bucket_name(route: &str) -> String {
    let hash = route.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:016x}{:016x}", mix(hash), mix(!hash))
}

impl Standing {
    /// The headers, as Discord documents them.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let reset = Duration::from_millis(wall_clock_ms()) + self.reset_after;
        vec![
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", self.remaining.to_string()),
            ("x-ratelimit-reset", format!("{:.3}", reset.as_secs_f64())),
            (
                "x-ratelimit-reset-after",
                format!("{:.3}", self.reset_after.as_secs_f64()),
            ),
            ("x-ratelimit-bucket", self.bucket.clone()),
        ]
    }
}

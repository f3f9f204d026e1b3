//! Mentions as names, for lists of choices and pages, which show text verbatim.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, LazyLock},
    time::Duration,
};

use regex::{Captures, Regex};
use tokio::time::timeout;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::Services;
use crate::{
    discord::{guilds::listing::Listing, rest::Priority},
    support::text::names::Name,
};

/// How long names are waited for.
const PATIENCE: Duration = Duration::from_secs(1);

static MENTION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("<(@&|@!?|#)([0-9]{1,20})>").expect("a regular expression"));

/// These texts with names in place of mentions. What has no name, or none in time, is named by its ID.
pub(crate) async fn as_names(
    services: &Services,
    guild_id: Id<GuildMarker>,
    texts: &[String],
    priority: Priority,
) -> Vec<String> {
    let (mut users, mut lists) = (BTreeSet::new(), false);
    for mention in texts.iter().flat_map(|text| MENTION.captures_iter(text)) {
        match &mention[1] {
            "@" | "@!" => users.extend(id::<UserMarker>(&mention[2])),
            _ => lists = true,
        }
    }
    let users = services
        .guilds
        .member_names_at(guild_id, users, PATIENCE, priority);
    let listing = async {
        if !lists {
            return None;
        }
        let listing = services.guilds.listing(guild_id, priority);
        timeout(PATIENCE, listing).await.ok()?.ok()
    };
    let (users, listing) = tokio::join!(users, listing);
    let names = Names { users, listing };
    texts
        .iter()
        .map(|text| {
            let shown =
                MENTION.replace_all(text, |mention: &Captures<'_>| names.of(&mention[1], &mention[2]));
            shown.into_owned()
        })
        .collect()
}

fn id<T>(digits: &str) -> Option<Id<T>> {
    Id::new_checked(digits.parse().ok()?)
}

struct Names {
    users: HashMap<Id<UserMarker>, Name>,
    listing: Option<Arc<Listing>>,
}

impl Names {
    /// The name for a mention of this kind.
    fn of(&self, kind: &str, digits: &str) -> String {
        let listing = self.listing.as_deref();
        let name = match kind {
            "@" | "@!" => id(digits).and_then(|id| self.users.get(&id)),
            "@&" => id(digits).and_then(|id| listing?.role(id)),
            _ => id(digits).and_then(|id| listing?.any_channel(id)),
        };
        let sign = if kind == "#" { '#' } else { '@' };
        format!("{sign}{}", name.map_or(digits, Name::as_plain))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, sync::Arc};

    use twilight_model::id::Id;

    use super::{Captures, MENTION, Names};
    use crate::{discord::guilds::listing::Listing, support::text::names::Name};

    #[test]
    fn each_mention_becomes_a_name_or_an_id() {
        let name = |text| Name::first([Some(text)], 0);
        let names = Names {
            users: HashMap::from([(Id::new(7), name("Ada"))]),
            listing: Some(Arc::new(Listing {
                roles: vec![(Id::new(8), name("Staff"))],
                channels: vec![(Id::new(9), name("general"))],
                others: vec![(Id::new(10), name("Voice"))],
            })),
        };
        let of = |text: &str| {
            let shown =
                MENTION.replace_all(text, |mention: &Captures<'_>| names.of(&mention[1], &mention[2]));
            shown.into_owned()
        };
        assert_eq!(
            of("<@&8> of <@7> and <@!7> in <#9>, <#10>"),
            "@Staff of @Ada and @Ada in #general, #Voice"
        );
        assert_eq!(of("<@1> <@&2> <#3> <t:4:R> <@x>"), "@1 @2 #3 <t:4:R> <@x>");
    }
}

//! Settings as a file: what a server chose, with the names of its roles and channels, so that they can be found in another server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, RoleMarker},
};

use crate::{
    discord::guilds::listing::Listing,
    settings::{
        history::Snapshot,
        section::{
            Section, Setting,
            field::{Kind, Named},
        },
    },
    support::{ids, text::names::Name},
    web::form::Fields,
};

/// The form of the file.
const FORMAT: &str = "eventide settings 1";

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Document {
    format: String,
    /// Values by names such as `moderation.dm_warn`; IDs are strings.
    settings: BTreeMap<String, Json>,
    /// The names of roles, by ID.
    #[serde(default)]
    pub(super) roles: BTreeMap<String, String>,
    /// The names of channels, by ID.
    #[serde(default)]
    pub(super) channels: BTreeMap<String, String>,
}

/// Which role or channel takes the place of one in the file; without one, it is left out.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    pub(super) roles: BTreeMap<String, Id<RoleMarker>>,
    pub(super) channels: BTreeMap<String, Id<ChannelMarker>>,
}

impl Document {
    /// What a server chose.
    pub(super) fn of(
        sections: impl Iterator<Item = &'static Section>,
        chosen: &Snapshot,
        listing: &Listing,
    ) -> Self {
        let mut document = Self {
            format: FORMAT.to_owned(),
            ..Self::default()
        };
        for setting in sections.flat_map(Section::settings) {
            let Some(value) = setting.chosen_in(chosen) else {
                continue;
            };
            let kind = setting.field.kind;
            document
                .settings
                .insert(setting.to_string(), kind.exported(&value));
            let Named { roles, channels } = kind.named(&value);
            for id in roles {
                let name = listing
                    .role(id)
                    .map_or_else(String::new, |name| name.as_plain().to_owned());
                document.roles.insert(id.to_string(), name);
            }
            for id in channels {
                let name = listing
                    .channel(id)
                    .map_or_else(String::new, |name| name.as_plain().to_owned());
                document.channels.insert(id.to_string(), name);
            }
        }
        document
    }

    /// The contents of a file; `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let document: Self = serde_json::from_str(text).ok()?;
        (document.format == FORMAT).then_some(document)
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and texts are JSON")
    }

    /// The settings in the file that can be used here, with their values.
    pub(super) fn values(
        &self,
        find: impl Fn(&str) -> Option<Setting>,
        mapping: &Mapping,
    ) -> Vec<(Setting, Json)> {
        let values = self.settings.iter().filter_map(|(name, exported)| {
            let setting = find(name)?;
            Some((setting, imported(setting.field.kind, exported, mapping)?))
        });
        values.collect()
    }

    /// The names of the settings in the file that cannot be used here.
    pub(super) fn unused(&self, used: &[(Setting, Json)]) -> Vec<&str> {
        let is_used = |name: &str| used.iter().any(|(setting, _)| setting.to_string() == name);
        let names = self.settings.keys().map(String::as_str);
        names.filter(|name| !is_used(name)).collect()
    }

    /// Roles and channels of the same ID or of the same name.
    pub(super) fn suggestion(&self, listing: &Listing) -> Mapping {
        Mapping {
            roles: similar(&self.roles, &listing.roles),
            channels: similar(&self.channels, &listing.channels),
        }
    }
}

impl Mapping {
    /// What a form says.
    pub(super) fn of_form(form: &Fields) -> Self {
        let mut mapping = Self::default();
        for (name, value) in form.iter() {
            if let (Some(id), Some(role)) = (name.strip_prefix("role."), ids::written(value)) {
                mapping.roles.insert(id.to_owned(), role);
            } else if let (Some(id), Some(channel)) = (name.strip_prefix("channel."), ids::written(value)) {
                mapping.channels.insert(id.to_owned(), channel);
            }
        }
        mapping
    }
}

fn similar<T>(wanted: &BTreeMap<String, String>, there: &[(Id<T>, Name)]) -> BTreeMap<String, Id<T>> {
    let found = wanted.iter().filter_map(|(id, name)| {
        let same = there.iter().find(|(there, _)| there.to_string() == *id);
        let is_named = |there: &Name| there.as_plain().to_lowercase() == name.to_lowercase();
        let named = || there.iter().find(|(_, there)| is_named(there));
        same.or_else(named).map(|(there, _)| (id.clone(), *there))
    });
    found.collect()
}

/// A value of the file as it is stored, with this server's roles and channels. `None` if it is none, or its channel is left out.
fn imported(kind: Kind, exported: &Json, mapping: &Mapping) -> Option<Json> {
    let channel = || {
        let id = mapping.channels.get(exported.as_str()?)?;
        Some(Json::from(id.get()))
    };
    let value = match kind {
        Kind::Channel if exported.is_null() => Json::Null,
        Kind::ChannelOr(words) if exported.as_str().is_some_and(|word| words.all.contains(&word)) => {
            exported.clone()
        }
        Kind::Channel | Kind::ChannelOr(_) => channel()?,
        Kind::Roles(_) => {
            let roles = exported.as_array()?.iter().filter_map(Json::as_str);
            roles
                .filter_map(|id| mapping.roles.get(id))
                .map(|id| id.get())
                .collect()
        }
        _ => exported.clone(),
    };
    kind.accepts(&value).then_some(value)
}

#[cfg(test)]
mod tests;

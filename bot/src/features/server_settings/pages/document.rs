//! Settings as a file: what a server chose, with the names of its roles and channels, so that they can be found in another server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, RoleMarker},
};

use super::{find, sections};
use crate::{
    discord::guilds::listing::Listing,
    interactions::Services,
    settings::{
        command_settings::{self, CommandSetting},
        history::Snapshot,
        section::{
            Section,
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
    pub(super) fn of(services: &Services, chosen: &Snapshot, listing: &Listing) -> Self {
        let mut document = Self {
            format: FORMAT.to_owned(),
            ..Self::default()
        };
        for setting in sections(services).flat_map(Section::settings) {
            let Some(value) = setting.chosen_in(chosen) else {
                continue;
            };
            let kind = setting.field.kind;
            document.add(
                setting.to_string(),
                kind.exported(&value),
                kind.named(&value),
                listing,
            );
        }
        for (name, value) in chosen {
            match CommandSetting::find(name) {
                Some((setting, key)) if setting.is_exported => {
                    document.add(name.clone(), value.clone(), command_settings::named(key), listing);
                }
                None if services.commands.row_setting(name).is_some() => {
                    document.add(name.clone(), value.clone(), Named::default(), listing);
                }
                _ => {}
            }
        }
        document
    }

    /// Add a setting, and the names of the roles and channels in it.
    fn add(&mut self, name: String, exported: Json, named: Named, listing: &Listing) {
        self.settings.insert(name, exported);
        let text = |name: Option<&Name>| name.map_or_else(String::new, |name| name.as_plain().to_owned());
        for id in named.roles {
            self.roles.insert(id.to_string(), text(listing.role(id)));
        }
        for id in named.channels {
            self.channels
                .insert(id.to_string(), text(listing.any_channel(id)));
        }
    }

    /// The contents of a file; `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let document: Self = serde_json::from_str(text).ok()?;
        (document.format == FORMAT).then_some(document)
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and texts are JSON")
    }

    /// The settings in the file that can be used here: their names there, and their names and values here.
    pub(super) fn values(&self, services: &Services, mapping: &Mapping) -> Vec<(&str, String, Json)> {
        let row = |name: &str, value: &Json| {
            let (setting, key) = services.commands.row_setting(name)?;
            (setting.options)(key, value)
        };
        let values = self.settings.iter().filter_map(|(name, exported)| {
            let (here, value) = match CommandSetting::find(name) {
                Some((setting, key)) => {
                    let key = mapping.key(key)?;
                    let is_used = setting.is_exported && setting.accepts(&key, exported);
                    is_used.then(|| (setting.full_name(&key), exported.clone()))?
                }
                None if row(name, exported).is_some() => (name.clone(), exported.clone()),
                None => {
                    let setting = find(services, name)?;
                    (
                        setting.to_string(),
                        imported(setting.field.kind, exported, mapping)?,
                    )
                }
            };
            Some((name.as_str(), here, value))
        });
        values.collect()
    }

    /// The names of the settings in the file that cannot be used here.
    pub(super) fn unused(&self, used: &[(&str, String, Json)]) -> Vec<&str> {
        let is_used = |name: &str| used.iter().any(|(used, ..)| *used == name);
        let names = self.settings.keys().map(String::as_str);
        names.filter(|name| !is_used(name)).collect()
    }

    /// Roles and channels of the same ID or of the same name.
    pub(super) fn suggestion(&self, listing: &Listing) -> Mapping {
        Mapping {
            roles: similar(&self.roles, |_| listing.roles.iter().collect()),
            channels: similar(&self.channels, |id| self.places(id, listing)),
        }
    }

    /// What can take the place of a channel: also a category, if only multipliers name it.
    pub(super) fn places<'a>(&self, id: &str, listing: &'a Listing) -> Vec<&'a (Id<ChannelMarker>, Name)> {
        let mut settings = self.settings.iter();
        let is_place =
            settings.all(|(name, value)| CommandSetting::find(name).is_some() || value.as_str() != Some(id));
        let others = listing.others.iter().filter(|_| is_place);
        listing.channels.iter().chain(others).collect()
    }
}

impl Mapping {
    /// A key with the role or channel that takes the place of the one in it; `None` if that is left out.
    fn key(&self, key: &str) -> Option<String> {
        match key.split_once(':') {
            Some(("role", id)) => Some(format!("role:{}", self.roles.get(id)?)),
            Some(("channel", id)) => Some(format!("channel:{}", self.channels.get(id)?)),
            _ => Some(key.to_owned()),
        }
    }

    /// What a form says.
    pub(super) fn web_form(form: &Fields) -> Self {
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

fn similar<'a, T: 'a>(
    wanted: &BTreeMap<String, String>,
    there: impl Fn(&str) -> Vec<&'a (Id<T>, Name)>,
) -> BTreeMap<String, Id<T>> {
    let found = wanted.iter().filter_map(|(id, name)| {
        let there = there(id);
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
            let roles = roles.filter_map(|id| mapping.roles.get(id));
            // One role can take the place of several.
            let mut ids: Vec<u64> = Vec::new();
            for id in roles.map(|id| id.get()) {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            ids.into()
        }
        _ => exported.clone(),
    };
    kind.accepts(&value).then_some(value)
}

#[cfg(test)]
mod tests;

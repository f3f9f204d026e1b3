//! How a server wants its levels to be shown.

use serde::{Deserialize, Serialize};

use crate::settings::section::{
    Choices, Section,
    field::{Field, Kind, Words},
};

/// Who sees the leaderboard on the website.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Visibility {
    /// Only members who can change the setting.
    #[default]
    Off,
    /// Members of the server who have signed in.
    Members,
    /// Everyone with the link.
    Public,
}

/// The settings of levels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LevelSettings {
    /// Who sees the leaderboard on the website.
    pub(crate) leaderboard: Visibility,
}

impl Choices for LevelSettings {
    const SECTION: Section = Section::of::<Self>(
        "levels",
        &[Field::new(
            "leaderboard",
            Kind::Choice(Words {
                all: &["off", "members", "public"],
                texts: "levels-visibility",
            }),
        )],
    );
}

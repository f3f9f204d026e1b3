//! Menus of `/settings`.

use twilight_model::channel::{
    ChannelType,
    message::component::{ActionRow, Component, SelectMenu, SelectMenuOption, SelectMenuType},
};

pub(super) fn row(component: Component) -> Component {
    Component::ActionRow(ActionRow {
        components: vec![component],
        id: None,
    })
}

pub(super) fn empty_menu(custom_id: String, placeholder: String) -> SelectMenu {
    SelectMenu {
        channel_types: None::<Vec<ChannelType>>,
        custom_id,
        default_values: None,
        disabled: false,
        id: None,
        kind: SelectMenuType::Text,
        max_values: Some(1),
        min_values: Some(1),
        options: None,
        placeholder: Some(placeholder),
        required: None,
    }
}

/// An option of a menu.
pub(super) const fn choice(value: String, label: String, description: Option<String>) -> SelectMenuOption {
    SelectMenuOption {
        default: false,
        description,
        emoji: None,
        label,
        value,
    }
}

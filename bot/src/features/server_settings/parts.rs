//! Menus and forms of `/settings`.

use twilight_model::channel::{
    ChannelType,
    message::component::{
        ActionRow, Component, Label, SelectMenu, SelectMenuOption, SelectMenuType, TextInput, TextInputStyle,
    },
};

use crate::interactions::reply::Reply;

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

/// The only field of a form.
pub(super) struct Field<'a> {
    pub(super) custom_id: &'static str,
    pub(super) style: TextInputStyle,
    pub(super) least: u16,
    pub(super) most: u16,
    pub(super) now: &'a str,
    pub(super) label: String,
    pub(super) hint: String,
}

pub(super) fn form(custom_id: String, title: String, field: Field<'_>) -> Reply {
    #[expect(deprecated, reason = "a field of twilight's that Discord no longer wants")]
    let input = TextInput {
        custom_id: field.custom_id.to_owned(),
        id: None,
        label: None,
        max_length: Some(field.most),
        min_length: Some(field.least),
        placeholder: None,
        required: Some(field.least > 0),
        style: field.style,
        value: Some(field.now.to_owned()),
    };
    let label = Component::Label(Label {
        component: Box::new(Component::TextInput(input)),
        description: Some(field.hint),
        id: None,
        label: field.label,
    });
    Reply::modal(custom_id, title, vec![label])
}

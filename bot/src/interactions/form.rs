//! Forms with text fields, which Discord calls modals.

use twilight_model::channel::message::component::{Component, Label, TextInput, TextInputStyle};

use super::reply::Reply;

/// A field of a form.
pub(crate) struct Field<'a> {
    pub(crate) custom_id: &'static str,
    pub(crate) style: TextInputStyle,
    pub(crate) least: u16,
    pub(crate) most: u16,
    pub(crate) now: &'a str,
    pub(crate) label: String,
    pub(crate) hint: String,
}

/// A form. A field of at least one character is required.
pub(crate) fn form<'a>(
    custom_id: String,
    title: String,
    fields: impl IntoIterator<Item = Field<'a>>,
) -> Reply {
    Reply::modal(custom_id, title, fields.into_iter().map(component).collect())
}

fn component(field: Field<'_>) -> Component {
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
    Component::Label(Label {
        component: Box::new(Component::TextInput(input)),
        description: Some(field.hint),
        id: None,
        label: field.label,
    })
}

//! Buttons, menus and forms: <https://docs.discord.com/developers/components/reference>.

use std::collections::HashSet;

use serde_json::Value;

use super::{Faults, Field};
use crate::rest::Answer;

const ACTION_ROW: u64 = 1;
const BUTTON: u64 = 2;
const TEXT_MENU: u64 = 3;
const TEXT_INPUT: u64 = 4;
/// Menus of users, roles, both, and channels.
const OTHER_MENUS: std::ops::RangeInclusive<u64> = 5..=8;
const LABEL: u64 = 18;
/// The style of a button that opens an address.
const LINK: u64 = 5;
/// The style of a button that sells something.
const PREMIUM: u64 = 6;

/// The `custom_id`s of a body, which must be unique.
type Ids<'a> = HashSet<&'a str>;

/// The rows of a message.
pub(super) fn check_rows(rows: &Field<'_>) {
    rows.list(0..=5);
    let mut ids = Ids::new();
    for row in rows.items() {
        if kind(&row) != Some(ACTION_ROW) {
            unknown_kind(&row, "(1,)");
            continue;
        }
        let parts = row.at("components");
        parts.list(1..=5);
        let has_menu = parts
            .items()
            .any(|part| kind(&part).is_some_and(|kind| kind != BUTTON));
        if has_menu && parts.items().count() > 1 {
            parts.fault(
                "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                "The specified component exceeds the maximum width",
            );
        }
        for part in parts.items() {
            match kind(&part) {
                Some(BUTTON) => check_button(&part, &mut ids),
                Some(TEXT_MENU) => check_menu(&part, &mut ids, true),
                Some(menu) if OTHER_MENUS.contains(&menu) => check_menu(&part, &mut ids, false),
                _ => unknown_kind(&part, "(2, 3, 5, 6, 7, 8)"),
            }
        }
    }
}

/// A form that a callback opens: <https://docs.discord.com/developers/interactions/receiving-and-responding>.
pub(in crate::rest) fn check_modal(data: &Value) -> Result<(), Answer> {
    let faults = Faults::default();
    let form = faults.root(data).at("data");
    form.at("title").required_text(1..=45);
    form.at("custom_id").required_text(1..=100);
    let components = form.at("components");
    if components.is_missing() {
        components.missing();
    }
    components.list(1..=5);
    let mut ids = Ids::new();
    for component in components.items() {
        match kind(&component) {
            Some(ACTION_ROW) => {
                let parts = component.at("components");
                parts.list(1..=1);
                for part in parts.items() {
                    part.at("label").required_text(1..=45);
                    check_input(&part, &mut ids);
                }
            }
            Some(LABEL) => {
                component.at("label").required_text(1..=45);
                component.at("description").text(0..=100);
                let part = component.at("component");
                match kind(&part) {
                    Some(TEXT_INPUT) => check_input(&part, &mut ids),
                    Some(TEXT_MENU) => check_menu(&part, &mut ids, true),
                    Some(menu) if OTHER_MENUS.contains(&menu) => check_menu(&part, &mut ids, false),
                    _ => unknown_kind(&part, "(3, 4, 5, 6, 7, 8)"),
                }
            }
            _ => unknown_kind(&component, "(1, 18)"),
        }
    }
    faults.answer()
}

/// What a callback proposes while an option is being written.
pub(in crate::rest) fn check_choices(body: &Value) -> Result<(), Answer> {
    let faults = Faults::default();
    let choices = faults.root(body).at("data").at("choices");
    if choices.is_missing() {
        choices.missing();
    }
    check_listed_choices(&choices);
    faults.answer()
}

/// Choices, of a command's option or proposed for one.
pub(super) fn check_listed_choices(choices: &Field<'_>) {
    choices.list(0..=25);
    for choice in choices.items() {
        choice.at("name").required_text(1..=100);
        for text in choice.at("name_localizations").values() {
            text.text(1..=100);
        }
        let value = choice.at("value");
        if value.is_missing() {
            value.missing();
        } else if value.value.is_string() {
            value.text(1..=100);
        }
    }
}

fn kind(component: &Field<'_>) -> Option<u64> {
    component.at("type").value.as_u64()
}

fn unknown_kind(component: &Field<'_>, known: &str) {
    let message = format!("Value of field \"type\" must be one of {known}.");
    component.at("type").fault("UNION_TYPE_CHOICES", &message);
}

fn check_id<'a>(component: &Field<'a>, ids: &mut Ids<'a>) {
    let id = component.at("custom_id");
    id.required_text(1..=100);
    if let Some(text) = id.value.as_str()
        && !ids.insert(text)
    {
        id.fault(
            "COMPONENT_CUSTOM_ID_DUPLICATED",
            "Component custom id cannot be duplicated",
        );
    }
}

fn check_button<'a>(button: &Field<'a>, ids: &mut Ids<'a>) {
    let (label, style) = (button.at("label"), button.at("style"));
    label.text(0..=80);
    match style.value.as_u64() {
        Some(LINK) => {
            let url = button.at("url");
            url.required_text(1..=512);
            url.address(&["http", "https", "discord"]);
        }
        Some(PREMIUM) => return,
        Some(1..=4) => check_id(button, ids),
        _ => style.fault("BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6}."),
    }
    if label.chars() == 0 && !button.at("emoji").value.is_object() {
        button.fault("BUTTON_COMPONENT_INVALID", "A button must have a label or emoji");
    }
}

fn check_menu<'a>(menu: &Field<'a>, ids: &mut Ids<'a>, with_options: bool) {
    check_id(menu, ids);
    menu.at("placeholder").text(0..=150);
    menu.at("min_values").number(0..=25);
    menu.at("max_values").number(1..=25);
    menu.at("default_values").list(0..=25);
    if !with_options {
        return;
    }
    let options = menu.at("options");
    if options.is_missing() {
        options.missing();
    }
    options.list(1..=25);
    let mut values = HashSet::new();
    for option in options.items() {
        option.at("label").required_text(1..=100);
        option.at("description").text(0..=100);
        let value = option.at("value");
        value.required_text(1..=100);
        if value.value.as_str().is_some_and(|text| !values.insert(text)) {
            value.fault(
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            );
        }
    }
}

fn check_input<'a>(input: &Field<'a>, ids: &mut Ids<'a>) {
    if kind(input) != Some(TEXT_INPUT) {
        unknown_kind(input, "(4,)");
        return;
    }
    check_id(input, ids);
    input.at("placeholder").text(0..=100);
    input.at("value").text(0..=4_000);
    input.at("min_length").number(0..=4_000);
    input.at("max_length").number(1..=4_000);
    let longest = input.at("max_length").value.as_u64().unwrap_or(4_000);
    let value = input.at("value");
    if value.chars() as u64 > longest {
        let message = format!("Must be {longest} or fewer in length.");
        value.fault("BASE_TYPE_MAX_LENGTH", &message);
    }
}

use serde_json::{Value, json};

use super::{check_choices, check_member, check_modal, command, message};
use crate::rest::Answer;

/// The paths of the faults, such as `embeds.0.title BASE_TYPE_MAX_LENGTH`.
fn faults(checked: Result<(), Answer>) -> Vec<String> {
    fn collect(errors: &Value, path: &str, into: &mut Vec<String>) {
        for (key, value) in errors.as_object().into_iter().flatten() {
            if key == "_errors" {
                let codes = value.as_array().into_iter().flatten();
                into.extend(codes.map(|fault| format!("{path} {}", fault["code"].as_str().unwrap_or(""))));
            } else if path.is_empty() {
                collect(value, key, into);
            } else {
                collect(value, &format!("{path}.{key}"), into);
            }
        }
    }
    let mut found = Vec::new();
    if let Err(answer) = checked {
        let body = answer.body.unwrap_or_default();
        assert_eq!((answer.status, &body["code"]), (400, &json!(50_035)), "{body}");
        collect(&body["errors"], "", &mut found);
    }
    found
}

fn text(chars: usize) -> String {
    "ü".repeat(chars)
}

fn numbers(count: usize) -> Vec<usize> {
    (0..count).collect()
}

#[test]
fn a_message_at_its_limits_passes_and_one_beyond_them_does_not() {
    let message_with = |over: usize| {
        json!({
            "content": text(2_000 + over), "nonce": "n".repeat(25 + over),
            "sticker_ids": numbers(3 + over),
            "attachments": [{"id": 0, "description": text(1_024 + over)}],
            "allowed_mentions": {"users": numbers(100 + over)},
            "embeds": [{
                "title": text(256 + over), "color": 0xff_ffff + over, "footer": {"text": text(2_048 + over)},
                "author": {"name": text(256 + over)},
                "fields": [{"name": text(256 + over), "value": text(1_024 + over)}],
            }],
        })
    };
    assert_eq!(
        faults(message::check(&[], &message_with(0))),
        Vec::<String>::new()
    );
    let mut found = faults(message::check(&[], &message_with(1)));
    found.sort_unstable();
    let wanted = [
        "allowed_mentions.users BASE_TYPE_MAX_LENGTH",
        "attachments.0.description BASE_TYPE_MAX_LENGTH",
        "content BASE_TYPE_MAX_LENGTH",
        "embeds.0.author.name BASE_TYPE_MAX_LENGTH",
        "embeds.0.color NUMBER_TYPE_MAX",
        "embeds.0.fields.0.name BASE_TYPE_MAX_LENGTH",
        "embeds.0.fields.0.value BASE_TYPE_MAX_LENGTH",
        "embeds.0.footer.text BASE_TYPE_MAX_LENGTH",
        "embeds.0.title BASE_TYPE_MAX_LENGTH",
        "nonce BASE_TYPE_MAX_LENGTH",
        "sticker_ids BASE_TYPE_MAX_LENGTH",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn embeds_have_a_limit_of_their_own_and_one_together() {
    let embeds = |lengths: &[usize]| {
        let embeds = lengths.iter().map(|chars| json!({"description": text(*chars)}));
        json!({"embeds": embeds.collect::<Vec<_>>()})
    };
    assert!(message::check(&[], &embeds(&[4_096, 1_904])).is_ok());
    assert_eq!(
        faults(message::check(&[], &embeds(&[4_096, 1_905]))),
        ["embeds.1 MAX_EMBED_SIZE_EXCEEDED"]
    );
    assert_eq!(
        faults(message::check(&[], &embeds(&[4_097]))),
        ["embeds.0.description BASE_TYPE_MAX_LENGTH"]
    );
    assert_eq!(
        faults(message::check(&[], &embeds(&[1; 11]))),
        ["embeds BASE_TYPE_MAX_LENGTH"]
    );
    let fields = vec![json!({"name": "n", "value": "v"}); 26];
    assert_eq!(
        faults(message::check(&[], &json!({"embeds": [{"fields": fields}]}))),
        ["embeds.0.fields BASE_TYPE_MAX_LENGTH"]
    );
    let empty = json!({"embeds": [{"fields": [{"name": "", "value": "v"}], "url": "ftp://a"}]});
    assert_eq!(
        faults(message::check(&[], &empty)),
        [
            "embeds.0.fields.0.name BASE_TYPE_REQUIRED",
            "embeds.0.url URL_TYPE_INVALID_SCHEME"
        ]
    );
}

#[test]
fn an_edit_may_be_empty_and_a_file_may_not_be_large() {
    assert!(message::check_edit(&[], &json!({"content": ""})).is_ok());
    let answer = message::check(&[], &json!({"content": " "})).expect_err("empty");
    assert_eq!(answer.body.unwrap_or_default()["code"], 50_006);
    let large = json!({"_files": [{"name": "card.png", "size": (10 << 20) + 1}]});
    let answer = message::check(&[], &large).expect_err("too large");
    assert_eq!(answer.status, 413);
}

#[test]
fn buttons_and_menus_have_their_limits() {
    let button = |id: &str, label: &str| json!({"type": 2, "style": 1, "custom_id": id, "label": label});
    let row = |parts: &[Value]| json!({"type": 1, "components": parts});
    let rows = |rows: &[Value]| faults(message::check(&[], &json!({"content": "x", "components": rows})));
    let five: Vec<Value> = ["a", "b", "c", "d", "e"]
        .into_iter()
        .map(|id| button(id, &text(80)))
        .collect();
    assert_eq!(rows(&[row(&five)]), Vec::<String>::new());
    let six = [five.clone(), vec![button("f", "f")]].concat();
    assert_eq!(
        rows(&[row(&six)]),
        ["components.0.components BASE_TYPE_BAD_LENGTH"]
    );
    let many: Vec<Value> = (0..6).map(|at| row(&[button(&at.to_string(), "x")])).collect();
    assert_eq!(rows(&many), ["components BASE_TYPE_MAX_LENGTH"]);
    assert_eq!(
        rows(&[row(&[button(&text(101), &text(81))])]),
        [
            "components.0.components.0.custom_id BASE_TYPE_BAD_LENGTH",
            "components.0.components.0.label BASE_TYPE_MAX_LENGTH"
        ]
    );
    assert_eq!(
        rows(&[row(&[button("a", "x"), button("a", "")])]),
        [
            "components.0.components.1 BUTTON_COMPONENT_INVALID",
            "components.0.components.1.custom_id COMPONENT_CUSTOM_ID_DUPLICATED"
        ]
    );
    let menu = |options: usize, chars: usize| {
        let options: Vec<Value> = (0..options)
            .map(|at| json!({"label": text(chars), "value": at.to_string(), "description": text(chars)}))
            .collect();
        row(&[json!({"type": 3, "custom_id": "m", "options": options, "placeholder": text(chars + 50)})])
    };
    assert_eq!(rows(&[menu(25, 100)]), Vec::<String>::new());
    assert_eq!(
        rows(&[menu(26, 100)]),
        ["components.0.components.0.options BASE_TYPE_BAD_LENGTH"]
    );
    assert_eq!(
        rows(&[menu(1, 101)]),
        [
            "components.0.components.0.options.0.description BASE_TYPE_MAX_LENGTH",
            "components.0.components.0.options.0.label BASE_TYPE_BAD_LENGTH",
            "components.0.components.0.placeholder BASE_TYPE_MAX_LENGTH"
        ]
    );
}

#[test]
fn forms_and_choices_have_their_limits() {
    let modal = |chars: usize| {
        let input = json!({
            "type": 4, "custom_id": "i", "style": 1, "value": text(chars * 40), "max_length": 4_000,
            "placeholder": text(chars),
        });
        json!({"type": 9, "data": {
            "custom_id": text(chars), "title": text(chars - 55),
            "components": [{"type": 18, "label": text(chars - 55), "description": text(chars), "component": input}],
        }})
    };
    assert_eq!(faults(check_modal(&modal(100))), Vec::<String>::new());
    assert_eq!(faults(check_modal(&modal(101))).len(), 7);
    let choices = |count: usize, chars: usize| {
        let choice = json!({"name": text(chars), "value": text(chars)});
        json!({"type": 8, "data": {"choices": vec![choice; count]}})
    };
    assert_eq!(faults(check_choices(&choices(25, 100))), Vec::<String>::new());
    assert_eq!(
        faults(check_choices(&choices(26, 100))),
        ["data.choices BASE_TYPE_MAX_LENGTH"]
    );
    assert_eq!(faults(check_choices(&choices(1, 101))).len(), 2);
    assert_eq!(
        faults(check_member(&json!({"nick": text(33)}))),
        ["nick BASE_TYPE_MAX_LENGTH"]
    );
    assert!(check_member(&json!({"nick": text(32)})).is_ok());
}

#[test]
fn commands_have_their_limits() {
    let option = |name: &str| json!({"type": 3, "name": name, "description": text(100)});
    let command = |options: &[Value]| json!([{"name": "rank", "description": text(100), "options": options}]);
    assert!(command::check_all(&command(&[option("member")])).is_ok());
    for (commands, fault) in [
        (
            json!([{"name": "Rank me", "description": "x"}]),
            "0.name APPLICATION_COMMAND_INVALID_NAME",
        ),
        (
            json!([{"name": text(33), "description": "x"}]),
            "0.name BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!([{"name": "rank", "description": ""}]),
            "0.description BASE_TYPE_REQUIRED",
        ),
        (
            json!([{"name": "a", "description": "x", "description_localizations": {"de": text(101)}}]),
            "0.description_localizations.de BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!([{"name": "a", "description": "x"}, {"name": "a", "description": "y"}]),
            "1 APPLICATION_COMMANDS_DUPLICATE_NAME",
        ),
        (
            command(&[
                option("a"),
                json!({"type": 3, "name": "b", "description": "x", "required": true}),
            ]),
            "0.options.1 APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (
            command(&vec![option("a"); 2]),
            "0.options.1 APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
        ),
        (
            json!([{"type": 2, "name": "Show rank", "description": "x"}]),
            "0.description APPLICATION_COMMAND_INVALID_DESCRIPTION",
        ),
    ] {
        assert_eq!(faults(command::check_all(&commands)), [fault]);
    }
    let options: Vec<Value> = (0..26).map(|at| option(&format!("o{at}"))).collect();
    assert_eq!(
        faults(command::check_all(&command(&options))),
        ["0.options BASE_TYPE_MAX_LENGTH"]
    );
}

#[test]
fn a_command_is_8000_characters_long_at_most_whatever_the_language() {
    let option = |name: &str, choices: usize, german: usize| {
        json!({
            "type": 3, "name": name, "description": "x", "description_localizations": {"de": text(german)},
            "choices": vec![json!({"name": text(100), "value": text(100)}); choices],
        })
    };
    // 2 + 5,002 + 2,802 + 101, and 1 + 92 for the last option.
    let command = |german: usize| {
        let options = [
            option("a", 25, 1),
            option("b", 14, 1),
            option("c", 0, 100),
            option("d", 0, german),
        ];
        json!({"name": "a", "description": "x", "options": options})
    };
    assert_eq!(faults(command::check(&command(92))), Vec::<String>::new());
    assert_eq!(
        faults(command::check(&command(93))),
        [" APPLICATION_COMMAND_TOO_LARGE"]
    );
}

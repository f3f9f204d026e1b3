//! Every option of every command at its maximum length, all at the same time: there is a reply, and Discord accepts it and all effects.

use std::collections::BTreeSet;

use discord_simulator::InteractionRequest;
use serde_json::{Value, json};

use super::asked::{self, Control, Roles, answered, controls, given, leaves};
use crate::{
    limits::assert_fits,
    support::{
        asking::{Here, here_in},
        effects::delivered,
    },
};

/// The parts of long texts: letters, lines, Markdown, placeholders, mentions, links, and characters of two UTF-16 units.
const FILLINGS: [&str; 7] = [
    "x",
    "x\n",
    "*",
    "{user} ",
    "<@1> ",
    "https://a.example ",
    "\u{1f980}",
];

/// Discord's own limits for a text option and for a field of a form.
const TEXT: u64 = 6_000;
const FIELD: u64 = 4_000;

/// The largest number that Discord sends.
const NUMBER: i64 = (1 << 53) - 1;

/// As much as fits, in the units that Discord counts.
fn filled(filling: &str, most: u64) -> String {
    let mut left = usize::try_from(most).expect("small");
    let text = filling.chars().cycle();
    text.take_while(|char| {
        let fits = char.len_utf16() <= left;
        left = left.saturating_sub(char.len_utf16());
        fits
    })
    .collect()
}

/// The option with the longest text, or the largest number, that Discord accepts.
fn longest(here: &Here, roles: Roles, option: &Value, filling: &str) -> Value {
    let value: Value = match option["type"].as_u64() {
        Some(3) if option["choices"].is_null() => {
            filled(filling, option["max_length"].as_u64().unwrap_or(TEXT)).into()
        }
        Some(4) => option["max_value"].as_i64().unwrap_or(NUMBER).into(),
        Some(10) => option["max_value"].as_f64().unwrap_or(9e15).into(),
        _ => return given(here, roles, option),
    };
    json!({"name": option["name"], "type": option["type"], "value": value})
}

/// Ask, and see that Discord took every answer.
async fn ask(here: &Here, request: &InteractionRequest, found: &mut Vec<Control>) -> Value {
    let state = answered(here, request).await;
    assert_eq!(state.refused_callbacks, 0, "{}: {state:?}", request.data);
    if let Some(reply) = state.reply() {
        assert_fits(reply);
    }
    found.extend(controls(&state, request.user_id));
    state.callback.unwrap_or_default()
}

/// Its text fields at their longest.
fn submitted(here: &Here, asker: u64, form: (&Value, Option<&Value>), filling: &str) -> InteractionRequest {
    let mut request = asked::submitted(here, asker, form);
    let mut fields = Vec::new();
    if let Some(rows) = request.data["components"].as_array_mut() {
        for row in rows {
            let is_label = row["component"].is_object();
            fields.extend(is_label.then(|| row["component"].take()));
            if let Some(inner) = row["components"].as_array_mut() {
                for field in inner {
                    let most = field["max_length"].as_u64().unwrap_or(FIELD);
                    field["value"] = filled(filling, most).into();
                }
            } else if let Some(mut field) = fields.pop() {
                let most = field["max_length"].as_u64().unwrap_or(FIELD);
                field["value"] = filled(filling, most).into();
                row["component"] = field;
            }
        }
    }
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_at_its_longest_at_once() {
    let here = here_in(1, 600, |_| {}).await;
    let roles = Roles::of(&here);
    let leaves = leaves(&here);
    let mut pressed = BTreeSet::new();
    let mut forms = 0;
    for filling in FILLINGS {
        let mut found = Vec::new();
        for leaf in &leaves {
            let options = leaf.all().map(|option| longest(&here, roles, option, filling));
            ask(&here, &leaf.ask(&here, options), &mut found).await;
            // One long text after the other with normal values for the rest, so that not only the first one is checked.
            for (at, _) in leaf.all().enumerate().filter(|(_, option)| option["type"] == 3) {
                let options = leaf.all().enumerate().map(|(index, option)| {
                    if index == at {
                        longest(&here, roles, option, filling)
                    } else {
                        given(&here, roles, option)
                    }
                });
                ask(&here, &leaf.ask(&here, options), &mut found).await;
            }
            for option in leaf.completed() {
                let text = filled(filling, option["max_length"].as_u64().unwrap_or(TEXT));
                ask(&here, &leaf.typing(&here, option, &text), &mut found).await;
            }
        }
        // Commands that show what was stored.
        for leaf in &leaves {
            ask(&here, &leaf.about(&here, roles, 6), &mut found).await;
            ask(&here, &leaf.in_short(&here, roles), &mut found).await;
        }
        let mut deeper = Vec::new();
        for control in found {
            let id = control.definition["custom_id"].as_str().unwrap_or_default();
            let kind = id.split([':', '/', ' ']).take(2).collect::<Vec<_>>().join(":");
            if !pressed.insert((filling, kind)) {
                continue;
            }
            let callback = ask(&here, &control.press(&here, roles), &mut deeper).await;
            if callback["type"] == 9 {
                forms += 1;
                let opened = (&callback["data"], Some(&control.message));
                let form = submitted(&here, control.asker, opened, filling);
                ask(&here, &form, &mut deeper).await;
            }
        }
    }
    assert!(
        forms > 0 && pressed.len() > FILLINGS.len(),
        "{forms} forms, {pressed:?}"
    );
    delivered(&here.scene.store()).await;
    let control = here.discord.control();
    control.bot_messages().iter().for_each(assert_fits);
    let refused: BTreeSet<String> = control
        .rest_calls("*")
        .iter()
        .filter(|call| call.status == 400)
        .map(|call| call.route.clone())
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    here.end().await;
}

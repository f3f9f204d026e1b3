use std::sync::LazyLock;

use proptest::prelude::*;
use twilight_model::id::Id;

use super::{DEFAULT, Facts, MAX_CHARS, Placeholder, Template, TemplateFault};
use crate::{
    settings::values::curve,
    support::{
        i18n::Language,
        text::{
            limits::{CONTENT, excerpt},
            names::{
                Name,
                tests::{HOSTILE, assert_harmless},
            },
        },
    },
};

static ADA: LazyLock<Name> = LazyLock::new(|| Name::first([Some("Ada")], 7));
static STARS: LazyLock<Name> = LazyLock::new(|| Name::first([Some("The *Stars*")], 9));

fn facts() -> Facts<'static> {
    Facts {
        user_id: Id::new(7),
        user_name: Some(&ADA),
        level: 5,
        level_before: 4,
        xp: 1_160,
        xp_next: 465,
        server: Some(&STARS),
        roles: &[],
    }
}

fn rendered(template: &str) -> String {
    Template::parse(template).expect(template).render(&facts())
}

fn fault(template: &str) -> String {
    let fault = Template::parse(template).expect_err(template).to_string();
    assert_eq!(fault.lines().count(), 1, "{fault}");
    fault
}

#[test]
fn everything_is_filled_in() {
    assert_eq!(rendered(DEFAULT), "GG <@7>, you just advanced to level 5!");
    assert_eq!(
        rendered("{user} {user.id} {user.name} {level} {level.before} {xp} {xp.next} {server}|{roles}|"),
        "<@7> 7 Ada 5 4 1160 465 The \\*Stars\\*||"
    );
    assert_eq!(rendered("{{level}} }}{{ {{{level}}}"), "{level} }{ {5}");
    let roles = [Id::new(1), Id::new(2)];
    let template = Template::parse("You got {roles}!").expect("a template");
    let facts = Facts {
        roles: &roles,
        ..facts()
    };
    assert_eq!(template.render(&facts), "You got <@&1> <@&2>!");
}

#[test]
fn the_usual_texts_in_every_language() {
    let default = Template::default();
    assert_eq!(default.usual_in(Some(Language::English)), default);
    assert_eq!(default.usual_in(None), default);
    for language in Language::ALL {
        let text = default.usual_in(Some(language)).render(&facts());
        assert!(text.contains("<@7>") && text.contains('5'), "{text}");
        Template::parse(&language.text("welcome-default")).expect("a template");
    }
    assert_ne!(default.usual_in(Some(Language::German)), default);
    let own = Template::parse("{user}").expect("a template");
    assert_eq!(
        own.usual_in(Some(Language::German)),
        own,
        "the operator's own text"
    );
}

#[test]
fn names_that_nobody_knows() {
    let facts = Facts {
        user_name: None,
        server: None,
        ..facts()
    };
    let template = Template::parse("{user.name} of {server}").expect("a template");
    assert_eq!(template.render(&facts), "<@7> of this server");
}

#[test]
fn names_are_names_only() {
    let hostile = Name::first([Some(HOSTILE)], 7);
    for placeholder in Placeholder::LEVELS {
        let template = Template::parse(&format!("evil {{{}}}", placeholder.name())).expect("a template");
        let facts = Facts {
            user_name: Some(&hostile),
            server: Some(&hostile),
            ..facts()
        };
        assert_harmless(&template.render(&facts));
    }
}

#[test]
fn wants_what_is_in_it() {
    let template = Template::parse("{user.name} {{server}}").expect("a template");
    let wanted: Vec<Placeholder> = Placeholder::LEVELS
        .into_iter()
        .filter(|placeholder| template.wants(*placeholder))
        .collect();
    assert_eq!(wanted, [Placeholder::UserName]);
}

#[test]
fn slips_are_told_in_one_line() {
    for (template, words) in [
        (
            "Hi {usr}!",
            "no placeholder {usr} (character 4): did you mean {user}?",
        ),
        ("{Level}", "did you mean {level}?"),
        ("{ level }", "did you mean {level}?"),
        ("{user_name}", "did you mean {user.name}?"),
        ("{level.befor}", "did you mean {level.before}?"),
        ("{player}", "did you mean {user}?"),
        ("{guild}", "did you mean {server}?"),
        (
            "{nonsense}",
            "there are {user}, {user.id}, {user.name}, {level}, {level.before}, {xp}, {xp.next}, {server}, {roles}",
        ),
        ("{}", "no placeholder {} (character 1): there are"),
        ("{a\nb}", "{a\\nb}"),
        (
            "äö {user",
            "the { at character 4 has no } after it: close it, or write {{ for a brace",
        ),
        ("{user{level}", "the { at character 1 has no }"),
        (
            "a } b",
            "the } at character 3 has no { before it: open it, or write }} for a brace",
        ),
        ("{user}}", "the } at character 7"),
        ("", "it could come out empty"),
        (" \u{200b}\n{roles} ", "it could come out empty"),
    ] {
        let fault = fault(template);
        assert!(fault.contains(words), "{template}: {fault}");
    }
    let long = fault(&format!("{{{}}}", "x".repeat(1_000)));
    assert!(long.contains("{xxxxxxxxxxxxxxxxxxxxxxxxxxxxx…}"), "{long}");
    assert_eq!(
        Template::parse(&"ä".repeat(MAX_CHARS + 1)),
        Err(TemplateFault::TooLong { chars: MAX_CHARS + 1 })
    );
    Template::parse(&"ä".repeat(MAX_CHARS)).expect("as long as it may be");
}

#[test]
fn what_is_too_long_is_cut_before_a_mention() {
    let roles: Vec<_> = (0..250).map(|role| Id::new(u64::MAX - role)).collect();
    let facts = Facts {
        roles: &roles,
        ..facts()
    };
    for padding in 1..30 {
        let template = Template::parse(&format!("{}{{roles}}", "x".repeat(padding))).expect("a template");
        let message = excerpt(&template.render(&facts), CONTENT);
        assert!(message.ends_with(">…"), "{message}");
        assert!(
            message.encode_utf16().count() > 2_000 - 27,
            "no more is cut than must be"
        );
        assert_eq!(message.matches("<@&").count(), message.matches('>').count());
    }
    // An emoji is a token of the template itself, a lone bracket is not: 574 units of roles, 1,415 of text, then the emoji.
    let few = Facts {
        roles: &roles[..23],
        ..facts
    };
    for (end, kept) in [
        ("<:stars:123456>", "y…"),
        ("<three stars, twelve", "y<three sta…"),
    ] {
        let template = Template::parse(&format!("{{roles}}{}{end}", "y".repeat(1_415))).expect("a template");
        let message = excerpt(&template.render(&few), CONTENT);
        assert!(message.ends_with(kept), "{message}");
    }
}

fn names() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof!["[a-z<>@&{}🦀…]", any::<char>().prop_map(String::from)],
        0..120,
    )
    .prop_map(|parts| parts.concat())
}

/// Texts in which braces, brackets and placeholders are frequent enough to collide.
fn texts() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z <>@&#:/{}🦀ä\n]{1,12}",
        proptest::sample::select(Placeholder::LEVELS.to_vec())
            .prop_map(|placeholder| format!("{{{}}}", placeholder.name())),
        any::<char>().prop_map(String::from),
        Just("<@123456789012345678>".to_owned()),
    ];
    proptest::collection::vec(part, 0..220).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn parsing_never_panics_and_says_where(text in texts()) {
        match Template::parse(&text) {
            Ok(template) => prop_assert_eq!(template.as_str(), text),
            Err(fault) => prop_assert_eq!(fault.to_string().lines().count(), 1),
        }
    }

    #[test]
    fn messages_fit_and_are_never_empty(
        text in texts(),
        name in names(),
        server in names(),
        level in 0..=curve::MAX_LEVEL,
        xp: u64,
        roles in proptest::collection::vec(1_u64.., 0..260),
    ) {
        let roles: Vec<_> = roles.into_iter().map(Id::new).collect();
        let facts = Facts {
            user_id: Id::new(u64::MAX),
            user_name: Some(&Name::first([Some(&*name)], 7)),
            level,
            level_before: level.saturating_sub(1),
            xp,
            xp_next: xp,
            server: Some(&Name::first([Some(&*server)], 9)),
            roles: &roles,
        };
        if let Ok(template) = Template::parse(&text) {
            prop_assert!(!template.render(&facts).trim().is_empty());
            let message = excerpt(&template.render(&facts), CONTENT);
            prop_assert!(message.encode_utf16().count() <= 2_000);
            // Wherever the text was cut, no role mention is incomplete.
            if !text.contains('<') {
                for mention in message.split("<@&").skip(1) {
                    let end = mention.find(|c: char| !c.is_ascii_digit());
                    prop_assert!(end.is_some_and(|end| mention.split_at(end).1.starts_with('>')), "{}", message);
                }
            }
        }
    }

    /// Any text can be expressed: with its braces doubled it renders unchanged.
    #[test]
    fn braces_round_trip(text in texts()) {
        let escaped = text.replace('{', "{{").replace('}', "}}");
        if let Ok(template) = Template::parse(&escaped) {
            prop_assert_eq!(template.render(&facts()), text);
        }
    }
}

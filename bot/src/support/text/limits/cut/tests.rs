use proptest::prelude::*;

use super::{excerpt, is_in_code, units};

#[test]
fn what_fits_is_left_alone() {
    for text in ["", "größer", "👩‍🚀", "```x"] {
        assert_eq!(excerpt(text, units(text)), text);
    }
}

#[test]
fn a_text_ends_between_characters_as_people_see_them() {
    for (text, most, cut) in [
        ("größere", 6, "größe…"),
        ("ab👩‍🚀cd", 6, "ab…"),
        ("ab🇩🇪cd", 6, "ab…"),
        ("ne\u{301}e\u{301}", 4, "ne\u{301}…"),
        ("one two three", 9, "one two…"),
        ("xyz", 0, ""),
        ("xyz", 1, "…"),
    ] {
        assert_eq!(excerpt(text, most), cut, "{text}");
    }
}

#[test]
fn nothing_is_cut_open() {
    for (text, most, cut) in [
        ("hi <@123456789> there", 10, "hi…"),
        ("hi <t:1800000000:R> there", 12, "hi…"),
        ("1 < 2 and more of it", 10, "1 < 2 and…"),
        ("see [the rules](https://x.example) now", 20, "see…"),
        ("see [the rules](https://x.example) now", 8, "see…"),
        ("see [the rules] and more", 12, "see [the ru…"),
        ("at https://x.example/path now", 20, "at…"),
        ("a ```let x = 1; let y = 2;``` b", 20, "a ```let x = 1;…\n```"),
        ("a ```x``` b ```c``` and more", 14, "a ```x``` b…"),
    ] {
        let found = excerpt(text, most);
        assert_eq!(found, cut, "{text}");
        assert!(units(&found) <= most);
    }
}

proptest! {
    #[test]
    fn any_text_is_cut_to_its_limit(
        parts in prop::collection::vec(prop_oneof![
            "\\PC{0,20}",
            Just("```".to_owned()),
            Just("<@1234567890>".to_owned()),
            Just("[a](https://b.example/c)".to_owned()),
            Just("👩‍👩‍👧‍👦".to_owned()),
            Just("\n".to_owned()),
        ], 0..20),
        most in 0..120_usize,
    ) {
        let text = parts.concat();
        let cut = excerpt(&text, most);
        prop_assert!(units(&cut) <= most);
        if units(&text) > most && most > 8 {
            prop_assert!(!is_in_code(&cut), "{}", cut);
            let shown = cut.trim_end_matches("\n```").trim_end_matches('…');
            prop_assert!(text.starts_with(shown), "{}", cut);
        } else if units(&text) <= most {
            prop_assert_eq!(cut, text);
        }
    }
}

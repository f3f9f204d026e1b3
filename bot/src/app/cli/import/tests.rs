use clap::Parser as _;
use proptest::prelude::*;

use super::{Map, batch, guild};
use crate::app::cli::Cli;

#[test]
fn a_guild_s_id_is_digits() {
    assert_eq!(
        guild("100000000000000004").map(twilight_model::id::Id::get),
        Ok(100_000_000_000_000_004)
    );
    for text in [
        "",
        "0",
        "+7",
        "-7",
        "7 ",
        "0x7",
        "1e18",
        "18446744073709551616",
        "٧",
        "<@7>",
    ] {
        assert!(guild(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_an_id_or_refused(text in prop_oneof![any::<String>(), "[0-9+-]{0,22}", "[0-9]{17,20}"]) {
        match guild(&text) {
            Ok(id) => prop_assert_eq!(id.to_string(), text.trim_start_matches('0')),
            Err(why) => prop_assert!(why.contains("17 to 19 digits")),
        }
        let _rows = batch(&text);
        let _map = Map::parse(&text);
    }

    /// Any input gives a result, without a panic.
    #[test]
    fn any_command_line_is_understood_or_refused(
        command in prop::sample::select(&["export", "import", "gaps", "backup", "restore", "migrate", "demo", "run"][..]),
        words in prop::collection::vec(prop_oneof![
            Just("--guild".to_owned()), Just("--keep".to_owned()), Just("--batch".to_owned()), Just("--since".to_owned()),
            Just("down".to_owned()), Just("--map".to_owned()), Just("--out".to_owned()), Just("--to".to_owned()),
            "[0-9]{1,20}", any::<String>().prop_map(|text| text.replace('\0', "")),
        ], 0..5),
    ) {
        let line = ["eventide".to_owned(), command.to_owned()].into_iter().chain(words);
        if let Err(error) = Cli::try_parse_from(line) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

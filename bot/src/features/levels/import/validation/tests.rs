//! Validation of rows.

use proptest::prelude::*;
use twilight_model::id::Id;

use super::{Cell, Entry, Field, Fields, Origin, Reason, Validated, Validator, XpMeaning};
use crate::settings::values::curve::Curve;

const GUILD: u64 = 197_038_439_483_310_086;
const USER: u64 = 175_928_847_299_117_063;

const VALIDATOR: Validator = Validator {
    guild: Some(Id::new(GUILD)),
    xp: XpMeaning::Total,
    now: 1_795_000_000_000,
};

fn row(cells: &[(Field, Cell)]) -> Fields {
    cells.iter().fold(
        Fields::default().with(Field::User, Cell::Whole(USER.into())),
        |row, (field, cell)| row.with(*field, cell.clone()),
    )
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn entry(validator: Validator, cells: &[(Field, Cell)]) -> Entry {
    match validator.validate(&row(cells)).expect("an entry") {
        Validated::Entry(entry) => entry,
        Validated::Elsewhere => unreachable!("the guild is the one that is asked for"),
    }
}

#[test]
fn a_guild_that_is_given_replaces_a_name() {
    let named = [(Field::Xp, Cell::Whole(5)), (Field::Guild, text("Home"))];
    assert_eq!(entry(VALIDATOR, &named).key.guild_id.get(), GUILD);
    let alone = Validator {
        guild: None,
        ..VALIDATOR
    };
    assert!(matches!(
        alone.validate(&row(&named)),
        Err(Reason::NoSnowflake { .. })
    ));
    let rounded = [(Field::Xp, Cell::Whole(5)), (Field::Guild, text("1.97e17"))];
    assert!(matches!(
        VALIDATOR.validate(&row(&rounded)),
        Err(Reason::Rounded { .. })
    ));
}

#[test]
fn xp_is_read_as_it_is_written() {
    for cell in [
        Cell::Whole(4_567),
        text("4567"),
        text(" 4567 "),
        Cell::Real(4_567.0),
        text("4567.0"),
    ] {
        let entry = entry(VALIDATOR, &[(Field::Xp, cell.clone())]);
        assert_eq!(
            (entry.xp, entry.messages, entry.origin),
            (4_567, None, Origin::default()),
            "{cell}"
        );
    }
    let fraction = entry(
        VALIDATOR,
        &[(Field::Xp, Cell::Real(12.75)), (Field::Messages, text("3"))],
    );
    assert_eq!(
        (fraction.xp, fraction.messages, fraction.origin.fraction),
        (12, Some(3), true)
    );
}

#[test]
fn a_level_alone_is_the_xp_that_it_begins_at() {
    let alone = entry(VALIDATOR, &[(Field::Level, Cell::Whole(10))]);
    assert_eq!((alone.xp, alone.origin.level_only), (4_675, true));
    let below = entry(
        VALIDATOR,
        &[(Field::Level, Cell::Whole(10)), (Field::Xp, Cell::Whole(4_674))],
    );
    assert_eq!((below.xp, below.origin.below_level), (4_674, true));
}

#[test]
fn xp_within_a_level_is_added_to_it_and_does_not_leave_it() {
    let validator = Validator {
        xp: XpMeaning::InLevel,
        ..VALIDATOR
    };
    for (xp, total) in [(0, 4_675), (50, 4_725), (1_000_000, Curve::Mee6.xp_at(11) - 1)] {
        let entry = entry(
            validator,
            &[(Field::Level, Cell::Whole(10)), (Field::Xp, Cell::Whole(xp))],
        );
        assert_eq!(entry.xp, total);
    }
    assert!(validator.validate(&row(&[(Field::Xp, Cell::Whole(5))])).is_err());
}

#[test]
fn what_cannot_be_is_named() {
    for (cells, told) in [
        (vec![], "no XP and no level"),
        (vec![(Field::Xp, Cell::Whole(-1))], "xp -1: less than 0"),
        (vec![(Field::Xp, text("many"))], "xp \"many\": not a number"),
        (
            vec![(Field::Xp, text("NaN"))],
            "xp \"NaN\": not a number from 0 on",
        ),
        (
            vec![(Field::Xp, Cell::Whole(i128::MAX))],
            "more than the highest level takes",
        ),
        (
            vec![(Field::Xp, Cell::Real(1e300))],
            "more than the highest level takes",
        ),
        (
            vec![(Field::Xp, Cell::Whole(1)), (Field::Messages, Cell::Whole(-2))],
            "messages -2: less than 0",
        ),
        (
            vec![(Field::Level, Cell::Whole(100_001))],
            "level 100001: there is no such level",
        ),
        (
            vec![(Field::Xp, Cell::Other("a list"))],
            "xp a list: not a number",
        ),
    ] {
        let reason = VALIDATOR.validate(&row(&cells)).expect_err(told).to_string();
        assert!(reason.ends_with(told), "{reason}");
    }
    let nobody = Fields::default().with(Field::Xp, Cell::Whole(1));
    assert_eq!(VALIDATOR.validate(&nobody), Err(Reason::NoUser));
    let somewhere = Validator {
        guild: None,
        ..VALIDATOR
    };
    assert_eq!(
        somewhere.validate(&row(&[(Field::Xp, Cell::Whole(1))])),
        Err(Reason::NoGuild)
    );
}

#[test]
fn rows_of_other_guilds_are_left_out() {
    let other = row(&[
        (Field::Xp, Cell::Whole(1)),
        (Field::Guild, text("287038439483310086")),
    ]);
    assert_eq!(VALIDATOR.validate(&other), Ok(Validated::Elsewhere));
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        any::<i128>().prop_map(Cell::Whole),
        any::<i64>().prop_map(|number| Cell::Whole(number.into())),
        any::<f64>().prop_map(Cell::Real),
        ".*".prop_map(Cell::Text),
        "-?[0-9]{1,25}([.,][0-9]+)?(e[0-9]{1,3})?".prop_map(Cell::Text),
    ]
}

proptest! {
    #[test]
    fn any_row_is_an_entry_that_the_database_takes_or_a_reason(
        user in cell(), guild in cell(), xp in cell(), level in cell(), messages in cell(), in_level: bool,
    ) {
        let fields = Fields::default()
            .with(Field::User, user)
            .with(Field::Guild, guild)
            .with(Field::Xp, xp)
            .with(Field::Level, level)
            .with(Field::Messages, messages);
        let xp = if in_level { XpMeaning::InLevel } else { XpMeaning::Total };
        match (Validator { guild: None, xp, ..VALIDATOR }).validate(&fields) {
            Ok(Validated::Entry(entry)) => {
                prop_assert!(entry.xp <= super::MOST && entry.messages.unwrap_or(0) <= super::MOST);
            }
            Ok(Validated::Elsewhere) => prop_assert!(false, "no guild was asked for"),
            Err(reason) => prop_assert!(!reason.to_string().contains('\n')),
        }
    }
}
